package io.fenceline.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// JVMs of their own, each in a directory that is removed behind it; and what several runs have in common.
final class Forks {
    private static final long PATIENCE_SECONDS = 300;
    private static final List<String> JVM_OPTIONS = List.of(
            "-Xmx2g",
            "--enable-native-access=ALL-UNNAMED",
            "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
            "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
            // Chronicle asks for these
            "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
            "--add-exports=jdk.unsupported/sun.misc=ALL-UNNAMED",
            "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
            "--add-opens=jdk.compiler/com.sun.tools.javac=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
            "--add-opens=java.base/java.io=ALL-UNNAMED",
            "--add-opens=java.base/java.util=ALL-UNNAMED",
            // mashona emulated, and Chronicle
            "--add-opens=java.base/java.nio=ALL-UNNAMED",
            "-Dchronicle.analytics.disable=true",
            "-Dchronicle.announcer.disable=true",
            "-Daeron.event.log.disable=true");

    private static volatile boolean stopped;
    private static volatile @Nullable Process running;

    private Forks() {}

    /// Ends the JVM that runs; no other one is started.
    static void stop() {
        stopped = true;
        Process process = running;
        if (process != null) {
            process.destroyForcibly();
        }
    }

    /// Whether [#stop] was called: what a JVM wrote may then be half of it.
    static boolean isStopped() {
        return stopped;
    }

    /// Runs a main class to its end.
    ///
    /// @param parent    of a directory of its own, which comes in front of the last arguments
    /// @param arguments before the directory
    /// @param last      after it
    /// @return the lines that it wrote
    static List<String> run(Class<?> main, Path parent, List<String> arguments, List<String> last) throws Exception {
        Path directory = Files.createTempDirectory(parent, "fenceline-peers");
        try {
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(JVM_OPTIONS);
            command.add("-Djava.io.tmpdir=" + directory);
            command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
            command.addAll(arguments);
            command.add(directory.toString());
            command.addAll(last);
            return run(command, directory);
        } finally {
            remove(directory);
        }
    }

    private static List<String> run(List<String> command, Path directory) throws Exception {
        Path errors = directory.resolve("errors");
        Path output = directory.resolve("output");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectError(errors.toFile()).redirectOutput(output.toFile());
        builder.environment().put("PMEM_IS_PMEM_FORCE", "1"); // libpmemlog, emulated
        Process process = builder.start();
        running = process;
        boolean ended = process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly().waitFor();
        }
        running = null;
        if (!stopped && (!ended || process.exitValue() != 0)) {
            System.err.println(String.join(" ", command.subList(command.indexOf("-cp") + 2, command.size()))
                    + (ended ? " failed with " + process.exitValue() : " did not end") + ":\n"
                    + Files.readString(errors));
        }
        return Files.readAllLines(output);
    }

    /// A directory and all that is in it, as far as it is there.
    static void remove(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        if (sorted.length == 0) {
            return Double.NaN;
        }
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    static String describeMachine() throws IOException {
        String cpu = Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("model name"))
                .findFirst()
                .orElse(":unknown");
        return cpu.substring(cpu.indexOf(':') + 1).strip() + ", "
                + Runtime.getRuntime().availableProcessors() + " processors, Linux "
                + System.getProperty("os.version") + ", JDK " + System.getProperty("java.runtime.version");
    }

    /// Of the libraries that are measured, as the jars on the class path are called.
    static String versions() {
        Matcher jars = Pattern.compile(
                        "(chronicle-queue|aeron-archive|mashona-logwriting|rocksdbjni|artemis-journal)-([0-9][^/:]*)[.]jar")
                .matcher(System.getProperty("java.class.path"));
        return jars.results()
                .map(jar -> jar.group(1) + " " + jar.group(2))
                .sorted()
                .collect(Collectors.joining(", "));
    }

    static String fileSystem(Path directory) throws IOException {
        return Files.getFileStore(directory).type();
    }
}
