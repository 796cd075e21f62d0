package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.Team;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.CutSeek;
import io.fenceline.journal.recovery.FrameReader;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// DESIGN §6, last paragraph: the order of a suffix truncation, and how appenders go on after it.
class TruncationRulesTest {
    private static final JournalConfig CONFIG =
            JournalConfig.defaults().withTimestampMode(TimestampMode.NONE).withFullPolicy(FullPolicy.OVERWRITE);
    private static final MemorySegment ENTRY = MemorySegment.ofArray(new byte[70]);

    private static SimulatedJournal tiny(Durability level) {
        return SimulatedJournal.create(level, Geometry.of(4096, 3));
    }

    private static void truncate(SimulatedJournal journal, Positions positions, long sequence) {
        CutSeek seek = new CutSeek(journal.medium()::read, journal.superblock());
        positions.truncate((retained, end, next) -> seek.sequence(sequence, retained, end, next));
    }

    private static void end(Positions positions) {
        positions.poison(new IllegalStateException("the test is over"));
        assertTrue(positions.close());
    }

    /// Goal: generation odd and `published` back before the record; the record durable before the first PAD; all
    /// PADs durable before the next record; `published` forward and generation even last.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldKeepTheOrderOfACut(Durability level) {
        SimulatedJournal journal = tiny(level);
        Positions positions = journal.open(CONFIG);
        ExclusiveAppender appender = ExclusiveAppender.open(positions);
        for (int i = 0; i < 50; i++) {
            assertTrue(appender.append(ENTRY) >= 0);
        }
        long end = positions.run().published();
        long from = 10 * 128;
        int epoch = positions.epoch();
        long generation = positions.run().generation();
        List<StateRecord> records = new ArrayList<>();
        AtomicBoolean padded = new AtomicBoolean();
        journal.medium().observe((medium, operation) -> {
            assertEquals(generation + 1, positions.run().generation(), "odd from the first operation on");
            assertEquals(from, positions.run().published());
            StateRecord durable = SimulatedJournal.state(
                    level == Durability.PROCESS ? medium : medium.afterPowerCut(), journal.superblock());
            if (operation.kind() == Kind.STORE && operation.fileOffset() >= Geometry.HEAD_LENGTH_BYTES) {
                assertTrue(durable.isTruncating(), "a PAD before the record is durable");
                assertEquals(from, durable.floor());
                assertEquals(10, durable.floorSequence());
                assertEquals(end, durable.lease());
                padded.set(true);
            } else if (operation.kind() == Kind.STORE && padded.get()) {
                long undecided = medium.undecided(
                        Geometry.HEAD_LENGTH_BYTES,
                        journal.superblock().geometry().capacityBytes());
                assertEquals(0, undecided, "the next record before all PADs are durable");
            }
            records.add(durable);
        });
        truncate(journal, positions, 10);
        journal.medium().observe((medium, operation) -> {});

        assertEquals(generation + 2, positions.run().generation());
        assertEquals(end, positions.run().published());
        StateRecord state = journal.state();
        assertFalse(state.isTruncating());
        assertEquals(List.of(end, end, end), List.of(state.floor(), state.lease(), state.epochStart()));
        assertEquals(10, state.floorSequence());
        assertEquals(epoch + 1, state.epoch());
        assertTrue(records.stream().anyMatch(StateRecord::isTruncating));

        FrameReader frames = new FrameReader(journal.medium()::read, journal.superblock());
        for (long slot = from; slot < end; slot += 64) {
            assertEquals(FrameVerdict.SEAL, frames.certify(slot, epoch, epoch), "⚠ a PAD on every slot");
            assertEquals(10, frames.sequence());
            assertEquals(
                    Math.min(end, slot / 4096 * 4096 + 4096), frames.nextPosition(), "it reaches as far as the cut");
        }
        assertEquals(end, appender.append(ENTRY));
        frames.refresh();
        assertEquals(FrameVerdict.DATA, frames.certify(end, epoch + 1, epoch + 1));
        assertEquals(10, frames.sequence());
        appender.close();
        end(positions);
    }

    /// Goal: a fault inside a cut poisons, and the next opening makes the cut or takes it back.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldPoisonWhenACutFails(Durability level) {
        for (Kind kind : new Kind[] {Kind.STORE, Kind.DRAIN, Kind.SYNC}) {
            for (int n = 1; n <= 3; n++) {
                SimulatedJournal journal = tiny(level);
                Positions positions = journal.open(CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(positions);
                for (int i = 0; i < 20; i++) {
                    assertTrue(appender.append(ENTRY) >= 0);
                }
                journal.medium().failAt(kind, n);
                try {
                    truncate(journal, positions, 5);
                    assertEquals(5, appender.nextSequence(), "there are fewer operations");
                    journal.medium().failAt(kind, Integer.MAX_VALUE);
                } catch (JournalException.Io e) {
                    assertThrows(JournalException.Poisoned.class, () -> appender.append(ENTRY));
                    assertThrows(JournalException.Poisoned.class, () -> truncate(journal, positions, 4));
                }
                appender.close();
                assertTrue(positions.close());
                journal.processCrash(journal.medium().afterProcessCrash());
                Positions next = journal.open(CONFIG);
                assertTrue(List.of(5L, 20L).contains(next.nextSequence()), () -> "continues at " + next.nextSequence());
                assertEquals(0, next.run().generation() % 2);
                assertEquals(
                        next.nextSequence(),
                        LogWalk.of(journal.medium()::read, journal.superblock(), journal.state())
                                .data()
                                .size());
                end(next);
            }
        }
    }

    /// Goal: threads that append through a concurrent appender while another one cuts: none gets a position
    /// twice, all that is acknowledged and not cut is there, in order, and what is there was appended.
    @Test
    void shouldGoOnWithAllThreadsWhenTheLogIsCutUnderThem() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.PROCESS, Geometry.of(64 << 10, 32));
        Positions positions = journal.open(CONFIG);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        Acknowledged acknowledged = new Acknowledged();
        AtomicBoolean stop = new AtomicBoolean();
        Team team = Team.of(3, thread -> {
                    for (long number = 0; !stop.get(); number++) {
                        byte[] payload = Acknowledged.payload(thread, number, (int) (number * 7 % 300));
                        acknowledged.add(appender.append(MemorySegment.ofArray(payload)), payload);
                    }
                })
                .begin();
        SplittableRandom random = new SplittableRandom(7);
        long kept = 0;
        for (int cut = 0; cut < 12; cut++) {
            int wanted = acknowledged.size() + 50;
            Team.await("appends", () -> acknowledged.size() >= wanted);
            long[] last = new long[2];
            CutSeek seek = new CutSeek(journal.medium()::read, journal.superblock());
            long least = kept;
            positions.truncate((retained, end, next) -> {
                // Not what the ring has overwritten: behind the last cut lies frame on frame, of 384 bytes at most.
                long oldest = Math.max(least, next - 3000);
                long sequence = oldest + random.nextLong(Math.max(1, next - oldest));
                last[0] = sequence;
                last[1] = end;
                return seek.sequence(sequence, retained, end, next);
            });
            kept = last[0];
            assertTrue(positions.run().published() >= last[1]);
        }
        stop.set(true);
        team.join();
        appender.close();
        LogWalk walk = LogWalk.of(journal.medium()::read, journal.superblock(), journal.state());
        long sequence = -1;
        for (LogWalk.Frame frame : walk.data()) {
            assertTrue(sequence < 0 || frame.sequence() == sequence, () -> "sequence of " + frame);
            sequence = frame.sequence() + 1;
        }
        long end = positions.run().published();
        assertEquals(positions.nextSequence(), sequence);
        assertTrue(acknowledged.now().byPosition().keySet().stream().allMatch(position -> position < end));
        end(positions);
        // What was written after the last cut is exactly what was acknowledged there.
        assertTrue(acknowledged.size() >= walk.data().size());
    }

    /// How an append waits for room.
    enum Waiting {
        EXCLUSIVE,
        RUN,
        CONCURRENT
    }

    /// Goal: an append that waits for room steps aside for a cut, and goes on behind it with the sequence from the
    /// cut on: nobody waits for the other.
    @ParameterizedTest
    @EnumSource(Waiting.class)
    void shouldCutWhileAnAppendWaitsForRoom(Waiting waiting) {
        SimulatedJournal journal = SimulatedJournal.create(Durability.PROCESS, Geometry.of(4096, 2));
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.BLOCK));
        boolean concurrent = waiting == Waiting.CONCURRENT;
        Appender appender = concurrent ? ConcurrentAppender.open(positions) : ExclusiveAppender.open(positions);
        for (int i = 0; i < 64; i++) {
            assertTrue(appender.append(ENTRY) >= 0);
        }
        AtomicLong result = new AtomicLong(Long.MIN_VALUE);
        Team waiter = Team.of(1, thread -> {
                    if (waiting == Waiting.RUN) {
                        ExclusiveAppender exclusive = (ExclusiveAppender) appender;
                        FrameRun run = exclusive.run(128);
                        run.add(ENTRY, 70, 0);
                        run.add(ENTRY, 70, 0);
                        result.set(exclusive.commit(run, 0));
                    } else {
                        result.set(appender.append(ENTRY));
                    }
                })
                .begin();
        awaitSleep(waiter);
        truncate(journal, positions, 10);
        assertEquals(10, concurrent ? ((ConcurrentAppender) appender).nextSequence() : positions.nextSequence());
        awaitSleep(waiter);
        truncate(journal, positions, 5);
        awaitSleep(waiter);
        assertEquals(Long.MIN_VALUE, result.get());
        assertEquals(8192, positions.retain(8192));
        waiter.join();
        assertEquals(8192, result.get());
        FrameReader frames = new FrameReader(journal.medium()::read, journal.superblock());
        assertEquals(FrameVerdict.DATA, frames.certify(8192, 3, 3));
        assertEquals(5, frames.sequence());
        appender.close();
        assertTrue(positions.close());
    }

    /// Goal: what an append expects is judged after the cut that it stepped aside for.
    @ParameterizedTest
    @EnumSource(
            value = Waiting.class,
            names = {"EXCLUSIVE", "CONCURRENT"})
    void shouldConflictWhenALogIsCutThatAnAppendWaitsFor(Waiting waiting) {
        SimulatedJournal journal = SimulatedJournal.create(Durability.PROCESS, Geometry.of(4096, 2));
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.BLOCK));
        Appender appender =
                waiting == Waiting.CONCURRENT ? ConcurrentAppender.open(positions) : ExclusiveAppender.open(positions);
        for (int i = 0; i < 64; i++) {
            assertTrue(appender.append(ENTRY) >= 0);
        }
        AtomicLong result = new AtomicLong(Long.MIN_VALUE);
        Team waiter = Team.of(
                        1, thread -> result.set(appender.expectSequence(64).append(ENTRY)))
                .begin();
        awaitSleep(waiter);
        truncate(journal, positions, 10);
        waiter.join();
        assertEquals(AppendResult.CONFLICT, result.get());
        appender.close();
        assertTrue(positions.close());
    }

    private static void awaitSleep(Team waiter) {
        Team.await("it waits for room", () -> waiter.isWaiting(1));
    }

    @Test
    void shouldRefuseToCutWhatIsNotThere() {
        SimulatedJournal journal = tiny(Durability.PROCESS);
        Positions positions = journal.open(CONFIG);
        ExclusiveAppender appender = ExclusiveAppender.open(positions);
        for (int i = 0; i < 3; i++) {
            appender.append(ENTRY);
        }
        long operations = journal.medium().count();
        CutSeek seek = new CutSeek(journal.medium()::read, journal.superblock());
        for (long position : new long[] {-64, 1, 64, 3 * 128 + 64}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> positions.truncate((retained, end, next) -> seek.position(position, retained, end, next)));
        }
        assertThrows(IllegalArgumentException.class, () -> truncate(journal, positions, -1));
        assertThrows(IllegalArgumentException.class, () -> truncate(journal, positions, 4));
        assertEquals(operations, journal.medium().count());
        assertEquals(3 * 128, appender.append(ENTRY));
        appender.close();
        assertTrue(positions.close());
        assertThrows(IllegalStateException.class, () -> truncate(journal, positions, 1));
    }
}
