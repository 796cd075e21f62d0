package io.fenceline.tools.threads;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Team;
import io.fenceline.tailer.Entry;
import io.fenceline.tailer.EntryHandler;
import io.fenceline.tailer.Tailer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// Follows what the threads of [ManyThreadsTest] append, and holds every entry against what they must have
/// appended.
final class Follower {
    static final int HEADER_LENGTH_BYTES = 16;
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED;

    private final boolean gapless;
    private final long[] numbers;
    private byte[] expected = {};
    private long position = -1;
    private long sequence = -1;
    private long seen;
    private boolean overrun;

    /// Is told of each entry that was found right.
    @FunctionalInterface
    interface Found {
        void found(int thread, int number, long position);
    }

    interface Poll {
        int poll(EntryHandler handler, int limit);
    }

    /// @param gapless nothing may be missed
    Follower(int threads, boolean gapless) {
        this.gapless = gapless;
        numbers = new long[threads];
        Arrays.fill(numbers, -1);
    }

    static byte[] payload(int thread, int number, int lengthBytes) {
        byte[] payload = new byte[HEADER_LENGTH_BYTES + lengthBytes];
        fill(payload, thread, number);
        return payload;
    }

    static void fill(byte[] payload, int thread, int number) {
        Arrays.fill(payload, (byte) (thread * 31L + number));
        MemorySegment.ofArray(payload).set(I64, 0, thread);
        MemorySegment.ofArray(payload).set(I64, 8, number);
    }

    /// Until the last of so many entries was seen.
    ///
    /// @param after each poll
    void follow(Poll tailer, long entries, Found found, Runnable after) {
        while (sequence != entries - 1) {
            assertTrue(sequence < entries, () -> "sequence " + sequence);
            Team.await("the tailer sees more", () -> {
                int polled = tailer.poll(entry -> check(entry, found), 256);
                if (polled == Tailer.OVERRUN) {
                    assertTrue(!gapless, "overrun without OVERWRITE");
                    overrun = true;
                }
                assertTrue(polled >= 0 || polled == Tailer.OVERRUN, () -> "poll: " + polled);
                after.run();
                return polled != 0;
            });
        }
        assertTrue(!gapless || seen == entries, () -> "saw " + seen);
    }

    long position() {
        return position;
    }

    long seen() {
        return seen;
    }

    private void check(Entry entry, Found found) {
        boolean follows = entry.sequence() == sequence + 1;
        assertTrue(
                follows || (overrun && entry.sequence() > sequence),
                () -> "sequence " + entry.sequence() + " after " + sequence);
        assertTrue(
                entry.position() > position || entry.index() > 0,
                () -> "position " + entry.position() + " after " + position);
        overrun = false;
        position = entry.position();
        sequence = entry.sequence();
        byte[] bytes = entry.toByteArray();
        int thread = Math.toIntExact(MemorySegment.ofArray(bytes).get(I64, 0));
        int number = Math.toIntExact(MemorySegment.ofArray(bytes).get(I64, 8));
        if (expected.length != bytes.length) {
            expected = new byte[bytes.length];
        }
        fill(expected, thread, number);
        assertTrue(Arrays.equals(expected, bytes), () -> "content at " + position);
        boolean inOrder = gapless ? number == numbers[thread] + 1 : number > numbers[thread];
        assertTrue(inOrder, () -> "thread " + thread + ": " + number + " after " + numbers[thread]);
        numbers[thread] = number;
        seen++;
        found.found(thread, number, position);
    }
}
