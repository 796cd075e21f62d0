package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import io.fenceline.tools.crash.Report.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// One writer at a time, by a lock that dies with its holder, and with nothing else.
final class WriterLockTest {
    private static final int SEGMENT_LENGTH_BYTES = 64 << 10;

    private static JournalUnderTest newJournal() {
        return JournalUnderTest.create(Durability.PROCESS, SEGMENT_LENGTH_BYTES, 4, 1, "lock");
    }

    private static void refuse(JournalUnderTest journal, Children children) {
        ChildProcess second = children.writer(journal, "FAIL", 0, "wait");
        assertEquals(Child.LOCKED, second.exitCode(), second::errors);
        assertTrue(second.errors().contains(journal.directory() + " is open for writing already"), second::errors);
    }

    @Test
    void shouldRefuseASecondProcessUntilTheFirstIsKilled() {
        JournalUnderTest journal = newJournal();
        journal.keepIfFailing(() -> {
            try (Children children = new Children(1)) {
                ChildProcess first = children.writer(journal, "FAIL", 1, "wait");
                first.await(Kind.OPENED);
                refuse(journal, children);
                assertThrows(JournalException.Locked.class, () -> Journal.open(journal.directory()));
                first.await(Kind.NEXT);
                first.await(Kind.FRAME);
                first.kill();
                Journal.open(journal.directory()).close();
            }
        });
    }

    @Test
    void shouldEndWithExitCodeFourWhenTheCommandMeetsAnotherWriter() {
        JournalUnderTest journal = newJournal();
        journal.keepIfFailing(() -> {
            try (Journal held = Journal.open(journal.directory());
                    ChildProcess command = ChildProcess.start(
                            "io.fenceline.tools.Fenceline",
                            "append",
                            held.directory().toString())) {
                assertEquals(4, command.exitCode(), command::errors);
            }
        });
    }

    // A POSIX lock would go when any descriptor of the file closes; this one must not.
    @Test
    void shouldHoldTheLockWhenReadersAndDescriptorsInItsJvmAreClosed() {
        JournalUnderTest journal = newJournal();
        journal.keepIfFailing(() -> {
            try (Children children = new Children(1)) {
                Journal held = Journal.open(journal.directory());
                assertThrows(JournalException.Locked.class, () -> Journal.open(journal.directory()));
                assertThrows(JournalException.Locked.class, () -> Journal.open(journal.directory()));
                ReadOnlyJournal reader = Journal.openReadOnly(journal.directory());
                assertTrue(reader.isWriterAlive());
                try (Tailer tailer = Tailer.open(reader, Start.oldest())) {
                    assertEquals(0, tailer.poll(entry -> {}, 1));
                }
                reader.close();
                try (FileChannel unrelated =
                        FileChannel.open(journal.log(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                    assertTrue(unrelated.size() > 0);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                refuse(journal, children);
                held.close();
                held.close();
                ChildProcess next = children.writer(journal, "FAIL", 1, "close");
                assertEquals(0, next.exitCode(), next::errors);
            }
        });
    }

    // Death is proved by the lock, not concluded from silence: a stopped writer is alive.
    @Test
    void shouldRefuseASecondWriterAndGoOnWithoutLossWhenTheFirstIsStoppedForAWhile() {
        JournalUnderTest journal = newJournal();
        journal.keepIfFailing(() -> {
            Witness witness = new Witness(journal);
            List<Report> seen = new ArrayList<>();
            try (Children children = new Children(1)) {
                ChildProcess tailer = children.tailer(journal, "oldest");
                witness.tailed();
                seen.addAll(withoutMark(tailer.send("mark").awaitAll(Kind.MARK)));
                ChildProcess writer = children.writer(journal, "RETAIN", Long.MAX_VALUE, "wait");
                witness.opened(writer.await(Kind.OPENED), writer.await(Kind.NEXT));
                Report acknowledged = witness.acknowledged(writer, 20);
                writer.signal("STOP");
                writer.awaitState('T');

                List<Report> reports = tailer.send("mark").awaitAll(Kind.MARK);
                Report mark = reports.getLast();
                seen.addAll(withoutMark(reports));
                assertTrue(mark.sequence() > acknowledged.sequence(), mark + " is before " + acknowledged);
                refuse(journal, children);
                assertThrows(JournalException.Locked.class, () -> Journal.open(journal.directory()));
                reports = tailer.send("mark").awaitAll(Kind.MARK);
                assertEquals(List.of(mark), reports, "nothing moves while the writer is stopped");

                writer.signal("CONT");
                while (witness.acknowledged(writer, 1).sequence() < mark.sequence() + 20) {
                    assertTrue(writer.isAlive());
                }
                writer.kill();
                witness.acknowledged(writer.rest());
                seen.addAll(tailer.send("mark").awaitAll(Kind.MARK));
                witness.seen(seen);
            }
            try (Journal opened = Journal.open(journal.directory())) {
                witness.opened(opened);
                witness.check(opened);
            }
        });
    }

    private static List<Report> withoutMark(List<Report> reports) {
        return reports.subList(0, reports.size() - 1);
    }
}
