package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.Team;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// A result of an append means the same, whichever appender gave it.
class AppenderContractTest {
    private static final JournalConfig CONFIG = JournalConfig.defaults().withTimestampMode(TimestampMode.NONE);
    private static final MemorySegment PAYLOAD = MemorySegment.ofArray(new byte[300]);

    private static SimulatedJournal journal(Durability durability) {
        return SimulatedJournal.create(durability, Geometry.of(4096, 3));
    }

    /// Ways that tell of each entry. (A relaxed one that gets no room waits, and is told nothing.)
    static Stream<Arguments> everyWayThatTellsAtEveryLevel() {
        return everyWayAtEveryLevel().filter(arguments -> arguments.get()[0] != Way.GROUP_RELAXED);
    }

    /// All but one that waits for its commit.
    static Stream<Arguments> everyWayThatCanBeCalledBackAtEveryLevel() {
        return everyWayAtEveryLevel().filter(arguments -> arguments.get()[0] != Way.GROUP);
    }

    /// Somebody has come to where nothing goes on without room in the ring: the thread that appends, or the committing
    /// thread for it.
    private static void awaitWaitForRoom() {
        Team.await("somebody waits for room", RelaxedAppendTest::isWaitingForRoom);
    }

    /// A `ConcurrentAppender` has no `DEVICE`.
    static Stream<Arguments> everyWayAtEveryLevel() {
        return Arrays.stream(Way.values())
                .flatMap(way -> Arrays.stream(Durability.values())
                        .filter(durability -> way != Way.CONCURRENT || durability != Durability.DEVICE)
                        .map(durability -> Arguments.of(way, durability)));
    }

    /// One of them, as its users see it.
    private interface Appending extends AutoCloseable {
        long append(MemorySegment payload);

        @Override
        void close();
    }

    /// All of them.
    enum Way {
        EXCLUSIVE,
        CONCURRENT,
        GROUP,
        /// Its result is what the listener is told.
        GROUP_ASYNC,
        /// Waits where as much is under way as the bound allows, and that gets no room.
        GROUP_RELAXED;

        private Appending open(Positions positions) {
            if (this == EXCLUSIVE || this == CONCURRENT) {
                Appender appender =
                        this == EXCLUSIVE ? ExclusiveAppender.open(positions) : ConcurrentAppender.open(positions);
                return of(appender::append, appender::close);
            }
            GroupCommitConfig config =
                    GroupCommitConfig.DEFAULTS.withLaneLengthBytes(1024).withLossBound(new LossBound(3, 1 << 20, 0));
            GroupCommitAppender group = GroupCommitAppender.open(positions, config, error -> {});
            ToLongFunction<MemorySegment> append = switch (this) {
                case GROUP_ASYNC -> payload -> appendAsync(group, payload);
                case GROUP_RELAXED -> payload -> group.appendRelaxed(payload, 0);
                default -> payload -> group.append(payload, 0);
            };
            return of(append, group::close);
        }

        private static long appendAsync(GroupCommitAppender group, MemorySegment payload) {
            CompletableFuture<Long> told = new CompletableFuture<>();
            long accepted = group.appendAsync(payload, 0, (result, sequence) -> told.complete(result));
            long result = accepted == 0 ? told.orTimeout(60, TimeUnit.SECONDS).join() : accepted;
            if (result == AppendResult.POISONED) {
                throw new JournalException.Poisoned("the listener was told", new IllegalStateException());
            }
            return result;
        }

        private static Appending of(ToLongFunction<MemorySegment> append, Runnable close) {
            return new Appending() {
                @Override
                public long append(MemorySegment payload) {
                    return append.applyAsLong(payload);
                }

                @Override
                public void close() {
                    close.run();
                }
            };
        }
    }

    private long fill(Appending appender) {
        long appended = 0;
        long result;
        while ((result = appender.append(PAYLOAD)) >= 0) {
            appended++;
        }
        assertEquals(AppendResult.FULL, result);
        return appended;
    }

    /// FULL: nothing happened, however often; with room it goes on, with the next sequence.
    @ParameterizedTest
    @MethodSource("everyWayThatTellsAtEveryLevel")
    void shouldDoNothingWhenFull(Way way, Durability durability) {
        SimulatedJournal journal = journal(durability);
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.FAIL));
        long appended;
        try (Appending appender = way.open(positions)) {
            appended = fill(appender);
            long operations = journal.medium().count();
            long published = positions.run().published();
            for (int i = 0; i < 5; i++) {
                assertEquals(AppendResult.FULL, appender.append(PAYLOAD));
            }
            assertEquals(operations, journal.medium().count(), "something was written");
            assertEquals(published, positions.run().published());
            positions.retain(published);
            assertTrue(appender.append(PAYLOAD) >= published);
        }
        assertTrue(positions.close());
        assertEquals(appended + 1, journal.state().floorSequence());
    }

    /// FULL, too, when the time of BLOCK is over; and the append that waits gets the room that is made.
    @ParameterizedTest
    @MethodSource("everyWayThatTellsAtEveryLevel")
    void shouldWaitForRoomWithinTheTimeout(Way way, Durability durability) {
        SimulatedJournal journal = journal(durability);
        Positions positions =
                journal.open(CONFIG.withFullPolicy(FullPolicy.BLOCK).withBlockTimeoutNs(20_000_000));
        try (Appending appender = way.open(positions)) {
            fill(appender);
            assertEquals(AppendResult.FULL, appender.append(PAYLOAD));
        }
        assertTrue(positions.close());

        Positions again = journal.open(CONFIG.withFullPolicy(FullPolicy.BLOCK));
        try (Appending appender = way.open(again)) {
            List<Long> results = new CopyOnWriteArrayList<>();
            Team team = Team.of(1, thread -> {
                        for (int i = 0; i < 40; i++) {
                            results.add(appender.append(PAYLOAD));
                        }
                    })
                    .begin();
            while (results.size() < 40) {
                again.retain(again.run().published());
                Thread.yield();
            }
            team.join();
            assertTrue(results.stream().allMatch(result -> result >= 0));
        }
        assertTrue(again.close());
    }

    /// CLOSED ends the wait for room: the appender's own closing, and the journal's.
    @ParameterizedTest
    @MethodSource("everyWayAtEveryLevel")
    void shouldTellClosedToWhoWaitsForRoom(Way way, Durability durability) {
        SimulatedJournal journal = journal(durability);
        for (boolean journalFirst : new boolean[] {false, true}) {
            if (way == Way.EXCLUSIVE && !journalFirst) {
                continue; // one thread at a time: nobody can close it meanwhile
            }
            Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.BLOCK));
            Appending appender = way.open(positions);
            List<Long> results = new CopyOnWriteArrayList<>();
            Team team = Team.of(1, thread -> {
                        long result;
                        do {
                            result = appender.append(PAYLOAD);
                        } while (result >= 0);
                        results.add(result);
                    })
                    .begin();
            awaitWaitForRoom();
            Team.await("it waits", () -> team.isWaiting(1));
            if (journalFirst) {
                assertTrue(positions.close());
                team.join();
                appender.close();
            } else {
                appender.close();
                team.join();
            }
            assertEquals(List.of(AppendResult.CLOSED), results);
            assertEquals(AppendResult.CLOSED, appender.append(PAYLOAD));
            assertTrue(positions.close());
            assertTrue(journal.state().isClean());
        }
    }

    /// Poisoned is thrown, to who appends and to who waits for room, and nothing is written any more.
    @ParameterizedTest
    @MethodSource("everyWayAtEveryLevel")
    void shouldThrowPoisonedToEverybodyAfterAFault(Way way, Durability durability) {
        SimulatedJournal journal = journal(durability);
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.BLOCK));
        Appending appender = way.open(positions);
        Team team = Team.of(
                        1,
                        thread -> assertThrows(JournalException.Poisoned.class, () -> {
                            while (true) {
                                appender.append(PAYLOAD);
                            }
                        }))
                .begin();
        awaitWaitForRoom();
        Team.await("it waits", () -> team.isWaiting(1));
        positions.poison(new IllegalStateException("as if the storage had failed"));
        team.join();
        long operations = journal.medium().count();
        assertThrows(JournalException.Poisoned.class, () -> appender.append(PAYLOAD));
        appender.close();
        assertTrue(positions.close());
        assertEquals(operations, journal.medium().count());
    }

    /// The fault itself is an exception, and nothing after it is a result.
    @ParameterizedTest
    @MethodSource("everyWayAtEveryLevel")
    void shouldThrowTheFault(Way way, Durability durability) {
        SimulatedJournal journal = journal(durability);
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.OVERWRITE));
        Appending appender = way.open(positions);
        assertTrue(appender.append(PAYLOAD) >= 0);
        journal.medium().failAt(Kind.STORE, 1);
        assertThrows(JournalException.class, () -> {
            do {
                appender.append(PAYLOAD);
            } while (way == Way.GROUP_RELAXED); // told by one of the next
        });
        assertThrows(JournalException.Poisoned.class, () -> appender.append(PAYLOAD));
        appender.close();
        assertTrue(positions.close());
    }

    /// INTERRUPTED: the thread's own wait, with nothing owned, and its flag is kept; in a group the entry was not
    /// handed over, and the committing thread, which waits for room, is not interrupted.
    @ParameterizedTest
    @MethodSource("everyWayThatCanBeCalledBackAtEveryLevel")
    void shouldTellInterruptedToWhoWaitsWithNothingOwned(Way way, Durability durability) {
        SimulatedJournal journal = journal(durability);
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.BLOCK));
        AtomicLong accepted = new AtomicLong();
        AtomicLong told = new AtomicLong();
        try (Appending appender = way == Way.GROUP_ASYNC ? handingOver(positions, told) : way.open(positions)) {
            Team team = Team.of(1, thread -> {
                        long result;
                        while ((result = appender.append(PAYLOAD)) >= 0) {
                            accepted.incrementAndGet();
                        }
                        assertEquals(AppendResult.INTERRUPTED, result);
                        assertTrue(Thread.interrupted());
                    })
                    .begin();
            awaitWaitForRoom();
            Team.await("it waits", () -> team.isWaiting(1));
            team.interrupt();
            team.join();
            positions.retain(positions.run().published());
            Team.await("nobody waits any more", () -> !RelaxedAppendTest.isWaitingForRoom()); // a close ends waits
        }
        assertTrue(positions.close());
        assertEquals(accepted.get(), journal.state().floorSequence());
        assertEquals(way == Way.GROUP_ASYNC ? accepted.get() : 0, told.get());
    }

    /// Asynchronous, with a listener that counts what is durable.
    private static Appending handingOver(Positions positions, AtomicLong durable) {
        GroupCommitConfig config = GroupCommitConfig.DEFAULTS.withLaneLengthBytes(2048); // 6 entries
        GroupCommitAppender group = GroupCommitAppender.open(positions, config, error -> {});
        return Way.of(
                payload -> group.appendAsync(payload, 0, (result, sequence) -> {
                    if (result >= 0) {
                        durable.incrementAndGet();
                    }
                }),
                group::close);
    }

    /// A payload that is too large is the caller's mistake, and harms nobody.
    @ParameterizedTest
    @MethodSource("everyWayAtEveryLevel")
    void shouldRefuseWhatIsTooLarge(Way way, Durability durability) {
        SimulatedJournal journal = journal(durability);
        Positions positions = journal.open(CONFIG);
        try (Appending appender = way.open(positions)) {
            int maximum = positions.geometry().maximumPayloadLengthBytes();
            MemorySegment tooLarge = MemorySegment.ofArray(new byte[maximum + 1]);
            assertThrows(IllegalArgumentException.class, () -> appender.append(tooLarge));
            assertTrue(appender.append(tooLarge.asSlice(0, maximum)) >= 0);
        }
        assertTrue(positions.close());
    }

    /// The stage of a pipeline tells an event the same results, and throws; whatever the first of them was, it appends
    /// nothing more, so that what is in the journal stays a prefix.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldTellEventsOfAPipelineTheSame(Durability durability) {
        for (long expected : new long[] {AppendResult.FULL, AppendResult.CLOSED, AppendResult.POISONED}) {
            SimulatedJournal journal = journal(durability);
            Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.FAIL));
            List<Long> told = new ArrayList<>();
            try (JournalEventHandler<MemorySegment> handler = JournalEventHandler.open(
                    positions, COPY, (MemorySegment event, long result, long sequence) -> told.add(result))) {
                handler.onEvent(PAYLOAD, 0, true);
                if (expected == AppendResult.CLOSED) {
                    assertTrue(positions.close());
                } else if (expected == AppendResult.POISONED) {
                    positions.poison(new IllegalStateException("as if the storage had failed"));
                }
                assertThrows(JournalException.class, () -> {
                    while (true) {
                        handler.onEvent(PAYLOAD, 1, true);
                    }
                });
                assertEquals(expected, told.getLast());
                if (expected == AppendResult.FULL) {
                    positions.retain(positions.run().published());
                }
                assertThrows(JournalException.class, () -> handler.onEvent(PAYLOAD, 2, true));
                assertEquals(expected, told.getLast());
            }
            assertTrue(positions.close());
            long journaled = told.stream().filter(result -> result >= 0).count();
            assertEquals(journaled, positions.nextSequence());
        }
    }

    private static final EntryEncoder<MemorySegment> COPY = new EntryEncoder<>() {
        @Override
        public int lengthBytes(MemorySegment payload) {
            return (int) payload.byteSize();
        }

        @Override
        public void encode(MemorySegment payload, MemorySegment buffer, long offset, int lengthBytes) {
            MemorySegment.copy(payload, 0, buffer, offset, lengthBytes);
        }
    };
}
