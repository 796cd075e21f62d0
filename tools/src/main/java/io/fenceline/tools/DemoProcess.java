package io.fenceline.tools;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A `fenceline` command in a process of its own: another JVM, fed and read through pipes, killed when this is closed.
final class DemoProcess implements AutoCloseable {
    private final Process process;

    private DemoProcess(Process process) {
        this.process = process;
    }

    /// Starts this very command, as it was started itself: from the module path, or from the class path in tests.
    static DemoProcess start(String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto"));
        String main = Fenceline.class.getName();
        Module module = Fenceline.class.getModule();
        if (module.isNamed()) {
            command.add("--enable-native-access=io.fenceline.journal,io.fenceline.bench");
            command.addAll(List.of("-p", System.getProperty("jdk.module.path"), "-m", module.getName() + "/" + main));
        } else {
            command.add("--enable-native-access=ALL-UNNAMED");
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
        }
        command.addAll(List.of(arguments));
        try {
            return new DemoProcess(new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start another process: " + e.getMessage(), e);
        }
    }

    long pid() {
        return process.pid();
    }

    OutputStream input() {
        return process.getOutputStream();
    }

    InputStream output() {
        return process.getInputStream();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /// SIGKILL: the process gets no chance to do anything any more. What it has said can still be read: unlike
    /// [Process#destroyForcibly], the handle leaves the pipes open.
    void kill() {
        process.toHandle().destroyForcibly();
    }

    /// SIGTERM.
    void terminate() {
        process.toHandle().destroy();
    }

    /// Waits for the end.
    ///
    /// @return the exit code; 128 + the signal that ended it
    int await() throws InterruptedException {
        return process.waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
