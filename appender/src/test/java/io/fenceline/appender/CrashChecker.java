package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.RecoveryReport.Verdict;
import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.FailedImage;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.persist.SimulatedMedium.Operation;
import io.fenceline.journal.positions.RunFile;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Stops the world before every operation on a simulated medium, looks at what a process crash and what a power
/// cut would leave there, recovers each such image with the product's code, and judges the result by DESIGN §8:
///
/// - at every operation: I5 what tailers are shown now is whole, and shared `retained` is never behind a record;
/// - at every store: I11 below the durable lease, I14 never into what is durably retained, I16 one content only, and
///   each mirror of the newest record does without the other;
/// - before repair: I10 the same image gives the same verdict, I13 no legal image is called corrupt, I17 bounded
///   reads and no write before the verdict;
/// - after recovery: I1–I8 by [History], I5 what tailers were shown is there, I11 of the record, I18 every byte
///   accounted for;
/// - recovery again: I9, also when it is cut at any of its operations, to a depth; I19 process crash, recovery,
///   then a power cut.
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

    /// What a crash may take of what was acknowledged.
    private enum Loss {
        NOTHING,
        /// A `PROCESS` journal after a power cut, unless it was closed before.
        UNLESS_CLOSED,
        /// The same, which is about to be opened after one.
        ANYTHING
    }

    private final SimulatedJournal journal;
    private final Superblock superblock;
    private final Geometry geometry;
    private final Durability level;
    private final History history;
    private RandomGenerator random;
    private final Budget budget;
    private final Map<Long, Integer> contents = new HashMap<>();
    private final Set<Long> states = new HashSet<>();
    private final Deque<String> trace = new ArrayDeque<>();
    private boolean opening;
    private long wholeFrom;
    private long crashPoints;
    private long images;
    private long nestedImages;
    private int nestedLeft;
    private long shownFrom;
    private List<LogWalk.Frame> shownFrames = List.of();

    CrashChecker(SimulatedJournal journal, Durability level, History history, RandomGenerator random, Budget budget) {
        this.journal = journal;
        this.superblock = journal.superblock();
        this.geometry = superblock.geometry();
        this.level = level;
        this.history = history;
        this.random = random;
        this.budget = budget;
    }

    /// The power was cut: until it [#isRecovered], a `PROCESS` journal may have lost what history tells.
    void powerWasCut() {
        opening = true;
    }

    /// The journal is open, and history is what was recovered. What lies before the position where it goes on may have
    /// been lost, if it is a `PROCESS` journal; not what comes now.
    void isRecovered() {
        if (opening && level == Durability.PROCESS) {
            wholeFrom = journal.state().epochStart();
        }
        opening = false;
    }

    /// Before it, a power cut may have taken something of a `PROCESS` journal.
    long wholeFrom() {
        return wholeFrom;
    }

    /// Where what is judged begins, of a log that begins there.
    private long judgedFrom(long retained) {
        return Math.max(retained, wholeFrom);
    }

    /// What is looked at from now on is chosen by that.
    void sampleBy(RandomGenerator random) {
        this.random = random;
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

    /// I5, without a crash: nothing is shown before it is durable.
    static void checkShownIsDurable(SimulatedJournal journal) {
        Geometry geometry = journal.superblock().geometry();
        long published = journal.run().published();
        for (long from = journal.run().retained(); from < published; ) {
            long to = Math.min(published, geometry.segmentEnd(from));
            long start = from;
            assertEquals(
                    0,
                    journal.medium().undecided(geometry.fileOffset(from), to - from),
                    () -> "I5: shown and not durable, in [" + start + ", " + to + ")");
            from = to;
        }
    }

    /// I5, of a tailer that looks now; what it is shown must be in whatever is recovered.
    private void checkShown(SimulatedMedium medium) {
        StateRecord state = SimulatedJournal.state(medium, superblock);
        long shown = Math.max(journal.shown(), state.retained());
        shownFrom = judgedFrom(state.retained());
        LogWalk walk = LogWalk.of(medium::read, superblock, shownFrom, Math.max(shownFrom, shown));
        shownFrames = walk.data();
        if (!opening || level != Durability.PROCESS) {
            assertTrue(
                    walk.invalidSlots().isEmpty(),
                    () -> "I5: a tailer is shown what is no frame at " + walk.invalidSlots() + ", before " + shown);
        }
        checkPositions(journal, state);
    }

    /// §3, of the shared words and the newest record that a process of this boot would find, durable or not.
    static void checkPositions(SimulatedJournal journal, StateRecord state) {
        RunFile run = journal.run();
        if (run.isCurrent(journal.superblock().journalId()) && !run.isCutting()) {
            long published = run.published();
            assertTrue(
                    run.retained() >= state.retained(),
                    () -> "I14: tailers are told that " + run.retained() + " is retained, the record is " + state);
            boolean opening = published < state.epochStart(); // the words are those of the last writer
            assertTrue(
                    opening || (run.retained() <= published && state.floor() <= published),
                    () -> "I11: published " + published + ", retained " + run.retained() + ", the record is " + state);
        }
    }

    private void checkShownRecovered(LogWalk walk) {
        int i = 0;
        List<LogWalk.Frame> data = walk.data().stream()
                .filter(frame -> frame.position() >= shownFrom)
                .toList();
        for (LogWalk.Frame frame : shownFrames) {
            if (frame.position() >= walk.from()) {
                LogWalk.Frame found = i < data.size() ? data.get(i) : null;
                assertTrue(
                        found != null && found.position() == frame.position() && found.sequence() == frame.sequence(),
                        () -> "I5: a tailer was shown " + frame + ", recovered was " + found);
                i++;
            }
        }
    }

    /// A line that rots leaves its mirror.
    private void checkMirrors(SimulatedMedium medium, StateRecord durable) {
        int mirror = random.nextInt(StateRecord.MIRRORS);
        SimulatedMedium rotten = medium.afterProcessCrash();
        rotten.overwrite(
                StateRecord.fileOffset(durable.version(), mirror), MemorySegment.ofArray(new byte[] {1, 2, 3}));
        assertEquals(durable, SimulatedJournal.state(rotten, superblock), "I13: the newest record has no mirror");
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
        if (FrameDescriptor.kind(frames, 0) == FrameDescriptor.KIND_DATA) {
            checkMirrors(medium, durable);
        }
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
        checkShown(medium);
        boolean process = level == Durability.PROCESS;
        Loss byCrash = process && opening ? Loss.ANYTHING : Loss.NOTHING;
        Loss byPowerCut = process ? opening ? Loss.ANYTHING : Loss.UNLESS_CLOSED : Loss.NOTHING;
        check(medium.afterProcessCrash(), byCrash, true);
        if (operation != null && operation.kind() == Kind.STORE && operation.lengthBytes() > 0) {
            long words = operation.lengthBytes() / Bytes.I64.byteSize();
            long done = random.nextLong(words) * Bytes.I64.byteSize();
            check(medium.afterProcessCrash(operation, done), byCrash, true);
        }
        medium.afterPowerCuts(budget.few, budget.samples, random, image -> check(image, byPowerCut, false));
    }

    /// Everything about the present moment, without an operation.
    void checkNow(SimulatedMedium medium) {
        checkImages(medium, null);
    }

    /// Tells what tailers are shown by the medium that an image is of; then [#judge].
    void look(SimulatedMedium medium) {
        checkShown(medium);
    }

    /// Recovers an image of a power cut, judges it, and, if nested, cuts its recovery wherever it can be cut.
    ///
    /// @return the entries that were recovered, in one number
    long judge(SimulatedMedium image, boolean nested) {
        images++;
        long signature = recoverImage(image, Loss.NOTHING, nested);
        if (nested) {
            nestedLeft = NESTED_IMAGES;
            recoverCut(image, Loss.NOTHING, false, signature, 1);
        }
        return signature;
    }

    private void check(SimulatedMedium image, Loss loss, boolean processCrash) {
        images++;
        boolean nested = random.nextInt(budget.nestedOneIn) == 0;
        long signature = recoverImage(image, loss, nested);
        if (nested) {
            nestedLeft = NESTED_IMAGES;
            recoverCut(image, loss, processCrash, signature, 1);
        }
    }

    private long recoverImage(SimulatedMedium image, Loss loss, boolean twice) {
        try {
            return recover(image.afterProcessCrash(), loss, null, twice);
        } catch (JournalException e) {
            throw FailedImage.of(image, new AssertionError("I13: refused: " + e.getMessage(), e));
        } catch (RuntimeException | Error e) {
            throw FailedImage.of(image, e);
        }
    }

    /// What failed, with the last operations, after leaving the image that was recovered then, as a journal that
    /// `fenceline dump` reads. If none was, what a power cut would leave of the medium now.
    ///
    /// @param found     what was thrown
    /// @param directory made if it is not there
    AssertionError failed(Throwable found, Path directory) {
        return new AssertionError(
                found.getMessage() + "\nat crash point " + crashPoints + "; last operations: "
                        + String.join(", ", trace) + "\n"
                        + FailedImage.leave(
                                found, journal.medium().afterPowerCut(), directory.resolve(JournalFiles.LOG)),
                found);
    }

    /// Recovers wholly, judging each step.
    ///
    /// @param medium   an image of its own
    /// @param observer of the operations of this recovery
    /// @param twice    whether to judge and to recover it a second time
    /// @return the entries in one number
    private long recover(
            SimulatedMedium medium, Loss loss, SimulatedMedium.@Nullable Observer observer, boolean twice) {
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
        boolean mayLose = loss == Loss.ANYTHING
                || (loss == Loss.UNLESS_CLOSED && !opening.head().state().isClean());
        long from = judgedFrom(walk.from());
        if (mayLose || from > walk.from()) {
            history.check(walk, true);
        }
        if (!mayLose) {
            LogWalk judged =
                    from == walk.from() ? walk : LogWalk.of(medium::read, superblock, from, Math.max(from, walk.to()));
            history.check(judged, false);
            checkAgainst(judged, report);
            checkShownRecovered(judged);
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
        new SimulatedJournal.Opening(medium, superblock).recover();
        StateRecord state = SimulatedJournal.state(medium, superblock);
        assertEquals(signature, LogWalk.of(medium::read, superblock, state).signature(), what);
    }

    /// Recovers the same image once more, and crashes before each of its operations.
    private void recoverCut(SimulatedMedium image, Loss loss, boolean processCrash, long signature, int depth) {
        SimulatedMedium medium = image.afterProcessCrash();
        int few = depth == 1 ? 4 : 2;
        Loss lossy = level == Durability.PROCESS ? Loss.ANYTHING : loss;
        SimulatedMedium.Observer cut = (cutMedium, operation) -> {
            if (nestedLeft <= 0 || (depth > 1 && random.nextInt(4) != 0)) {
                return;
            }
            cutAgain(cutMedium.afterProcessCrash(), loss, processCrash, signature, depth);
            if (processCrash) {
                // What was only visible may go now, if nobody was shown it: no comparison with the first
                // recovery.
                cutMedium.afterPowerCuts(few, 1, random, cutImage -> {
                    nestedImages++;
                    nestedLeft--;
                    long other = recoverImage(cutImage, lossy, false);
                    if (depth < budget.depth && random.nextInt(16) == 0) {
                        recoverCut(cutImage, lossy, false, other, depth + 1);
                    }
                });
            } else {
                cutMedium.afterPowerCuts(
                        few, 1, random, cutImage -> cutAgain(cutImage, lossy, false, signature, depth));
            }
        };
        recover(medium, loss, cut, false);
    }

    private void cutAgain(SimulatedMedium image, Loss loss, boolean processCrash, long signature, int depth) {
        nestedImages++;
        nestedLeft--;
        long again = recoverImage(image, loss, false);
        // A torn frame that nobody was shown may come back until its PAD is durable: the words that the two
        // share, position and sequence, may be the very ones that it lacked. History has judged that it is whole.
        boolean mayComeBack = level == Durability.MEMORY && history.underWay() != null;
        if (!mayComeBack) {
            FailedImage.check(image, () -> assertEquals(signature, again, () -> "I9: recovery cut " + depth + " deep"));
        }
        if (depth < budget.depth && random.nextInt(16) == 0) {
            recoverCut(image, loss, processCrash, signature, depth + 1);
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
