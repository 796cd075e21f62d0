package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.Batch;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.format.RunFileDescriptor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What tailers are told when the end of the log is cut off: one over the writer's journal, one over a journal
/// opened read-only, which is what another process has.
class TailerTruncationTest {
    @TempDir
    private Path temporary;

    private Journal journal;
    private ReadOnlyJournal reader;
    private ExclusiveAppender appender;
    private final List<Long> positions = new ArrayList<>();
    private final List<Tailer> tailers = new ArrayList<>();

    @BeforeEach
    void open() {
        Path directory = temporary.resolve("journal");
        journal = Journals.open(directory, 4096, 4);
        reader = Journal.openReadOnly(directory);
        appender = ExclusiveAppender.open(journal);
    }

    @AfterEach
    void close() {
        appender.close();
        reader.close();
        journal.close();
    }

    private void append(int entries) {
        for (int i = 0; i < entries; i++) {
            positions.add(Journals.append(appender, 16));
        }
    }

    private void tail(Start start) {
        tailers.add(Tailer.open(journal, start));
        tailers.add(Tailer.open(reader, start));
    }

    private static List<Long> sequences(Tailer tailer, int limit) {
        List<Long> sequences = new ArrayList<>();
        assertTrue(tailer.poll(entry -> sequences.add(entry.sequence()), limit) >= 0);
        return sequences;
    }

    private static int poll(Tailer tailer) {
        return tailer.poll(Journals::check, 1000);
    }

    @Test
    void shouldTellAndGoOnAtTheCutWhenDeliveredEntriesAreCut() {
        append(10);
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(10, poll(tailer)));
        long end = journal.published();
        assertEquals(end, journal.truncate(positions.get(6)));
        for (Tailer tailer : tailers) {
            assertEquals(Tailer.TRUNCATED, poll(tailer));
            assertEquals(6, tailer.nextSequence());
            assertEquals(end, tailer.position());
            assertEquals(0, poll(tailer));
        }
        append(3);
        tailers.forEach(tailer -> assertEquals(List.of(6L, 7L, 8L), sequences(tailer, 100)));
        assertEquals(end, positions.get(10));
        Tailer fresh = Tailer.open(journal, Start.sequence(5));
        assertEquals(List.of(5L, 6L, 7L, 8L), sequences(fresh, 100));
    }

    /// Goal: what the tailer has copied but not delivered must not come after the cut.
    @Test
    void shouldNotDeliverWhatIsCutWhenItWasCopiedBefore() {
        append(10);
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(List.of(0L, 1L, 2L), sequences(tailer, 3)));
        journal.truncateFromSequence(5);
        append(1);
        tailers.forEach(tailer -> assertEquals(List.of(3L, 4L), sequences(tailer, 2)));
        tailers.forEach(tailer -> assertEquals(List.of(5L), sequences(tailer, 100)));
        assertEquals(5, appender.nextSequence() - 1);
    }

    @Test
    void shouldTellWhenACutTakesTheRestOfABatchThatIsBeingDelivered() {
        append(2);
        Batch batch = appender.batch();
        for (int i = 0; i < 4; i++) {
            batch.add(MemorySegment.ofArray(new byte[] {(byte) i}));
        }
        long position = batch.commit();
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(List.of(0L, 1L, 2L, 3L), sequences(tailer, 4)));
        assertThrows(IllegalArgumentException.class, () -> journal.truncateFromSequence(4));
        assertThrows(IllegalArgumentException.class, () -> journal.truncate(position + 64));
        tailers.forEach(tailer -> assertEquals(List.of(4L), sequences(tailer, 1)));
        journal.truncateFromSequence(2);
        for (Tailer tailer : tailers) {
            assertEquals(Tailer.TRUNCATED, poll(tailer));
            assertEquals(2, tailer.nextSequence());
        }
        append(1);
        tailers.forEach(tailer -> assertEquals(List.of(2L), sequences(tailer, 10)));
    }

    /// Goal: a cut behind the frame that is being delivered leaves the rest of it.
    @Test
    void shouldDeliverTheRestOfABatchWhenTheCutIsBehindIt() {
        Batch batch = appender.batch();
        for (int i = 0; i < 4; i++) {
            batch.add(MemorySegment.ofArray(new byte[] {(byte) i}));
        }
        batch.commit();
        append(3);
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(List.of(0L, 1L), sequences(tailer, 2)));
        journal.truncateFromSequence(4);
        append(1);
        tailers.forEach(tailer -> assertEquals(List.of(2L, 3L), sequences(tailer, 2)));
        tailers.forEach(tailer -> assertEquals(List.of(4L), sequences(tailer, 100)));
    }

    /// Goal: the PADs of an older cut, right before the batch in whose middle a tailer stands, are none of its
    /// business when a later cut is behind it. One has delivered so far, one was put there.
    @Test
    void shouldDeliverTheRestOfABatchBehindAnOlderCut() {
        append(10);
        journal.truncateFromSequence(5);
        batch(6);
        append(5);
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(7, tailer.poll(Journals::check, 7)));
        tail(Start.sequence(7));
        journal.truncateFromSequence(14);
        tailers.forEach(tailer -> assertEquals(List.of(7L, 8L, 9L, 10L, 11L, 12L, 13L), sequences(tailer, 100)));
    }

    /// Goal: a batch behind a cut holds the sequence that a tailer expects, but not as its first one. The cut
    /// itself has been given up, so that only that batch can tell.
    @Test
    void shouldTellOfACutThatIsGivenUpWhenABatchCoversItsSequences() {
        append(64);
        assertEquals(4096, journal.published());
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(64, poll(tailer)));
        tail(Start.newest());
        journal.truncateFromSequence(59);
        batch(10);
        append(5);
        assertEquals(4096, journal.retain(4096));
        for (Tailer tailer : tailers) {
            assertEquals(Tailer.TRUNCATED, poll(tailer));
            assertEquals(59, tailer.nextSequence());
            assertEquals(15, poll(tailer));
        }
    }

    /// Goal: a tailer in the middle of a batch that sees the end of a cut while the cut is not over yet (its PADs are
    /// published before the generation says so) has left that batch: the one behind the PADs has the same first
    /// sequence, and is another one.
    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void shouldTellOfACutWhoseEndItSawBeforeTheCutWasOver(int entriesBehind) throws IOException {
        append(3);
        batch(4);
        append(3);
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(5, tailer.poll(Journals::check, 5)));
        tail(Start.sequence(5));
        journal.truncateFromSequence(3);
        try (FileChannel words = FileChannel.open(
                temporary.resolve("journal/journal.run"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long end = journal.published();
            add(words, RunFileDescriptor.GENERATION_OFFSET, -1);
            add(words, RunFileDescriptor.PUBLISHED_OFFSET, positions.get(2) - end);
            tailers.forEach(tailer -> assertEquals(0, poll(tailer)));
            add(words, RunFileDescriptor.PUBLISHED_OFFSET, end - positions.get(2));
            tailers.forEach(tailer -> assertEquals(0, poll(tailer)));
            addToGeneration(words, 1);
        }
        batch(entriesBehind);
        for (Tailer tailer : tailers) {
            assertEquals(Tailer.TRUNCATED, poll(tailer));
            assertEquals(3, tailer.nextSequence());
            assertEquals(entriesBehind, poll(tailer));
        }
    }

    /// Goal: what a tailer has indexed on its way back, and was cut off since, is not delivered while the next cut is
    /// under way already: the one that is made is told.
    @Test
    void shouldTellOfACutOnTheWayBackWhileTheNextOneIsUnderWay() throws IOException {
        append(10);
        tail(Start.newest());
        tailers.forEach(tailer -> assertEquals(1, tailer.pollBackwards(Journals::check, 1)));
        journal.truncateFromSequence(4);
        append(3);
        try (FileChannel words = FileChannel.open(
                temporary.resolve("journal/journal.run"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            addToGeneration(words, 1);
            for (Tailer tailer : tailers) {
                assertEquals(Tailer.TRUNCATED, tailer.pollBackwards(Journals::check, 10));
                assertEquals(4, tailer.nextSequence());
            }
            addToGeneration(words, 1);
        }
        tailers.forEach(tailer -> assertEquals(3, poll(tailer)));
    }

    /// Goal: while the place where a tailer stands is being cut off, it goes no way back, which would pass over what is
    /// not decided yet; the cut is taken back, and nothing is missing.
    @Test
    void shouldNotPassOverWhatACutThatIsTakenBackLeaves() throws IOException {
        append(5);
        journal.truncateFromSequence(4); // what is behind this is not below the durable floor
        append(6);
        tail(Start.newest());
        tailers.forEach(tailer -> assertEquals(2, tailer.pollBackwards(Journals::check, 2)));
        try (FileChannel words = FileChannel.open(
                temporary.resolve("journal/journal.run"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            addToGeneration(words, 1);
            tailers.forEach(tailer -> assertEquals(0, tailer.pollBackwards(Journals::check, 10)));
            addToGeneration(words, 1);
        }
        for (Tailer tailer : tailers) {
            List<Long> back = new ArrayList<>();
            assertEquals(8, tailer.pollBackwards(entry -> back.add(entry.sequence()), 100));
            assertEquals(List.of(7L, 6L, 5L, 4L, 3L, 2L, 1L, 0L), back);
        }
    }

    /// Goal: a cursor that is opened while its place is perhaps being cut off (the writer may have died at that) is not
    /// told what is not decided; the cut is taken back, and it goes on, in the middle of a batch too.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void shouldNotTellACursorOfACutThatIsTakenBack(int seen) throws IOException {
        append(5);
        journal.truncateFromSequence(4); // what is behind this is not below the durable floor
        append(1);
        batch(3);
        append(2);
        try (Cursor cursor = Cursor.open(journal, "billing", CursorConfig.defaults())) {
            assertEquals(4 + seen, poll(cursor, 4 + seen));
            cursor.commit();
        }
        try (FileChannel words = FileChannel.open(
                temporary.resolve("journal/journal.run"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            addToGeneration(words, 1);
            try (Cursor cursor = Cursor.open(journal, "billing", CursorConfig.defaults())) {
                assertEquals(Cursor.Resumption.RESUMED, cursor.resumption());
                assertEquals(4 + seen, cursor.nextSequence());
                assertEquals(0, poll(cursor, 100));
                addToGeneration(words, 1);
                assertEquals(6 - seen, poll(cursor, 100));
            }
        }
    }

    private static int poll(Cursor cursor, int limit) {
        int polled = 0;
        int result;
        do {
            result = cursor.poll(Journals::check, limit - polled);
            polled += result;
        } while (result > 0 && polled < limit);
        return polled;
    }

    private static void addToGeneration(FileChannel words, long number) throws IOException {
        add(words, RunFileDescriptor.GENERATION_OFFSET, number);
    }

    private static void add(FileChannel words, long offset, long number) throws IOException {
        ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        words.read(word, offset);
        word.putLong(0, word.getLong(0) + number);
        words.write(word.rewind(), offset);
    }

    private void batch(int entries) {
        Batch batch = appender.batch();
        for (long end = appender.nextSequence() + entries, next = end - entries; next < end; next++) {
            batch.add(MemorySegment.ofArray(Journals.payload(next, 10)), (int) next * 7);
        }
        assertTrue(batch.commit() >= 0);
    }

    /// Backwards too: a cut behind the tailer is told before anything else; one in front of it is none of its
    /// business.
    @Test
    void shouldTellOfACutOnTheWayBack() {
        append(20);
        tail(Start.newest());
        for (Tailer tailer : tailers) {
            assertEquals(3, tailer.pollBackwards(Journals::check, 3));
        }
        journal.truncateFromSequence(18);
        for (Tailer tailer : tailers) {
            assertEquals(2, tailer.pollBackwards(Journals::check, 2));
            assertEquals(15, tailer.nextSequence());
        }
        journal.truncateFromSequence(10);
        for (Tailer tailer : tailers) {
            assertEquals(Tailer.TRUNCATED, tailer.pollBackwards(Journals::check, 2));
            assertEquals(10, tailer.nextSequence());
        }
        append(1);
        for (Tailer tailer : tailers) {
            assertEquals(10, tailer.pollBackwards(Journals::check, 100));
            assertEquals(0, tailer.nextSequence());
            assertEquals(11, poll(tailer));
        }
    }

    @Test
    void shouldTellOnceWhenSeveralCutsWereMissed() {
        append(30);
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(30, poll(tailer)));
        journal.truncateFromSequence(20);
        append(15);
        journal.truncateFromSequence(10);
        append(2);
        journal.truncateFromSequence(11);
        append(9);
        for (Tailer tailer : tailers) {
            assertEquals(Tailer.TRUNCATED, poll(tailer));
            assertTrue(tailer.nextSequence() <= 20, () -> "told " + tailer.nextSequence());
        }
        // Told at 20 or at 10: then the next frame tells the rest.
        for (Tailer tailer : tailers) {
            int result = poll(tailer);
            while (result == Tailer.TRUNCATED) {
                result = poll(tailer);
            }
            assertEquals(20, tailer.nextSequence());
        }
    }

    @Test
    void shouldSayNothingWhenOnlyWhatIsAheadIsCut() {
        append(10);
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(4, tailer.poll(Journals::check, 4)));
        journal.truncateFromSequence(4);
        tailers.forEach(tailer -> assertEquals(0, poll(tailer)));
        append(2);
        tailers.forEach(tailer -> assertEquals(List.of(4L, 5L), sequences(tailer, 100)));
    }

    @Test
    void shouldCutNothingWhenToldToCutAtTheEnd() {
        append(3);
        int epoch = journal.positions().epoch();
        assertEquals(journal.published(), journal.truncate(journal.published()));
        assertEquals(journal.published(), journal.truncateFromSequence(3));
        assertEquals(epoch, journal.positions().epoch());
        assertThrows(IllegalArgumentException.class, () -> journal.truncateFromSequence(4));
        assertThrows(IllegalArgumentException.class, () -> journal.truncate(journal.published() + 64));
    }

    @Test
    void shouldGoOnWithTheNewSequenceWhenTheJournalIsReset() {
        append(10);
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(10, poll(tailer)));
        assertEquals(4096, journal.reset(1000));
        assertEquals(4096, journal.retained());
        for (Tailer tailer : tailers) {
            assertEquals(Tailer.OVERRUN, poll(tailer));
            assertEquals(990, tailer.missedEntries());
            assertEquals(1000, tailer.nextSequence());
        }
        append(1);
        tailers.forEach(tailer -> assertEquals(List.of(1000L), sequences(tailer, 100)));
        assertEquals(8192, journal.reset(5));
        for (Tailer tailer : tailers) {
            assertEquals(Tailer.TRUNCATED, poll(tailer));
            assertEquals(5, tailer.nextSequence());
        }
        append(1);
        tailers.forEach(tailer -> assertEquals(List.of(5L), sequences(tailer, 100)));
        assertEquals(List.of(5L), sequences(Tailer.open(reader, Start.oldest()), 100));
    }

    /// Goal: a reset at the very place where the tailers stand takes no byte from them, and is told all the same:
    /// by the next entry, whose sequence is another one.
    @Test
    void shouldTellOfAResetWhereTheTailerStands() {
        append(64); // one segment
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(64, poll(tailer)));
        assertEquals(4096, journal.reset(1000));
        tailers.forEach(tailer -> assertTrue(poll(tailer) <= 0));
        append(64);
        for (Tailer tailer : tailers) {
            if (tailer.nextSequence() != 1000) {
                assertEquals(Tailer.OVERRUN, poll(tailer));
            }
            assertEquals(936, tailer.missedEntries());
            assertEquals(0, tailer.missedBytes());
            assertEquals(1000, tailer.nextSequence());
            assertEquals(64, poll(tailer));
        }
        assertEquals(8192, journal.reset(5));
        append(1);
        for (Tailer tailer : tailers) {
            assertEquals(Tailer.TRUNCATED, poll(tailer));
            assertEquals(5, tailer.nextSequence());
            assertEquals(List.of(5L), sequences(tailer, 100));
        }
    }

    /// Goal: the same while the next cut is under way: what can be read then comes from behind the reset.
    @Test
    void shouldTellOfAResetWhileTheNextCutIsUnderWay() throws IOException {
        append(64); // one segment
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(64, poll(tailer)));
        assertEquals(4096, journal.reset(1000));
        append(5);
        journal.truncateFromSequence(1004); // what is before is below the durable floor
        try (FileChannel words = FileChannel.open(
                temporary.resolve("journal/journal.run"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            addToGeneration(words, 1);
            for (Tailer tailer : tailers) {
                assertEquals(Tailer.OVERRUN, poll(tailer));
                assertEquals(936, tailer.missedEntries());
                assertEquals(1000, tailer.nextSequence());
                assertEquals(List.of(1000L, 1001L, 1002L, 1003L), sequences(tailer, 100));
            }
            addToGeneration(words, 1);
        }
        tailers.forEach(tailer -> assertEquals(0, poll(tailer)));
    }

    /// Goal: a reset of a log that has no entry, where no frame can tell of it, is told at once; also at position 0.
    @Test
    void shouldTellOfAResetOfAnEmptyLogAtOnce() {
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(0, poll(tailer)));
        assertEquals(0, journal.reset(1000));
        for (Tailer tailer : tailers) {
            assertEquals(Tailer.OVERRUN, poll(tailer));
            assertEquals(1000, tailer.missedEntries());
            assertEquals(0, tailer.missedBytes());
            assertEquals(1000, tailer.nextSequence());
            assertEquals(0, poll(tailer));
        }
        assertEquals(0, journal.reset(1000));
        tailers.forEach(tailer -> assertEquals(0, poll(tailer), "it is the same place"));
        assertEquals(0, journal.reset(5));
        for (Tailer tailer : tailers) {
            assertEquals(Tailer.TRUNCATED, poll(tailer));
            assertEquals(5, tailer.nextSequence());
        }
        tail(Start.sequence(5));
        tail(Start.newest());
        tailers.forEach(tailer -> assertEquals(5, tailer.nextSequence()));
        append(2);
        tailers.forEach(tailer -> assertEquals(List.of(5L, 6L), sequences(tailer, 100)));
        assertEquals(4096, journal.reset(7));
        tailers.forEach(tailer -> assertEquals(0, poll(tailer), "nothing was missed"));
        assertEquals(4096, journal.reset(70));
        append(1);
        for (Tailer tailer : tailers) {
            assertEquals(Tailer.OVERRUN, poll(tailer));
            assertEquals(63, tailer.missedEntries());
            assertEquals(List.of(70L), sequences(tailer, 100));
        }
    }

    /// Goal: a tailer that stood at the very end of what was cut, where retention then went, is told by the next
    /// frame.
    @Test
    void shouldTellWhenTheCutIsGivenUpMeanwhile() {
        append(64); // one segment
        assertEquals(4096, journal.published());
        tail(Start.oldest());
        tailers.forEach(tailer -> assertEquals(64, poll(tailer)));
        journal.truncateFromSequence(60);
        assertEquals(4096, journal.retain(4096));
        tailers.forEach(tailer -> assertTrue(poll(tailer) <= 0));
        append(1);
        for (Tailer tailer : tailers) {
            int result = poll(tailer);
            if (result == Tailer.TRUNCATED) {
                result = poll(tailer);
            }
            assertEquals(1, result);
            assertEquals(61, tailer.nextSequence());
        }
    }
}
