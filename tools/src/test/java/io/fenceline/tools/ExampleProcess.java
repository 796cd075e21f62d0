package io.fenceline.tools;

import io.fenceline.journal.ThreadDump;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Runs a source file as a newcomer does, in a JVM of its own; one that does not end within the bound is a failure that
/// shows its threads.
final class ExampleProcess {
    private static final int BOUND_S = 90;

    private final Process process;
    private final Path output;

    private ExampleProcess(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /// @param directory where it runs, and leaves its output
    static ExampleProcess start(Path directory, List<String> flags, Path source, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(source.toAbsolutePath().toString());
        command.addAll(List.of(arguments));
        Path output = directory.resolve("output");
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        process.getOutputStream().close();
        return new ExampleProcess(process, output);
    }

    /// What it has said so far.
    String output() throws IOException {
        return Files.readString(output);
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /// Waits until it ends.
    ///
    /// @return its exit code
    int exitCode() throws IOException, InterruptedException {
        if (!process.waitFor(BOUND_S, TimeUnit.SECONDS)) {
            String threads = ThreadDump.of(process.pid());
            process.destroyForcibly().waitFor();
            throw new AssertionError("it has not ended within " + BOUND_S + " s: " + output() + threads);
        }
        return process.exitValue();
    }

    /// Waits until it ends well.
    ///
    /// @return what it said
    String result() throws IOException, InterruptedException {
        if (exitCode() != 0) {
            throw new AssertionError("exit code " + process.exitValue() + ": " + output());
        }
        return output();
    }
}
