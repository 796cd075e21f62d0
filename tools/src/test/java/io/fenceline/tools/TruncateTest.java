package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `fenceline truncate`.
final class TruncateTest {
    @TempDir
    private Path directory;

    private String journal;

    @BeforeEach
    void create() {
        journal = directory.resolve("journal").toString();
        CommandRun.of("create", journal, "--segments", "2", "--segment-size", "2MiB", "--durability", "process")
                .good();
        CommandRun.fed("a\nb\nc\nd\n", "append", journal).good();
    }

    private String tail() {
        return CommandRun.of("tail", journal).good().out();
    }

    @Test
    void shouldTakeAwayWhatIsBehindAnEntryAndKeepACopy() throws IOException {
        String out = CommandRun.of("truncate", journal, "--after", "seq:1", "--yes")
                .good()
                .out();
        assertTrue(out.contains("took away 2 entries, sequences 2 to 3"), out);
        assertEquals("a\nb\n", tail());
        Path copy = directory.resolve("journal.cut-128");
        List<String> lines = Files.readAllLines(copy);
        assertEquals(2, lines.size());
        assertTrue(lines.get(0).matches("128 2 \\d+ 0 63"), lines.get(0));
        assertTrue(lines.get(1).matches("192 3 \\d+ 0 64"), lines.get(1));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(copy)));
        assertEquals(
                "256 2\n",
                CommandRun.fed("e\n", "append", "--ack", journal).good().out());
        assertEquals("a\nb\ne\n", tail());
        CommandRun.of("verify", journal).good();
    }

    @Test
    void shouldTellEntriesByTheirPosition() {
        CommandRun.of("truncate", journal, "--after", "0", "-y", "--no-copy").good();
        assertEquals("a\n", tail());
        assertFalse(Files.exists(directory.resolve("journal.cut-64")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no\n", "y\n"})
    void shouldChangeNothingUnlessTheAnswerIsYes(String answer) {
        CommandRun run = CommandRun.fed(answer, "truncate", journal, "--after", "seq:1");
        run.refused(ExitCodes.USAGE, "nothing was changed");
        assertTrue(run.out().contains("2 entries, sequences 2 to 3"), run.out());
        assertEquals("a\nb\nc\nd\n", tail());
        CommandRun.fed("yes\n", "truncate", journal, "--after", "seq:1").good();
        assertEquals("a\nb\n", tail());
    }

    @Test
    void shouldChangeNothingWhenTheAnswerCannotBeRead() throws IOException {
        InputStream closed = InputStream.nullInputStream();
        closed.close();
        CommandRun.fed(closed, false, "truncate", journal, "--after", "seq:1")
                .refused(ExitCodes.USAGE, "nothing was changed", "closed");
        assertEquals("a\nb\nc\nd\n", tail());
    }

    @Test
    void shouldSayThatNothingIsBehindTheLastEntry() {
        String out =
                CommandRun.of("truncate", journal, "--after", "seq:3").good().out();
        assertTrue(out.contains("nothing was taken away"), out);
        out = CommandRun.of("truncate", journal, "--before", "seq:3", "-y")
                .good()
                .out();
        assertTrue(out.contains("nothing was given up"), out);
        assertEquals("a\nb\nc\nd\n", tail());
    }

    @Test
    void shouldGiveUpWholeSegmentsBeforeAnEntry() {
        String line = "x".repeat(200_000) + "\n";
        CommandRun.fed(line.repeat(12), "append", journal).good();
        String out = CommandRun.of("truncate", journal, "--before", "seq:15", "-y")
                .good()
                .out();
        assertTrue(out.contains("the oldest position is 2097152"), out);
        assertFalse(tail().startsWith("a"));
    }

    @Test
    void shouldRefuseWhatMakesNoSense() throws IOException {
        CommandRun.of("truncate", journal).refused(ExitCodes.USAGE, "--before", "--after");
        CommandRun.of("truncate", journal, "--after", "newest", "-y").refused(ExitCodes.USAGE, "POSITION");
        CommandRun.of("truncate", journal, "--after", "seq:9", "-y").refused(ExitCodes.USAGE, "seq", "9");
        CommandRun.of("truncate", journal, "--after", "seq:4", "-y").refused(ExitCodes.USAGE, "no such entry");
        CommandRun.of("truncate", journal, "--after", "32", "-y").refused(ExitCodes.USAGE, "no valid frame");
        CommandRun.of("truncate", journal, "--before", "0", "--no-copy", "-y").refused(ExitCodes.USAGE, "--no-copy");
        Path there = Files.createFile(directory.resolve("there"));
        CommandRun.of("truncate", journal, "--after", "seq:1", "-y", "--copy", there.toString())
                .refused(ExitCodes.USAGE, "is there already");
        assertEquals("a\nb\nc\nd\n", tail());
    }
}
