package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.HookedPersister.Step;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.Team;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a group commit costs the medium: DESIGN §5, seen in the operations on a simulated one.
class GroupCommitRulesTest {
    private static final JournalConfig CONFIG =
            JournalConfig.defaults().withTimestampMode(TimestampMode.NONE).withFullPolicy(FullPolicy.OVERWRITE);
    private static final int ROUNDS = 8;
    private static final int PER_ROUND = 20;

    /// Goal: what has gathered while a commit was under way is one frame, one sweep of stores (at `DEVICE` one
    /// `pwrite`) and one drain, which is the fence or the `fdatasync`; no line of it is stored twice, and no
    /// drain is needless.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldStoreOnceAndDrainOncePerBatch(Durability level) {
        SimulatedJournal journal = SimulatedJournal.create(level, Geometry.of(1 << 20, 2));
        SimulatedMedium medium = journal.medium();
        Semaphore stopped = new Semaphore(0);
        Semaphore goOn = new Semaphore(0);
        AtomicBoolean stored = new AtomicBoolean(); // into the ring: not a record
        HookedPersister.Hook hook = at -> {
            if (at == Step.STORE) {
                stored.set(true);
            } else if (at == Step.DRAIN && stored.getAndSet(false)) {
                stopped.release();
                goOn.acquireUninterruptibly();
            }
        };
        Positions positions = journal.open(inner -> new HookedPersister(inner, hook), CONFIG);
        List<Throwable> errors = new CopyOnWriteArrayList<>();
        List<Long> told = new CopyOnWriteArrayList<>();
        GroupCommitConfig config =
                GroupCommitConfig.DEFAULTS.withMaximumBatch(PER_ROUND).withMaximumDelayNs(Long.MAX_VALUE);
        GroupCommitAppender appender = GroupCommitAppender.open(positions, config, errors::add);
        long needless = medium.needlessDrains();
        append(appender, 1, told); // its commit stands before its drain while the next batch gathers
        Team.await("the first commit", () -> stopped.tryAcquire());
        for (int round = 0; round < ROUNDS; round++) {
            append(appender, PER_ROUND, told);
            long stores = medium.count(Kind.STORE);
            long drains = medium.count(Kind.DRAIN);
            int lines = medium.linesStored();
            goOn.release();
            Team.await("the next commit", () -> stopped.tryAcquire()); // its stores are done, its drain is not
            assertEquals(1, medium.count(Kind.DRAIN) - drains, "drains: of the batch before");
            assertEquals(1, medium.count(Kind.STORE) - stores, "stores of a batch");
            int frameLength = FrameDescriptor.HEADER_LENGTH_BYTES + PER_ROUND * FrameDescriptor.entryLength(20);
            assertEquals(FrameDescriptor.slotAlignedLength(frameLength) / 64, medium.linesStored() - lines);
        }
        goOn.release(1000);
        assertEquals(0, appender.flush());
        assertEquals(1 + ROUNDS * PER_ROUND, told.size());
        for (long at = 0; at < positions.run().published(); at += FrameDescriptor.SLOT_LENGTH_BYTES) {
            long position = at;
            assertEquals(
                    1,
                    medium.stores(journal.superblock().geometry().fileOffset(at)),
                    () -> "stores of the line at " + position);
        }
        assertEquals(needless, medium.needlessDrains());
        appender.close();
        assertTrue(positions.close());
        assertEquals(
                ROUNDS,
                journal.walk().data().stream()
                        .map(LogWalk.Frame::entries)
                        .filter(n -> n == PER_ROUND)
                        .count());
        assertTrue(errors.isEmpty(), errors::toString);
    }

    private static void append(GroupCommitAppender appender, int entries, List<Long> told) {
        for (int i = 0; i < entries; i++) {
            assertEquals(
                    0,
                    appender.appendAsync(
                            MemorySegment.ofArray(new byte[20]), 0, (result, sequence) -> told.add(result)));
        }
    }
}
