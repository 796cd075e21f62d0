package io.fenceline.tailer;

import static io.fenceline.tailer.Journals.append;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.Batch;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.BelowTarget;
import io.fenceline.journal.CursorStatus;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.TestLevels;
import io.fenceline.tailer.Cursor.Resumption;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class CursorTest {
    @TempDir
    Path temporary;

    private Path directory() {
        return temporary.resolve("journal");
    }

    private static Cursor open(JournalSource source, String name) {
        return Cursor.open(source, name, CursorConfig.defaults());
    }

    private static List<Long> sequences(Cursor cursor, int limit) {
        List<Long> sequences = new ArrayList<>();
        int result = cursor.poll(
                entry -> {
                    Journals.check(entry);
                    sequences.add(entry.sequence());
                },
                limit);
        assertEquals(Math.max(0, result), sequences.size());
        return sequences;
    }

    private static void appendMany(ExclusiveAppender appender, int n) {
        for (int i = 0; i < n; i++) {
            append(appender, Journals.length(appender.nextSequence(), 200));
        }
    }

    /// Sequences 0; 1 to 5 in one frame; 6.
    private static void appendWithABatchOfFive(ExclusiveAppender appender) {
        append(appender, 10);
        Batch batch = appender.batch();
        for (int i = 1; i < 6; i++) {
            batch.add(MemorySegment.ofArray(Journals.payload(i, 20)), 7 * i);
        }
        batch.commit();
        append(appender, 10);
    }

    /// Goal: whichever way a cursor is opened and whoever writes, it goes on where it committed.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldGoOnWhereItCommittedWhenOpenedAgain(
            Durability level, @TempDir(factory = BelowTarget.class) Path parent) {
        JournalConfig config = TestLevels.at(level, JournalConfig.defaults());
        Path path = parent.resolve("journal");
        SmallJournals.create(path, 64 << 10, 2, config);
        byte[] term = "term 7, vote 3".getBytes(StandardCharsets.US_ASCII);
        try (Journal journal = Journal.open(path);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendMany(appender, 20);
            try (Cursor cursor = open(journal, "billing")) {
                assertEquals(Resumption.NEW, cursor.resumption());
                assertEquals(List.of(0L, 1L, 2L), sequences(cursor, 3));
                cursor.commit();
                assertEquals(List.of(3L, 4L), sequences(cursor, 2));
            }
            try (Cursor cursor = open(journal, "billing")) {
                assertEquals(Resumption.RESUMED, cursor.resumption());
                assertEquals(List.of(3L, 4L, 5L), sequences(cursor, 3));
                cursor.commit(term);
            }
        }
        try (ReadOnlyJournal journal = Journal.openReadOnly(path);
                Cursor cursor = open(journal, "billing")) {
            assertArrayEquals(term, cursor.userData());
            assertEquals(6, cursor.committedSequence());
            assertEquals(14, sequences(cursor, 100).size());
            cursor.commit();
            assertArrayEquals(term, cursor.userData());
        }
        try (Journal journal = Journal.open(path);
                Cursor cursor = open(journal, "billing")) {
            assertEquals(Resumption.RESUMED, cursor.resumption());
            assertEquals(journal.recovery().nextSequence(), cursor.nextSequence());
            assertEquals(List.of(), sequences(cursor, 100));
        }
    }

    @Test
    void shouldGoOnInTheMiddleOfABatch() {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendWithABatchOfFive(appender);
            for (int n = 0; n < 7; n++) {
                try (Cursor cursor = open(journal, "one")) {
                    assertEquals(n == 0 ? Resumption.NEW : Resumption.RESUMED, cursor.resumption());
                    assertEquals(List.of((long) n), sequences(cursor, 1));
                    cursor.commit();
                }
            }
        }
    }

    /// Goal: a cursor that stands in the middle of a batch, behind the end as it is known after a crash, goes on
    /// there when a writer has recovered the log.
    @Test
    void shouldGoOnInTheMiddleOfABatchWhenTheLogIsRecoveredBehindItsBack() throws IOException {
        Path crashed = temporary.resolve("crashed");
        Files.createDirectories(crashed.resolve("cursors"));
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendWithABatchOfFive(appender);
            try (Cursor cursor = open(journal, "one")) {
                assertEquals(List.of(0L, 1L, 2L), sequences(cursor, 3));
                cursor.commit();
            }
            Files.copy(directory().resolve("journal.log"), crashed.resolve("journal.log"));
            Files.copy(
                    directory().resolve("cursors").resolve("one"),
                    crashed.resolve("cursors").resolve("one"));
        }
        try (ReadOnlyJournal reader = Journal.openReadOnly(crashed);
                Cursor cursor = open(reader, "one")) {
            assertEquals(Resumption.RESUMED, cursor.resumption());
            assertEquals(List.of(), sequences(cursor, 10));
            Journal.open(crashed, Journals.CONFIG).close();
            assertEquals(List.of(3L, 4L, 5L, 6L), sequences(cursor, 10));
        }
    }

    @Test
    void shouldCommitByItsPolicy() {
        try (Journal journal = Journals.open(directory(), 4096, 16);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendMany(appender, 100);
            assertEquals(List.of(1L, 2L, 3L, 4L, 5L), committed(journal, CommitPolicy.everyEntry(), 5, 1));
            assertEquals(List.of(4L, 8L, 12L), committed(journal, CommitPolicy.everyPoll(), 3, 4));
            assertEquals(List.of(3L, 6L, 12L), committed(journal, CommitPolicy.everyEntries(3), 3, 4));
            assertEquals(List.of(0L, 0L, 0L), committed(journal, CommitPolicy.manual(), 3, 4));
            assertEquals(List.of(4L, 8L), committed(journal, CommitPolicy.every(Duration.ZERO), 2, 4));
            assertEquals(List.of(0L, 0L), committed(journal, CommitPolicy.every(Duration.ofDays(1)), 2, 4));
            // Every third entry, inside a long poll: what a crash in its handler leaves.
            CursorConfig config = CursorConfig.defaults().withCommitPolicy(CommitPolicy.everyEntries(3));
            try (Cursor cursor = Cursor.open(journal, "throws", config)) {
                assertThrows(
                        IllegalArgumentException.class,
                        () -> cursor.poll(
                                entry -> {
                                    if (entry.sequence() == 7) {
                                        throw new IllegalArgumentException("7");
                                    }
                                },
                                100));
                assertEquals(6, cursor.committedSequence());
            }
        }
    }

    /// What is committed after each of n polls.
    private static List<Long> committed(Journal journal, CommitPolicy policy, int polls, int limit) {
        List<Long> committed = new ArrayList<>();
        String name = "policy";
        try (Cursor cursor = Cursor.open(journal, name, CursorConfig.defaults().withCommitPolicy(policy))) {
            for (int i = 0; i < polls; i++) {
                assertEquals(limit, sequences(cursor, limit).size());
                committed.add(status(journal, name).nextSequence());
            }
        }
        assertTrue(Cursor.remove(journal, name));
        return committed;
    }

    private static CursorStatus status(JournalSource journal, String name) {
        return journal.cursors().stream()
                .filter(cursor -> cursor.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void shouldTellOfAnOverrunWhenTheRingWentPastWhatWasCommitted() {
        try (Journal journal = Journals.open(directory(), 4096, 2);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendMany(appender, 10);
            CursorConfig config = CursorConfig.defaults().withCommitPolicy(CommitPolicy.everyEntries(2));
            try (Cursor cursor = Cursor.open(journal, "slow", config)) {
                assertEquals(4, sequences(cursor, 4).size());
            }
            appendMany(appender, 200);
            try (Cursor cursor = Cursor.open(journal, "slow", config)) {
                assertEquals(Resumption.RESUMED, cursor.resumption());
                assertEquals(Tailer.OVERRUN, cursor.poll(Journals::check, 7));
                assertEquals(journal.retained(), cursor.position());
                long missed = cursor.tailer().missedEntries();
                assertTrue(missed > 0);
                assertEquals(206 - missed, sequences(cursor, 1000).size());
                assertEquals(210, cursor.nextSequence());
            }
        }
    }

    /// Goal: an overrun in the middle of a poll that delivers in chunks is told by the next poll, not lost.
    @Test
    void shouldNotLoseAnOverrunBetweenTwoCommits() {
        try (Journal journal = Journals.open(directory(), 4096, 2);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            append(appender, 16);
            CursorConfig config = CursorConfig.defaults().withCommitPolicy(CommitPolicy.everyEntry());
            try (Cursor cursor = Cursor.open(journal, "slow", config)) {
                assertEquals(1, cursor.poll(entry -> appendMany(appender, 200), 100));
                assertEquals(Tailer.OVERRUN, cursor.poll(Journals::check, 100));
                long missed = cursor.tailer().missedEntries();
                assertEquals(200 - missed, sequences(cursor, 1000).size());
            }
        }
    }

    /// Goal: who commits by hand what a poll delivered, or keeps the place with its own work, does not do it behind
    /// what the next poll is to tell. A crash before that poll loses nothing of it: an overrun, and a cut.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldStandBeforeWhatIsNotToldYet(boolean cut) {
        try (Journal journal = Journals.open(directory(), 4096, 2);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendMany(appender, 4);
            long end = journal.published();
            CursorConfig config = CursorConfig.defaults().withCommitPolicy(CommitPolicy.everyEntries(2));
            EntryHandler handler = entry -> {
                if (entry.sequence() == 3 && cut) {
                    journal.truncateFromSequence(1);
                } else if (entry.sequence() == 3) {
                    appendMany(appender, 200);
                }
            };
            try (Cursor cursor = Cursor.open(journal, "slow", config)) {
                assertEquals(4, cursor.poll(handler, 100));
                assertEquals(4, cursor.nextSequence());
                assertEquals(end, cursor.position());
                cursor.commit(new byte[] {4});
                assertEquals(4, cursor.committedSequence());
                assertEquals(end, cursor.committedPosition());
            }
            try (Cursor cursor = Cursor.open(journal, "slow", config)) {
                assertArrayEquals(new byte[] {4}, cursor.userData());
                if (cut) {
                    assertEquals(Cursor.Resumption.TRUNCATED, cursor.resumption());
                    assertEquals(1, cursor.nextSequence());
                } else {
                    assertEquals(Tailer.OVERRUN, cursor.poll(Journals::check, 100));
                    assertEquals(cursor.nextSequence() - 4, cursor.tailer().missedEntries());
                }
            }
        }
    }

    /// Goal: a log that lost what the cursor saw (here: it was restored from an older copy) is told as truncated,
    /// and the cursor goes on at the last frame that both have.
    @Test
    void shouldGoOnAtTheLastCommonFrameWhenTheLogWasCutOff() throws IOException {
        Path copy = temporary.resolve("copy");
        try (Journal journal = Journals.open(directory(), 4096, 16);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendMany(appender, 10);
        }
        Files.createDirectory(copy);
        Files.copy(directory().resolve("journal.log"), copy.resolve("journal.log"));
        try (Journal journal = Journal.open(directory(), Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendMany(appender, 20);
            try (Cursor cursor = open(journal, "ahead")) {
                assertEquals(25, sequences(cursor, 25).size());
                cursor.commit();
            }
            try (Cursor cursor = open(journal, "at the end".replace(' ', '-'))) {
                assertEquals(30, sequences(cursor, 100).size());
                cursor.commit();
            }
            try (Cursor cursor = open(journal, "behind")) {
                assertEquals(5, sequences(cursor, 5).size());
                cursor.commit();
            }
        }
        Files.createDirectory(copy.resolve("cursors"));
        for (String name : List.of("ahead", "at-the-end", "behind")) {
            Files.copy(
                    directory().resolve("cursors").resolve(name),
                    copy.resolve("cursors").resolve(name));
        }
        for (boolean written : new boolean[] {false, true}) {
            try (Journal journal = Journal.open(copy, Journals.CONFIG)) {
                if (written) {
                    try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                        appendMany(appender, 40);
                    }
                }
                for (String name : List.of("ahead", "at-the-end")) {
                    try (Cursor cursor = open(journal, name)) {
                        assertEquals(written ? Resumption.RESUMED : Resumption.TRUNCATED, cursor.resumption());
                        assertEquals(10, cursor.nextSequence(), name);
                        assertEquals(written ? 40 : 0, sequences(cursor, 100).size());
                        if (!written) {
                            cursor.commit();
                        }
                    }
                }
                try (Cursor cursor = open(journal, "behind")) {
                    assertEquals(Resumption.RESUMED, cursor.resumption());
                    assertEquals(5L, sequences(cursor, 1).getFirst());
                }
            }
        }
    }

    /// A cut uses no position again: a cursor that had seen everything stands exactly at its end, where only the
    /// sequence tells.
    @Test
    void shouldTellOfACutBehindTheBackOfACursorThatHadSeenEverything() {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendMany(appender, 20);
            try (Cursor cursor = open(journal, "seen")) {
                assertEquals(20, sequences(cursor, 100).size());
                cursor.commit();
                assertEquals(journal.published(), cursor.committedPosition());
            }
            journal.truncateFromSequence(12);
            try (Cursor cursor = open(journal, "seen")) {
                assertEquals(Resumption.TRUNCATED, cursor.resumption());
                assertEquals(12, cursor.nextSequence());
                assertEquals(List.of(), sequences(cursor, 100));
                appendMany(appender, 2);
                assertEquals(List.of(12L, 13L), sequences(cursor, 100));
                cursor.commit();
            }
            try (Cursor cursor = open(journal, "seen")) {
                assertEquals(Resumption.RESUMED, cursor.resumption());
                assertEquals(14, cursor.nextSequence());
            }
        }
    }

    /// Goal: the frame where a cursor goes on is a batch that was written behind a cut, and holds the sequence
    /// that the cursor expects, in its middle: it must not skip the entries before. In the middle of its own
    /// batch it goes on.
    @Test
    void shouldTellOfACutBehindWhichABatchCoversItsSequence() {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendMany(appender, 20);
            try (Cursor cursor = open(journal, "seen")) {
                assertEquals(20, sequences(cursor, 100).size());
                cursor.commit();
            }
            journal.truncateFromSequence(12);
            Batch batch = appender.batch();
            for (int i = 12; i < 32; i++) {
                batch.add(MemorySegment.ofArray(Journals.payload(i, 20)), 7 * i);
            }
            batch.commit();
            try (Cursor cursor = open(journal, "seen")) {
                assertEquals(Resumption.TRUNCATED, cursor.resumption());
                assertEquals(List.of(12L, 13L), sequences(cursor, 2));
                cursor.commit();
            }
            Cursor.set(journal, "moved", Start.sequence(14));
            Cursor.set(journal, "moved", Start.sequence(16));
            for (String name : List.of("seen", "moved")) {
                try (Cursor cursor = open(journal, name)) {
                    assertEquals(Resumption.RESUMED, cursor.resumption());
                    long first = name.equals("seen") ? 14 : 16;
                    assertEquals(List.of(first, first + 1), sequences(cursor, 2));
                    assertEquals(1, cursor.tailer().pollBackwards(Journals::check, 1));
                    cursor.commit();
                }
                try (Cursor cursor = open(journal, name)) {
                    assertEquals(Resumption.RESUMED, cursor.resumption());
                    assertEquals(List.of(name.equals("seen") ? 15L : 17L), sequences(cursor, 1));
                }
            }
        }
    }

    /// Goal: what cannot be delivered and was not told yet ends a wait, and no policy commits behind it: a crash
    /// before it is told must not lose it.
    @Test
    void shouldNotCommitBehindACutBeforeItIsTold() throws InterruptedException {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendMany(appender, 4);
            CursorConfig each = CursorConfig.defaults().withCommitPolicy(CommitPolicy.everyEntry());
            try (Cursor cursor = Cursor.open(journal, "each", each)) {
                EntryHandler cutting = entry -> {
                    if (entry.sequence() == 3) {
                        journal.truncateFromSequence(2);
                    }
                };
                assertEquals(4, cursor.poll(cutting, 100));
                assertTrue(cursor.await(1));
                assertEquals(4, cursor.committedSequence());
                assertEquals(Tailer.TRUNCATED, cursor.poll(cutting, 100));
            }
            appendMany(appender, 2);
            CommitPolicy now = CommitPolicy.every(Duration.ZERO);
            try (Cursor cursor =
                    Cursor.open(journal, "timed", CursorConfig.defaults().withCommitPolicy(now))) {
                // The handler throws, so that the entry before is not committed when the poll ends.
                EntryHandler throwing = entry -> {
                    if (entry.sequence() == 3) {
                        throw new IllegalArgumentException("3");
                    }
                };
                assertEquals(2, sequences(cursor, 2).size());
                assertThrows(IllegalArgumentException.class, () -> cursor.poll(throwing, 2));
                journal.truncateFromSequence(1);
                assertEquals(Tailer.TRUNCATED, cursor.poll(throwing, 1));
                assertEquals(2, status(journal, "timed").nextSequence());
            }
        }
    }

    /// Goal: a reset to the place where a cursor stands is told to it when it is opened again, in either direction,
    /// with and without an entry behind.
    @Test
    void shouldTellOfAResetBehindTheBackOfACursorThatStandsThere() {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            open(journal, "empty").close();
            open(journal, "followed").close();
            assertEquals(0, journal.reset(1000));
            assertMissed(journal, "empty", 1000);
            appendMany(appender, 1);
            assertMissed(journal, "followed", 1000);
            assertEquals(4096, journal.reset(2000));
            assertMissed(journal, "empty", 1000);
            assertMissed(journal, "followed", 999);
            assertEquals(4096, journal.reset(7));
            for (String name : List.of("empty", "followed")) {
                try (Cursor cursor = open(journal, name)) {
                    assertEquals(Resumption.TRUNCATED, cursor.resumption());
                    assertEquals(7, cursor.nextSequence());
                    assertEquals(0, cursor.poll(Journals::check, 10));
                }
            }
        }
    }

    private static void assertMissed(Journal journal, String name, long entries) {
        try (Cursor cursor = open(journal, name)) {
            assertEquals(Tailer.OVERRUN, cursor.poll(Journals::check, 10));
            assertEquals(entries, cursor.tailer().missedEntries());
            sequences(cursor, 10);
            cursor.commit();
        }
    }

    /// Goal: entries that a crash left out at the very place where a cursor stands, with nothing before it, are no
    /// reset.
    @Test
    void shouldNotTakeAHoleThatACrashLeftForAReset() throws IOException {
        Path copy = temporary.resolve("copy");
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            open(journal, "there").close();
            appendMany(appender, 3);
            Files.createDirectory(copy);
            for (String name : List.of("journal.log", "journal.run")) {
                Files.copy(directory().resolve(name), copy.resolve(name));
            }
            Files.createDirectory(copy.resolve("cursors"));
            Files.copy(
                    directory().resolve("cursors").resolve("there"),
                    copy.resolve("cursors").resolve("there"));
            byte[] log = Files.readAllBytes(copy.resolve("journal.log"));
            log[(int) journal.view().superblock().geometry().fileOffset(0) + 5] ^= 1;
            Files.write(copy.resolve("journal.log"), log);
        }
        try (Journal journal = Journal.open(copy, Journals.CONFIG);
                Cursor cursor = open(journal, "there")) {
            assertEquals(List.of(1L, 2L), sequences(cursor, 10));
        }
    }

    @Test
    void shouldRefuseACursorOfAnotherJournal() throws IOException {
        Path other = temporary.resolve("other");
        try (Journal journal = Journals.open(directory(), 4096, 2);
                Cursor cursor = open(journal, "mine")) {
            cursor.commit();
        }
        try (Journal journal = Journals.open(other, 4096, 2)) {
            Path cursors = Files.createDirectory(other.resolve("cursors"));
            Files.copy(directory().resolve("cursors").resolve("mine"), cursors.resolve("mine"));
            JournalException e = assertThrows(JournalException.Corrupt.class, () -> open(journal, "mine"));
            assertTrue(
                    String.valueOf(e.getMessage()).contains(journal.journalId().toString()), e::getMessage);
            assertThrows(JournalException.Corrupt.class, () -> Cursor.set(journal, "mine", Start.oldest()));
            assertNotNull(status(journal, "mine").problem());
            assertTrue(Cursor.remove(journal, "mine"));
            assertEquals(List.of(), journal.cursors());
        }
    }

    @Test
    void shouldRefuseASecondTailerOfAName() {
        try (Journal journal = Journals.open(directory(), 4096, 2);
                ReadOnlyJournal reader = Journal.openReadOnly(directory())) {
            try (Cursor held = open(journal, "one");
                    Cursor other = open(reader, "two")) {
                assertTrue(status(reader, "one").isOpen());
                assertThrows(JournalException.Locked.class, () -> open(journal, "one"));
                assertThrows(JournalException.Locked.class, () -> open(reader, "one"));
                assertThrows(JournalException.Locked.class, () -> Cursor.set(reader, "one", Start.newest()));
                assertThrows(JournalException.Locked.class, () -> Cursor.remove(journal, "two"));
                assertEquals(0, held.committedPosition() + other.committedPosition());
            }
            assertFalse(status(reader, "one").isOpen());
            open(reader, "one").close();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", ".", "..", ".hidden", "-f", "a/b", "/etc/passwd", "../journal.log", "a\0b", "ä", "a b", "a\n"
            })
    void shouldRefuseNamesThatAreNone(String name) {
        try (Journal journal = Journals.open(directory(), 4096, 2)) {
            assertThrows(IllegalArgumentException.class, () -> open(journal, name));
            assertThrows(IllegalArgumentException.class, () -> Cursor.set(journal, name, Start.oldest()));
            assertThrows(IllegalArgumentException.class, () -> Cursor.remove(journal, name));
            assertThrows(IllegalArgumentException.class, () -> open(journal, "x".repeat(65)));
            open(journal, "x".repeat(64)).close();
        }
    }

    /// Goal: no symbolic link is followed, and nobody else may read: at the directory, at a file, and when it is
    /// made.
    @Test
    void shouldRefuseSymbolicLinksAndKeepItsFilesPrivate() throws IOException {
        Path elsewhere = Files.createDirectory(temporary.resolve("elsewhere"));
        try (Journal journal = Journals.open(directory(), 4096, 2)) {
            Path cursors = directory().resolve("cursors");
            Files.createSymbolicLink(cursors, elsewhere);
            assertThrows(JournalException.Io.class, () -> open(journal, "one"));
            assertThrows(JournalException.Io.class, journal::cursors);
            Files.delete(cursors);
            open(journal, "one").close();
            assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cursors)));
            assertEquals(
                    "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cursors.resolve("one"))));
            Files.createSymbolicLink(cursors.resolve("two"), cursors.resolve("one"));
            assertThrows(JournalException.Io.class, () -> open(journal, "two"));
            assertNotNull(status(journal, "two").problem());
            assertTrue(Cursor.remove(journal, "two"));
            assertEquals("one", journal.cursors().getFirst().name());
            try (var left = Files.list(elsewhere)) {
                assertEquals(0, left.count());
            }
        }
    }

    @Test
    void shouldRefuseAndRemoveADamagedCursor() throws IOException {
        try (Journal journal = Journals.open(directory(), 4096, 2)) {
            open(journal, "one").close();
            Path file = directory().resolve("cursors").resolve("one");
            Files.write(file, new byte[8192]);
            assertThrows(JournalException.Corrupt.class, () -> open(journal, "one"));
            Files.write(file, new byte[100]);
            assertThrows(JournalException.Corrupt.class, () -> open(journal, "one"));
            assertNotNull(status(journal, "one").problem());
            assertTrue(Cursor.remove(journal, "one"));
            assertFalse(Cursor.remove(journal, "one"));
            assertEquals(Resumption.NEW, openAndClose(journal));
        }
    }

    private static Resumption openAndClose(Journal journal) {
        try (Cursor cursor = open(journal, "one")) {
            return cursor.resumption();
        }
    }

    @Test
    void shouldMoveACursorInBothDirectionsWhenAskedTo() {
        try (Journal journal = Journals.open(directory(), 4096, 16);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendMany(appender, 30);
            assertEquals(0, Cursor.set(journal, "one", Start.oldest()));
            Cursor.set(journal, "one", Start.sequence(20));
            try (Cursor cursor = open(journal, "one")) {
                assertEquals(List.of(20L), sequences(cursor, 1));
                cursor.commit(new byte[] {1, 2});
            }
            Cursor.set(journal, "one", Start.sequence(5));
            try (Cursor cursor = open(journal, "one")) {
                assertEquals(Resumption.RESUMED, cursor.resumption());
                assertArrayEquals(new byte[] {1, 2}, cursor.userData());
                assertEquals(List.of(5L), sequences(cursor, 1));
            }
            assertThrows(IllegalArgumentException.class, () -> Cursor.set(journal, "one", Start.sequence(31)));
            try (Cursor cursor = open(journal, "one")) {
                assertThrows(IllegalArgumentException.class, () -> cursor.commit(new byte[33]));
                cursor.commit(new byte[32]);
                assertEquals(32, cursor.userData().length);
            }
        }
    }

    /// Goal: a thousand names, half of them gates: each has its lag, and resumes where it was after a reopening.
    @Test
    void shouldKeepAThousandCursorsApart() {
        try (Journal journal = Journals.open(directory(), 64 << 10, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appendMany(appender, 100);
            List<Cursor> open = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                Cursor cursor = Cursor.open(
                        journal,
                        "reader-%03d".formatted(i),
                        CursorConfig.defaults().withGating(i % 2 == 0));
                cursor.poll(entry -> {}, i % 101);
                cursor.commit();
                if (i < 20) {
                    open.add(cursor);
                } else {
                    cursor.close();
                }
            }
            List<CursorStatus> all = journal.cursors();
            assertEquals(1000, all.size());
            assertEquals(500, journal.gates().size());
            for (int i = 0; i < 1000; i++) {
                CursorStatus status = all.get(i);
                assertEquals("reader-%03d".formatted(i), status.name());
                assertEquals(i % 101, status.nextSequence());
                assertEquals(journal.published() - status.position(), status.lagBytes());
                assertEquals(100 - i % 101, status.lagEntries());
                assertEquals(i % 2 == 0, status.isGating());
                assertEquals(i < 20, status.isOpen());
            }
            open.forEach(Cursor::close);
        }
        try (Journal journal = Journal.open(directory(), Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            append(appender, 16);
            assertEquals(500, journal.gates().size());
            for (int i = 0; i < 1000; i++) {
                CursorConfig config = CursorConfig.defaults().withGating(i % 2 == 0);
                try (Cursor cursor = Cursor.open(journal, "reader-%03d".formatted(i), config)) {
                    assertEquals(Cursor.Resumption.RESUMED, cursor.resumption());
                    assertEquals(
                            i % 101, Objects.requireNonNull(sequences(cursor, 1).getFirst()));
                }
            }
        }
    }
}
