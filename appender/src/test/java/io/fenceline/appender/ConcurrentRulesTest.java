package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.HookedPersister.Step;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.Team;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.Reservations;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// The rules of the design that need two threads, each by threads that are stopped where it hurts.
class ConcurrentRulesTest {
    private static final int SEGMENT = 4096;
    private static final int SLOT = 64;
    private static final JournalConfig BLOCK =
            JournalConfig.defaults().withTimestampMode(TimestampMode.NONE).withFullPolicy(FullPolicy.BLOCK);
    private static final JournalConfig OVERWRITE = BLOCK.withFullPolicy(FullPolicy.OVERWRITE);

    private final CountDownLatch stopped = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);

    private static long append(ConcurrentAppender appender) {
        return appender.append(MemorySegment.ofArray(new byte[16]));
    }

    /// Stops the first member of a team before its first drain of a frame, whose slots it owns by then.
    private Positions open(SimulatedJournal journal, JournalConfig config) {
        HookedPersister.Hook hook = step -> {
            if (step == Step.DRAIN && Thread.currentThread().getName().equals("member-0") && stopped.getCount() > 0) {
                stopped.countDown();
                Team.await("to go on", () -> goOn.getCount() == 0);
            }
        };
        return journal.open(medium -> new HookedPersister(medium, hook), config);
    }

    private Team stall(ConcurrentAppender appender, AtomicLong position) {
        Team team = Team.of(1, thread -> position.set(append(appender))).begin();
        Team.await("it is stopped", () -> stopped.getCount() == 0);
        return team;
    }

    /// Stops the first member of a team, once that is wanted, before the drain of a record that makes the lease longer.
    private Positions openToStopAtALease(SimulatedJournal journal, JournalConfig config, AtomicBoolean wanted) {
        HookedPersister.Hook hook = step -> {
            boolean extending = step == Step.DRAIN
                    && wanted.get()
                    && Thread.currentThread().getName().equals("member-0")
                    && isIn("changeState");
            if (extending && stopped.getCount() > 0) {
                stopped.countDown();
                Team.await("to go on", () -> goOn.getCount() == 0);
            }
        };
        return journal.open(medium -> new HookedPersister(medium, hook), config);
    }

    /// A thread that appends until it is stopped there.
    private Team extend(ConcurrentAppender appender) {
        Team team = Team.of(1, thread -> {
                    while (stopped.getCount() > 0) {
                        append(appender);
                    }
                })
                .begin();
        Team.await("it is stopped", () -> stopped.getCount() == 0);
        return team;
    }

    private static void fillTwoSegments(ConcurrentAppender appender) {
        for (int i = 0; i < 2 * SEGMENT / SLOT; i++) {
            assertEquals((long) i * SLOT, append(appender));
        }
    }

    /// §3, `retained`: a ring that is full up to the end of a segment, all of it published, nothing behind it:
    /// retaining all of it makes room, because the next segment's start is a floor candidate already.
    @Test
    void shouldMakeRoomAtASegmentsEndWhereNobodyHasBegunTheNext() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(SEGMENT, 2));
        Positions positions = journal.open(BLOCK);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        fillTwoSegments(appender);
        AtomicLong position = new AtomicLong(-1);
        Team team = Team.of(1, thread -> position.set(append(appender))).begin();
        Team.await("it waits for room", () -> team.isWaiting(1));
        assertEquals(2 * SEGMENT, positions.retain(positions.run().published()));
        team.join();
        assertEquals(2 * SEGMENT, position.get());
        appender.close();
        assertTrue(positions.close());
    }

    /// §5, reserve: who waits for room owns nothing: no place is given to anybody meanwhile, and who gives up leaves no
    /// hole behind.
    @Test
    void shouldOwnNothingWhileItWaitsForRoom() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(SEGMENT, 2));
        Positions positions = journal.open(BLOCK);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        fillTwoSegments(appender);
        Team team = Team.of(3, thread -> {
                    assertEquals(AppendResult.INTERRUPTED, append(appender));
                    assertTrue(Thread.interrupted());
                })
                .begin();
        Team.await("all wait for room", () -> team.isWaiting(3));
        assertEquals(2 * SEGMENT, appender.position());
        assertEquals(2 * SEGMENT / SLOT, appender.nextSequence());
        team.interrupt();
        team.join();
        assertEquals(2 * SEGMENT, positions.retain(positions.run().published()));
        assertEquals(2 * SEGMENT, append(appender));
        assertTrue(appender.awaitPublished(2 * SEGMENT + SLOT));
        appender.close();
        assertTrue(positions.close());
        assertEquals(2 * SEGMENT / SLOT + 1, journal.state().floorSequence());
    }

    /// §2: one fence an append, each line stored once.
    @Test
    void shouldUseOneDrainAndStoreEachLineOnce() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(1 << 20, 2));
        SimulatedMedium medium = journal.medium();
        Positions positions = journal.open(BLOCK);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        append(appender);
        for (int length = 0; length < 5000; length += 37) {
            long drains = medium.count(Kind.DRAIN);
            long lease = positions.lease();
            long position = appender.append(MemorySegment.ofArray(new byte[length]));
            assertEquals(positions.lease() == lease ? 1 : 2, medium.count(Kind.DRAIN) - drains, "drains");
            for (long at = position; at < positions.run().published(); at += SLOT) {
                assertEquals(1, medium.stores(journal.superblock().geometry().fileOffset(at)), "stores of a line");
            }
        }
        appender.close();
        assertTrue(positions.close());
    }

    /// §5, *close*: with a reservation that nobody has published the record is not a clean one, so that recovery
    /// looks.
    @Test
    void shouldNotCloseAsCleanOverAHole() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(SEGMENT, 2));
        Positions positions = journal.open(BLOCK);
        Reservations reservations = positions.attachShared(() -> {});
        long word = reservations.word();
        assertEquals(0, positions.admit(reservations, 0, 0, SLOT));
        assertEquals(word, reservations.reserve(word, reservations.after(word, SLOT, 1)));
        assertTrue(positions.close());
        assertFalse(journal.state().isClean());
    }

    /// §3, `retained`: the slots of a thread that is off its core are not given away under it, however the others
    /// press; they wait, with nothing owned, and go on when it goes on.
    @Test
    void shouldNotOverwriteTheSlotsOfAStoppedThread() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(SEGMENT, 2));
        Positions positions = open(journal, OVERWRITE);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        assertEquals(0, append(appender)); // the lease
        AtomicLong position = new AtomicLong(-1);
        Team stalled = stall(appender, position);
        AtomicLong last = new AtomicLong();
        Team pressing = Team.of(1, thread -> {
                    for (int i = 0; i < 3 * SEGMENT / SLOT; i++) {
                        last.set(append(appender));
                    }
                })
                .begin();
        Team.await("the ring is full", () -> last.get() == 2 * SEGMENT - SLOT && pressing.isWaiting(1));
        assertEquals(0, positions.run().retained());
        assertEquals(SLOT, positions.run().published());
        goOn.countDown();
        stalled.join();
        pressing.join();
        assertEquals(SLOT, position.get());
        assertEquals(3 * SEGMENT + SLOT, last.get());
        appender.close();
        assertTrue(positions.close());
        assertTrue(journal.walk().invalidSlots().isEmpty());
    }

    /// §3, `floor`: while a thread is stopped, lease after lease is made durable in front of it, and each record's
    /// floor stays at or below what is published; then it is the start of a frame, with that frame's sequence.
    @Test
    void shouldRecordNoFloorBeyondAStoppedThread() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(SEGMENT, 256));
        Positions positions = open(journal, OVERWRITE);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        assertEquals(0, append(appender));
        Team stalled = stall(appender, new AtomicLong());
        long version = journal.state().version();
        for (int i = 0; i < 600_000 / SLOT; i++) {
            assertTrue(append(appender) > 0);
        }
        assertTrue(journal.state().version() > version + 2, "leases were extended");
        assertTrue(positions.floor() <= SLOT, () -> "floor " + positions.floor());
        goOn.countDown();
        stalled.join();
        for (int i = 0; i < 800_000 / SLOT; i++) {
            assertTrue(append(appender) > 0);
        }
        StateRecord state = journal.state();
        assertTrue(state.floor() > SLOT, "I12: the floor advances");
        LogWalk.Frame first = journal.walk().frames().stream()
                .filter(frame -> frame.position() == state.floor())
                .findFirst()
                .orElseThrow();
        assertEquals(first.sequence(), state.floorSequence());
        appender.close();
        assertTrue(positions.close());
    }

    /// §3, `floor`: a candidate is a position and a sequence of one value of the reservation word, also where a
    /// thread goes by an old one: it believes to be at the end of what is granted, and another one has that place.
    @Test
    void shouldRecordAFloorWithTheSequenceOfItsPosition() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(1 << 20, 2));
        Positions positions = journal.open(OVERWRITE);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        assertEquals(0, append(appender));
        long granted = positions.freeEnd();
        while (append(appender) < granted - 2 * SLOT) {}
        long sequence = appender.nextSequence();
        Team.of(1, thread -> assertEquals(granted - SLOT, append(appender)))
                .begin()
                .join();
        assertEquals(granted, appender.append(MemorySegment.ofArray(new byte[80])));
        assertEquals(granted - SLOT, journal.state().floor());
        assertEquals(sequence, journal.state().floorSequence());
        appender.close();
        assertTrue(positions.close());
    }

    /// §5, reserve: a lease is extended by one thread while the others go on below the one that there is; they wait
    /// neither for its storage nor for its lock.
    @Test
    void shouldGoOnBelowTheLeaseWhileItIsExtended() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(1 << 20, 2));
        AtomicBoolean stop = new AtomicBoolean();
        Positions positions = openToStopAtALease(journal, OVERWRITE, stop);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        assertEquals(0, append(appender));
        long lease = positions.lease();
        stop.set(true);
        Team extending = extend(appender);
        long position = 0;
        while (position < lease - 8 * SLOT) {
            position = append(appender);
        }
        assertTrue(position < lease, "I11");
        goOn.countDown();
        extending.join();
        appender.close();
        assertTrue(positions.close());
        assertTrue(journal.walk().invalidSlots().isEmpty());
    }

    /// §4: one mutex owns the master copy of the state record. A thread is stopped before the drain of a record
    /// that makes the lease longer; another one gives a segment up meanwhile: its record comes behind, and both are
    /// in the last one.
    @Test
    void shouldWriteStateRecordsOneAfterTheOther() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(SEGMENT, 64));
        AtomicBoolean stop = new AtomicBoolean();
        Positions positions = openToStopAtALease(journal, BLOCK, stop);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        assertEquals(0, append(appender));
        long lease = positions.lease();
        stop.set(true);
        Team extending = extend(appender);
        long operations = journal.medium().count();
        AtomicReference<@Nullable Thread> second = new AtomicReference<>();
        Team retaining = Team.of(1, thread -> {
                    second.set(Thread.currentThread());
                    assertEquals(SEGMENT, positions.retain(SEGMENT));
                })
                .begin();
        Team.await("it waits for the other one's record", () -> {
            Thread thread = second.get();
            assertEquals(operations, journal.medium().count(), "a record beside another one's");
            return thread != null && thread.getState() == Thread.State.BLOCKED;
        });
        goOn.countDown();
        extending.join();
        retaining.join();
        StateRecord state = journal.state();
        assertEquals(SEGMENT, state.retained());
        assertTrue(state.lease() > lease, "the longer lease was lost");
        appender.close();
        assertTrue(positions.close());
    }

    private static boolean isIn(String method) {
        return StackWalker.getInstance()
                .walk(frames -> frames.anyMatch(f -> f.getMethodName().equals(method)));
    }
}
