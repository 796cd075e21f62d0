package io.fenceline.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.zip.DataFormatException;
import org.HdrHistogram.Histogram;

/// A [Reader] in another JVM, which runs [ArrivalProcess]. Both clocks are one: the system's monotonic clock.
final class ReaderProcess implements Reader {
    private final Process process;
    private final BufferedReader output;
    private final PrintStream input;
    private final Loop.Stop stop;

    /// @param kind what is read: see [ArrivalProcess]
    /// @param path of it
    ReaderProcess(String kind, Path path, double periodNs, int slices, int processor, Loop.Stop stop) {
        this.stop = stop;
        // Ctrl-C goes to every process of the terminal; this one ends when its standard input does.
        List<String> command = new ArrayList<>(List.of("sh", "-c", "trap '' INT; exec \"$@\"", "sh"));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto"));
        Module module = ReaderProcess.class.getModule();
        String main = ArrivalProcess.class.getName();
        if (module.isNamed()) {
            command.add("--enable-native-access=io.fenceline.journal," + module.getName());
            command.addAll(List.of("-p", System.getProperty("jdk.module.path"), "-m", module.getName() + "/" + main));
        } else {
            command.add("--enable-native-access=ALL-UNNAMED");
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
        }
        command.addAll(List.of(
                kind,
                path.toString(),
                Double.toString(periodNs),
                Integer.toString(slices),
                Integer.toString(processor)));
        try {
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start a tailing process: " + e.getMessage(), e);
        }
        output = process.inputReader(StandardCharsets.US_ASCII);
        input = new PrintStream(process.getOutputStream(), true, StandardCharsets.US_ASCII);
    }

    @Override
    public void begin(Loop.Times times) {
        input.printf("%d %d %d%n", times.startNs(), times.recordNs(), times.endNs());
        String answer = line();
        if (!answer.equals(ArrivalProcess.READY) && !stop.isSet()) {
            throw new IllegalStateException("the tailing process said '" + answer + "'");
        }
    }

    @Override
    public Arrivals end() {
        List<Histogram> slices = new ArrayList<>();
        while (true) {
            String line = line();
            if (line.isEmpty()) {
                if (stop.isSet()) {
                    return new Arrivals(List.of(), 0); // Ctrl-C reached that process, too
                }
                throw new IllegalStateException("the tailing process ended by itself");
            }
            if (line.startsWith(ArrivalProcess.LOST)) {
                return new Arrivals(slices, Long.parseLong(line.substring(ArrivalProcess.LOST.length())));
            }
            slices.add(decode(line));
        }
    }

    private static Histogram decode(String base64) {
        try {
            return Histogram.decodeFromCompressedByteBuffer(
                    ByteBuffer.wrap(Base64.getDecoder().decode(base64)), Latencies.HIGHEST_NS);
        } catch (DataFormatException | IllegalArgumentException e) {
            throw new IllegalStateException("the tailing process said '" + base64 + "'", e);
        }
    }

    /// Empty at the end.
    private String line() {
        try {
            String line = output.readLine();
            return line == null ? "" : line;
        } catch (IOException e) {
            return "";
        }
    }

    @Override
    public void close() {
        input.close();
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
