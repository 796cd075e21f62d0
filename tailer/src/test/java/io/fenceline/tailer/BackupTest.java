package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.BackupReport;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.RecoveryReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Copies of journals, in use and not.
class BackupTest {
    @TempDir
    private Path temporary;

    private Path directory() {
        return temporary.resolve("journal");
    }

    private Path copy(int n) {
        return temporary.resolve("copy" + n);
    }

    private static void check(Path copy, BackupReport report) {
        assertTrue(Journal.verify(copy).isWhole(), () -> Journal.verify(copy).toString());
        try (Journal journal = Journal.open(copy);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            assertEquals(RecoveryReport.Verdict.CLEAN, journal.recovery().verdict());
            assertEquals(report.nextSequence(), appender.nextSequence());
            assertEquals(report.published(), appender.position());
            List<Long> sequences = Stream.of(Journals.drain(Tailer.open(journal, Start.oldest())))
                    .flatMap(List::stream)
                    .map(Journals.Seen::sequence)
                    .toList();
            if (!sequences.isEmpty()) {
                assertEquals(
                        LongStream.range(sequences.getFirst(), report.nextSequence())
                                .boxed()
                                .toList(),
                        sequences);
            }
            journal.retain(journal.published());
            long sequence = appender.nextSequence();
            assertTrue(Journals.append(appender, 10) >= report.published());
            Tailer tailer = Tailer.open(journal, Start.sequence(sequence));
            assertEquals(1, tailer.poll(Journals::check, 10));
        }
    }

    @Test
    void shouldHoldWhatWasPublishedAndBeAJournal() {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            check(copy(0), Journal.backup(directory(), copy(0)));
            for (int n = 1; n < 8; n++) {
                for (int i = 0; i < 20; i++) {
                    Journals.append(appender, Journals.length(appender.nextSequence(), 300));
                }
                if (n == 4) {
                    journal.truncateFromSequence(appender.nextSequence() - 7);
                }
                if (n == 6) {
                    journal.reset(5000);
                }
                BackupReport report = Journal.backup(directory(), copy(n));
                assertEquals(journal.published(), report.published());
                assertEquals(journal.retained(), report.retained());
                assertEquals(appender.nextSequence(), report.nextSequence());
                check(copy(n), report);
            }
        }
        BackupReport closed = Journal.backup(directory(), copy(9));
        check(copy(9), closed);
        assertThrows(JournalException.AlreadyExists.class, () -> Journal.backup(directory(), copy(9)));
        assertThrows(JournalException.NotAJournal.class, () -> Journal.backup(temporary, copy(10)));
        assertFalse(Files.exists(copy(10)));
    }

    /// Goal: a writer that laps the ring, and cuts it, meanwhile never gets other bytes into the copy than it
    /// published.
    @Test
    void shouldBeConsistentBesideAWriterThatLapsTheRing() throws InterruptedException, IOException {
        AtomicBoolean stop = new AtomicBoolean();
        try (Journal journal = Journals.open(directory(), 64 << 10, 8);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            Throwable[] failure = new Throwable[1];
            Thread writer = Thread.ofPlatform()
                    .uncaughtExceptionHandler((thread, e) -> failure[0] = e)
                    .start(() -> {
                        while (!stop.get()) {
                            Journals.append(appender, Journals.length(appender.nextSequence(), 900));
                            if (appender.nextSequence() % 997 == 0) {
                                journal.truncateFromSequence(appender.nextSequence() - 3);
                            }
                        }
                    });
            try {
                for (int n = 0; n < 6; n++) {
                    BackupReport report = Journal.backup(directory(), copy(n));
                    check(copy(n), report);
                }
            } finally {
                stop.set(true);
                writer.join();
            }
            assertEquals(null, failure[0]);
        }
        try (Stream<Path> left = Files.list(temporary)) {
            assertEquals(7, left.count());
        }
    }
}
