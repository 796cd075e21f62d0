package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Holds README.md to its word.
class ReadmeTest {
    private static final Path ROOT = Path.of(System.getProperty("fenceline.root", ".."));

    private static final Path PIPELINE = ROOT.resolve("docs/examples/OrderPipeline.java");
    private static final List<String> FLAG = List.of("--enable-native-access=ALL-UNNAMED");
    private static final JournalConfig PIPELINE_CONFIG =
            JournalConfig.defaults().withSegmentLengthBytes(2 << 20).withSegmentCount(2);

    @TempDir
    private Path directory;

    /// The example as it stands runs in a JVM of its own, with the one flag that README asks for and no other.
    @Test
    void shouldRunItsExampleWithNothingButTheFlagItNames() throws Exception {
        String example = example();
        assertTrue(example.lines().count() <= 14, "the example grew");
        assertEquals(
                "0: buy 100 ACME\n",
                runJava(small(example), "--enable-native-access=ALL-UNNAMED", "--illegal-native-access=deny"));
    }

    /// An application that makes Agrona buffers of its own needs the other flag, and no more.
    @Test
    void shouldAppendFromAnAgronaBufferWithTheFlagThatItNamesForThat() throws Exception {
        String flag = "java.base/jdk.internal.misc=ALL-UNNAMED";
        assertTrue(readme().contains("--add-opens " + flag));
        String example = example()
                .replace("import io.fenceline.appender.*;", "import io.fenceline.appender.*;\nimport org.agrona.*;")
                .replace(
                        "appender.append(MemorySegment.ofArray(\"buy 100 ACME\".getBytes()));",
                        "appender.append(new org.agrona.concurrent.UnsafeBuffer(\"sell 5\".getBytes()), 0, 6);");
        assertEquals(
                "0: sell 5\n", runJava(small(example), "--enable-native-access=ALL-UNNAMED", "--add-opens=" + flag));
    }

    /// The Disruptor pipeline, twice: the second run begins with the state of the first, and goes round the ring of
    /// 4 MiB: an order takes 24 bytes of it, or more.
    @Test
    void shouldRunTheExampleOfADisruptorPipelineForLaps() throws Exception {
        String command =
                "java --enable-native-access=ALL-UNNAMED -cp 'tools/target/lib/*' docs/examples/OrderPipeline.java";
        assertTrue(readme().contains(command), "README.md names the command");
        assertTrue(Files.readString(PIPELINE).contains(command), "the example names the command");
        int found = 0;
        for (int orders : new int[] {1000, 2 * (4 << 20) / 24 + 1000}) {
            String output = java(PIPELINE, FLAG, directory.toString(), Integer.toString(orders));
            assertTrue(output.startsWith(found + " orders found\n" + (found + orders) + " orders journaled"), output);
            assertTrue(output.endsWith("the same balances\n"), output);
            found += orders;
        }
        try (Journal journal = Journal.open(directory.resolve("journal"))) {
            assertTrue(journal.published() > 2 * journal.capacityBytes());
        }
    }

    /// A stage of the pipeline dies, because its disk does: the example ends, and says why.
    @Test
    void shouldEndTheExampleOfADisruptorPipelineWhenAStageDies() throws Exception {
        Path home = Files.createDirectories(ROOT.resolve("tools/target/pipeline"));
        Path place = Files.createTempDirectory(home, "died");
        try (Journal probe = Journal.create(place.resolve("replica"), PIPELINE_CONFIG)) {
            assumeTrue(
                    probe.durability().durability() == Durability.DEVICE,
                    "only DEVICE outlives the truncation of its log; " + home + " is on another file system");
        }
        ExampleProcess example = ExampleProcess.start(
                directory, FLAG, PIPELINE, place.toAbsolutePath().toString(), "2000000000");
        while (!example.output().contains("orders found") && example.isAlive()) {
            Thread.onSpinWait();
        }
        try (FileChannel log = FileChannel.open(place.resolve("replica/journal.log"), StandardOpenOption.WRITE)) {
            log.truncate(2 << 20);
        }
        assertEquals(1, example.exitCode());
        assertTrue(example.output().contains("the pipeline has ended"), example.output());
        assertTrue(example.output().contains("truncated under the writer"), example.output());
    }

    @Test
    void shouldListTheExitCodesOfTheCommand() throws IOException {
        String readme = readme().replace("`", "");
        ExitCodes.list()
                .forEach((code, meaning) -> assertTrue(
                        readme.contains("| " + code.strip() + " | " + meaning.replaceFirst(" \\(as in.*", "") + " |"),
                        "exit code " + code + ": " + meaning));
    }

    @Test
    void shouldPointAtFilesThatExist() throws IOException {
        for (Path document : documents()) {
            Matcher link = Pattern.compile("\\]\\(([^)#:]+)(#[^)]*)?\\)").matcher(Files.readString(document));
            while (link.find()) {
                Path target = document.resolveSibling(link.group(1));
                assertTrue(Files.exists(target), document + " points at " + link.group(1));
            }
        }
        assertTrue(documents().size() > 5);
    }

    /// What documents call by its simple name is a class of the sources.
    @Test
    void shouldNameClassesThatExist() throws IOException {
        List<String> names = new ArrayList<>();
        try (Stream<Path> files = Files.walk(ROOT)) {
            files.map(path -> path.getFileName().toString())
                    .filter(name -> name.endsWith(".java"))
                    .map(name -> name.substring(0, name.length() - 5))
                    .forEach(names::add);
        }
        Matcher name = Pattern.compile("`([A-Z][a-z]+[A-Z][A-Za-z]+)[.#`]")
                .matcher(Files.readString(ROOT.resolve("docs/ARCHITECTURE.md")));
        int found = 0;
        while (name.find()) {
            assertTrue(names.contains(name.group(1)), "docs/ARCHITECTURE.md names " + name.group(1));
            found++;
        }
        assertTrue(found > 10, "names found: " + found);
    }

    private static List<Path> documents() throws IOException {
        List<Path> documents = new ArrayList<>(List.of(ROOT.resolve("README.md"), ROOT.resolve("CONTRIBUTING.md")));
        try (Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
            docs.filter(path -> path.toString().endsWith(".md")).forEach(documents::add);
        }
        return documents;
    }

    private static String readme() throws IOException {
        return Files.readString(ROOT.resolve("README.md"));
    }

    private static String example() throws IOException {
        Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(readme());
        assertTrue(block.find(), "README.md has no Java example");
        return block.group(1);
    }

    /// The same with segments of 2 MiB instead of 64: a quarter of a gigabyte would be written otherwise.
    private static String small(String example) {
        String small =
                example.replace("JournalConfig.defaults()", "JournalConfig.defaults().withSegmentLengthBytes(2 << 20)");
        assertFalse(small.equals(example));
        return small;
    }

    private String runJava(String source, String... flags) throws IOException, InterruptedException {
        return java(Files.writeString(directory.resolve("Orders.java"), source), List.of(flags));
    }

    private String java(Path file, List<String> flags, String... arguments) throws IOException, InterruptedException {
        return ExampleProcess.start(directory, flags, file, arguments).result();
    }
}
