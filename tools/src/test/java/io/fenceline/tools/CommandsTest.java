package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The commands on good input.
final class CommandsTest {
    @TempDir
    private Path directory;

    private String journal;

    @BeforeEach
    void create() {
        journal = directory.resolve("journal").toString();
        String out = CommandRun.of(
                        "create", journal, "--segments", "2", "--segment-size", "2MiB", "--durability", "process")
                .good()
                .out();
        assertTrue(out.contains("2 segments of 2 MiB, largest entry 512 KiB"), out);
        assertTrue(out.contains("durability PROCESS") && out.contains("survives process crash:"), out);
    }

    @Test
    void shouldAcknowledgeEachLineWithPositionAndSequence() {
        assertEquals(
                "0 0\n64 1\n128 2\n",
                CommandRun.fed("a\n\nlast", "append", "--ack", journal).good().out());
        assertEquals("a\n\nlast\n", CommandRun.of("tail", journal).good().out());
        assertEquals(
                "192 3\n192 4\n320 5\n",
                CommandRun.fed("x\ny\nz\n", "append", "--ack", "--batch", "2", journal)
                        .good()
                        .out());
        assertEquals(
                "1 line was appended, sequence 6, up to position 448\n",
                CommandRun.fed("one\n", "append", journal).good().out());
        assertEquals(
                "no line was appended\n",
                CommandRun.of("append", journal).good().out());
    }

    @Test
    void shouldBeginWhereAskedAndStopAtTheLimit() {
        CommandRun.fed("a\nb\nc\nd\n", "append", journal).good();
        assertEquals(
                "b\nc\n",
                CommandRun.of("tail", journal, "--from", "seq:1", "--limit", "2")
                        .good()
                        .out());
        assertEquals(
                "c\nd\n", CommandRun.of("tail", journal, "--from", "128").good().out());
        assertEquals(
                "", CommandRun.of("tail", journal, "--from", "newest").good().out());
        assertEquals("", CommandRun.of("tail", journal, "--limit", "0").good().out());
        assertEquals(
                "a\n",
                CommandRun.of("tail", journal, "-f", "--limit", "1").good().out());
    }

    /// Random bytes, all lengths around those of buffers: what comes out of tail is what went into append.
    @ParameterizedTest
    @ValueSource(strings = {"1", "7", "65535"})
    void shouldGiveBackEveryByte(String batch) throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        ByteArrayOutputStream input = new ByteArrayOutputStream();
        for (int i = 0; i < 300; i++) {
            byte[] line = new byte[random.nextInt(10) == 0 ? random.nextInt(70_000) : random.nextInt(300)];
            random.nextBytes(line);
            for (int at = 0; at < line.length; at++) {
                line[at] = line[at] == '\n' ? (byte) 0 : line[at];
            }
            input.write(line);
            input.write('\n');
        }
        CommandRun.fed(new ByteArrayInputStream(input.toByteArray()), false, "append", journal, "--batch", batch)
                .good();
        assertArrayEquals(
                input.toByteArray(), CommandRun.of("tail", journal).good().bytes(), "seed " + seed);
    }

    @Test
    void shouldEscapeControlCharactersOnTerminalOnly() {
        String hostile = "\u001b[2Jred\u009b1m\ttab\r\u202e ünï 中";
        CommandRun.fed(hostile + "\n", "append", journal).good();
        assertEquals(hostile + "\n", CommandRun.of("tail", journal).good().out());
        assertEquals(
                "\\x1b[2Jred\\u{9b}1m\\ttab\\r\\u{202e} ünï 中\n",
                CommandRun.onTerminal("tail", journal).good().out());
        byte[] invalid = {'a', (byte) 0xC0, (byte) 0x80, (byte) 0x9B, (byte) 0xED, (byte) 0xA0, (byte) 0x80, 'z'};
        assertEquals("a\\xc0\\x80\\x9b\\xed\\xa0\\x80z", Printable.of(invalid, 0, invalid.length));
    }

    @Test
    void shouldTellHowTheJournalStands() {
        CommandRun.fed("a\nb\n", "append", journal).good();
        String text = CommandRun.of("info", journal).good().out();
        for (String part :
                new String[] {"2 segments of 2 MiB", "closed in order", "last entry  sequence 1", "PROCESS"}) {
            assertTrue(text.contains(part), text);
        }
        String json = CommandRun.of("info", "--json", journal).good().out();
        for (String part : new String[] {
            "\"segmentCount\":2", "\"published\":128", "\"clean\":true", "\"writerAlive\":false", "\"lastSequence\":1"
        }) {
            assertTrue(json.contains(part), json);
        }
    }

    @Test
    void shouldRecoverAndTell() {
        CommandRun.fed("a\n", "append", journal).good();
        String dry =
                CommandRun.of("recover", "--dry-run", "--json", journal).good().out();
        assertTrue(dry.contains("\"verdict\":\"CLEAN\"") && dry.contains("\"lastSequence\":0"), dry);
        assertTrue(CommandRun.of("info", "--json", journal).good().out().contains("\"epoch\":2,"));
        assertTrue(CommandRun.of("recover", journal).good().out().contains("CLEAN"));
        assertTrue(CommandRun.of("info", "--json", journal).good().out().contains("\"epoch\":3,"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"demo", "create", "append", "tail", "info", "recover"})
    void shouldHelpWithExampleAndExitCodes(String command) {
        String help = CommandRun.of(command, "--help").good().out();
        assertTrue(help.contains("Example:\n  fenceline ") || help.contains("| fenceline " + command), help);
        assertTrue(help.contains("another writer has the journal open"), help);
        assertTrue(CommandRun.of("--help").good().out().contains("  " + command + " "));
        assertTrue(CommandRun.of("--version").good().out().startsWith("fenceline "));
    }

    @Test
    void shouldReadSizesWithUnits() {
        Size size = new Size();
        assertEquals(64L << 20, size.convert("64MiB"));
        assertEquals(2L << 20, size.convert("2m"));
        assertEquals(3L << 30, size.convert("3 GB"));
        assertEquals(5L << 10, size.convert("5K"));
        assertEquals(1048576, size.convert("1048576"));
        assertEquals("1.5 KiB", Size.describe(1536));
    }

    @Test
    void shouldQuoteEverythingButPlainAsciiInJson() {
        String all = IntStream.range(0, 300).mapToObj(Character::toString).collect(Collectors.joining());
        String json = new JsonObject().put("n", 1).put("s", all).toString();
        assertTrue(json.startsWith("{\"n\":1,\"s\":\"\\u0000"), json);
        assertTrue(json.chars().allMatch(c -> c >= 0x20 && c < 0x7F));
    }

    @Test
    void shouldCopyAJournalToAnotherOne() {
        CommandRun.fed("a\nb\n", "append", journal).good();
        String copy = directory.resolve("copy").toString();
        String out = CommandRun.of("backup", journal, copy).good().out();
        assertEquals("copied positions 0 to 128: 2 entries, the next one has sequence 2\n", out);
        CommandRun.fed("c\n", "append", journal).good();
        assertEquals(
                "128 2\n", CommandRun.fed("d\n", "append", "--ack", copy).good().out());
        assertEquals("a\nb\nd\n", CommandRun.of("tail", copy).good().out());
        assertEquals("a\nb\nc\n", CommandRun.of("tail", journal).good().out());
        CommandRun.of("backup", journal, copy).refused(ExitCodes.USAGE, copy);
        String json =
                CommandRun.of("backup", journal, copy + "2", "--json").good().out();
        assertTrue(json.contains("\"nextSequence\":3") && json.contains("\"whole\":true"), json);
    }
}
