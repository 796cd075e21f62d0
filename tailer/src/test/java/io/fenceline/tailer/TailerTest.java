package io.fenceline.tailer;

import static io.fenceline.tailer.Journals.append;
import static io.fenceline.tailer.Journals.drain;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.fenceline.appender.Batch;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.tailer.Journals.Seen;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TailerTest {
    @TempDir
    Path temporary;

    private static List<Long> sequences(List<Seen> seen) {
        return seen.stream().map(Seen::sequence).toList();
    }

    private static List<Long> range(long from, long to) {
        return LongStream.range(from, to).boxed().toList();
    }

    private Path directory() {
        return temporary.resolve("journal");
    }

    @Test
    void shouldDeliverEveryPayloadSizeWhenOpenAndAfterReopening() {
        int sizes = 4097;
        try (Journal journal = Journals.open(directory(), 4 << 20, 8);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int length = 0; length < sizes; length++) {
                append(appender, length);
            }
            for (int length :
                    new int[] {65_487, 65_488, 65_489, 65_537, 300_001, journal.maximumPayloadLengthBytes()}) {
                append(appender, length);
            }
            checkSizes(journal, sizes, true);
        }
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory())) {
            checkSizes(journal, sizes, true);
            checkSizes(journal, sizes, false);
        }
    }

    private static void checkSizes(JournalSource source, int sizes, boolean verifyChecksums) {
        List<Integer> lengths = new ArrayList<>();
        try (Tailer tailer =
                Tailer.open(source, Start.oldest(), TailerConfig.defaults().withVerifyChecksums(verifyChecksums))) {
            EntryHandler handler = entry -> {
                Journals.check(entry);
                assertEquals(lengths.size(), entry.sequence());
                assertEquals(MemorySegment.ofArray(entry.toByteArray()).mismatch(entry.payload()), -1);
                lengths.add(entry.length());
            };
            while (tailer.poll(handler, 1000) > 0) {
                // on
            }
            assertEquals(source.published(), tailer.position());
        }
        for (int length = 0; length < sizes; length++) {
            assertEquals(length, lengths.get(length));
        }
        assertEquals(
                List.of(65_487, 65_488, 65_489, 65_537, 300_001, source.maximumPayloadLengthBytes()),
                lengths.subList(sizes, lengths.size()));
    }

    @Test
    void shouldBeginWhereItIsTold() {
        try (Journal journal = Journals.open(directory(), 4096, 128);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            List<Long> positions = new ArrayList<>();
            int count = 1500;
            for (int i = 0; i < count; i++) {
                positions.add(append(appender, Journals.length(i, 300)));
            }
            assertEquals(0, journal.retained());
            assertEquals(range(0, count), sequences(drain(Tailer.open(journal, Start.oldest()))));
            for (int i = 0; i < count; i += 17) {
                Tailer at = Tailer.open(journal, Start.position(positions.get(i)));
                assertEquals(i, at.nextSequence());
                assertEquals(range(i, count), sequences(drain(at)));
                Tailer of = Tailer.open(journal, Start.sequence(i));
                assertEquals(positions.get(i), of.position());
                assertEquals(range(i, count), sequences(drain(of)));
            }
            List<Tailer> atEnd = List.of(
                    Tailer.open(journal, Start.newest()),
                    Tailer.open(journal, Start.sequence(count)),
                    Tailer.open(journal, Start.position(journal.published())));
            append(appender, 5);
            for (Tailer tailer : atEnd) {
                assertEquals(count, tailer.nextSequence());
                assertEquals(List.of((long) count), sequences(drain(tailer)));
            }
        }
    }

    @Test
    void shouldBeginAtTheFirstEntryWhenTheJournalIsEmpty() {
        try (Journal journal = Journals.open(directory(), 4096, 4)) {
            List<Tailer> tailers = List.of(
                    Tailer.open(journal, Start.oldest()),
                    Tailer.open(journal, Start.newest()),
                    Tailer.open(journal, Start.position(0)),
                    Tailer.open(journal, Start.sequence(0)));
            try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                tailers.forEach(tailer -> assertEquals(0, tailer.poll(Journals::check, 1)));
                append(appender, 10);
                tailers.forEach(tailer -> assertEquals(List.of(0L), sequences(drain(tailer))));
            }
        }
    }

    @Test
    void shouldSayWhatCanBeReadWhenTheStartCannot() {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            long position = append(appender, 100);
            refuses(journal, Start.position(position + 64), "nearest one before it begins at position 0");
            refuses(journal, Start.position(position + 1), "nearest one before it begins at position 0");
            refuses(journal, Start.position(1 << 20), "not written yet; positions from 0 (oldest retained) to 192");
            refuses(journal, Start.sequence(2), "not written yet; expected one from 0 (oldest retained) to 1");
            while (journal.retained() == 0) {
                append(appender, 100);
            }
            refuses(journal, Start.position(0), "not retained any more");
            refuses(journal, Start.sequence(0), "not retained any more");
        }
    }

    private static void refuses(Journal journal, Start start, String part) {
        Exception e = assertThrows(IllegalArgumentException.class, () -> Tailer.open(journal, start));
        assertTrue(e.toString().contains(part), e::toString);
    }

    @Test
    void shouldDeliverABatchInPartsWhenTheLimitIsSmall() {
        try (Journal journal = Journals.open(directory(), 8192, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            long first = append(appender, 3);
            Batch batch = appender.batch();
            for (int i = 1; i <= 10; i++) {
                assertTrue(batch.add(MemorySegment.ofArray(Journals.payload(i, i * 5)), i * 7));
            }
            long position = batch.commit();
            assertTrue(position > first);
            append(appender, 4);
            for (int limit = 1; limit <= 13; limit++) {
                Tailer tailer = Tailer.open(journal, Start.oldest());
                long next = 0;
                while (next < 12) {
                    int expected = (int) Math.min(limit, 12 - next);
                    List<Seen> seen = new ArrayList<>();
                    EntryHandler handler = entry -> {
                        Journals.check(entry);
                        seen.add(Seen.of(entry));
                    };
                    assertEquals(expected, tailer.poll(handler, limit));
                    for (Seen entry : seen) {
                        boolean inBatch = next >= 1 && next <= 10;
                        assertEquals(next, entry.sequence());
                        assertEquals(inBatch ? next - 1 : 0, entry.index());
                        assertEquals(inBatch, entry.position() == position);
                        next++;
                    }
                    assertEquals(next, tailer.nextSequence());
                    assertEquals(next >= 1 && next <= 10 ? position : tailer.position(), tailer.position());
                }
            }
            for (int sequence = 1; sequence <= 10; sequence++) {
                Tailer inside = Tailer.open(journal, Start.sequence(sequence));
                assertEquals(position, inside.position());
                assertEquals(sequence, inside.nextSequence());
                assertEquals(range(sequence, 12), sequences(drain(inside)));
            }
        }
    }

    @Test
    void shouldStandBehindTheEntryWhenItsHandlerThrows() {
        try (Journal journal = Journals.open(directory(), 8192, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            append(appender, 8);
            Batch batch = appender.batch();
            for (int i = 1; i <= 3; i++) {
                assertTrue(batch.add(MemorySegment.ofArray(Journals.payload(i, 9)), i * 7));
            }
            assertTrue(batch.commit() > 0);
            append(appender, 10);
            Tailer tailer = Tailer.open(journal, Start.oldest());
            for (long sequence = 0; sequence < 5; sequence++) {
                RuntimeException thrown = new RuntimeException("of the handler");
                List<Long> seen = new ArrayList<>();
                EntryHandler handler = entry -> {
                    seen.add(entry.sequence());
                    throw thrown;
                };
                assertEquals(thrown, assertThrows(RuntimeException.class, () -> tailer.poll(handler, 10)));
                assertEquals(List.of(sequence), seen);
                assertEquals(sequence + 1, tailer.nextSequence());
            }
            assertEquals(0, tailer.poll(Journals::check, 10));
        }
    }

    @Test
    void shouldReturnClosedWhenTailerOrJournalIsClosed() {
        Journal journal = Journals.open(directory(), 8192, 4);
        Tailer closing;
        Tailer left;
        try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < 5; i++) {
                append(appender, 8);
            }
            closing = Tailer.open(journal, Start.oldest());
            assertEquals(2, closing.poll(entry -> closeAt(entry, 1, closing), 10));
            assertEquals(Tailer.CLOSED, closing.poll(Journals::check, 10));
            left = Tailer.open(journal, Start.newest());
            assertEquals(0, left.poll(Journals::check, 10));
        }
        journal.close();
        assertEquals(Tailer.CLOSED, left.poll(Journals::check, 10));
        assertThrows(IllegalArgumentException.class, () -> left.poll(Journals::check, -1));
        Tailer tailer;
        try (ReadOnlyJournal reader = Journal.openReadOnly(directory())) {
            tailer = Tailer.open(reader, Start.newest());
        }
        assertEquals(Tailer.CLOSED, tailer.poll(Journals::check, 10));
    }

    private static void closeAt(Entry entry, long sequence, Tailer tailer) {
        if (entry.sequence() == sequence) {
            tailer.close();
        }
    }

    /// Goal: nothing is allocated per entry or per poll. Polls a journal again and again once the code is compiled,
    /// in small polls, and bounds what the thread has allocated by far less than one object a poll.
    @Test
    void shouldAllocateNothingWhenPolling() {
        try (Journal journal = Journals.open(directory(), 1 << 20, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            int count = 20_000;
            for (int i = 0; i < count; i++) {
                append(appender, 16);
            }
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long[] sum = new long[1];
            EntryHandler handler = entry -> sum[0] += Journals.longOf(entry, 0) + entry.length();
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 30; round++) {
                Tailer tailer = Tailer.open(journal, Start.oldest());
                long before = threads.getCurrentThreadAllocatedBytes();
                int delivered = 0;
                for (int n = tailer.poll(handler, 10); n > 0; n = tailer.poll(handler, 10)) {
                    delivered += n;
                }
                long allocated = threads.getCurrentThreadAllocatedBytes() - before;
                assertEquals(count, delivered);
                least = Math.min(least, allocated);
            }
            assertTrue(least < count / 100, "allocated " + least + " bytes for " + count + " entries");
        }
    }

    /// Goal: a log that was restored from an older copy is read as what it is, although the shared words beside it
    /// are newer; and a writer that comes later is followed.
    @Test
    void shouldReadARestoredLogBesideNewerSharedWords() throws IOException {
        Path log = directory().resolve("journal.log");
        Path copy = temporary.resolve("copy.log");
        try (Journal journal = Journals.open(directory(), 64 << 10, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            append(appender, 100);
        }
        Files.copy(log, copy);
        try (Journal journal = Journal.open(directory(), Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < 100; i++) {
                append(appender, 1000);
            }
        }
        Files.copy(copy, log, StandardCopyOption.REPLACE_EXISTING);
        try (ReadOnlyJournal reader = Journal.openReadOnly(directory());
                Tailer tailer = Tailer.open(reader, Start.oldest())) {
            assertEquals(List.of(0L), sequences(drain(tailer)));
            try (Journal journal = Journal.open(directory(), Journals.CONFIG);
                    ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                append(appender, 10);
                assertEquals(List.of(1L), sequences(drain(tailer)));
            }
        }
    }
}
