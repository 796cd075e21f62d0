package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Hostile bytes in every file of a journal: no crash, no hang, no allocation by a length that a file says.
class HostileFilesTest {
    private static final Path MODULE = Path.of(System.getProperty("fenceline.root", "."), "tools/proof");
    private static final Path CORPUS = MODULE.resolve("src/test/corpus");

    @BeforeAll
    static void create() throws IOException {
        HostileFilesFuzz.fuzzerInitialize();
    }

    @AfterAll
    static void remove() throws IOException {
        HostileFilesFuzz.fuzzerTearDown();
    }

    // The corpus that is checked in: edits chosen by chance, and what once went wrong.
    @Test
    void shouldNeitherCrashNorHangForTheCorpus() throws IOException {
        int inputs = 0;
        try (Stream<Path> corpus = Files.list(CORPUS)) {
            for (Path input : corpus.sorted().toList()) {
                try {
                    HostileFilesFuzz.fuzzerTestOneInput(Files.readAllBytes(input));
                } catch (RuntimeException | Error e) {
                    throw new AssertionError("input " + input, e);
                }
                inputs++;
            }
        }
        assertTrue(inputs > 0, "no corpus in " + CORPUS);
    }

    // Other inputs each time, in a JVM with 64 MiB: 48 for the heap, 16 for buffers.
    @Test
    void shouldStayWithin64MiBForRandomEdits(@TempDir Path directory) throws Exception {
        long seed = Long.getLong("fenceline.seed", new Random().nextInt());
        String output = java(
                directory,
                180,
                List.of("-Xmx48m", "-XX:MaxDirectMemorySize=16m", "-XX:+UseSerialGC"),
                "io.fenceline.tools.HostileFilesFuzz",
                Long.toString(seed),
                Integer.getInteger("fenceline.inputs", 1000).toString());
        System.out.print("hostile files: " + output);
    }

    @Test
    @Tag("slow")
    void shouldSurviveAMillionExecutionsOfJazzer(@TempDir Path directory) throws Exception {
        String output = java(
                directory,
                6 * 3600,
                List.of("-Xmx512m"),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=io.fenceline.tools.HostileFilesFuzz",
                "--instrumentation_includes=io.fenceline.journal.**:io.fenceline.tailer.**:io.fenceline.appender.**",
                "--custom_hook_includes=io.fenceline.none.**",
                "-runs=" + Integer.getInteger("fenceline.inputs", 1_000_000),
                "-max_len=512",
                "-timeout=1800", // of the wall clock; HostileFiles counts processor time
                "-rss_limit_mb=2048",
                Files.createDirectories(MODULE.resolve("target/corpus")).toString(),
                CORPUS.toString());
        List<String> last =
                output.lines().filter(line -> line.contains("Done ")).toList();
        assertEquals(1, last.size(), output);
        System.out.println("Jazzer: " + last.getFirst());
    }

    private static String java(Path directory, long timeoutS, List<String> options, String... arguments)
            throws IOException, InterruptedException {
        Path output = directory.resolve("output.txt");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertTrue(process.waitFor(timeoutS, TimeUnit.SECONDS), () -> "no end after " + timeoutS + " s");
        } finally {
            process.destroyForcibly().waitFor();
        }
        String text = Files.readString(output);
        assertEquals(0, process.exitValue(), () -> text);
        return text;
    }
}
