package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Group commit, and a log that is cut or given up whole under it: what was acknowledged behind a cut is there, at
/// its sequence; what was cut never comes back; relaxed entries on their way go behind the cut, in their order.
class GroupCommitCutTest {
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final LossBound BOUND = new LossBound(16, 1 << 20, Long.MAX_VALUE);
    private static final JournalConfig FAIL = JournalConfig.defaults().withTimestampMode(TimestampMode.NONE);
    private static final int PRODUCERS = 3;

    private final List<Throwable> errors = new CopyOnWriteArrayList<>();

    /// What a producer was told.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Told(long position, long sequence, byte[] payload) {}

    /// Everything before `end` from that sequence on is gone.
    private record Cut(long end, long sequence) {}

    private GroupCommitAppender open(Positions positions) {
        GroupCommitConfig config = GroupCommitConfig.DEFAULTS
                .withLaneLengthBytes(1024)
                .withMaximumBatch(20)
                .withLossBound(BOUND);
        return GroupCommitAppender.open(positions, config, errors::add);
    }

    private static MemorySegment payload(int thread, long number, int length) {
        return MemorySegment.ofArray(Acknowledged.payload(thread, number, length));
    }

    private static void truncate(SimulatedJournal journal, Positions positions, long sequence) {
        CutSeek seek = new CutSeek(journal.medium()::read, journal.superblock());
        positions.truncate((retained, end, next) -> seek.sequence(sequence, retained, end, next));
    }

    /// The entries before a position.
    private static Map<Long, byte[]> bySequence(LogWalk walk, long end) {
        assertTrue(walk.invalidSlots().stream().allMatch(slot -> slot >= end), () -> "I18: " + walk.invalidSlots());
        Map<Long, byte[]> found = new HashMap<>();
        List<byte[]> payloads = walk.payloads();
        int i = 0;
        for (LogWalk.Frame frame : walk.data()) {
            for (int entry = 0; entry < frame.entries(); entry++) {
                found.put(frame.sequence() + entry, payloads.get(i++));
            }
        }
        return found;
    }

    /// Step by step: append, close, cut, open, append, give up whole, append; then the power goes.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldGoOnBehindACutAndAReset(Durability level) {
        SimulatedJournal journal = SimulatedJournal.create(level, Geometry.of(4096, 8));
        Positions positions = journal.open(FAIL);
        try (GroupCommitAppender appender = open(positions)) {
            for (int i = 0; i < 10; i++) {
                appender.appendRelaxed(payload(0, 2L * i, 30), 0);
                assertTrue(appender.append(payload(0, 2L * i + 1, 100), 0) >= 0);
            }
            assertEquals(19, appender.lastSequence());
            appender.appendRelaxed(payload(0, 20, 30), 0);
        }
        truncate(journal, positions, 8); // the first frame of a commit: entries 8 and 9
        try (GroupCommitAppender appender = open(positions)) {
            assertEquals(AppendResult.CONFLICT, appender.expectSequence(21).append(payload(1, 0, 30), 0));
            assertTrue(appender.expectSequence(8).append(payload(1, 1, 30), 0) >= 0);
            assertEquals(8, appender.lastSequence());
            // Open, with an entry on its way, which goes behind the cut, and takes the place of what was cut.
            assertEquals(0, appender.appendRelaxed(payload(1, 2, 30), 0));
            truncate(journal, positions, 6);
            assertTrue(appender.append(payload(1, 3, 40), 0) >= 0);
            assertEquals(7, appender.lastSequence());
        }
        Map<Long, byte[]> found = bySequence(journal.walk(), positions.run().published());
        assertEquals(8, found.size());
        for (int i = 0; i < 6; i++) {
            assertArrayEquals(Acknowledged.payload(0, i, i % 2 == 0 ? 30 : 100), found.get((long) i));
        }
        assertArrayEquals(Acknowledged.payload(1, 2, 30), found.get(6L));
        assertArrayEquals(Acknowledged.payload(1, 3, 40), found.get(7L));
        try (GroupCommitAppender appender = open(positions)) {
            assertEquals(0, appender.appendRelaxed(payload(2, 0, 30), 0));
            long start = positions.reset(1000);
            assertEquals(0, appender.appendRelaxed(payload(2, 1, 30), 0));
            assertEquals(0, appender.flush());
            assertEquals(1002, positions.nextSequence());
            assertEquals(start, journal.state().retained());
        }
        // No close: the process is gone, and at levels that promise it the power, too.
        if (level == Durability.PROCESS) {
            journal.processCrash(journal.medium().afterProcessCrash());
        } else {
            journal.powerCut(journal.medium().afterPowerCut());
        }
        Positions again = journal.open(FAIL);
        assertEquals(1002, again.nextSequence());
        Map<Long, byte[]> kept = bySequence(journal.walk(), journal.run().published());
        assertEquals(2, kept.size());
        assertArrayEquals(Acknowledged.payload(2, 0, 30), kept.get(1000L));
        assertArrayEquals(Acknowledged.payload(2, 1, 30), kept.get(1001L));
        assertTrue(again.close());
        assertTrue(errors.isEmpty(), errors::toString);
        positions.poison(new IllegalStateException("the test is over"));
        assertTrue(positions.close());
    }

    /// Producers wait, listen and append relaxed while the log is cut under them, given up whole, and the appender
    /// is closed and opened: an acknowledged entry is in the log, unless a later cut took it.
    @Test
    void shouldKeepWhatWasAcknowledgedBehindEachCutUnderLoad() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.DEVICE, Geometry.of(4096, 64));
        Positions positions = journal.open(FAIL.withFullPolicy(FullPolicy.OVERWRITE));
        ConcurrentLinkedQueue<Told> told = new ConcurrentLinkedQueue<>();
        List<Cut> cuts = new ArrayList<>();
        SplittableRandom random = new SplittableRandom(20261123);
        long[] next = new long[PRODUCERS];
        for (int round = 0; round < 4; round++) {
            AtomicBoolean over = new AtomicBoolean();
            try (GroupCommitAppender appender = open(positions)) {
                Team team = Team.of(PRODUCERS, thread -> {
                            while (!over.get()) {
                                next[thread] = append(appender, thread, next[thread], told);
                            }
                        })
                        .begin();
                for (int cut = 0; cut < 4; cut++) {
                    int wanted = told.size() + 30;
                    Team.await("appends", () -> told.size() >= wanted);
                    cuts.add(cut(journal, positions, random));
                }
                int wanted = told.size() + 30;
                Team.await("appends", () -> told.size() >= wanted);
                over.set(true);
                team.join();
            }
            if (round < 3) {
                cuts.add(cut(journal, positions, random));
            }
        }
        assertTrue(errors.isEmpty(), errors::toString);
        long floor = journal.state().retained();
        journal.powerCut(journal.medium().afterPowerCut());
        assertTrue(journal.open(FAIL).close());
        Map<Long, byte[]> found = bySequence(journal.walk(), journal.run().published());
        int kept = 0;
        for (Told entry : told) {
            boolean cut = entry.position < floor
                    || cuts.stream().anyMatch(c -> entry.position < c.end && entry.sequence >= c.sequence);
            if (!cut) {
                byte[] there = found.get(entry.sequence);
                assertNotNull(there, () -> "I1: acknowledged with sequence " + entry.sequence + ", not found");
                assertArrayEquals(entry.payload, there);
                kept++;
            }
        }
        assertTrue(kept > 0, "nothing is left to look at");
        checkOrder(found);
        positions.poison(new IllegalStateException("the test is over"));
        assertTrue(positions.close());
    }

    private static long append(
            GroupCommitAppender appender, int thread, long number, ConcurrentLinkedQueue<Told> told) {
        assertEquals(0, appender.appendRelaxed(payload(thread, number, 20), 0));
        byte[] async = Acknowledged.payload(thread, number + 1, 50);
        assertEquals(0, appender.appendAsync(MemorySegment.ofArray(async), 0, (position, sequence) -> {
            assertTrue(position >= 0);
            told.add(new Told(position, sequence, async));
        }));
        byte[] waited = Acknowledged.payload(thread, number + 2, (int) (number % 300));
        long position = appender.append(MemorySegment.ofArray(waited), 0);
        assertTrue(position >= 0, () -> AppendResult.describe(position));
        told.add(new Told(position, appender.lastSequence(), waited));
        return number + 3;
    }

    /// Takes a part of the end away; now and then everything.
    private static Cut cut(SimulatedJournal journal, Positions positions, SplittableRandom random) {
        if (random.nextInt(5) == 0) {
            long sequence = random.nextLong(1 << 20);
            return new Cut(positions.reset(sequence), Long.MIN_VALUE);
        }
        CutSeek seek = new CutSeek(journal.medium()::read, journal.superblock());
        long[] from = new long[1];
        long end = positions.truncate((retained, to, next) -> {
            // A frame's start: only there a log can be cut.
            List<LogWalk.Frame> frames =
                    LogWalk.of(journal.medium()::read, journal.superblock(), journal.state()).data().stream()
                            .filter(frame -> frame.position() < to)
                            .toList();
            from[0] = frames.isEmpty()
                    ? next
                    : frames.get(frames.size() - 1 - random.nextInt(Math.min(10, frames.size())))
                            .sequence();
            return seek.sequence(from[0], retained, to, next);
        });
        return new Cut(end, from[0]);
    }

    /// I4: each thread's entries are in the order of its appends, relaxed ones too.
    private static void checkOrder(Map<Long, byte[]> found) {
        long[] last = {-1, -1, -1};
        found.keySet().stream().sorted().forEach(sequence -> {
            MemorySegment bytes = MemorySegment.ofArray(found.get(sequence));
            int thread = (int) bytes.get(I64, 0);
            long number = bytes.get(I64, 8);
            assertArrayEquals(Acknowledged.payload(thread, number, (int) bytes.byteSize()), found.get(sequence));
            assertTrue(number > last[thread], () -> "I4: thread " + thread + ": " + number + " after " + last[thread]);
            last[thread] = number;
        });
    }
}
