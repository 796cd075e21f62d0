package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.SmallJournals;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArchiveCommandTest {
    private static final JournalConfig CONFIG =
            JournalConfig.defaults().withDurability(Durability.PROCESS).withFullPolicy(FullPolicy.OVERWRITE);

    @TempDir
    private Path temporary;

    private String directory;
    private String archive;
    private int appended;

    @BeforeEach
    void setUp() {
        Path path = temporary.resolve("orders");
        directory = path.toString();
        archive = temporary.resolve("orders.archive").toString();
        SmallJournals.create(path, 4 << 10, 4, CONFIG);
    }

    /// Appends short lines until they fill three segments, or the ring.
    private void append(int lines) {
        try (Journal journal = Journal.open(Path.of(directory), CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < lines; i++) {
                byte[] line = ("line " + appended).getBytes(StandardCharsets.US_ASCII);
                long result = appender.append(MemorySegment.ofArray(line));
                if (result == AppendResult.BACK_PRESSURED) {
                    return;
                }
                assertTrue(result >= 0, () -> "append returned " + result);
                appended++;
            }
        }
    }

    private static String out(int exitCode, String... arguments) {
        CommandRun run = CommandRun.of(arguments);
        assertEquals(exitCode, run.code(), run.err());
        return exitCode == 0 ? run.out() : run.err();
    }

    private String lines(int from) {
        return IntStream.range(from, appended).mapToObj(i -> "line " + i + "\n").collect(Collectors.joining());
    }

    /// Goal: over several laps everything is read from archive and ring together, and the archive alone is a journal to
    /// every command that reads.
    @Test
    void shouldReadEverythingThatWasEverAppended() {
        append(100);
        String first = out(0, "archive", directory, archive);
        assertEquals("archived 1 segment; the archive holds positions 0 to 4096\n", first);
        for (int i = 0; i < 4; i++) {
            append(1000);
            out(0, "archive", directory, archive);
        }
        assertTrue(appended > 600, "several laps: " + appended);
        assertEquals(lines(0), out(0, "tail", directory, "--archive", archive));
        assertEquals(lines(300), out(0, "tail", directory, "--archive", archive, "--from", "seq:300"));
        assertEquals("line 0\nline 1\n", out(0, "tail", archive, "--limit", "2"));
        assertTrue(out(0, "verify", archive).contains("WHOLE"));
        assertTrue(out(0, "dump", archive).contains("DATA"));
        assertTrue(out(0, "info", archive).contains("published"));
        assertTrue(out(0, "info", directory).contains("cursor      archive"));
    }

    /// Goal: `append --when-full block` beside archivers that come and go: it waits for each, goes on when a segment is
    /// archived, and nothing is missing; OVERWRITE says who holds the ring.
    @Test
    void shouldWaitForTheArchiveWhenToldToBlock() throws InterruptedException {
        out(0, "archive", directory, archive);
        String input =
                IntStream.range(0, 1000).mapToObj(i -> "line " + i + "\n").collect(Collectors.joining());
        CommandRun overwrite = CommandRun.fed(input, "append", directory, "--when-full", "overwrite");
        overwrite.refused(ExitCodes.FULL, "held by cursor 'archive', which is at position 0", "--when-full block");
        appended = 256;
        CommandRun[] run = new CommandRun[1];
        String rest = input.substring(lines(0).length());
        Thread writer = Thread.ofPlatform()
                .start(() ->
                        run[0] = CommandRun.fed(rest, "append", directory, "--when-full", "block", "--batch", "3"));
        while (writer.isAlive()) {
            out(0, "archive", directory, archive);
        }
        writer.join();
        assertEquals(ExitCodes.OK, run[0].code(), run[0].err());
        appended = 1000;
        assertEquals(lines(0), out(0, "tail", directory, "--archive", archive));
    }

    @Test
    void shouldRefuseWhatMakesNoSense() {
        append(10);
        assertTrue(
                out(2, "tail", directory, "--archive", archive, "--backwards").contains("--archive excludes"));
        CommandRun none = CommandRun.of("tail", directory, "--archive", archive);
        assertTrue(none.code() != 0 && none.err().contains(archive), none.err());
        out(0, "archive", directory, archive);
        CommandRun append = CommandRun.of("append", archive);
        assertTrue(append.code() != 0 && append.err().contains("is an archive"), append.err());
        CommandRun self = CommandRun.of("archive", directory, directory);
        assertTrue(self.code() != 0 && self.err().contains("not an archive"), self.err());
    }

    /// Goal: what the writer of another process was kept waiting by is seen from outside.
    @Test
    void shouldTellWhatTheWriterWasKeptWaitingBy() {
        append(100);
        out(0, "archive", directory, archive);
        append(1000);
        String top = out(0, "top", directory, "--once");
        assertTrue(top.contains(" 1 refused: held by a gate"), top);
        String info = out(0, "info", directory, "--json");
        assertTrue(info.contains("\"verdict\":\"CLEAN\"") && info.contains("\"refusedHeld\":1,"), info);
        assertTrue(out(0, "info", directory).contains("recovery    CLEAN"));
    }

    @Test
    void shouldShowPositionsAndLagOnce() {
        append(100);
        out(0, "archive", directory, archive);
        String top = out(0, "top", directory, "--once");
        assertTrue(top.matches("(?s).*no writer, epoch 1.*"), top);
        assertTrue(top.matches("(?s).*published +6,400\n.*"), top);
        assertTrue(top.matches("(?s).*reserved +6,400 at least\n.*"), top);
        assertTrue(top.matches("(?s).*lease +6,400\n.*"), top);
        assertTrue(top.matches("(?s).*sequence +100\n.*"), top);
        assertTrue(
                top.contains("0 waits for room (0 us), 0 refused: full, 0 refused: held by a gate, 1 state record"),
                top);
        assertTrue(top.contains("recovery  CLEAN, 0 entries kept behind the floor, 0 bytes sealed; opened "), top);
        assertTrue(top.contains("cursor    archive") && top.contains("lag 2304 bytes (36 entries)"), top);
    }
}
