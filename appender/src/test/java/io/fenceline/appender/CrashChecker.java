package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.RecoveryReport.Verdict;
import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.persist.SimulatedMedium.Operation;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Stops the world before every operation on a simulated medium, looks at what a process crash and what a power
/// cut would leave there, recovers each such image with the product's code, and judges the result by DESIGN §8:
///
/// - at every store: I11 below the durable lease, I14 never into what is durably retained, I16 one content only;
/// - before repair: I10 the same image gives the same verdict, I13 no legal image is called corrupt, I17 bounded
/// reads
///   and no write before the verdict;
/// - after recovery: I1–I8 by [History], I11 of the record, I18 every byte accounted for;
/// - recovery again: I9, also when it is cut at any of its operations, to a depth; I19 process crash, recovery,
/// then
///   a power cut.
final class CrashChecker implements SimulatedMedium.Observer {
    private static final int TRACE_LENGTH = 24;

    /// An image that is cut inside its recovery yields about so many more.
    private static final int NESTED_IMAGES = 400;

    /// How much to look at.
    ///
    /// @param few         so many possibilities are all looked at
    /// @param samples     else so many are picked, of each pattern
    /// @param nestedOneIn one in so many images is also cut inside its recovery
    /// @param depth       recoveries inside recoveries
    record Budget(int few, int samples, int nestedOneIn, int depth) {}

    private final Superblock superblock;
    private final Geometry geometry;
    private final Durability level;
    private final History history;
    private final RandomGenerator random;
    private final Budget budget;
    private final Map<Long, Integer> contents = new HashMap<>();
    private final Set<Long> states = new HashSet<>();
    private final Deque<String> trace = new ArrayDeque<>();
    private long crashPoints;
    private long images;
    private long nestedImages;
    private int nestedLeft;

    CrashChecker(Superblock superblock, Durability level, History history, RandomGenerator random, Budget budget) {
        this.superblock = superblock;
        this.geometry = superblock.geometry();
        this.level = level;
        this.history = history;
        this.random = random;
        this.budget = budget;
    }

    @Override
    public void before(SimulatedMedium medium, Operation operation) {
        trace.add(operation.toString());
        if (trace.size() > TRACE_LENGTH) {
            trace.remove();
        }
        if (operation.kind() == Kind.STORE && operation.fileOffset() >= Geometry.HEAD_LENGTH_BYTES) {
            checkStore(medium, operation);
        }
        crashPoints++;
        checkImages(medium, operation);
    }

    /// The last operations, for messages.
    String trace() {
        return String.join(", ", trace);
    }

    private void checkStore(SimulatedMedium medium, Operation store) {
        MemorySegment frames = MemorySegment.ofAddress(store.sourceAddress()).reinterpret(store.lengthBytes());
        long first = FrameDescriptor.position(frames, 0);
        if (store.fileOffset() != geometry.fileOffset(first)) {
            return; // a part of a frame that goes through in chunks
        }
        StateRecord durable =
                SimulatedJournal.state(level == Durability.PROCESS ? medium : medium.afterPowerCut(), superblock);
        // A record that a failed store has torn may stay undecided: it is none.
        assertEquals(SimulatedJournal.state(medium, superblock), durable, "I11: a state record is not durable yet");
        for (long at = 0; at < store.lengthBytes(); ) {
            long position = first + at;
            assertEquals(position, FrameDescriptor.position(frames, at), "a run of frames is contiguous");
            long end = position + Math.max(store.lengthBytes() - at, FrameDescriptor.length(frames, at));
            assertTrue(end <= durable.lease(), () -> "I11: stores up to " + end + ", the durable record is " + durable);
            assertTrue(
                    end <= durable.retained() + geometry.capacityBytes(),
                    () -> "I14: stores up to " + end + " over what is durably retained: " + durable);
            if (FrameDescriptor.kind(frames, at) == FrameDescriptor.KIND_DATA) {
                long key = position ^ (long) FrameDescriptor.epoch(frames, at) << 40;
                Integer before = contents.putIfAbsent(key, FrameDescriptor.checksum(frames, at));
                assertTrue(
                        before == null || before == FrameDescriptor.checksum(frames, at),
                        () -> "I16: two contents at position " + position);
            }
            at += FrameDescriptor.slotAlignedLength(FrameDescriptor.length(frames, at));
        }
    }

    private void checkImages(SimulatedMedium medium, @Nullable Operation operation) {
        boolean mayLose = level == Durability.PROCESS;
        check(medium.afterProcessCrash(), mayLose && medium.isRebooted(), true);
        if (operation != null && operation.kind() == Kind.STORE && operation.lengthBytes() > 0) {
            long words = operation.lengthBytes() / Bytes.I64.byteSize();
            long done = random.nextLong(words) * Bytes.I64.byteSize();
            check(medium.afterProcessCrash(operation, done), mayLose && medium.isRebooted(), true);
        }
        medium.afterPowerCuts(budget.few, budget.samples, random, image -> check(image, mayLose, false));
    }

    /// Everything about the present moment, without an operation.
    void checkNow(SimulatedMedium medium) {
        checkImages(medium, null);
    }

    private void check(SimulatedMedium image, boolean mayLose, boolean processCrash) {
        images++;
        boolean nested = random.nextInt(budget.nestedOneIn) == 0;
        long signature = recover(image.afterProcessCrash(), mayLose, null, nested);
        if (nested) {
            nestedLeft = NESTED_IMAGES;
            recoverCut(image, mayLose, processCrash, signature, 1);
        }
    }

    /// Recovers wholly, judging each step.
    ///
    /// @param medium   an image of its own
    /// @param observer of the operations of this recovery
    /// @param twice    whether to judge and to recover it a second time
    /// @return the entries in one number
    private long recover(
            SimulatedMedium medium, boolean mayLose, SimulatedMedium.@Nullable Observer observer, boolean twice) {
        SimulatedJournal.Opening opening = new SimulatedJournal.Opening(medium, superblock);
        RecoveryReport report = opening.scan();
        if (twice) {
            assertEquals(judgement(report), judgement(new SimulatedJournal.Opening(medium, superblock).scan()), "I10");
        }
        checkReport(medium, report);
        if (observer != null) {
            medium.observe(observer);
        }
        opening.repair();
        opening.nextEpoch();
        medium.observe((m, operation) -> {});
        StateRecord state = SimulatedJournal.state(medium, superblock);
        checkRecord(state, report);
        LogWalk walk = LogWalk.of(medium::read, superblock, state);
        history.check(walk, mayLose);
        if (!mayLose) {
            checkAgainst(walk, report);
        }
        long signature = walk.signature();
        if (twice) {
            checkAgain(medium, signature);
        }
        states.add(signature ^ report.verdict().name().hashCode());
        return signature;
    }

    private static String judgement(RecoveryReport report) {
        return report.verdict() + " " + report.nextPosition() + " " + report.nextSequence() + " "
                + report.lastSequence() + " " + report.lastPosition() + " " + report.keptBytes();
    }

    private void checkReport(SimulatedMedium medium, RecoveryReport report) {
        assertEquals(0, medium.count(), "I17: wrote before its verdict");
        long window = report.lease() - report.floor();
        if (report.verdict() != Verdict.CLEAN) {
            assertEquals(window, report.keptBytes() + report.sealedBytes(), "I18: bytes kept and sealed");
        }
        // The window, what is just beyond it, read-ahead of a segment each, and the way back to the last entry.
        long bound = 2 * (window + geometry.capacityBytes()) + (128 << 10);
        assertTrue(report.scannedBytes() <= bound, () -> "I17: read " + report.scannedBytes() + " for " + window);
    }

    private void checkRecord(StateRecord state, RecoveryReport report) {
        assertEquals(report.lease(), state.lease(), "lease after recovery");
        assertEquals(state.lease(), state.floor(), "floor after recovery");
        assertEquals(state.lease(), state.epochStart(), "epochStart after recovery");
        assertEquals(report.nextSequence(), state.floorSequence(), "floorSequence after recovery");
        assertTrue(state.lease() <= state.retained() + geometry.capacityBytes(), "I11: lease beyond the ring");
    }

    private static void checkAgainst(LogWalk walk, RecoveryReport report) {
        LogWalk.Frame last = walk.data().isEmpty() ? null : walk.data().getLast();
        if (last != null) {
            assertEquals(last.position(), report.lastPosition(), "position of the last entry");
            assertEquals(last.sequence() + last.entries(), report.nextSequence(), "sequence of the next entry");
        }
    }

    /// I9 and I19: nothing changes any more, neither by another recovery nor by a power cut.
    private void checkAgain(SimulatedMedium medium, long signature) {
        recoverTo(medium.afterProcessCrash(), signature, "I9: recovered a second time");
        medium.afterPowerCuts(
                4, 2, random, image -> recoverTo(image, signature, "I19: power cut after a completed recovery"));
    }

    private void recoverTo(SimulatedMedium medium, long signature, String what) {
        nestedImages++;
        nestedLeft--;
        SimulatedJournal.Opening opening = new SimulatedJournal.Opening(medium, superblock);
        opening.scan();
        opening.repair();
        opening.nextEpoch();
        StateRecord state = SimulatedJournal.state(medium, superblock);
        assertEquals(signature, LogWalk.of(medium::read, superblock, state).signature(), what);
    }

    /// Recovers the same image once more, and crashes before each of its operations.
    private void recoverCut(SimulatedMedium image, boolean mayLose, boolean processCrash, long signature, int depth) {
        SimulatedMedium medium = image.afterProcessCrash();
        int few = depth == 1 ? 4 : 2;
        boolean lossy = mayLose || level == Durability.PROCESS;
        SimulatedMedium.Observer cut = (cutMedium, operation) -> {
            if (nestedLeft <= 0 || (depth > 1 && random.nextInt(4) != 0)) {
                return;
            }
            cutAgain(cutMedium.afterProcessCrash(), mayLose, processCrash, signature, depth);
            if (processCrash) {
                // What was only visible may go now, if nobody was shown it: no comparison with the first
                // recovery.
                cutMedium.afterPowerCuts(few, 1, random, cutImage -> {
                    nestedImages++;
                    nestedLeft--;
                    long other = recover(cutImage.afterProcessCrash(), lossy, null, false);
                    if (depth < budget.depth && random.nextInt(16) == 0) {
                        recoverCut(cutImage, lossy, false, other, depth + 1);
                    }
                });
            } else {
                cutMedium.afterPowerCuts(
                        few, 1, random, cutImage -> cutAgain(cutImage, lossy, false, signature, depth));
            }
        };
        recover(medium, mayLose, cut, false);
    }

    private void cutAgain(SimulatedMedium image, boolean mayLose, boolean processCrash, long signature, int depth) {
        nestedImages++;
        nestedLeft--;
        long again = recover(image.afterProcessCrash(), mayLose, null, false);
        // A torn frame that nobody was shown may come back until its PAD is durable: the words that the two
        // share, position and sequence, may be the very ones that it lacked. History has judged that it is whole.
        boolean mayComeBack = level == Durability.MEMORY && history.underWay() != null;
        if (!mayComeBack) {
            assertEquals(signature, again, () -> "I9: recovery cut " + depth + " deep");
        }
        if (depth < budget.depth && random.nextInt(16) == 0) {
            recoverCut(image, mayLose, processCrash, signature, depth + 1);
        }
    }

    long crashPoints() {
        return crashPoints;
    }

    long images() {
        return images + nestedImages;
    }

    int states() {
        return states.size();
    }
}
