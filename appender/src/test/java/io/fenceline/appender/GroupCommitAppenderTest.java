package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
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
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Group commit over a simulated medium: who is told what, and what is there then.
class GroupCommitAppenderTest {
    private static final JournalConfig FAIL = JournalConfig.defaults().withTimestampMode(TimestampMode.NONE);
    private static final GroupCommitConfig SMALL =
            GroupCommitConfig.DEFAULTS.withLaneLengthBytes(1024).withMaximumBatch(8);

    private final SimulatedJournal journal = SimulatedJournal.create(Durability.DEVICE, Geometry.of(4096, 4));
    private final List<Throwable> errors = new CopyOnWriteArrayList<>();
    private final List<Long> told = new CopyOnWriteArrayList<>();

    private GroupCommitAppender open(Positions positions) {
        return GroupCommitAppender.open(positions, SMALL, errors::add);
    }

    private static MemorySegment payload(int thread, int number, int length) {
        return MemorySegment.ofArray(Acknowledged.payload(thread, number, length));
    }

    private void listen(long result, long sequence) {
        assertEquals(result < 0, sequence < 0);
        told.add(result);
    }

    /// Each producer is told of its entry, and finds it there, in its frame, at its sequence.
    @Test
    void shouldTellEachProducerItsOwnPlace() {
        Positions positions = journal.open(FAIL.withFullPolicy(FullPolicy.OVERWRITE));
        List<long[]> places = new CopyOnWriteArrayList<>();
        try (GroupCommitAppender appender = open(positions)) {
            Team.of(4, thread -> {
                        for (int i = 0; i < 200; i++) {
                            long position = appender.append(payload(thread, i, i % 300), thread);
                            places.add(new long[] {appender.lastSequence(), position});
                        }
                    })
                    .begin()
                    .join();
            assertEquals(0, appender.flush());
        }
        assertTrue(positions.close());
        places.sort((a, b) -> Long.compare(a[0], b[0]));
        for (int i = 0; i < 800; i++) {
            assertEquals(i, places.get(i)[0], "no sequence twice, none missing");
            assertTrue(i == 0 || places.get(i)[1] >= places.get(i - 1)[1]);
        }
        LogWalk walk = journal.walk();
        assertTrue(walk.invalidSlots().isEmpty());
        for (LogWalk.Frame frame : walk.data()) {
            for (long at = frame.sequence(); at < frame.sequence() + frame.entries(); at++) {
                assertEquals(frame.position(), places.get((int) at)[1]);
            }
        }
        assertTrue(errors.isEmpty(), errors::toString);
    }

    /// Goal: closing waits for entries that are being encoded, so that an encoder that closed would wait for itself for
    /// ever; it is told so, the entry is not appended, and everything goes on.
    @Test
    void shouldRefuseToBeClosedByAnEncoder() {
        Positions positions = journal.open(FAIL);
        GroupCommitAppender appender = open(positions);
        EntryEncoder<String> closing = new EntryEncoder<>() {
            @Override
            public int lengthBytes(String message) {
                return 8;
            }

            @Override
            public void encode(String message, MemorySegment buffer, long offset, int lengthBytes) {
                appender.close();
            }
        };
        assertTimeoutPreemptively(
                Duration.ofSeconds(30),
                () -> assertThrows(IllegalStateException.class, () -> appender.append("x", closing)));
        assertTrue(appender.append(payload(0, 0, 20), 0) >= 0);
        appender.close();
        assertTrue(positions.close());
        assertEquals(1, journal.walk().payloads().size());
    }

    /// Goal: a fault outside a commit (no memory to gather an entry) leaves nothing to commit; a flush tells it all the
    /// same.
    @Test
    void shouldTellAFlushOfAFaultThatLeftNothingToCommit() {
        Positions positions = journal.open(FAIL);
        GroupCommitter committer = new GroupCommitter(
                ExclusiveAppender.open(positions),
                new Lanes(SMALL),
                SMALL,
                new RelaxedBudget(SMALL.lossBound(), 512),
                errors::add);
        committer.poison(new OutOfMemoryError("planted"));
        committer.flush(this::listen);
        committer.commitFlushed(1);
        assertEquals(List.of(AppendResult.POISONED), told);
    }

    /// The committing thread may not have begun when everything is over already.
    @Test
    void shouldTellEverybodyWhenClosedAtOnce() {
        Positions positions = journal.open(FAIL.withFullPolicy(FullPolicy.OVERWRITE));
        for (int i = 0; i < 200; i++) {
            told.clear();
            try (GroupCommitAppender appender = open(positions)) {
                for (int entry = 0; entry < 3; entry++) {
                    assertEquals(0, appender.appendAsync(payload(i, entry, 20), 0, this::listen));
                }
            }
            assertEquals(3, told.size(), "of opening " + i);
            assertTrue(told.stream().allMatch(result -> result >= 0), told::toString);
        }
        assertTrue(positions.close());
    }

    /// Entries that are larger than a cell, or than what is left of the frame, and a payload that cannot be read.
    @Test
    void shouldTakeTheSidePathForLargePayloadsAndRefuseUnreadableOnes() {
        Positions positions = journal.open(FAIL);
        int maximum = positions.geometry().maximumPayloadLengthBytes();
        MemorySegment gone;
        try (Arena arena = Arena.ofConfined()) {
            gone = arena.allocate(40);
        }
        List<byte[]> expected = new ArrayList<>();
        try (GroupCommitAppender appender = open(positions)) {
            for (int length : new int[] {0, 64, 65, maximum, 1, maximum}) {
                byte[] payload = new byte[length];
                java.util.Arrays.fill(payload, (byte) length);
                expected.add(payload);
                assertEquals(0, appender.appendAsync(MemorySegment.ofArray(payload), 1, this::listen));
                assertThrows(IllegalStateException.class, () -> appender.appendAsync(gone, 1, this::listen));
            }
            assertThrows(IllegalArgumentException.class, () -> appender.append(payload(0, 0, maximum + 1), 1));
            assertEquals(0, appender.flush());
            assertEquals(6, told.size());
        }
        assertTrue(positions.close());
        List<byte[]> actual = journal.walk().payloads();
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), actual.get(i));
        }
    }

    /// A full journal: the listeners of that batch are told FULL, once each; with room it goes on.
    @Test
    void shouldTellFullAndGoOn() {
        Positions positions = journal.open(FAIL);
        try (GroupCommitAppender appender = open(positions)) {
            long result;
            int appended = 0;
            do {
                result = appender.append(payload(0, appended, 300), 0);
                appended += result >= 0 ? 1 : 0;
            } while (result >= 0);
            assertEquals(AppendResult.FULL, result);
            assertEquals(0, appender.appendAsync(payload(0, 0, 300), 0, this::listen));
            assertEquals(AppendResult.FULL, appender.flush());
            assertEquals(List.of(AppendResult.FULL), told);
            CompletableFuture<Long> future = appender.appendFuture(payload(0, 0, 300), 0);
            Team.await("future", future::isDone);
            assertTrue(future.isCompletedExceptionally());
            positions.retain(positions.run().published());
            assertTrue(appender.append(payload(0, appended, 300), 0) >= 0);
            assertEquals(appended, appender.lastSequence());
        }
        assertTrue(positions.close());
    }

    /// Goal: an appender that cannot be opened does not keep the journal's one place.
    @Test
    void shouldNotKeepThePlaceWhenItCannotBeOpened() {
        Positions positions = journal.open(FAIL);
        GroupCommitConfig failing = SMALL.withWaitStrategy(() -> {
            throw new IllegalStateException("as if a strategy could not be made");
        });
        assertThrows(IllegalStateException.class, () -> GroupCommitAppender.open(positions, failing, errors::add));
        try (GroupCommitAppender appender = open(positions)) {
            assertTrue(appender.append(payload(0, 0, 20), 0) >= 0);
        }
        assertTrue(positions.close());
    }

    /// Goal: what a thread's last durable append was is not forgotten over a flush, a refusal, or other ways to append.
    @Test
    void shouldRememberTheLastSequenceOfEachThread() {
        Positions positions = journal.open(FAIL);
        try (GroupCommitAppender appender = open(positions)) {
            assertEquals(-1, appender.lastSequence());
            assertTrue(appender.append(payload(0, 0, 20), 0) >= 0);
            assertTrue(appender.append(payload(0, 1, 20), 0) >= 0);
            assertEquals(0, appender.appendAsync(payload(0, 2, 20), 0, this::listen));
            assertEquals(0, appender.flush());
            assertEquals(1, appender.lastSequence());
            assertEquals(AppendResult.CONFLICT, appender.expectSequence(77).append(payload(0, 3, 20), 0));
            assertEquals(1, appender.lastSequence());
        }
        assertTrue(positions.close());
    }

    /// Closing under load: whoever was accepted is told, once; what was told is there, and nothing else.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldTellEverybodyOnceWhenClosedUnderLoad(boolean journalFirst) {
        Positions positions = journal.open(FAIL.withFullPolicy(FullPolicy.OVERWRITE));
        GroupCommitAppender appender = open(positions);
        AtomicInteger accepted = new AtomicInteger();
        Team team = Team.of(4, thread -> {
                    for (int i = 0; ; i++) {
                        long result = thread % 2 == 0
                                ? appender.appendAsync(payload(thread, i, 50), 0, this::listen)
                                : appender.append(payload(thread, i, 50), 0);
                        if (result == AppendResult.CLOSED) {
                            break;
                        }
                        if (thread % 2 == 0) {
                            accepted.incrementAndGet();
                        }
                        assertTrue(result >= 0);
                        if (told.size() > 20_000) {
                            Thread.yield();
                        }
                    }
                })
                .begin();
        Team.await("appends", () -> told.size() > 100);
        if (journalFirst) {
            assertTrue(positions.close());
            Team.await("somebody is told of it", () -> told.contains(AppendResult.CLOSED));
        }
        // The asynchronous producers see no result of the journal's until the appender is closed, too.
        appender.close();
        team.join();
        assertEquals(accepted.get(), told.size());
        assertEquals(journalFirst, told.contains(AppendResult.CLOSED));
        assertEquals(AppendResult.CLOSED, appender.append(payload(0, 0, 10), 0));
        assertEquals(AppendResult.CLOSED, appender.tryAppendAsync(payload(0, 0, 10), 0, this::listen));
        assertEquals(AppendResult.CLOSED, appender.flush());
        assertEquals(accepted.get(), told.size());
        assertTrue(positions.close());
        assertTrue(journal.state().isClean());
        assertTrue(journal.walk().invalidSlots().isEmpty());
    }

    /// Closing does not wait for room that nobody makes.
    @Test
    void shouldCloseWhileTheJournalIsFull() {
        Positions positions = journal.open(FAIL.withFullPolicy(FullPolicy.BLOCK));
        GroupCommitAppender appender = open(positions);
        List<Long> last = new CopyOnWriteArrayList<>();
        Team team = Team.of(24, thread -> {
                    long result;
                    do {
                        result = appender.append(payload(thread, 0, 300), 0);
                    } while (result >= 0);
                    last.add(result);
                })
                .begin();
        Team.await("all producers wait", () -> team.isWaiting(24));
        appender.close();
        team.join();
        assertEquals(24, last.size());
        assertTrue(last.stream().allMatch(result -> result == AppendResult.CLOSED));
        assertTrue(positions.close());
        assertTrue(journal.state().isClean());
    }

    /// I15: an `fdatasync`, or a `pwrite`, that fails: from then on nobody is told a position, and everybody is
    /// told.
    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"DRAIN", "STORE"})
    void shouldAcknowledgeNothingAfterAFault(Kind kind) {
        Positions positions = journal.open(FAIL.withFullPolicy(FullPolicy.OVERWRITE));
        Acknowledged acknowledged = new Acknowledged();
        journal.medium().failAt(kind, 40);
        GroupCommitConfig single = SMALL.withMaximumBatch(1);
        try (GroupCommitAppender appender = GroupCommitAppender.open(positions, single, errors::add)) {
            Team.of(
                            4,
                            thread -> assertThrows(JournalException.Poisoned.class, () -> {
                                for (int i = 0; ; i++) {
                                    boolean faulty = journal.medium().fault() != null;
                                    byte[] payload = Acknowledged.payload(thread, i, i % 300);
                                    acknowledged.add(appender.append(MemorySegment.ofArray(payload), 0), payload);
                                    assertFalse(faulty, "acknowledged after the fault");
                                }
                            }))
                    .begin()
                    .join();
            assertEquals(0, appender.appendAsync(payload(0, 0, 10), 0, this::listen));
            assertThrows(JournalException.Poisoned.class, appender::flush);
            assertEquals(List.of(AppendResult.POISONED), told);
        }
        assertEquals(1, errors.size(), errors::toString);
        assertTrue(positions.close());
        assertTrue(acknowledged.size() > 20);
        Acknowledged.checkImage(journal, journal.medium().afterProcessCrash(), acknowledged.now());
        Acknowledged.checkImage(journal, journal.medium().afterPowerCut(), acknowledged.now());
    }

    /// A listener that throws, an error handler that throws, a listener that interrupts: the others are told.
    @Test
    void shouldTellTheOthersWhenAListenerFails() {
        Positions positions = journal.open(FAIL.withFullPolicy(FullPolicy.OVERWRITE));
        List<Throwable> reported = new CopyOnWriteArrayList<>();
        GroupCommitAppender appender = GroupCommitAppender.open(positions, SMALL, error -> {
            reported.add(error);
            throw new IllegalStateException("an error handler that fails");
        });
        for (int i = 0; i < 60; i++) {
            int way = i % 4;
            assertEquals(0, appender.appendAsync(payload(0, i, 50), 0, (result, sequence) -> {
                listen(result, sequence);
                switch (way) {
                    case 0 -> throw new IllegalStateException("a listener that fails");
                    case 1 -> throw new StackOverflowError("a listener that fails badly");
                    case 2 -> Thread.currentThread().interrupt();
                    default -> {}
                }
            }));
        }
        assertEquals(0, appender.flush());
        assertEquals(60, told.size());
        assertEquals(30, reported.size());
        assertTrue(told.stream().allMatch(result -> result >= 0));
        assertEquals(told, told.stream().sorted().toList(), "in the order of positions");
        appender.close();
        assertTrue(positions.close());
    }

    /// What gathers while a commit is under way is one frame under one drain; flush does not wait for more; a full
    /// lane is told to whoever does not want to wait.
    @Test
    void shouldCommitWhatHasGatheredAsOneFrame() {
        CountDownLatch stopped = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        HookedPersister.Hook hook = at -> {
            if (at == Step.DRAIN
                    && Thread.currentThread().getName().startsWith("fenceline-commit")
                    && stopped.getCount() > 0) {
                stopped.countDown();
                Team.await("go on", () -> goOn.getCount() == 0);
            }
        };
        Positions positions =
                journal.open(medium -> new HookedPersister(medium, hook), FAIL.withFullPolicy(FullPolicy.OVERWRITE));
        GroupCommitConfig config = SMALL.withMaximumBatch(100).withMaximumDelayNs(Long.MAX_VALUE);
        GroupCommitAppender appender = GroupCommitAppender.open(positions, config, errors::add);
        assertEquals(0, appender.appendAsync(payload(0, 0, 20), 0, this::listen));
        Team.await("the first commit", () -> stopped.getCount() == 0);
        int accepted = 0;
        while (appender.tryAppendAsync(payload(0, accepted + 1, 20), 0, this::listen) == 0) {
            accepted++;
        }
        assertTrue(accepted > 10);
        assertEquals(AppendResult.BACK_PRESSURED, appender.tryAppendAsync(payload(0, 99, 20), 0, this::listen));
        assertTrue(told.isEmpty());
        goOn.countDown();
        assertEquals(0, appender.flush());
        assertEquals(accepted + 1, told.size());
        appender.close();
        assertTrue(positions.close());
        assertEquals(
                List.of(1, accepted),
                journal.walk().data().stream().map(LogWalk.Frame::entries).toList());
    }

    /// A callback may not wait for the thread that it runs on.
    @Test
    void shouldRefuseToWaitOnTheCommittingThread() {
        Positions positions = journal.open(FAIL.withFullPolicy(FullPolicy.OVERWRITE));
        GroupCommitAppender appender = open(positions);
        appender.appendAsync(payload(0, 0, 20), 0, (result, sequence) -> appender.flush());
        appender.appendAsync(payload(0, 1, 20), 0, (result, sequence) -> appender.append(payload(0, 2, 9), 0));
        appender.appendAsync(payload(0, 3, 20), 0, (result, sequence) -> appender.close());
        assertEquals(0, appender.flush());
        assertEquals(3, errors.size());
        assertTrue(errors.stream().allMatch(IllegalStateException.class::isInstance), errors::toString);
        appender.close();
        assertTrue(positions.close());
        assertEquals(3, journal.state().floorSequence());
    }
}
