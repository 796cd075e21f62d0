package io.fenceline.journal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// What the threads of another JVM are at.
public final class ThreadDump {
    private static final long PATIENCE_S = 20;
    private static final int LIMIT_BYTES = 1 << 16;

    private ThreadDump() {}

    /// Asks a JVM for its threads. One that does not answer within a bound is given up; what it has said until then,
    /// or why it said nothing, is in the text.
    public static String of(long pid) {
        try {
            Path answer = Files.createTempFile("threads", ".txt");
            try {
                Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
                Process process = new ProcessBuilder(jcmd.toString(), Long.toString(pid), "Thread.print")
                        .redirectErrorStream(true)
                        .redirectOutput(answer.toFile())
                        .start();
                boolean answered = process.waitFor(PATIENCE_S, TimeUnit.SECONDS);
                process.destroyForcibly();
                byte[] text = Files.readAllBytes(answer);
                return new String(text, 0, Math.min(text.length, LIMIT_BYTES), StandardCharsets.UTF_8)
                        + (answered ? "" : "\nno answer within " + PATIENCE_S + " s");
            } finally {
                Files.delete(answer);
            }
        } catch (IOException e) {
            return "no thread dump: " + e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "no thread dump: interrupted";
        }
    }
}
