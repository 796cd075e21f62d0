package io.fenceline.tailer;

import static io.fenceline.tailer.Journals.append;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Archive;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.SealedSegment;
import io.fenceline.journal.SegmentConsumer;
import io.fenceline.journal.VerifyReport;
import io.fenceline.journal.format.ReadersFileDescriptor;
import io.fenceline.journal.format.StateRecord;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ArchiverTest {
    private static final int SEGMENT = 4096;

    @TempDir
    private Path temporary;

    private Path ring() {
        return temporary.resolve("journal");
    }

    private Path kept() {
        return temporary.resolve("archive");
    }

    private Journal create() {
        return Journals.open(ring(), SEGMENT, 4);
    }

    private Archive archive(Journal journal) {
        return Archive.open(kept(), journal, 1 << 20);
    }

    /// Reads all entries of the archive and the ring, and checks that they are `count` from 0 on.
    private void check(Journal journal, long count) {
        try (ArchivedTailer tailer = ArchivedTailer.open(kept(), journal, Start.oldest(), TailerConfig.defaults())) {
            checkFrom(tailer, 0, count);
        }
    }

    private static void checkFrom(ArchivedTailer tailer, long first, long count) {
        long[] next = {first};
        while (tailer.poll(
                        entry -> {
                            Journals.check(entry);
                            assertEquals(next[0]++, entry.sequence());
                        },
                        13)
                > 0) {
            // on
        }
        assertEquals(count, next[0]);
    }

    @Test
    void shouldReadArchiveAndRingAsOneLogOverManyLaps() {
        try (Journal journal = create();
                ExclusiveAppender appender = ExclusiveAppender.open(journal);
                Archive archive = archive(journal);
                Archiver archiver = Archiver.open(journal, "archive", archive)) {
            for (int i = 0; i < 500; i++) {
                append(appender, Journals.length(i, 300));
                if (i % 10 == 0) {
                    archiver.poll(Integer.MAX_VALUE);
                }
            }
            assertTrue(journal.retained() > 4 * SEGMENT, "several laps");
            assertEquals(archive.end(), archiver.confirmed());
            check(journal, 500);
            VerifyReport report = Journal.verify(kept());
            assertTrue(report.isWhole(), report::toString);
            assertEquals(0, report.from());
            assertEquals(archive.end(), report.to());
        }
    }

    /// Goal: where a killed archiver left another attempt at the next record, torn, the next archiver does not write a
    /// record of that version: words that the two share could make the old one whole in one mirror.
    @Test
    void shouldLeaveOutARecordThatATornAttemptMayShareALineWith() throws IOException {
        try (Journal journal = create();
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            while (journal.published() < 3 * SEGMENT) {
                append(appender, 100);
            }
            try (Archive archive = archive(journal);
                    Archiver archiver = Archiver.open(journal, "archive", archive)) {
                assertEquals(1, archiver.poll(1));
            }
            StateRecord before = record();
            try (FileChannel log = FileChannel.open(kept().resolve("journal.log"), StandardOpenOption.WRITE)) {
                ByteBuffer torn = ByteBuffer.allocate(24).putLong(0, before.version() + 1);
                log.write(torn, StateRecord.fileOffset(before.version() + 1, 1));
            }
            try (Archive archive = archive(journal);
                    Archiver archiver = Archiver.open(journal, "archive", archive)) {
                assertEquals(1, archiver.poll(1));
                assertEquals(before.version() + 3, record().version());
                assertEquals(2 * SEGMENT, record().floor());
            }
            check(journal, appender.nextSequence());
        }
    }

    private StateRecord record() {
        try (ReadOnlyJournal archive = Journal.openReadOnly(kept())) {
            return archive.view().newestState();
        }
    }

    /// Goal: an OVERWRITE ring stands still rather than reuse what the archiver has not confirmed, in this run and
    /// in the next.
    @Test
    void shouldHoldTheRingUntilConfirmed() {
        Journals.open(ring(), SEGMENT, 4).close();
        try (Journal journal = Journal.open(ring(), Journals.CONFIG);
                Archive archive = archive(journal)) {
            Archiver.open(journal, "archive", archive).close();
        }
        try (Journal journal = Journal.open(ring(), Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            long refused = fill(appender);
            assertEquals(AppendResult.BACK_PRESSURED, refused);
            assertEquals(0, journal.retained());
            try (Archive archive = archive(journal);
                    Archiver archiver = Archiver.open(journal, "archive", archive)) {
                assertEquals(1, archiver.poll(1));
                assertEquals(SEGMENT, archiver.confirmed());
                assertEquals(AppendResult.BACK_PRESSURED, fill(appender));
                assertEquals(SEGMENT, journal.retained(), "one segment, no more");
                assertTrue(archiver.poll(Integer.MAX_VALUE) >= 2);
            }
            fill(appender);
            check(journal, appender.nextSequence());
        }
    }

    private static long fill(ExclusiveAppender appender) {
        for (int i = 0; i < 1000; i++) {
            long sequence = appender.nextSequence();
            long result = appender.append(MemorySegment.ofArray(Journals.payload(sequence, 100)), (int) sequence * 7);
            if (result < 0) {
                return result;
            }
        }
        return 0;
    }

    /// Goal: an archiver that is new beside a writer that laps the ring begins where the ring is held from then on.
    @Test
    void shouldBeginBesideAWriterThatLapsTheRing() throws InterruptedException {
        try (Journal journal = create();
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            AtomicBoolean stop = new AtomicBoolean();
            Thread writer = Thread.ofPlatform().start(() -> {
                while (!stop.get()) {
                    fill(appender);
                }
            });
            try {
                for (int i = 0; i < 30; i++) {
                    String name = "archive-" + i;
                    List<Long> taken = new ArrayList<>();
                    try (Archiver archiver = Archiver.open(journal, name, new SegmentConsumer() {
                        @Override
                        public void accept(SealedSegment segment) {
                            taken.add(segment.start());
                        }

                        @Override
                        public void truncate(long position) {}
                    })) {
                        while (taken.size() < 3) {
                            archiver.poll(1);
                        }
                        assertEquals(taken.getFirst() + 2 * SEGMENT, taken.getLast());
                    }
                    Cursor.remove(journal, name);
                }
            } finally {
                stop.set(true);
                writer.join();
            }
        }
    }

    /// Goal: what a consumer did not take, by its exception, comes again; nothing is confirmed meanwhile.
    @Test
    void shouldHandOverAgainWhatTheConsumerRefused() {
        List<Long> taken = new ArrayList<>();
        SegmentConsumer failing = new SegmentConsumer() {
            private boolean failed;

            @Override
            public void accept(SealedSegment segment) {
                if (taken.size() == 1 && !failed) {
                    failed = true;
                    throw new IllegalStateException("full");
                }
                taken.add(segment.start());
            }

            @Override
            public void truncate(long position) {}
        };
        try (Journal journal = create();
                ExclusiveAppender appender = ExclusiveAppender.open(journal);
                Archiver archiver = Archiver.open(journal, "mine", failing)) {
            for (int i = 0; i < 60; i++) {
                append(appender, 100);
            }
            assertThrows(IllegalStateException.class, () -> archiver.poll(Integer.MAX_VALUE));
            assertEquals(SEGMENT, archiver.confirmed());
            archiver.poll(Integer.MAX_VALUE);
            assertEquals(List.of(0L, (long) SEGMENT), taken);
        }
    }

    /// Goal: entries that were archived, then cut off the log, are in the archive no more; what was appended instead
    /// is, with an archiver that runs and with one that is started later.
    @Test
    void shouldForgetWhatWasCutOff() {
        for (boolean running : new boolean[] {true, false}) {
            Path place = temporary.resolve("cut-" + running);
            Path keep = temporary.resolve("kept-" + running);
            try (Journal journal = Journals.open(place, SEGMENT, 16);
                    ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                Archive archive = Archive.open(keep, journal, 1 << 20);
                Archiver archiver = Archiver.open(journal, "archive", archive);
                for (int i = 0; i < 100; i++) {
                    append(appender, 100);
                }
                archiver.poll(Integer.MAX_VALUE);
                long before = archive.end();
                assertEquals(4 * SEGMENT, before);
                if (!running) {
                    archiver.close();
                    archive.close();
                }
                journal.truncateFromSequence(30);
                for (int i = 30; i < 50; i++) {
                    append(appender, 40); // other entries than before
                }
                if (!running) {
                    archive = Archive.open(keep, journal, 1 << 20);
                    archiver = Archiver.open(journal, "archive", archive);
                }
                archiver.poll(Integer.MAX_VALUE);
                for (int i = 50; i < 200; i++) {
                    append(appender, 100);
                    archiver.poll(Integer.MAX_VALUE);
                }
                try (ArchivedTailer tailer =
                        ArchivedTailer.open(keep, journal, Start.oldest(), TailerConfig.defaults())) {
                    checkFrom(tailer, 0, 200);
                }
                List<Integer> lengths = new ArrayList<>();
                try (ReadOnlyJournal kept = Journal.openReadOnly(keep);
                        Tailer tailer = Tailer.open(kept, Start.sequence(30))) {
                    tailer.poll(entry -> lengths.add(entry.length()), 20);
                }
                assertEquals(java.util.Collections.nCopies(20, 40), lengths);
                assertTrue(Journal.verify(keep).isWhole());
                archiver.close();
                archive.close();
            }
        }
    }

    /// Goal: a consumer is told of a cut before anything behind it is sealed, with the segment in which the log was
    /// cut; then that and the ones behind come again, once.
    @Test
    void shouldHandOverAgainWhatWasCut() {
        List<String> told = new ArrayList<>();
        SegmentConsumer listing = new SegmentConsumer() {
            @Override
            public void accept(SealedSegment segment) {
                told.add("take " + segment.start() / SEGMENT);
            }

            @Override
            public void truncate(long position) {
                told.add("cut " + position / SEGMENT);
            }
        };
        try (Journal journal = create();
                ExclusiveAppender appender = ExclusiveAppender.open(journal);
                Archiver archiver = Archiver.open(journal, "mine", listing)) {
            while (journal.published() < 3 * SEGMENT) {
                append(appender, 100);
            }
            assertEquals(3, archiver.poll(Integer.MAX_VALUE));
            journal.truncateFromSequence(30);
            assertEquals(2, archiver.poll(Integer.MAX_VALUE));
            assertEquals(0, archiver.poll(Integer.MAX_VALUE));
            assertEquals(List.of("take 0", "take 1", "take 2", "cut 1", "take 1", "take 2"), told);
        }
    }

    /// Goal: a crash of the archiver at each step: bytes beyond the end, a lost confirmation.
    @Test
    void shouldGoOnAfterACrashAtEachStep() throws IOException {
        try (Journal journal = create();
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < 70; i++) {
                append(appender, 100);
            }
            try (Archive archive = archive(journal)) {
                archive.accept(new SealedSegment(journal.view(), 0)); // and the confirmation is lost
            }
            // half of the next segment was copied
            ByteBuffer half = ByteBuffer.allocate(SEGMENT / 2);
            try (FileChannel from = FileChannel.open(ring().resolve("journal.log"));
                    FileChannel to = FileChannel.open(kept().resolve("journal.log"), StandardOpenOption.WRITE)) {
                from.read(half, (2 << 20) + SEGMENT);
                to.write(half.flip(), (2 << 20) + SEGMENT);
            }
            assertTrue(Journal.verify(kept()).isWhole(), "what lies beyond the end is nothing");
            try (ReadOnlyJournal kept = Journal.openReadOnly(kept());
                    Tailer tailer = Tailer.open(kept, Start.oldest())) {
                assertEquals(21, Journals.drain(tailer).size());
            }
            try (Archive archive = archive(journal);
                    Archiver archiver = Archiver.open(journal, "archive", archive)) {
                assertEquals(0, archiver.confirmed());
                archiver.poll(Integer.MAX_VALUE);
                assertEquals(3 * SEGMENT, archive.end());
            }
            check(journal, 70);
            assertTrue(Journal.verify(kept()).isWhole());
        }
    }

    @Test
    void shouldRefuseWhatIsDamagedForeignOrAGap() throws IOException {
        try (Journal journal = create();
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < 70; i++) {
                append(appender, 100);
            }
            try (Archive archive = archive(journal)) {
                assertThrows(JournalException.Locked.class, () -> archive(journal));
                archive.accept(new SealedSegment(journal.view(), 0));
                SealedSegment gap = new SealedSegment(journal.view(), 2 * SEGMENT);
                assertThrows(JournalException.class, () -> archive.accept(gap));
                try (FileChannel log = FileChannel.open(ring().resolve("journal.log"), StandardOpenOption.WRITE)) {
                    log.write(ByteBuffer.wrap(new byte[] {99}), (2 << 20) + SEGMENT + 777);
                }
                SealedSegment damaged = new SealedSegment(journal.view(), SEGMENT);
                assertThrows(JournalException.Corrupt.class, () -> archive.accept(damaged));
                assertEquals(SEGMENT, archive.end());
            }
            assertThrows(JournalException.Unsupported.class, () -> Journal.open(kept()));
            assertThrows(IllegalArgumentException.class, () -> new SealedSegment(journal.view(), 3 * SEGMENT));
            try (Journal other = Journals.open(temporary.resolve("other"), SEGMENT, 4)) {
                assertThrows(JournalException.Corrupt.class, () -> archive(other));
                assertFalse(other.isPoisoned());
            }
            assertThrows(JournalException.Unsupported.class, () -> Archive.open(ring(), journal));
        }
    }

    /// Goal: a tailer that the ring went past finds in the archive what it missed.
    @Test
    void shouldGoBackToTheArchiveWhenTheRingGoesPast() {
        try (Journal journal = create();
                ExclusiveAppender appender = ExclusiveAppender.open(journal);
                Archive archive = archive(journal);
                Archiver archiver = Archiver.open(journal, "archive", archive)) {
            append(appender, 100);
            try (ArchivedTailer tailer =
                    ArchivedTailer.open(kept(), journal, Start.oldest(), TailerConfig.defaults())) {
                checkFrom(tailer, 0, 1);
                assertFalse(tailer.isInArchive());
                for (int i = 1; i < 300; i++) {
                    append(appender, 100);
                    archiver.poll(Integer.MAX_VALUE);
                }
                checkFrom(tailer, 1, 300);
                assertFalse(tailer.isInArchive());
            }
            try (ArchivedTailer tailer =
                    ArchivedTailer.open(kept(), journal, Start.sequence(50), TailerConfig.defaults())) {
                assertTrue(tailer.isInArchive());
                checkFrom(tailer, 50, 300);
            }
            try (ArchivedTailer tailer =
                    ArchivedTailer.open(kept(), journal, Start.sequence(299), TailerConfig.defaults())) {
                assertFalse(tailer.isInArchive());
                checkFrom(tailer, 299, 300);
            }
        }
    }

    /// Goal: entries that are cut off, but in the archive still, are not shown; a tailer that was shown them is told,
    /// also when the ring has given the cut up and the archive has it.
    @Test
    void shouldNotShowWhatIsCutAndTellWhoWasShownIt() {
        for (boolean givenUp : new boolean[] {false, true}) {
            Path place = temporary.resolve("cut-" + givenUp);
            Path keep = temporary.resolve("kept-" + givenUp);
            try (Journal journal = Journals.open(place, SEGMENT, 8);
                    ExclusiveAppender appender = ExclusiveAppender.open(journal);
                    Archive archive = Archive.open(keep, journal, 1 << 20);
                    Archiver archiver = Archiver.open(journal, "archive", archive);
                    ArchivedTailer shown = ArchivedTailer.open(keep, journal, Start.oldest(), TailerConfig.defaults());
                    ArchivedTailer inside =
                            ArchivedTailer.open(keep, journal, Start.oldest(), TailerConfig.defaults())) {
                appendAndArchive(appender, archiver, 200);
                assertTrue(journal.retained() > 0);
                journal.retain(5 * SEGMENT);
                checkFrom(shown, 0, 200);
                assertEquals(10, inside.poll(Journals::check, 10));
                long cut = 200 - 40;
                journal.truncateFromSequence(cut);
                try (ArchivedTailer fresh =
                        ArchivedTailer.open(keep, journal, Start.oldest(), TailerConfig.defaults())) {
                    checkFrom(fresh, 0, cut);
                }
                checkFrom(inside, 10, cut);
                appendAndArchive(appender, archiver, givenUp ? 400 : 3);
                long end = appender.nextSequence();
                assertEquals(Tailer.TRUNCATED, shown.poll(Journals::check, 1));
                assertEquals(cut, shown.nextSequence());
                assertEquals(givenUp, shown.isInArchive());
                checkFrom(shown, cut, end);
                checkFrom(inside, cut, end);
            }
        }
    }

    /// Goal: what nobody archived and the ring has given up is told as missed, not passed over.
    @Test
    void shouldTellWhatIsMissingBetweenArchiveAndRing() {
        try (Journal journal = create();
                ExclusiveAppender appender = ExclusiveAppender.open(journal);
                Archive archive = archive(journal)) {
            try (Archiver archiver = Archiver.open(journal, "archive", archive)) {
                appendAndArchive(appender, archiver, 100);
            }
            assertTrue(Cursor.remove(journal, "archive"));
            try (ArchivedTailer tailer =
                    ArchivedTailer.open(kept(), journal, Start.oldest(), TailerConfig.defaults())) {
                assertTrue(tailer.isInArchive());
                appendAndArchive(appender, null, 300);
                int result;
                long[] next = {0};
                EntryHandler handler = entry -> assertEquals(next[0]++, entry.sequence());
                do {
                    result = tailer.poll(handler, 7);
                } while (result > 0);
                assertEquals(Tailer.OVERRUN, result);
                next[0] += tailer.missedEntries();
                assertTrue(tailer.missedEntries() > 0);
                checkFrom(tailer, next[0], 400);
            }
        }
    }

    /// Goal: with a segment that is begun and not full, an archiver that waits sleeps: it says so in `readers.run`.
    @Test
    void shouldSleepUntilASegmentIsFull() throws InterruptedException, IOException {
        try (Journal journal = create();
                ExclusiveAppender appender = ExclusiveAppender.open(journal);
                Archive archive = archive(journal);
                Archiver archiver = Archiver.open(journal, "archive", archive);
                FileChannel words = FileChannel.open(ring().resolve("readers.run"), StandardOpenOption.READ)) {
            append(appender, 100);
            assertFalse(archiver.await(1));
            AtomicBoolean full = new AtomicBoolean();
            Thread waiting = Thread.ofPlatform().start(() -> {
                try {
                    full.set(archiver.await(Long.MAX_VALUE));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            ByteBuffer word = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            do {
                Thread.onSpinWait(); // bounded by the timeout of the test
                words.read(word.clear(), ReadersFileDescriptor.SLEEPING_OFFSET);
            } while ((word.getInt(0) & 1) == 0);
            while (journal.published() < SEGMENT) {
                append(appender, 100);
            }
            waiting.join();
            assertTrue(full.get());
            assertEquals(1, archiver.poll(2));
        }
    }

    private static void appendAndArchive(ExclusiveAppender appender, @Nullable Archiver archiver, int entries) {
        for (int i = 0; i < entries; i++) {
            append(appender, 100);
            if (archiver != null) {
                archiver.poll(Integer.MAX_VALUE);
            }
        }
    }
}
