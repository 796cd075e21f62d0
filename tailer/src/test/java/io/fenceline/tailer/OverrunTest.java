package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A writer at full speed laps tailers again and again: one that verifies checksums, one that does not, one that
/// goes backwards between polls. Every byte of every entry that is shown is checked, and every sequence is either
/// shown or told to be missed.
@Timeout(900)
class OverrunTest {
    private static final int WORDS = 6;
    private static final int PARTS = 3;

    @TempDir
    Path temporary;

    @Test
    void shouldShowNoTornByteAtFullSpeed() throws InterruptedException {
        run(1_500_000, 1_000);
    }

    @Tag("slow")
    @Test
    void shouldShowNoTornByteAtFullSpeedForALongTime() throws InterruptedException {
        run(600_000_000, 100_000_000); // a quarter is delivered
    }

    private static long word(long sequence, int index) {
        long word = (sequence * WORDS + index) * 0x9E37_79B9_7F4A_7C15L;
        return word ^ word >>> 31;
    }

    private static void check(Entry entry) {
        long sequence = entry.sequence();
        if (entry.length() != length(sequence)) {
            throw new AssertionError(entry + ": another length");
        }
        for (int i = 0; i < entry.length() / Long.BYTES; i++) {
            if (entry.buffer().get(ValueLayout.JAVA_LONG_UNALIGNED, entry.offset() + i * 8L) != word(sequence, i)) {
                throw new AssertionError(entry + ": torn at word " + i);
            }
        }
    }

    private static int length(long sequence) {
        return (int) (sequence % (WORDS + 1)) * Long.BYTES;
    }

    /// @param leastChecked so many entries must have been delivered, each byte of them checked
    private void run(long end, long leastChecked) throws InterruptedException {
        try (Journal journal = Journals.open(temporary.resolve("journal"), 64 << 10, 3);
                ReadOnlyJournal reader = Journal.openReadOnly(temporary.resolve("journal"))) {
            AtomicReference<Throwable> failure = new AtomicReference<>();
            Thread[] readers = new Thread[PARTS];
            long[][] counts = new long[PARTS][2];
            for (int i = 0; i < PARTS; i++) {
                int part = i;
                Tailer tailer = Tailer.open(
                        reader, Start.oldest(), TailerConfig.defaults().withVerifyChecksums(part != 1));
                readers[i] = start(failure, () -> counts[part] = read(tailer, end, part == 2, failure));
            }
            Thread writer = start(failure, () -> write(journal, end));
            writer.join();
            for (Thread thread : readers) {
                thread.join();
            }
            assertNull(failure.get(), () -> "failed: " + failure.get());
            long checked = 0;
            for (long[] count : counts) {
                assertEquals(end, count[0] + count[1]);
                assertTrue(count[0] > 0);
                checked += count[0];
            }
            System.out.printf("%,d entries appended, %,d delivered and checked%n", end, checked);
            assertTrue(checked >= leastChecked, "delivered too few: " + checked);
        }
    }

    private static Thread start(AtomicReference<Throwable> failure, Runnable task) {
        return Thread.ofPlatform()
                .uncaughtExceptionHandler((thread, e) -> failure.compareAndSet(null, e))
                .start(task);
    }

    private static void write(Journal journal, long end) {
        try (ExclusiveAppender appender = ExclusiveAppender.open(journal);
                Arena arena = Arena.ofConfined()) {
            MemorySegment payload = arena.allocate(WORDS * 8L, 8);
            for (long sequence = 0; sequence < end; sequence++) {
                int length = length(sequence);
                for (int i = 0; i < length / Long.BYTES; i++) {
                    payload.set(ValueLayout.JAVA_LONG, i * 8L, word(sequence, i));
                }
                long position = appender.append(payload.asSlice(0, length));
                assertTrue(position >= 0);
            }
        }
    }

    /// Backwards, what is shown is counted no second time.
    private static long[] read(Tailer tailer, long end, boolean alsoBack, AtomicReference<Throwable> failure) {
        long[] next = {0};
        long[] counts = new long[2];
        EntryHandler forwards = entry -> {
            if (entry.sequence() != next[0]) {
                throw new AssertionError(entry + ": expected sequence " + next[0]);
            }
            check(entry);
            next[0]++;
        };
        EntryHandler back = entry -> {
            if (entry.sequence() != next[0] - 1) {
                throw new AssertionError(entry + ": expected sequence " + (next[0] - 1));
            }
            check(entry);
            next[0]--;
        };
        long highest = 0;
        for (long polls = 0; highest < end && failure.get() == null; polls++) {
            int result = tailer.poll(forwards, 500);
            if (result == Tailer.OVERRUN) {
                next[0] += tailer.missedEntries();
            } else if (result == 0) {
                Thread.onSpinWait();
            }
            if (next[0] > highest) {
                counts[result == Tailer.OVERRUN ? 1 : 0] += next[0] - highest;
                highest = next[0];
            }
            if (alsoBack && polls % 7 == 0) {
                tailer.pollBackwards(back, 300);
            }
        }
        return counts;
    }
}
