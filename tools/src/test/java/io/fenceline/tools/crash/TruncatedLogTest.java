package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.tools.crash.Report.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Somebody truncates or removes `journal.log` under those who have it open. That loses data; nobody may claim
/// otherwise. What the tools say, and that another process goes on when the file is put back.
final class TruncatedLogTest {
    private static final int SEGMENT_LENGTH_BYTES = 2 << 20;
    private static final int SEGMENT_COUNT = 8;
    private static final long HEAD_LENGTH_BYTES = 2 << 20;
    private static final long LOG_LENGTH_BYTES = HEAD_LENGTH_BYTES + (long) SEGMENT_COUNT * SEGMENT_LENGTH_BYTES;

    private static JournalUnderTest newJournal(Durability durability) {
        return JournalUnderTest.create(durability, SEGMENT_LENGTH_BYTES, SEGMENT_COUNT, 7, "truncated");
    }

    private static void truncate(JournalUnderTest journal) {
        try (FileChannel log = FileChannel.open(journal.log(), StandardOpenOption.WRITE)) {
            log.truncate(HEAD_LENGTH_BYTES);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The head is whole, so opening can say what is wrong.
    private static void expectRefusal(JournalUnderTest journal) {
        long actual;
        try {
            actual = Files.size(journal.log());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        JournalException writing =
                assertThrows(JournalException.Truncated.class, () -> Journal.open(journal.directory()));
        JournalException reading =
                assertThrows(JournalException.Truncated.class, () -> Journal.openReadOnly(journal.directory()));
        String lengths = "expected " + LOG_LENGTH_BYTES + " bytes by its superblock, actual " + actual;
        assertTrue(String.valueOf(writing.getMessage()).contains(lengths), writing::getMessage);
        assertTrue(String.valueOf(reading.getMessage()).contains(lengths), reading::getMessage);
    }

    // The tailer is held while the writer appends, so that what it reads next is what is not there any more.
    @Test
    void shouldTellATailerAndKeepItsJvmAliveWhenTheLogIsTruncated() {
        JournalUnderTest journal = newJournal(Durability.PROCESS);
        journal.keepIfFailing(() -> {
            try (Children children = new Children(1)) {
                ChildProcess tailer = children.tailer(journal, "oldest");
                assertEquals(Kind.MARK, tailer.send("mark").await(Kind.MARK).kind());
                tailer.signal("STOP");
                tailer.awaitState('T');
                ChildProcess writer = children.writer(journal, "FAIL", 50, "close");
                assertEquals(0, writer.exitCode(), writer::errors);
                truncate(journal);
                tailer.signal("CONT");
                assertEquals(Child.REFUSED, tailer.exitCode(), tailer::errors);
                assertTrue(tailer.errors().contains("JournalException$Io"), tailer::errors);
                assertTrue(tailer.errors().contains("truncated"), tailer::errors);
            }
            expectRefusal(journal);
        });
    }

    // A store to a page that is gone ends the process (SIGBUS) before it can acknowledge anything.
    @ParameterizedTest
    @EnumSource(names = {"MEMORY", "PROCESS"})
    void shouldStopAMappedWriterWhenTheLogIsTruncated(Durability durability) {
        JournalUnderTest journal = newJournal(durability);
        journal.keepIfFailing(() -> {
            try (Children children = new Children(1);
                    ReadOnlyJournal reader = Journal.openReadOnly(journal.directory())) {
                ChildProcess writer = children.writer(journal, "OVERWRITE", Long.MAX_VALUE, "wait");
                writer.await(Kind.OPENED);
                writer.await(Kind.NEXT);
                writer.await(Kind.FRAME);
                writer.signal("STOP");
                writer.awaitState('T');
                long published = reader.published();
                truncate(journal);
                writer.signal("CONT");
                int exit = writer.exitCode();
                assertNotEquals(0, exit);
                assertNotEquals(ChildProcess.KILLED, exit);
                assertTrue(writer.errors().contains("SIGBUS"), writer::errors);
                // The frame that was stored before the truncation may be acknowledged after it, but none behind it.
                for (Report acknowledged : writer.rest()) {
                    assertTrue(acknowledged.position() <= published, acknowledged + " beyond published " + published);
                }
            }
            expectRefusal(journal);
        });
    }

    // A mapping outlives the name of its file, and stores into it succeed: it is looked after with each state record.
    // So no more is acknowledged than the lease allows that was durable when the file went.
    @ParameterizedTest
    @EnumSource(names = {"MEMORY", "PROCESS"})
    void shouldPoisonAMappedWriterWithinALeaseWhenTheLogIsRemoved(Durability durability) {
        JournalUnderTest journal = newJournal(durability);
        journal.keepIfFailing(() -> {
            try (Children children = new Children(1);
                    ReadOnlyJournal reader = Journal.openReadOnly(journal.directory())) {
                ChildProcess tailer = children.tailer(journal, "oldest");
                ChildProcess writer = children.writer(journal, "OVERWRITE", Long.MAX_VALUE, "wait");
                writer.await(Kind.OPENED);
                writer.await(Kind.NEXT);
                List<Report> acknowledged = new ArrayList<>(List.of(writer.await(Kind.FRAME)));
                writer.signal("STOP");
                writer.awaitState('T');
                long lease = reader.view().newestState().lease();
                Path kept = journal.log().resolveSibling("kept");
                Files.copy(journal.log(), kept);
                Files.delete(journal.log());
                tools(journal, 3, "is not a journal: it holds no journal.log");
                writer.signal("CONT");
                assertEquals(Child.REFUSED, writer.exitCode(), writer::errors);
                assertTrue(writer.errors().contains("was removed under the writer"), writer::errors);
                acknowledged.addAll(writer.rest());
                for (Report frame : acknowledged) {
                    assertTrue(frame.position() < lease, frame + " beyond the lease " + lease);
                }
                // The tailer has the file still, and shows what was published.
                List<Report> seen = tailer.send("mark").awaitAll(Kind.MARK);
                Report shown = seen.get(seen.size() - 2);
                assertTrue(shown.position() >= acknowledged.getLast().position(), () -> "shown up to " + shown);
                assertThrows(JournalException.NotAJournal.class, () -> Journal.open(journal.directory()));
                Files.move(kept, journal.log());
                recover(journal, acknowledged.getFirst());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /// Another process opens what was put back, keeps what was acknowledged before the copy was made, and appends.
    private static void recover(JournalUnderTest journal, Report acknowledged) {
        try (Children children = new Children(0)) {
            ChildProcess next = children.writer(journal, "OVERWRITE", 3, "close");
            assertEquals(0, next.exitCode(), next::errors);
            Report last = next.await(Kind.OPENED);
            assertTrue(last.position() >= acknowledged.position(), last + " but acknowledged " + acknowledged);
            assertEquals(1 + 3, next.rest().size(), "NEXT, and three frames");
        }
        assertTrue(Journal.verify(journal.directory()).isWhole());
    }

    private static void tools(JournalUnderTest journal, int exitCode, String text) {
        for (String command : List.of("info", "verify", "dump")) {
            try (ChildProcess tool = ChildProcess.start(
                    "io.fenceline.tools.Fenceline", command, journal.directory().toString())) {
                assertEquals(exitCode, tool.exitCode(), command);
                assertTrue(tool.errors().contains(text), command + ": " + tool.errors());
            }
        }
    }

    // `pwrite` makes the file longer again, and `fdatasync` says that all is well: nothing is acknowledged all the
    // same.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldPoisonADeviceWriterWhenTheLogIsTruncatedOrRemoved(boolean remove) {
        assumeTrue(JournalUnderTest.isDeviceThere(), "the build's directory is on a file system in memory: no DEVICE");
        JournalUnderTest journal = newJournal(Durability.DEVICE);
        journal.keepIfFailing(() -> {
            try (Children children = new Children(1);
                    ReadOnlyJournal reader = Journal.openReadOnly(journal.directory())) {
                ChildProcess writer = children.writer(journal, "FAIL", Long.MAX_VALUE, "wait");
                writer.await(Kind.OPENED);
                writer.await(Kind.NEXT);
                writer.await(Kind.FRAME);
                writer.signal("STOP");
                writer.awaitState('T');
                long published = reader.published();
                if (remove) {
                    Files.delete(journal.log());
                } else {
                    truncate(journal);
                }
                writer.signal("CONT");
                assertEquals(Child.REFUSED, writer.exitCode(), writer::errors);
                String told = remove ? "was removed under the writer" : "was truncated under the writer";
                assertTrue(writer.errors().contains(told), writer::errors);
                // What was synced before may be acknowledged afterwards, but nothing behind it.
                for (Report acknowledged : writer.rest()) {
                    assertTrue(acknowledged.position() <= published, acknowledged + " beyond published " + published);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            if (!remove) {
                expectRefusal(journal);
            }
        });
    }
}
