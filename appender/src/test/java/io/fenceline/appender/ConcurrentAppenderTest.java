package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.HookedPersister.Step;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.Team;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Many threads and one [ConcurrentAppender], over a simulated medium.
class ConcurrentAppenderTest {
    private static final JournalConfig OVERWRITE =
            JournalConfig.defaults().withTimestampMode(TimestampMode.NONE).withFullPolicy(FullPolicy.OVERWRITE);
    private static final JournalConfig BLOCK = OVERWRITE.withFullPolicy(FullPolicy.BLOCK);

    private final SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(4096, 3));
    private final Acknowledged acknowledged = new Acknowledged();

    private static long append(ConcurrentAppender appender, byte[] payload) {
        return appender.append(MemorySegment.ofArray(payload));
    }

    /// Appends until the appender takes no more.
    private long appendAll(ConcurrentAppender appender, int thread, long from) {
        SplittableRandom random = new SplittableRandom(thread);
        for (long number = from; ; number++) {
            byte[] payload = Acknowledged.payload(thread, number, random.nextInt(900));
            long result = append(appender, payload);
            if (result < 0) {
                return result;
            }
            acknowledged.add(result, payload);
        }
    }

    private static void awaitWaiting(Team team, int n) {
        Team.await("threads wait for room", () -> team.isWaiting(n));
    }

    /// What ends a wait for room.
    enum End {
        APPENDER_CLOSED,
        JOURNAL_CLOSED,
        POISONED,
        INTERRUPTED
    }

    /// Nothing is owned while a thread waits for room, and nothing that ends the writing leaves it waiting.
    @ParameterizedTest
    @EnumSource(End.class)
    void shouldEndAllWaitsForRoomWhenThereWillBeNone(End end) {
        Positions positions = journal.open(BLOCK);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        List<String> results = new CopyOnWriteArrayList<>();
        Team team = Team.of(4, thread -> {
                    try {
                        results.add(AppendResult.describe(appendAll(appender, thread, 0)));
                    } catch (JournalException.Poisoned e) {
                        results.add("POISONED");
                    }
                })
                .begin();
        awaitWaiting(team, 4);
        switch (end) {
            case APPENDER_CLOSED -> appender.close();
            case JOURNAL_CLOSED -> assertTrue(positions.close());
            case POISONED -> positions.poison(new IllegalStateException("as after a fault"));
            case INTERRUPTED -> team.interrupt();
        }
        team.join();
        String expected = end == End.POISONED || end == End.INTERRUPTED ? end.name() : "CLOSED";
        assertEquals(List.of(expected, expected, expected, expected), results);
        appender.close();
        assertTrue(positions.close());
        assertEquals(end != End.POISONED, journal.state().isClean());
        assertEquals(0, Acknowledged.check(end == End.POISONED ? reopened() : journal.walk(), acknowledged.now()));
    }

    private LogWalk reopened() {
        SimulatedMedium image = journal.medium().afterPowerCut();
        journal.powerCut(image);
        assertTrue(journal.open(OVERWRITE).close());
        return journal.walk();
    }

    /// Retain from another thread lets them go on.
    @Test
    void shouldGoOnWhenRoomIsMade() {
        Positions positions = journal.open(BLOCK);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        AtomicInteger left = new AtomicInteger(4);
        Team team = Team.of(4, thread -> {
                    for (int i = 0; i < 400; i++) {
                        byte[] payload = Acknowledged.payload(thread, i, i % 900);
                        acknowledged.add(append(appender, payload), payload);
                    }
                    left.decrementAndGet();
                })
                .begin();
        Team.await("appends end", () -> {
            positions.retain(positions.run().published());
            return left.get() == 0;
        });
        team.join();
        assertEquals(1600, acknowledged.size());
        appender.close();
        assertTrue(positions.close());
        assertEquals(1600, journal.state().floorSequence());
        assertEquals(0, Acknowledged.check(journal.walk(), acknowledged.now()));
    }

    /// Closing against appends: each either has a position, and is there, or was refused, and is not. The next
    /// appender goes on where it ended; an interrupt of the closing thread changes nothing.
    @Test
    void shouldKeepExactlyWhatWasAcknowledgedWhenClosedUnderLoad() {
        for (int round = 0; round < 30; round++) {
            Positions positions = journal.open(OVERWRITE);
            ConcurrentAppender appender = ConcurrentAppender.open(positions);
            int first = round * 4;
            Team team = Team.of(3, thread -> assertEquals(AppendResult.CLOSED, appendAll(appender, first + thread, 0)))
                    .begin();
            int before = acknowledged.size();
            Team.await("appends", () -> acknowledged.size() > before + 20);
            if (round % 3 == 0) {
                assertTrue(positions.close());
            } else {
                if (round % 3 == 1) {
                    Thread.currentThread().interrupt();
                }
                appender.close();
                assertEquals(round % 3 == 1, Thread.interrupted());
                assertEquals(positions.run().published(), positions.reserved());
                try (ExclusiveAppender next = ExclusiveAppender.open(positions)) {
                    byte[] payload = Acknowledged.payload(first + 3, 0, 100);
                    acknowledged.add(next.append(MemorySegment.ofArray(payload)), payload);
                }
                assertTrue(positions.close());
            }
            team.join();
            assertTrue(journal.state().isClean());
            assertEquals(0, Acknowledged.check(journal.walk(), acknowledged.now()));
        }
    }

    /// I15: from the fault on nobody is told a position, all threads end, and what they were told before is there.
    @ParameterizedTest
    @CsvSource({"DRAIN, 3", "DRAIN, 40", "DRAIN, 200", "STORE, 5", "STORE, 100", "STORE, 201"})
    void shouldAcknowledgeNothingAfterAFault(Kind kind, int n) {
        Positions positions = journal.open(OVERWRITE);
        journal.medium().failAt(kind, n);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        Team.of(4, thread -> {
                    for (int number = 0; ; number++) {
                        byte[] payload = Acknowledged.payload(thread, number, number % 900);
                        boolean faulty = journal.medium().fault() != null;
                        try {
                            acknowledged.add(append(appender, payload), payload);
                            assertFalse(faulty, "acknowledged after the fault");
                        } catch (JournalException e) {
                            assertNotNull(positions.persister().fault());
                            break;
                        }
                    }
                    assertThrows(JournalException.Poisoned.class, () -> append(appender, new byte[8]));
                })
                .begin()
                .join();
        assertThrows(JournalException.Poisoned.class, () -> appender.awaitPublished(Long.MAX_VALUE));
        appender.close();
        assertTrue(positions.close());
        assertFalse(journal.state().isClean());
        assertTrue(positions.run().isPoisoned());
        Acknowledged.Told told = acknowledged.now();
        Acknowledged.checkImage(journal, journal.medium().afterProcessCrash(), told);
        Acknowledged.checkImage(journal, journal.medium().afterPowerCut(), told);
    }

    /// Durable is not visible: a thread that is stopped before its fence holds up the publication of the one behind
    /// it, not its append; helping then publishes both.
    @Test
    void shouldPublishWhatIsBehindAStoppedThreadWhenThatGoesOn() {
        CountDownLatch stopped = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        HookedPersister.Hook hook = at -> {
            if (at == Step.DRAIN && Thread.currentThread().getName().equals("member-0") && stopped.getCount() > 0) {
                stopped.countDown();
                awaitLatch(goOn);
            }
        };
        Positions positions = journal.open(medium -> new HookedPersister(medium, hook), OVERWRITE);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        assertEquals(0, append(appender, new byte[8])); // the lease
        assertTrue(appender.awaitPublished(64));
        Team team = Team.of(1, thread -> assertEquals(64, append(appender, new byte[8])))
                .begin();
        awaitLatch(stopped);
        assertEquals(128, append(appender, new byte[8]));
        assertEquals(64, positions.run().published());
        assertFalse(appender.awaitPublished(192, 1_000_000));
        assertFalse(appender.awaitPublished(192, 0));
        assertFalse(appender.awaitPublished(192, Long.MIN_VALUE));
        assertTrue(appender.awaitPublished(64, 0));
        Thread.currentThread().interrupt();
        assertFalse(appender.awaitPublished(192));
        assertTrue(Thread.interrupted());
        assertTrue(appender.awaitPublished(64));
        goOn.countDown();
        assertTrue(appender.awaitPublished(192, Long.MAX_VALUE));
        team.join();
        appender.close();
        assertTrue(appender.awaitPublished(192));
        assertFalse(appender.awaitPublished(193), "nothing more will come");
        assertTrue(positions.close());
        assertFalse(appender.awaitPublished(64));
    }

    /// Threads outlive appenders: a pool's keep neither a closed one nor its buffers.
    @Test
    void shouldBeKeptByNoThreadOnceClosed() {
        Positions positions = journal.open(OVERWRITE);
        CountDownLatch over = new CountDownLatch(1);
        AtomicInteger appended = new AtomicInteger();
        AtomicReference<@Nullable ConcurrentAppender> appender =
                new AtomicReference<>(ConcurrentAppender.open(positions));
        WeakReference<@Nullable ConcurrentAppender> kept = new WeakReference<>(appender.get());
        Team team = Team.of(3, thread -> {
                    append(Objects.requireNonNull(appender.get()), new byte[8]);
                    appended.incrementAndGet();
                    awaitLatch(over);
                })
                .begin();
        Team.await("appends", () -> appended.get() == 3);
        ConcurrentAppender closed = Objects.requireNonNull(appender.getAndSet(null));
        closed.close();
        assertEquals(AppendResult.CLOSED, append(closed, new byte[8]), "this thread comes late");
        closed = null;
        Team.await("the closed appender is collected", () -> {
            System.gc();
            return kept.get() == null;
        });
        over.countDown();
        team.join();
        assertTrue(positions.close());
    }

    private static void awaitLatch(CountDownLatch latch) {
        Team.await("latch", () -> latch.getCount() == 0);
    }

    /// At any moment, whichever words of the threads under way are there: what was acknowledged is recovered, what is
    /// recovered was appended. Sampled.
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldRecoverWhatWasAcknowledgedFromAnyCrash(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Positions positions = journal.open(OVERWRITE);
        AtomicInteger images = new AtomicInteger();
        journal.medium().observe((medium, operation) -> {
            if (random.nextInt(12) == 0) {
                Acknowledged.Told told = acknowledged.now();
                Acknowledged.checkImage(journal, medium.afterProcessCrash(), told);
                medium.afterPowerCuts(4, 2, random, image -> {
                    images.incrementAndGet();
                    Acknowledged.checkImage(journal, image.afterProcessCrash(), told);
                });
            }
        });
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        Team.of(3, thread -> {
                    for (int number = 0; number < 120; number++) {
                        byte[] payload = Acknowledged.payload(thread, number, (number * 37) % 300);
                        acknowledged.add(append(appender, payload), payload);
                    }
                })
                .begin()
                .join();
        journal.medium().observe((medium, operation) -> {});
        assertTrue(images.get() > 100, () -> images + " images; seed " + seed);
        appender.close();
        assertTrue(positions.close());
        assertEquals(0, Acknowledged.check(journal.walk(), acknowledged.now()));
    }
}
