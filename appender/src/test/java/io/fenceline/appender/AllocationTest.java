package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// In steady state an append allocates nothing, lease extensions and rotation included.
class AllocationTest {
    private static final int ROUND_LENGTH = 10_000;
    private static final int MAXIMUM_ROUNDS = 60;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    enum Kind {
        EXCLUSIVE,
        CONCURRENT
    }

    /// Two laps of the ring and some lease extensions a round. While the JVM warms up, it allocates for itself: so
    /// one round of many must do without, and a single object an extension leaves none. Whoever rotates for many
    /// threads makes one object a segment: [io.fenceline.journal.positions.Reservations.Base].
    @ParameterizedTest
    @EnumSource(Kind.class)
    void shouldAllocateNothingWhenAppending(Kind kind, @TempDir Path directory) {
        JournalConfig config = JournalConfig.defaults()
                .withSegmentLengthBytes(kind == Kind.EXCLUSIVE ? 2 << 20 : 32 << 20)
                .withSegmentCount(2)
                .withDurability(Durability.PROCESS)
                .withFullPolicy(FullPolicy.OVERWRITE);
        try (Journal journal = Journal.create(directory.resolve("journal"), config);
                Appender appender =
                        kind == Kind.EXCLUSIVE ? ExclusiveAppender.open(journal) : ConcurrentAppender.open(journal)) {
            MemorySegment payload = Arena.ofAuto().allocate(700);
            assertEquals(0, leastBytesAllocated(() -> appender.append(payload)), "bytes of a round of appends");
            assertEquals(
                    0,
                    leastBytesAllocated(() -> {
                        Claim claim = appender.claim(700);
                        claim.buffer()
                                .set(ValueLayout.JAVA_BYTE, claim.offset(), (byte) 1); // a slice might be an object
                        return claim.commit();
                    }),
                    "bytes of a round of claims");
            assertEquals(
                    0,
                    leastBytesAllocated(() -> {
                        Batch batch = appender.batch();
                        batch.add(payload);
                        batch.add(payload);
                        return batch.commit();
                    }),
                    "bytes of a round of batches");
        }
    }

    /// The same for group commit, of the producer and of the committing thread together: waiting, asynchronous with a
    /// reused listener, relaxed, and encoded by the user.
    @Test
    void shouldAllocateNothingInGroupCommit(@TempDir Path directory) {
        JournalConfig config = JournalConfig.defaults()
                .withSegmentLengthBytes(2 << 20)
                .withSegmentCount(2)
                .withDurability(Durability.PROCESS)
                .withFullPolicy(FullPolicy.OVERWRITE);
        try (Journal journal = Journal.create(directory.resolve("journal"), config);
                GroupCommitAppender appender = GroupCommitAppender.open(journal)) {
            MemorySegment payload = Arena.ofAuto().allocate(400);
            CommitListener listener = (result, sequence) -> assertTrue(result >= 0);
            EntryEncoder<MemorySegment> encoder = new EntryEncoder<>() {
                @Override
                public int lengthBytes(MemorySegment message) {
                    return 200;
                }

                @Override
                public void encode(MemorySegment message, MemorySegment buffer, long offset, int lengthBytes) {
                    MemorySegment.copy(message, 0, buffer, offset, lengthBytes);
                }
            };
            long committing = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().equals("fenceline-commit"))
                    .findFirst()
                    .orElseThrow()
                    .threadId();
            assertEquals(
                    0,
                    leastBytesAllocated(() -> appender.appendAsync(payload, 0, listener), committing),
                    "bytes of a round of asynchronous appends");
            assertEquals(
                    0,
                    leastBytesAllocated(() -> appender.append(payload, 0), committing),
                    "bytes of a round of waiting appends");
            assertEquals(
                    0,
                    leastBytesAllocated(() -> appender.appendRelaxed(payload, 0), committing),
                    "bytes of a round of relaxed appends");
            assertEquals(
                    0,
                    leastBytesAllocated(() -> appender.appendAsync(payload, encoder, listener), committing),
                    "bytes of a round of encoded appends");
        }
    }

    private long leastBytesAllocated(LongSupplier append) {
        return leastBytesAllocated(append, -1);
    }

    private long leastBytesAllocated(LongSupplier append, long otherThread) {
        long thread = Thread.currentThread().threadId();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < MAXIMUM_ROUNDS && least > 0; round++) {
            // Its own last before and first after: to ask for another thread's may allocate.
            long otherBefore = allocated(otherThread);
            long before = allocated(thread);
            for (int i = 0; i < ROUND_LENGTH; i++) {
                assertTrue(append.getAsLong() >= 0);
            }
            long own = allocated(thread) - before;
            least = Math.min(least, own + allocated(otherThread) - otherBefore);
        }
        return least;
    }

    private long allocated(long thread) {
        return thread < 0 ? 0 : threads.getThreadAllocatedBytes(thread);
    }
}
