package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
import org.opentest4j.AssertionFailedError;

/// Hostile bytes in every file of a journal: no crash, no hang, no allocation by a length that a file says.
class HostileFilesTest {
    private static final Path MODULE = Path.of(System.getProperty("fenceline.root", "."), "tools/proof");
    private static final Path CORPUS = MODULE.resolve("src/test/corpus");

    /// Jazzer itself does not fit in less; [HostileFiles] bounds what each input takes.
    private static final List<String> JAZZER_OPTIONS = List.of("-Xmx512m", "-XX:MaxDirectMemorySize=16m");

    private static final int JAZZER_FOUND_SOMETHING = 77;

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
        int runs = Integer.getInteger("fenceline.inputs", 1_000_000);
        Path found = Files.createDirectories(MODULE.resolve("target/corpus"));
        String output = java(directory, 6 * 3600, JAZZER_OPTIONS, jazzer(HostileFilesFuzz.class, runs, found, CORPUS));
        List<String> last =
                output.lines().filter(line -> line.contains("Done ")).toList();
        assertEquals(1, last.size(), output);
        System.out.println("Jazzer: " + last.getFirst());
    }

    // The graders of that: what takes too much is seen, and what is seen ends Jazzer with a finding.
    @Test
    void shouldNoticeWhatTakesTooMuch() throws IOException {
        assertEquals("", HostileFiles.excess(() -> {}));
        for (int what = 0; what < HostileFilesCanary.EXCESSES; what++) {
            int one = what;
            String excess = HostileFiles.excess(() -> HostileFilesCanary.take(one));
            assertTrue(excess.startsWith("took "), () -> "excess " + one + " was not seen");
        }
    }

    @Test
    void shouldEndJazzerWhenSomethingIsFound(@TempDir Path directory) throws Exception {
        Path none = Files.createDirectory(directory.resolve("corpus"));
        String[] arguments = jazzer(HostileFilesCanary.class, 1_000_000, none, CORPUS);
        AssertionFailedError ended =
                assertThrows(AssertionFailedError.class, () -> java(directory, 300, JAZZER_OPTIONS, arguments));
        assertEquals(JAZZER_FOUND_SOMETHING, ended.getActual().getValue(), ended::getMessage);
        assertTrue(String.valueOf(ended.getMessage()).contains(HostileFilesCanary.MESSAGE), ended::getMessage);
    }

    /// @param corpora the first one takes what is found
    private static String[] jazzer(Class<?> target, int runs, Path... corpora) {
        return Stream.concat(
                        Stream.of(
                                "com.code_intelligence.jazzer.Jazzer",
                                "--target_class=" + target.getName(),
                                "--instrumentation_includes=io.fenceline.journal.**:io.fenceline.tailer.**"
                                        + ":io.fenceline.appender.**",
                                "--custom_hook_includes=io.fenceline.none.**",
                                "-runs=" + runs,
                                "-max_len=512",
                                "-timeout=1800", // of the wall clock; HostileFiles knows better
                                "-rss_limit_mb=2048"),
                        Stream.of(corpora).map(corpus -> corpus.toAbsolutePath().toString()))
                .toArray(String[]::new);
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
