package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Gate;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.ReadersFile;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Relaxed appends beside durable ones: what a crash may take, and what it may not.
class RelaxedAppendTest {
    private static final long FOREVER_NS = Long.MAX_VALUE;
    private static final int ENTRY_LENGTH_BYTES = 8 + 24;

    private static final JournalConfig CONFIG =
            JournalConfig.defaults().withTimestampMode(TimestampMode.NONE).withFullPolicy(FullPolicy.OVERWRITE);

    private final SimulatedJournal journal = SimulatedJournal.create(Durability.DEVICE, Geometry.of(4096, 4));
    private final List<Throwable> errors = new CopyOnWriteArrayList<>();

    private GroupCommitAppender open(Positions positions, LossBound bound) {
        GroupCommitConfig config =
                GroupCommitConfig.DEFAULTS.withLaneLengthBytes(4096).withLossBound(bound);
        return GroupCommitAppender.open(positions, config, errors::add);
    }

    private static MemorySegment payload(int thread, long number) {
        return MemorySegment.ofArray(Acknowledged.payload(thread, number, 24));
    }

    /// Nobody is waited for; the next durable append takes all of them with it, in one frame under one drain.
    @Test
    void shouldBecomeDurableWithTheNextDurableAppend() {
        Positions positions = journal.open(CONFIG);
        try (GroupCommitAppender appender = open(positions, new LossBound(100, 1 << 20, FOREVER_NS))) {
            appender.append(payload(0, 0), 0);
            long drains = journal.medium().count(Kind.DRAIN);
            for (int i = 1; i <= 5; i++) {
                assertEquals(0, appender.appendRelaxed(payload(0, i), 0));
            }
            assertEquals(1, durableEntries(), "nothing is durable yet");
            assertTrue(appender.append(payload(0, 6), 0) >= 0);
            assertEquals(6, appender.lastSequence());
            assertEquals(7, durableEntries());
            assertEquals(drains + 1, journal.medium().count(Kind.DRAIN));
        }
        assertTrue(positions.close());
        assertTrue(errors.isEmpty());
    }

    /// Entries, bytes, time: each of the three bounds makes them durable with nobody asking; so do a flush and a
    /// close.
    @Test
    void shouldBecomeDurableWithinEachBound() {
        Positions positions = journal.open(CONFIG);
        List<LossBound> bounds = List.of(
                new LossBound(8, 1 << 20, FOREVER_NS),
                new LossBound(1000, 8 * ENTRY_LENGTH_BYTES, FOREVER_NS),
                new LossBound(1000, 1 << 20, 1_000_000));
        long entries = 0;
        for (LossBound bound : bounds) {
            try (GroupCommitAppender appender = open(positions, bound)) {
                for (int i = 0; i < 8; i += 2) {
                    assertEquals(0, appender.appendRelaxed(payload(0, entries++), 0));
                    byte[] buffer = Arrays.copyOf(Acknowledged.payload(0, entries++, 24), 30);
                    assertEquals(0, appender.appendRelaxed(new UnsafeBuffer(buffer), 0, 24, 7));
                }
                long expected = entries - 8 + 5; // more than half of the bound
                Team.await(bound + " makes durable", () -> durableEntries() >= expected);
            }
            assertEquals(entries, durableEntries(), "closed");
        }
        try (GroupCommitAppender appender = open(positions, new LossBound(100, 1 << 20, FOREVER_NS))) {
            appender.appendRelaxed(payload(0, entries++), 0);
            assertEquals(0, appender.flush());
            assertEquals(entries, durableEntries(), "flushed");
        }
        assertTrue(positions.close());
        List<byte[]> found = journal.walk().payloads();
        assertEquals(entries, found.size());
        for (int i = 0; i < entries; i++) {
            assertArrayEquals(Acknowledged.payload(0, i, 24), found.get(i));
        }
    }

    /// A buffer that cannot be read: nothing is accepted, and nothing owed for it, as often as it is tried.
    @Test
    void shouldOweNothingForABufferThatCannotBeRead() {
        Positions positions = journal.open(CONFIG);
        try (GroupCommitAppender appender = open(positions, new LossBound(2, 1 << 20, FOREVER_NS))) {
            UnsafeBuffer buffer = new UnsafeBuffer(new byte[8]);
            for (int i = 0; i < 5; i++) {
                assertThrows(IndexOutOfBoundsException.class, () -> appender.appendRelaxed(buffer, 4, 8, 0));
                assertThrows(IllegalArgumentException.class, () -> appender.appendRelaxed(buffer, 0, 1 << 20, 0));
            }
            assertEquals(0, appender.appendRelaxed(buffer, 0, 8, 0));
            assertEquals(0, appender.appendRelaxed(buffer, 0, 8, 0));
            assertEquals(0, appender.flush());
        }
        assertTrue(positions.close());
        assertEquals(2, journal.walk().payloads().size());
    }

    /// What was accepted and is not durable never exceeds the bound: counted against the medium before every drain.
    @Test
    void shouldNeverOweMoreThanTheBound() {
        AtomicLong accepted = new AtomicLong();
        AtomicLong most = new AtomicLong();
        int bound = 10;
        HookedPersister.Hook hook = step -> {
            if (step == Step.DRAIN && Thread.currentThread().getName().equals("fenceline-commit")) {
                // Producers go on while this thread is here.
                long before = accepted.get();
                for (int i = 0; i < 50 && accepted.get() - before < 2L * bound; i++) {
                    Thread.yield();
                }
                most.accumulateAndGet(accepted.get() - durableEntries(), Math::max);
            }
        };
        Positions positions = journal.open(medium -> new HookedPersister(medium, hook), CONFIG);
        try (GroupCommitAppender appender = open(positions, new LossBound(bound, 1 << 20, FOREVER_NS))) {
            Team.of(3, thread -> {
                        for (int i = 0; i < 60; i++) {
                            assertEquals(0, appender.appendRelaxed(payload(thread, i), 0));
                            accepted.incrementAndGet();
                        }
                    })
                    .begin()
                    .join();
        }
        assertTrue(positions.close());
        assertTrue(most.get() > bound / 2, "some were under way: " + most);
        assertTrue(most.get() <= bound, "accepted and not durable: " + most + " of " + bound);
        assertTrue(errors.isEmpty(), errors::toString);
    }

    /// The power goes at any moment: of each thread's entries a prefix is there, and it holds all before, and with,
    /// the last one that was acknowledged.
    @Test
    void shouldLoseASuffixOnlyAndNothingBeforeAnAcknowledgedEntry() {
        AtomicInteger[] acknowledged = {new AtomicInteger(-1), new AtomicInteger(-1), new AtomicInteger(-1)};
        List<SimulatedMedium> images = new ArrayList<>();
        List<int[]> promised = new ArrayList<>();
        journal.medium().observe((medium, operation) -> {
            if (operation.kind() == Kind.DRAIN && images.size() < 150) {
                promised.add(new int[] {acknowledged[0].get(), acknowledged[1].get(), acknowledged[2].get()});
                images.add(medium.afterPowerCut());
                promised.add(promised.getLast());
                images.add(medium.afterProcessCrash());
            }
        });
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.FAIL));
        try (GroupCommitAppender appender = open(positions, new LossBound(20, 1 << 20, 100_000))) {
            Team.of(3, thread -> {
                        for (int i = 0; i < 60; i++) {
                            if (i % 7 == thread) {
                                assertTrue(appender.append(payload(thread, i), 0) >= 0);
                                acknowledged[thread].set(i);
                            } else {
                                assertEquals(0, appender.appendRelaxed(payload(thread, i), 0));
                            }
                        }
                    })
                    .begin()
                    .join();
        }
        assertTrue(positions.close());
        assertTrue(images.size() > 20);
        for (int i = 0; i < images.size(); i++) {
            SimulatedMedium image = images.get(i);
            new SimulatedJournal.Opening(image, journal.superblock()).recover();
            int[] next = new int[3];
            LogWalk walk =
                    LogWalk.of(image::read, journal.superblock(), SimulatedJournal.state(image, journal.superblock()));
            for (byte[] payload : walk.payloads()) {
                MemorySegment bytes = MemorySegment.ofArray(payload);
                int thread = (int) bytes.get(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED, 0);
                long number = bytes.get(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED, 8);
                assertEquals(next[thread]++, number, "a gap in what thread " + thread + " appended");
            }
            for (int thread = 0; thread < 3; thread++) {
                assertTrue(next[thread] > promised.get(i)[thread], "acknowledged and not there");
            }
        }
    }

    /// A full journal: relaxed entries wait, first in line; a durable one behind them is told FULL, not put before
    /// them; with room both are there in order.
    @Test
    void shouldKeepRelaxedEntriesInFrontWhileTheJournalIsFull() {
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.FAIL));
        try (GroupCommitAppender appender = open(positions, new LossBound(8, 1 << 20, FOREVER_NS))) {
            long number = 0;
            while (appender.append(MemorySegment.ofArray(Acknowledged.payload(0, number, 900)), 0) >= 0) {
                number++;
            }
            while (appender.append(payload(0, number), 0) >= 0) {
                number++;
            }
            for (int i = 0; i < 8; i++) {
                assertEquals(0, appender.appendRelaxed(payload(1, i), 0));
            }
            for (int i = 0; i < 3; i++) {
                assertEquals(AppendResult.FULL, appender.append(payload(2, i), 0));
                assertEquals(AppendResult.FULL, appender.flush());
            }
            assertEquals(AppendResult.BACK_PRESSURED, appender.tryAppendRelaxed(payload(1, 8), 0), "the bound holds");
            positions.retain(positions.run().published());
            assertTrue(appender.append(payload(2, 3), 0) >= 0);
            List<byte[]> last = journal.walk().payloads().stream()
                    .filter(payload ->
                            MemorySegment.ofArray(payload).get(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED, 0)
                                    > 0)
                    .toList();
            assertEquals(9, last.size());
            for (int i = 0; i < 8; i++) {
                assertEquals(-1, payload(1, i).mismatch(MemorySegment.ofArray(last.get(i))));
            }
            assertEquals(-1, payload(2, 3).mismatch(MemorySegment.ofArray(last.get(8))));
        }
        assertTrue(positions.close());
        assertTrue(errors.isEmpty(), errors::toString);
    }

    /// What a close cannot append for want of room, or a fault has taken, is reported, once, with its number.
    @Test
    void shouldReportWhatItCouldNotAppend() {
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.FAIL));
        GroupCommitAppender full = open(positions, new LossBound(8, 1 << 20, FOREVER_NS));
        while (full.append(MemorySegment.ofArray(new byte[900]), 0) >= 0) {}
        while (full.append(payload(0, 0), 0) >= 0) {}
        full.appendRelaxed(payload(1, 0), 0);
        full.appendRelaxed(payload(1, 1), 0);
        full.close();
        assertEquals(1, errors.size(), errors::toString);
        assertTrue(String.valueOf(errors.getFirst().getMessage()).contains("2 relaxed entries"), errors::toString);
        assertEquals(AppendResult.CLOSED, full.appendRelaxed(payload(1, 2), 0));

        positions.retain(positions.run().published());
        errors.clear();
        GroupCommitAppender poisoned = open(positions, new LossBound(8, 1 << 20, FOREVER_NS));
        journal.medium().failAt(Kind.DRAIN, 1);
        for (int i = 0; i < 3; i++) {
            assertEquals(0, poisoned.appendRelaxed(payload(1, i), 0));
        }
        assertThrows(JournalException.Poisoned.class, poisoned::flush);
        assertThrows(JournalException.Poisoned.class, () -> poisoned.appendRelaxed(payload(1, 3), 0));
        assertThrows(JournalException.Poisoned.class, () -> poisoned.append(payload(1, 3), 0));
        poisoned.close();
        assertEquals(2, errors.size(), errors::toString);
        assertTrue(positions.close());
    }

    /// Who waits for the bound owns nothing: an interrupt ends it, a closing too.
    @Test
    void shouldEndTheWaitForTheBound() {
        AtomicBoolean stop = new AtomicBoolean(true);
        HookedPersister.Hook hook = step -> {
            if (step == Step.DRAIN && Thread.currentThread().getName().equals("fenceline-commit")) {
                Team.await("go on", () -> !stop.get());
            }
        };
        Positions positions = journal.open(medium -> new HookedPersister(medium, hook), CONFIG);
        GroupCommitAppender appender = open(positions, new LossBound(2, 1 << 20, FOREVER_NS));
        assertEquals(0, appender.appendRelaxed(payload(0, 0), 0));
        assertEquals(0, appender.appendRelaxed(payload(0, 1), 0));
        assertEquals(AppendResult.BACK_PRESSURED, appender.tryAppendRelaxed(payload(0, 2), 0));
        List<Long> results = new CopyOnWriteArrayList<>();
        Team team = Team.of(1, thread -> {
                    results.add(appender.appendRelaxed(payload(0, 2), 0));
                    assertTrue(Thread.interrupted());
                })
                .begin();
        Team.await("it waits", () -> team.isWaiting(1));
        team.interrupt();
        team.join();
        assertEquals(List.of(AppendResult.INTERRUPTED), results);
        stop.set(false);
        appender.close();
        assertTrue(positions.close());
        assertEquals(2, journal.state().floorSequence());
        assertFalse(positions.run().isPoisoned());
    }

    /// Goal: a gate that holds the ring is no reason to lose what was accepted, nor to let anything pass it.
    @Test
    void shouldKeepRelaxedEntriesInFrontWhileAGateHoldsTheRing(@TempDir Path directory) throws IOException {
        try (JournalFiles place = ReaderWorkload.place(directory.resolve("words"));
                ReadersFile readers = ReadersFile.open(
                        place.openReaders(), journal.superblock().journalId(), List::of)) {
            journal.readers(readers);
            Positions positions = journal.open(CONFIG);
            Gate gate = readers.registerEphemeral(0);
            try (GroupCommitAppender appender = open(positions, new LossBound(8, 1 << 20, FOREVER_NS))) {
                long number = 0;
                while (appender.append(payload(0, number), 0) >= 0) {
                    number++;
                }
                assertEquals(0, appender.appendRelaxed(payload(1, 0), 0));
                assertEquals(AppendResult.BACK_PRESSURED, appender.append(payload(1, 1), 0));
                assertEquals(AppendResult.BACK_PRESSURED, appender.flush());
                gate.free();
                assertTrue(appender.append(payload(1, 2), 0) >= 0);
                assertEquals(number + 1, appender.lastSequence());
            }
            assertTrue(positions.close());
            assertThatLast(payload(1, 0), payload(1, 2));
            assertTrue(errors.isEmpty(), errors::toString);
        }
    }

    private void assertThatLast(MemorySegment... expected) {
        List<byte[]> all = journal.walk().payloads();
        for (int i = 0; i < expected.length; i++) {
            byte[] found = all.get(all.size() - expected.length + i);
            assertEquals(-1, expected[i].mismatch(MemorySegment.ofArray(found)));
        }
    }

    /// Goal: what a close cannot append takes all behind it along, also what there would be room for.
    @Test
    void shouldAcknowledgeNothingBehindWhatACloseHasLost() {
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.BLOCK));
        GroupCommitAppender appender = open(positions, new LossBound(8, 1 << 20, 0));
        for (int i = 0; i < 4 * 4096 / 64 - 2; i++) {
            assertTrue(appender.append(payload(0, i).asSlice(0, 16), 0) >= 0);
        }
        List<Long> told = new CopyOnWriteArrayList<>();
        assertEquals(0, appender.appendRelaxed(MemorySegment.ofArray(new byte[900]), 0)); // goes to the next segment
        Team.await("it waits for room", RelaxedAppendTest::isWaitingForRoom);
        assertEquals(
                0, appender.appendAsync(payload(0, 1).asSlice(0, 16), 0, (position, sequence) -> told.add(position)));
        appender.close();
        assertEquals(List.of(AppendResult.CLOSED), told);
        assertEquals(1, errors.size(), errors::toString);
        assertTrue(positions.close());
        assertEquals(4 * 4096 / 64 - 2, journal.state().floorSequence());
    }

    static boolean isWaitingForRoom() {
        return Thread.getAllStackTraces().values().stream()
                .flatMap(Arrays::stream)
                .anyMatch(frame -> frame.getMethodName().equals("doAwaitRoom"));
    }

    /// Goal: who waits for the bound goes on when there is room again, however long entries may wait for others.
    @Test
    void shouldTryAgainWhenThereWasNoRoom() {
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.FAIL));
        try (GroupCommitAppender appender = open(positions, new LossBound(2, 1 << 20, FOREVER_NS))) {
            while (appender.append(payload(0, 0), 0) >= 0) {}
            assertEquals(0, appender.appendRelaxed(payload(1, 0), 0));
            assertEquals(0, appender.appendRelaxed(payload(1, 1), 0));
            assertEquals(AppendResult.FULL, appender.flush());
            Team team = Team.of(1, thread -> assertEquals(0, appender.appendRelaxed(payload(1, 2), 0)))
                    .begin();
            positions.retain(positions.run().published());
            team.join();
        }
        assertTrue(positions.close());
        assertThatLast(payload(1, 0), payload(1, 1), payload(1, 2));
        assertTrue(errors.isEmpty(), errors::toString);
    }

    /// Goal: the bound is kept by an encoder, too, that says another length each time it is asked.
    @Test
    void shouldAskAnEncoderOnceForTheLength() {
        Positions positions = journal.open(CONFIG);
        EntryEncoder<AtomicInteger> growing = new EntryEncoder<>() {
            @Override
            public int lengthBytes(AtomicInteger length) {
                return length.addAndGet(200);
            }

            @Override
            public void encode(AtomicInteger message, MemorySegment buffer, long offset, int lengthBytes) {}
        };
        try (GroupCommitAppender appender = open(positions, new LossBound(100, 300, FOREVER_NS))) {
            assertEquals(0, appender.appendRelaxed(new AtomicInteger(), growing));
            assertEquals(0, appender.flush());
            assertEquals(0, appender.appendRelaxed(payload(0, 0), 0));
            assertEquals(0, appender.flush());
        }
        assertTrue(positions.close());
        assertEquals(200, journal.walk().payloads().getFirst().length);
        assertTrue(errors.isEmpty(), errors::toString);
    }

    private long durableEntries() {
        SimulatedMedium image = journal.medium().afterPowerCut();
        return new SimulatedJournal.Opening(image, journal.superblock()).scan().nextSequence();
    }
}
