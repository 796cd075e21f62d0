package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.Team;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// In steady state an append allocates nothing, lease extensions and rotation included.
class AllocationTest {
    private static final int ROUND_LENGTH = 10_000;
    private static final int MAXIMUM_ROUNDS = 60;
    private static final int SHORT_SEGMENT = 64 << 10;
    private static final int SHORT_ROUND = 2_000;

    /// Of a `Reservations.Base`: header, tag, position, sequence.
    private static final long BASE_LENGTH_BYTES = 40;

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
            long committing = committingThread().threadId();
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

    /// Two producers at once: each finds a round in which neither it nor the committing thread has allocated anything.
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "EXCLUSIVE") // one thread at a time
    void shouldAllocateNothingWithSeveralProducers(Way way, @TempDir Path directory) {
        JournalConfig config = JournalConfig.defaults()
                .withSegmentLengthBytes(32 << 20)
                .withSegmentCount(2)
                .withDurability(Durability.PROCESS)
                .withFullPolicy(FullPolicy.OVERWRITE);
        try (Journal journal = Journal.create(directory.resolve("journal"), config);
                Appending appending = way.open(journal)) {
            long committing = way.isGrouped ? committingThread().threadId() : -1;
            Team.of(2, thread -> {
                        LongSupplier append = appending.producer();
                        assertEquals(0, leastBytesAllocated(append, committing), "bytes of a round of appends");
                    })
                    .begin()
                    .join();
        }
    }

    /// A ring that is full, and has room made when somebody waits: neither waiting nor going on allocates anything.
    /// (Threads that share an appender make one object a segment; segments are short here.)
    @ParameterizedTest
    @EnumSource(Way.class)
    void shouldAllocateNothingWhileTheRingIsFull(Way way, @TempDir Path directory) {
        JournalConfig config =
                JournalConfig.defaults().withDurability(Durability.PROCESS).withFullPolicy(FullPolicy.BLOCK);
        SmallJournals.create(directory.resolve("journal"), SHORT_SEGMENT, 4, config);
        AtomicBoolean over = new AtomicBoolean();
        try (Journal journal = Journal.open(directory.resolve("journal"), config);
                Appending appending = way.open(journal)) {
            Thread waiting = way.isGrouped ? committingThread() : Thread.currentThread();
            Team room = Team.of(1, thread -> {
                        while (!over.get()) {
                            long published = journal.published();
                            Thread.State state = waiting.getState();
                            if ((state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING)
                                    && published - journal.retained() > 2 * SHORT_SEGMENT) {
                                journal.retain(published);
                            }
                            Thread.onSpinWait();
                        }
                    })
                    .begin();
            LongSupplier append = appending.producer();
            long bases = way == Way.CONCURRENT ? BASE_LENGTH_BYTES * (SHORT_ROUND * 768L / SHORT_SEGMENT + 1) : 0;
            long least = leastBytesAllocated(append, way.isGrouped ? waiting.threadId() : -1, SHORT_ROUND, bases);
            long waits = Objects.requireNonNull(journal.writer()).waits();
            over.set(true);
            room.join();
            assertTrue(least <= bases, "bytes of a round of appends: " + least + ", expected " + bases);
            assertTrue(waits > 3, "waited " + waits + " times");
        }
    }

    private static Thread committingThread() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("fenceline-commit"))
                .findFirst()
                .orElseThrow();
    }

    /// An appender, as each of its producers uses it: with an entry, and a listener, of its own.
    private interface Appending extends AutoCloseable {
        LongSupplier producer();

        @Override
        void close();
    }

    enum Way {
        EXCLUSIVE(false),
        CONCURRENT(false),
        GROUP(true),
        GROUP_ASYNC(true),
        GROUP_RELAXED(true);

        final boolean isGrouped;

        Way(boolean isGrouped) {
            this.isGrouped = isGrouped;
        }

        private Appending open(Journal journal) {
            if (!isGrouped) {
                Appender appender =
                        this == EXCLUSIVE ? ExclusiveAppender.open(journal) : ConcurrentAppender.open(journal);
                return of(payload -> () -> appender.append(payload), appender::close);
            }
            GroupCommitAppender group = GroupCommitAppender.open(journal);
            return of(
                    payload -> {
                        CommitListener listener = (result, sequence) -> assertTrue(result >= 0);
                        return switch (this) {
                            case GROUP_ASYNC -> () -> group.appendAsync(payload, 0, listener);
                            case GROUP_RELAXED -> () -> group.appendRelaxed(payload, 0);
                            default -> () -> group.append(payload, 0);
                        };
                    },
                    group::close);
        }

        private static Appending of(Function<MemorySegment, LongSupplier> append, Runnable close) {
            return new Appending() {
                @Override
                public LongSupplier producer() {
                    return append.apply(Arena.ofAuto().allocate(700));
                }

                @Override
                public void close() {
                    close.run();
                }
            };
        }
    }

    private long leastBytesAllocated(LongSupplier append) {
        return leastBytesAllocated(append, -1);
    }

    private long leastBytesAllocated(LongSupplier append, long otherThread) {
        return leastBytesAllocated(append, otherThread, ROUND_LENGTH, 0);
    }

    /// @param enough no further round after one with so little
    private long leastBytesAllocated(LongSupplier append, long otherThread, int roundLength, long enough) {
        long thread = Thread.currentThread().threadId();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < MAXIMUM_ROUNDS && least > enough; round++) {
            // Its own last before and first after: to ask for another thread's may allocate.
            long otherBefore = allocated(otherThread);
            long before = allocated(thread);
            for (int i = 0; i < roundLength; i++) {
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
