package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Compiles and runs the examples of docs/CURSORS.md as they stand.
class CursorExamplesTest {
    private static final Path ROOT = Path.of(System.getProperty("fenceline.root", ".."));

    @TempDir
    private Path directory;

    @Test
    void shouldBillAtLeastOnce() throws Exception {
        assertEquals("""
            run 0 bills order 0
            run 0 bills order 1
            run 0 bills order 2
            run 0 bills order 3
            run 1 bills order 3
            run 1 bills order 4
            """, run(0));
    }

    @Test
    void shouldSumExactlyOnce() throws Exception {
        assertEquals("10 4\n", run(1));
    }

    private String run(int number) throws IOException, InterruptedException {
        Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(ROOT.resolve("docs/CURSORS.md")));
        List<String> examples = new ArrayList<>();
        while (block.find()) {
            examples.add(block.group(1));
        }
        assertEquals(2, examples.size());
        String small = examples.get(number)
                .replace("JournalConfig.defaults()", "JournalConfig.defaults().withSegmentLengthBytes(2 << 20)");
        Path file = Files.writeString(directory.resolve("Example.java"), small);
        return ExampleProcess.start(directory, List.of("--enable-native-access=ALL-UNNAMED"), file)
                .result();
    }
}
