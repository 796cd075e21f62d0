package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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

    /// The Disruptor pipeline, twice: the second run begins with the state of the first.
    @Test
    void shouldRunTheExampleOfADisruptorPipeline() throws Exception {
        Path example = ROOT.resolve("docs/examples/OrderPipeline.java");
        String command =
                "java --enable-native-access=ALL-UNNAMED -cp 'tools/target/lib/*' docs/examples/OrderPipeline.java";
        assertTrue(readme().contains(command), "README.md names the command");
        assertTrue(Files.readString(example).contains(command), "the example names the command");
        for (int run = 0; run < 2; run++) {
            String output = java(example, List.of("--enable-native-access=ALL-UNNAMED"), directory.toString(), "1000");
            assertTrue(
                    output.startsWith(run * 1000 + " orders found\n" + (run + 1) * 1000 + " orders journaled"), output);
            assertTrue(output.endsWith("the same balances\n"), output);
        }
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
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(file.toAbsolutePath().toString());
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }
}
