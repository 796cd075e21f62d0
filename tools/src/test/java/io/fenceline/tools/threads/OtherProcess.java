package io.fenceline.tools.threads;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fenceline.journal.Team;
import io.fenceline.journal.ThreadDump;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A [FollowingChild] in a JVM of its own, seen from the test.
final class OtherProcess implements AutoCloseable {
    private static final long PATIENCE_S = 60;

    private final Process process;
    private final Path output;

    private OtherProcess(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /// Returns when it holds its place at the oldest entry.
    static OtherProcess follow(Path directory, int threads, long entries, boolean gapless) {
        try {
            Path output = directory.resolveSibling("follower.txt");
            Path java = Path.of(System.getProperty("java.home"), "bin", "java");
            Process process = new ProcessBuilder(List.of(
                            java.toString(),
                            "-Xmx128m",
                            "-XX:+UseSerialGC",
                            "--enable-native-access=ALL-UNNAMED",
                            "-classpath",
                            System.getProperty("java.class.path"),
                            FollowingChild.class.getName(),
                            directory.toString(),
                            Integer.toString(threads),
                            Long.toString(entries),
                            Boolean.toString(gapless)))
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            OtherProcess other = new OtherProcess(process, output);
            Team.await("the other process follows", () -> other.text().startsWith("ready") || !process.isAlive());
            return other;
        } catch (IOException e) {
            throw new AssertionError("cannot start a JVM", e);
        }
    }

    private String text() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// It has seen all, and found it right; else this says what it said, or where it hangs.
    void await() {
        try {
            if (!process.waitFor(PATIENCE_S, TimeUnit.SECONDS)) {
                throw new AssertionError("the other process does not end: " + text() + ThreadDump.of(process.pid()));
            }
            assertEquals(0, process.exitValue(), this::text);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
