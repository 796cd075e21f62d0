package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.SmallJournals;
import io.fenceline.tailer.Cursor;
import io.fenceline.tailer.CursorConfig;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CursorCommandTest {
    @TempDir
    private Path temporary;

    private String directory;

    @BeforeEach
    void setUp() {
        Path path = temporary.resolve("orders");
        directory = path.toString();
        JournalConfig config = JournalConfig.defaults().withDurability(Durability.PROCESS);
        SmallJournals.create(path, 64 << 10, 2, config);
        try (Journal journal = Journal.open(path, config);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < 6; i++) {
                appender.append(MemorySegment.ofArray(("line " + i).getBytes(StandardCharsets.US_ASCII)));
            }
        }
    }

    private static String out(int exitCode, String... arguments) {
        CommandRun run = CommandRun.of(arguments);
        assertEquals(exitCode, run.code(), run.err());
        return exitCode == 0 ? run.out() : run.err();
    }

    @Test
    void shouldPrintEachLineOnceWhenItCommits() {
        assertEquals("line 0\nline 1\n", out(0, "tail", directory, "--cursor", "billing", "--commit", "--limit", "2"));
        assertEquals("line 2\n", out(0, "tail", directory, "--cursor", "billing", "--limit", "1"));
        assertEquals("line 2\n", out(0, "tail", directory, "--cursor", "billing", "--commit", "--limit", "1"));
        assertEquals("line 3\nline 4\nline 5\n", out(0, "tail", directory, "--cursor", "billing", "--commit"));
        assertEquals("", out(0, "tail", directory, "--cursor", "billing", "--commit"));
    }

    /// Goal: cursors that cannot be looked at are not "none", and keep nobody from looking at the journal.
    @Test
    void shouldTellThatCursorsCannotBeLookedAt() throws IOException {
        Files.createSymbolicLink(Path.of(directory, "cursors"), temporary);
        assertTrue(out(0, "top", directory, "--once").contains("warning   the cursors are not known: "));
        assertTrue(out(0, "info", directory).contains("warning     the cursors are not known: "));
        assertTrue(out(0, "info", directory, "--json").contains("the cursors are not known: "));
        assertTrue(out(ExitCodes.UNREADABLE, "cursor", "ls", directory).contains("symbolic link"));
    }

    @Test
    void shouldListMoveAndRemoveCursors() {
        assertEquals("", out(0, "cursor", "ls", directory));
        assertEquals("billing goes on at position 128\n", out(0, "cursor", "set", directory, "billing", "seq:2"));
        assertEquals("line 2\n", out(0, "tail", directory, "--cursor", "billing", "--limit", "1"));
        String line = out(0, "cursor", "ls", directory);
        assertTrue(line.startsWith("billing "), line);
        assertTrue(line.contains("position 128, sequence 2, lag 256 bytes (4 entries)"), line);
        assertTrue(out(0, "info", directory).contains("cursor      billing"));
        String json = out(0, "cursor", "ls", directory, "--json");
        assertTrue(json.contains("\"name\":\"billing\",\"position\":128,\"nextSequence\":2"), json);
        assertTrue(out(0, "info", directory, "--json").contains("\"cursors\":[{\"name\":\"billing\""));
        assertEquals("billing is removed\n", out(0, "cursor", "rm", directory, "billing"));
        assertTrue(out(2, "cursor", "rm", directory, "billing").contains("no cursor 'billing'"));
    }

    @Test
    void shouldRefuseWhatMakesNoSense() {
        assertTrue(out(2, "cursor").contains("ls, set or rm is missing"));
        assertTrue(out(2, "cursor", "set", directory, "../x", "oldest").contains("cursor name '../x'"));
        assertTrue(out(2, "cursor", "set", directory, "x", "seq:7").contains("sequence 7: not written yet"));
        assertTrue(out(2, "tail", directory, "--commit").contains("--cursor NAME"));
        assertTrue(out(2, "tail", directory, "--cursor", "none").contains("no cursor 'none'"));
        try (Journal journal = Journal.open(Path.of(directory));
                Cursor held =
                        Cursor.open(journal, "held", CursorConfig.defaults().withGating(true))) {
            assertTrue(out(4, "cursor", "rm", directory, "held").contains("is open already"));
            assertTrue(out(4, "tail", directory, "--cursor", "held").contains("is open already"));
            assertTrue(out(0, "cursor", "ls", directory).contains("gating, open"));
            assertEquals(0, held.committedSequence());
        }
        assertEquals("line 0\n", out(0, "tail", directory, "--cursor", "held", "--commit", "--limit", "1"));
        assertTrue(out(0, "cursor", "ls", directory).contains("gating"));
    }
}
