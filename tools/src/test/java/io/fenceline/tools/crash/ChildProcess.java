package io.fenceline.tools.crash;

import io.fenceline.journal.TestLevels;
import io.fenceline.journal.ThreadDump;
import io.fenceline.tools.crash.Report.Kind;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A JVM that runs [Child], seen from the test: commands go in, reports come out and are kept here, in another
/// process than the one that is killed.
final class ChildProcess implements AutoCloseable {
    /// 128 + SIGKILL.
    static final int KILLED = 137;

    private static final long PATIENCE_S = 60;

    private final Process process;
    private final Path errors;
    private final Queue<Report> reports = new ArrayDeque<>();
    private final Thread reader;
    private boolean ended;
    private @Nullable IOException problem;
    private String lastWords = "";

    private ChildProcess(Process process, Path errors) {
        this.process = process;
        this.errors = errors;
        this.reader = Thread.ofPlatform().daemon().start(this::read);
    }

    /// Starts a JVM that waits for its command.
    static ChildProcess start() {
        return start(Child.class.getName());
    }

    static ChildProcess start(String mainClass, String... arguments) {
        return start(List.of(), mainClass, arguments);
    }

    /// The same under another program, which ends as the JVM does.
    static ChildProcess start(List<String> program, String mainClass, String... arguments) {
        return start(program, Path.of(System.getProperty("java.home"), "bin", "java"), mainClass, arguments);
    }

    /// The same by another launcher.
    static ChildProcess start(List<String> program, Path java, String mainClass, String... arguments) {
        try {
            Path errors = Files.createTempFile("fenceline-child-", ".err");
            List<String> command = new ArrayList<>(program);
            command.addAll(List.of(
                    java.toString(),
                    "-Xmx64m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1", // most of its short life it starts
                    "-XX:-CreateCoredumpOnCrash",
                    "-XX:ErrorFile=" + errors + ".hs",
                    "--enable-native-access=ALL-UNNAMED",
                    "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED")); // Agrona's UnsafeBuffer
            command.addAll(TestLevels.jvmOptions());
            command.addAll(List.of("-classpath", System.getProperty("java.class.path"), mainClass));
            command.addAll(List.of(arguments));
            ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
            return new ChildProcess(builder.start(), errors);
        } catch (IOException e) {
            throw new AssertionError("cannot start a JVM", e);
        }
    }

    private void read() {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(process.getInputStream(), 1 << 16))) {
            for (Report report = Report.read(in); report != null; report = Report.read(in)) {
                synchronized (this) {
                    reports.add(report);
                    notifyAll();
                }
            }
        } catch (Report.Foreign e) {
            synchronized (this) {
                lastWords = e.text();
            }
        } catch (IOException e) {
            synchronized (this) {
                problem = e;
            }
        } finally {
            synchronized (this) {
                ended = true;
                notifyAll();
            }
        }
    }

    /// Sends one line.
    ChildProcess send(String line) {
        try {
            OutputStream to = process.getOutputStream();
            to.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            to.flush();
            return this;
        } catch (IOException e) {
            throw new AssertionError("child " + pid() + " takes no command: " + errors(), e);
        }
    }

    /// Takes the next report, which must be of that kind.
    Report await(Kind kind) {
        Report report = next();
        if (report == null || report.kind() != kind) {
            throw new AssertionError(
                    "child " + pid() + ": expected " + kind + ", actual " + report + "; it said: " + errors());
        }
        return report;
    }

    /// Takes reports up to the first of that kind, which is the last of the list.
    List<Report> awaitAll(Kind kind) {
        List<Report> taken = new ArrayList<>();
        Report report;
        do {
            report = next();
            if (report == null) {
                throw new AssertionError("child " + pid() + " ended before it reported " + kind + ": " + errors());
            }
            taken.add(report);
        } while (report.kind() != kind);
        return taken;
    }

    /// What the child's threads are at: as it tells, and as the kernel tells if it does not answer.
    private String threads() {
        StringBuilder text = new StringBuilder();
        try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid() + "/task"))) {
            for (Path task : tasks.toList()) {
                text.append('\n').append(Files.readString(task.resolve("comm")).strip());
                text.append(' ').append(Files.readString(task.resolve("stat")).strip());
                text.append(' ').append(Files.readString(task.resolve("wchan")).strip());
            }
        } catch (IOException e) {
            text.append("\nno more is known: ").append(e);
        }
        return text.append('\n').append(ThreadDump.of(pid())).toString();
    }

    /// Waits for the next report.
    ///
    /// @return null if the child has ended without another
    synchronized @Nullable Report next() {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
        while (reports.isEmpty() && !ended) {
            if (System.nanoTime() > deadlineNs) {
                throw new AssertionError(
                        "child " + pid() + " is silent for " + PATIENCE_S + " s: " + errors() + threads());
            }
            try {
                wait(1000);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        if (problem != null) {
            throw new AssertionError("child " + pid(), problem);
        }
        return reports.poll();
    }

    /// Takes what is left, once the child has ended.
    List<Report> rest() {
        List<Report> taken = new ArrayList<>();
        for (Report report = next(); report != null; report = next()) {
            taken.add(report);
        }
        return taken;
    }

    /// Lets it run on.
    ///
    /// @throws AssertionError if it ends meanwhile
    void letRun(long timeMs) {
        try {
            if (process.waitFor(timeMs, TimeUnit.MILLISECONDS)) {
                throw new AssertionError("child " + pid() + " ended by itself: " + errors());
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /// SIGKILL. Returns when the process is gone and all that it reported is here.
    void kill() {
        // Not Process.destroyForcibly: that closes the pipe, with reports in it.
        process.toHandle().destroyForcibly();
        int exit = exitCode();
        if (exit != KILLED) {
            throw new AssertionError(
                    "child " + pid() + ": exit code expected " + KILLED + ", actual " + exit + ": " + errors());
        }
    }

    /// Waits for its end.
    int exitCode() {
        try {
            if (!process.waitFor(PATIENCE_S, TimeUnit.SECONDS)) {
                throw new AssertionError("child " + pid() + " does not end within " + PATIENCE_S + " s: " + errors());
            }
            reader.join();
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    void signal(String name) {
        try {
            int exit = new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid())
                    .inheritIO()
                    .start()
                    .waitFor();
            if (exit != 0) {
                throw new AssertionError("kill -" + name + " " + pid() + ": exit code " + exit);
            }
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /// Waits until the kernel has it in a state: the letter behind its name in /proc/PID/stat.
    void awaitState(char state) {
        Path stat = Path.of("/proc", Long.toString(pid()), "stat");
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
        String line;
        do {
            if (System.nanoTime() > deadlineNs) {
                throw new AssertionError("child " + pid() + " does not come to state " + state);
            }
            try {
                line = Files.readString(stat);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        } while (line.charAt(line.lastIndexOf(')') + 2) != state);
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /// What it wrote to standard error, and what a JVM says on standard output when it dies.
    synchronized String errors() {
        try {
            return lastWords + Files.readString(errors, StandardCharsets.UTF_8);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /// Ends it, if it runs.
    @Override
    public void close() {
        process.destroyForcibly();
        exitCode();
        try {
            Files.deleteIfExists(errors);
            Files.deleteIfExists(Path.of(errors + ".hs"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
