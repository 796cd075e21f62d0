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

/// In steady state an append allocates nothing, lease extensions and rotation included.
class AllocationTest {
    private static final int ROUND_LENGTH = 10_000;
    private static final int MAXIMUM_ROUNDS = 60;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /// Two laps of the ring and some lease extensions a round. While the JVM warms up, it allocates for itself: so
    /// one round of many must do without, and a single object an extension leaves none.
    @Test
    void shouldAllocateNothingWhenAppending(@TempDir Path directory) {
        JournalConfig config = JournalConfig.defaults()
                .withSegmentLengthBytes(2 << 20)
                .withSegmentCount(2)
                .withDurability(Durability.PROCESS)
                .withFullPolicy(FullPolicy.OVERWRITE);
        try (Journal journal = Journal.create(directory.resolve("journal"), config);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
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

    private long leastBytesAllocated(LongSupplier append) {
        long thread = Thread.currentThread().threadId();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < MAXIMUM_ROUNDS && least > 0; round++) {
            long before = threads.getThreadAllocatedBytes(thread);
            for (int i = 0; i < ROUND_LENGTH; i++) {
                assertTrue(append.getAsLong() >= 0);
            }
            least = Math.min(least, threads.getThreadAllocatedBytes(thread) - before);
        }
        return least;
    }
}
