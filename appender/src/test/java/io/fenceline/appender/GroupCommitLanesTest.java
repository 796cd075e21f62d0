package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.lmax.disruptor.AlertException;
import com.lmax.disruptor.BlockingWaitStrategy;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.TimeoutException;
import com.lmax.disruptor.WaitStrategy;
import com.lmax.disruptor.YieldingWaitStrategy;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.Team;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.CutSeek;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The lanes between producers and the committing thread: whatever way an entry takes, it arrives once, in the
/// order of its thread, with its own bytes.
class GroupCommitLanesTest {
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final JournalConfig CONFIG = JournalConfig.defaults().withTimestampMode(TimestampMode.NONE);

    /// The payload of a message `{thread, number, length}`.
    private static final EntryEncoder<int[]> ENCODER = new EntryEncoder<>() {
        @Override
        public int lengthBytes(int[] message) {
            return Math.max(Acknowledged.LEAST_LENGTH_BYTES, message[2]);
        }

        @Override
        public void encode(int[] message, MemorySegment buffer, long offset, int lengthBytes) {
            byte[] payload = Acknowledged.payload(message[0], message[1], message[2]);
            MemorySegment.copy(MemorySegment.ofArray(payload), 0, buffer, offset, lengthBytes);
        }

        @Override
        public int type(int[] message) {
            return message[1];
        }
    };

    private final SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(1 << 20, 4));
    private final List<Throwable> errors = new CopyOnWriteArrayList<>();

    private GroupCommitAppender open(Positions positions, int laneLengthBytes, Supplier<WaitStrategy> waiting) {
        GroupCommitConfig config =
                GroupCommitConfig.DEFAULTS.withLaneLengthBytes(laneLengthBytes).withWaitStrategy(waiting);
        return GroupCommitAppender.open(positions, config, errors::add);
    }

    private GroupCommitAppender open(Positions positions) {
        return open(positions, 1024, YieldingWaitStrategy::new);
    }

    private static MemorySegment payload(int number) {
        return MemorySegment.ofArray(Acknowledged.payload(0, number, 24));
    }

    /// Lanes that grow, wrap, and are too short for some entries; by all ways of handing over; with one listener
    /// for all and with one for each. The log has each thread's entries in their order, each as it was, and each
    /// listener was told where.
    @ParameterizedTest
    @ValueSource(ints = {256, 4096, 1 << 16})
    void shouldKeepTheOrderOfEachThreadThroughItsLane(int laneLengthBytes) {
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.FAIL));
        Map<Long, byte[]> bySequence = new ConcurrentHashMap<>();
        AtomicInteger told = new AtomicInteger();
        CommitListener shared = (result, sequence) -> told.incrementAndGet();
        int each = 700;
        boolean blocking = laneLengthBytes == 4096;
        try (GroupCommitAppender appender =
                open(positions, laneLengthBytes, blocking ? BlockingWaitStrategy::new : YieldingWaitStrategy::new)) {
            Team.of(3, thread -> {
                        SplittableRandom random = new SplittableRandom(thread);
                        for (int number = 0; number < each; number++) {
                            int length = random.nextInt(20) == 0 ? random.nextInt(9000) : random.nextInt(300);
                            byte[] payload = Acknowledged.payload(thread, number, length);
                            CommitListener own = (result, sequence) -> {
                                assertTrue(result >= 0);
                                bySequence.put(sequence, payload);
                                told.incrementAndGet();
                            };
                            CommitListener listener = random.nextBoolean() ? shared : own;
                            switch (random.nextInt(5)) {
                                case 0 ->
                                    assertEquals(
                                            0,
                                            appender.appendAsync(
                                                    new UnsafeBuffer(payload), 0, payload.length, 0, listener));
                                case 1 ->
                                    assertEquals(
                                            0,
                                            appender.appendAsync(
                                                    new int[] {thread, number, length}, ENCODER, listener));
                                case 2 -> {
                                    assertEquals(
                                            0, appender.appendRelaxed(new int[] {thread, number, length}, ENCODER));
                                    told.incrementAndGet();
                                }
                                case 3 -> {
                                    assertTrue(appender.append(new UnsafeBuffer(payload), 0, payload.length, 1) >= 0);
                                    bySequence.put(appender.lastSequence(), payload);
                                    told.incrementAndGet();
                                }
                                default ->
                                    assertEquals(0, appender.appendAsync(MemorySegment.ofArray(payload), 0, listener));
                            }
                        }
                    })
                    .begin()
                    .join();
            assertEquals(0, appender.flush());
            assertEquals(3 * each, told.get());
        }
        assertTrue(positions.close());
        List<byte[]> payloads = journal.walk().payloads();
        assertEquals(3 * each, payloads.size());
        long[] next = new long[3];
        for (byte[] payload : payloads) {
            int thread = (int) MemorySegment.ofArray(payload).get(I64, 0);
            assertEquals(next[thread]++, MemorySegment.ofArray(payload).get(I64, 8), "of thread " + thread);
            assertArrayEquals(Acknowledged.payload(thread, next[thread] - 1, payload.length), payload);
        }
        bySequence.forEach((sequence, payload) -> assertArrayEquals(payload, payloads.get(sequence.intValue())));
        assertTrue(errors.isEmpty(), errors::toString);
    }

    /// Goal: a thread that died where it was handing an entry over, and lives on, is not told of one entry when it
    /// appends another: it is refused, and nobody else is.
    @Test
    void shouldRefuseAThreadThatDiedWhereItHandedAnEntryOver() {
        Thread dying = Thread.currentThread();
        AtomicBoolean armed = new AtomicBoolean();
        WaitStrategy inside = new YieldingWaitStrategy();
        WaitStrategy strategy = new WaitStrategy() {
            @Override
            public long waitFor(long sequence, Sequence cursor, Sequence dependent, SequenceBarrier barrier)
                    throws AlertException, InterruptedException, TimeoutException {
                return inside.waitFor(sequence, cursor, dependent, barrier);
            }

            @Override
            public void signalAllWhenBlocking() {
                if (Thread.currentThread() == dying && armed.getAndSet(false)) {
                    throw new StackOverflowError("behind the cursor");
                }
            }
        };
        Positions positions = journal.open(CONFIG);
        GroupCommitAppender appender = open(positions, 1024, () -> strategy);
        assertEquals(0, appender.append(MemorySegment.ofArray(Acknowledged.payload(0, 0, 20)), 0));
        armed.set(true);
        MemorySegment lost = MemorySegment.ofArray(Acknowledged.payload(0, 1, 20));
        assertThrows(StackOverflowError.class, () -> appender.append(lost, 0));
        MemorySegment next = MemorySegment.ofArray(Acknowledged.payload(0, 2, 20));
        assertThrows(IllegalStateException.class, () -> appender.append(next, 0));
        assertThrows(IllegalStateException.class, () -> appender.appendRelaxed(next, 0));
        assertThrows(IllegalStateException.class, appender::flush);
        Team.of(1, thread -> assertTrue(appender.append(MemorySegment.ofArray(Acknowledged.payload(1, 0, 20)), 0) > 0))
                .begin()
                .join();
        assertTimeoutPreemptively(Duration.ofSeconds(30), appender::close);
        assertTrue(positions.close());
        assertEquals(3, journal.walk().payloads().size(), "the one that nobody was told of, too");
        assertTrue(errors.isEmpty(), errors::toString);
    }

    /// Goal: a thread that died where it was handing something over, without stack for its clean-up, keeps no close
    /// waiting.
    @Test
    void shouldNotWaitForAThreadThatHasEnded() {
        Lanes lanes = new Lanes(GroupCommitConfig.DEFAULTS);
        Team.of(1, thread -> lanes.add().activity.enter()).begin().join();
        assertTimeoutPreemptively(Duration.ofSeconds(30), lanes::awaitQuiet);
    }

    /// What another thread handed over before a flush began is durable after it.
    @Test
    void shouldFlushWhatOtherThreadsHandedOver() {
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.OVERWRITE));
        GroupCommitConfig never = GroupCommitConfig.DEFAULTS
                .withMaximumDelayNs(Long.MAX_VALUE)
                .withLossBound(new LossBound(1 << 20, 1 << 20, Long.MAX_VALUE));
        try (GroupCommitAppender appender = GroupCommitAppender.open(positions, never, errors::add)) {
            for (int round = 1; round <= 200; round++) {
                Team.of(2, thread -> assertEquals(0, appender.appendRelaxed(payload(thread), 0)))
                        .begin()
                        .join();
                assertEquals(0, appender.flush());
                assertEquals(2L * round, positions.nextSequence());
            }
        }
        assertTrue(positions.close());
    }

    /// Of all threads that expect one sequence exactly one gets it; the others are told CONFLICT, and nothing of
    /// theirs is there.
    @Test
    void shouldLetOneOfManyHaveTheExpectedSequence() {
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.FAIL));
        int wanted = 200;
        AtomicInteger won = new AtomicInteger();
        try (GroupCommitAppender appender = open(positions)) {
            Team.of(4, thread -> {
                        for (int sequence = 0; sequence < wanted; ) {
                            long result = appender.expectSequence(sequence).append(payload(sequence), 0);
                            if (result >= 0) {
                                assertEquals(sequence, appender.lastSequence());
                                won.incrementAndGet();
                            } else {
                                assertEquals(AppendResult.CONFLICT, result);
                                sequence++; // somebody else had it
                            }
                        }
                    })
                    .begin()
                    .join();
            assertEquals(0, appender.flush(), "a conflict is no failure of a commit");
            assertEquals(wanted, won.get());
            assertEquals(
                    AppendResult.CONFLICT, appender.expectSequence(wanted + 1).append(payload(0), 0));
            assertTrue(appender.append(payload(wanted), 0) >= 0, "it holds for one attempt");
            appender.expectSequence(0);
            assertThrows(IllegalStateException.class, () -> appender.appendRelaxed(payload(0), 0));
            appender.expectSequence(0);
            MemorySegment tooLong = MemorySegment.ofArray(new byte[1 << 20]);
            assertThrows(IllegalArgumentException.class, () -> appender.append(tooLong, 0));
            assertEquals(0, appender.appendRelaxed(payload(wanted + 1), 0));
            assertThrows(IllegalArgumentException.class, () -> appender.expectSequence(-1));
        }
        assertTrue(positions.close());
        List<byte[]> payloads = journal.walk().payloads();
        assertEquals(wanted + 2, payloads.size());
        for (int i = 0; i < payloads.size(); i++) {
            assertEquals(i, MemorySegment.ofArray(payloads.get(i)).get(I64, 8));
        }
        assertTrue(errors.isEmpty(), errors::toString);
    }

    /// An encoder that throws, or appends itself, leaves nothing behind, whatever it has written.
    @Test
    void shouldLeaveNothingOfAnEncoderThatFails() {
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.FAIL));
        AtomicLong last = new AtomicLong(-1);
        CommitListener listener = (result, sequence) -> last.set(sequence);
        try (GroupCommitAppender appender = open(positions)) {
            EntryEncoder<Integer> failing = new EntryEncoder<>() {
                @Override
                public int lengthBytes(Integer way) {
                    return way == 2 ? 800 : 40;
                }

                @Override
                public void encode(Integer way, MemorySegment buffer, long offset, int lengthBytes) {
                    buffer.asSlice(offset, lengthBytes).fill((byte) -1);
                    if (way == 1) {
                        appender.appendAsync(payload(0), 0, listener);
                    }
                    throw new IllegalStateException("an encoder that fails");
                }
            };
            for (int i = 0; i < 60; i++) {
                int way = i % 3;
                assertThrows(IllegalStateException.class, () -> appender.appendAsync(way, failing, listener));
                assertThrows(IllegalStateException.class, () -> appender.append(way, failing));
                assertThrows(IllegalStateException.class, () -> appender.appendRelaxed(way, failing));
                assertEquals(0, appender.appendAsync(payload(i), 0, listener));
            }
            assertEquals(0, appender.flush());
            assertEquals(59, last.get());
        }
        assertTrue(positions.close());
        List<byte[]> payloads = journal.walk().payloads();
        assertEquals(60, payloads.size());
        for (int i = 0; i < 60; i++) {
            assertEquals(i, MemorySegment.ofArray(payloads.get(i)).get(I64, 8));
        }
        assertTrue(errors.isEmpty(), errors::toString);
    }

    /// The log is cut while threads append: each sequence that a listener was told, and that no later cut took
    /// away, is that of its entry.
    @Test
    void shouldTellTrueSequencesWhileTheLogIsCut() {
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.FAIL));
        Map<Long, byte[]> byPlace = new ConcurrentHashMap<>();
        AtomicInteger told = new AtomicInteger();
        AtomicBoolean stop = new AtomicBoolean();
        GroupCommitAppender appender = open(positions);
        Team team = Team.of(3, thread -> {
                    for (int number = 0; !stop.get(); number++) {
                        byte[] payload = Acknowledged.payload(thread, number, 24);
                        appender.appendAsync(MemorySegment.ofArray(payload), 0, (position, sequence) -> {
                            if (position >= 0) {
                                byPlace.put(sequence, payload); // what is told later overwrites what was cut
                            }
                            told.incrementAndGet();
                        });
                        if (number % 3 == 0) {
                            appender.flush();
                        }
                    }
                })
                .begin();
        long kept = 0;
        for (int cut = 0; cut < 30; cut++) {
            int before = told.get();
            Team.await("appends", () -> told.get() > before + 5);
            CutSeek seek = new CutSeek(journal.medium()::read, journal.superblock());
            long least = kept;
            long[] from = new long[1];
            positions.truncate((retained, end, next) -> {
                from[0] = Math.min(next, least + 3);
                while (true) {
                    try {
                        return seek.sequence(from[0], retained, end, next);
                    } catch (IllegalArgumentException insideFrame) {
                        from[0]--; // a commit is cut whole or not at all; the last cut is where one begins
                        assertTrue(from[0] >= least, insideFrame::getMessage);
                    }
                }
            });
            kept = from[0];
        }
        int before = told.get();
        Team.await("appends behind the last cut", () -> told.get() > before + 50);
        stop.set(true);
        team.join();
        appender.close();
        assertTrue(positions.close());
        List<byte[]> payloads = journal.walk().payloads();
        assertTrue(payloads.size() >= kept);
        int checked = 0;
        for (Map.Entry<Long, byte[]> entry : byPlace.entrySet()) {
            if (entry.getKey() < payloads.size()) {
                assertArrayEquals(entry.getValue(), payloads.get(entry.getKey().intValue()), "at " + entry.getKey());
                checked++;
            }
        }
        assertTrue(checked > 10, "checked " + checked);
        assertTrue(errors.isEmpty(), errors::toString);
    }
}
