package io.fenceline.journal.recovery;

import io.fenceline.journal.DamagedRange;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import java.util.Objects;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Walks frames in order through a range of the log: dead or alive, whole or damaged.
///
///     while ((step = walk.next()) != END) switch (step) { FRAME: walk.frames()… DAMAGED: walk.damage()… }
///
/// Every byte of the range is accounted for by one step. What is not whole is read again before it is called damaged,
/// and it is not damage but OVERWRITTEN if the ring went past meanwhile. From a damaged place the walk goes on slot by
/// slot to the next frame that certifies, at the latest in the next segment, which begins with one.
///
/// One thread.
public final class FrameWalk {
    /// What the walk came upon.
    public enum Step {
        /// A whole frame: see [#frames] and [#verdict].
        FRAME,
        /// Bytes that were whole once, or a gap in the sequence: see [#damage].
        DAMAGED,
        /// The writer gave them up and reused their place, or cut the end of the log off, while the walk was on
        /// its way: [#stepStart] to [#stepEnd].
        OVERWRITTEN,
        /// Everything was walked.
        END
    }

    private static final int PAGE_LENGTH_BYTES = 4 << 10;

    /// How often a walk reads again: a hostile file must not make it do so at every slot.
    private static final int MAXIMUM_REFRESHES = 16;

    private final FrameReader frames;
    private final EntryCursor entries;
    private final Geometry geometry;
    private final StateRecord state;
    private final LongSupplier retained;
    private final long fileLengthBytes;
    private final long to;
    private final boolean orderly;

    private long position;
    private int minimumEpoch;
    private long expectedSequence;
    private boolean gapAllowed;
    private boolean pending;
    private boolean ended;
    private int refreshes;
    private long stepStart;
    private long stepEnd;
    private FrameVerdict verdict = FrameVerdict.EMPTY;
    private @Nullable DamagedRange damage;

    /// @param frames          reads the log
    /// @param geometry        of it
    /// @param state           the newest state record, read after `to` was known
    /// @param fileLengthBytes actual length of `journal.log`
    /// @param retained        tells how far the ring has been given up by now
    /// @param from            start of a frame
    /// @param to              end of a frame
    /// @param orderly         false where anything may lie, so that a gap in the sequence means nothing
    FrameWalk(
            FrameReader frames,
            Geometry geometry,
            StateRecord state,
            long fileLengthBytes,
            LongSupplier retained,
            long from,
            long to,
            boolean orderly) {
        this.frames = frames;
        this.entries = new EntryCursor(frames);
        this.geometry = geometry;
        this.state = state;
        this.fileLengthBytes = fileLengthBytes;
        this.retained = retained;
        this.to = to;
        this.orderly = orderly;
        this.position = from;
        this.expectedSequence = from == state.floor() ? state.floorSequence() : -1;
    }

    /// Goes on.
    public Step next() {
        if (pending) {
            pending = false;
            return frame();
        }
        if (position >= to) {
            return end();
        }
        verdict = judge();
        if (!verdict.isValid() && refreshes < MAXIMUM_REFRESHES) {
            refreshes++;
            frames.refresh();
            verdict = judge();
        }
        if (!verdict.isValid()) {
            return wentPast(position) ? overwritten() : damaged();
        }
        String problem = orderly ? sequenceProblem() : null;
        if (problem != null && wentPast(position)) {
            return overwritten();
        }
        if (problem != null) {
            pending = true;
            return damaged(position, position, FrameVerdict.BAD_SEQUENCE, problem);
        }
        return frame();
    }

    private Step frame() {
        stepStart = position;
        stepEnd = frames.nextPosition();
        minimumEpoch = frames.epoch();
        if (verdict == FrameVerdict.DATA) {
            long next = frames.sequence() + frames.entries();
            expectedSequence = next < 0 ? -1 : next;
            gapAllowed = false;
        } else {
            if (verdict != FrameVerdict.SKIPPABLE && frames.sequence() >= 0) {
                expectedSequence = frames.sequence();
            }
            gapAllowed = true;
        }
        position = stepEnd;
        return Step.FRAME;
    }

    /// Sequences are contiguous, but that one may be skipped where a PAD lies.
    private @Nullable String sequenceProblem() {
        if (expectedSequence < 0 || verdict == FrameVerdict.SKIPPABLE) {
            return null;
        }
        long actual = frames.sequence();
        if (actual == expectedSequence || (actual > expectedSequence && (gapAllowed || verdict != FrameVerdict.DATA))) {
            return null;
        }
        return "sequence " + actual + ", expected " + expectedSequence
                + (actual > expectedSequence ? ": entries are missing" : ": the sequence goes back");
    }

    private Step end() {
        boolean toFloor = orderly && !ended && to == state.floor() && position == to;
        ended = true;
        long floorSequence = state.floorSequence();
        boolean wrong = gapAllowed ? expectedSequence > floorSequence : expectedSequence != floorSequence;
        if (toFloor && expectedSequence >= 0 && wrong) {
            String text =
                    "the next sequence is " + expectedSequence + ", expected " + floorSequence + " by the state record";
            return damaged(to, to, FrameVerdict.BAD_SEQUENCE, text);
        }
        return Step.END;
    }

    private FrameVerdict judge() {
        int least = position >= state.epochStart() ? state.epoch() : minimumEpoch;
        FrameVerdict judged = frames.certify(position, least, state.epoch());
        if (judged.isValid() && frames.nextPosition() > to) {
            return FrameVerdict.BAD_LENGTH;
        }
        if (judged != FrameVerdict.DATA) {
            return judged;
        }
        try {
            entries.begin();
            return entries.fillsFrame() ? FrameVerdict.DATA : FrameVerdict.BAD_ENTRIES;
        } catch (JournalException.Io e) {
            return FrameVerdict.UNREADABLE;
        }
    }

    private boolean wentPast(long from) {
        return retained.getAsLong() > from;
    }

    private Step overwritten() {
        stepStart = position;
        stepEnd = Math.min(to, retained.getAsLong());
        position = stepEnd;
        gapAllowed = true;
        return Step.OVERWRITTEN;
    }

    /// From the first bad slot to the next frame, or to the end of the segment.
    private Step damaged() {
        long from = position;
        FrameVerdict first = verdict;
        String text = describe(first);
        long end = Math.min(to, geometry.segmentEnd(from));
        do {
            position = afterBad(verdict, end);
            if (position >= end) {
                break;
            }
            verdict = judge();
        } while (!verdict.isValid());
        position = Math.min(position, end);
        long stopped = position;
        if (wentPast(from)) {
            position = from;
            return overwritten();
        }
        gapAllowed = true;
        return damaged(from, stopped, first, text);
    }

    private long afterBad(FrameVerdict bad, long end) {
        if (bad == FrameVerdict.UNKNOWN || bad == FrameVerdict.BAD_ENTRIES) {
            return frames.nextPosition(); // its length is as its writer wrote it
        }
        if (bad == FrameVerdict.UNREADABLE) {
            return geometry.fileOffset(position) >= fileLengthBytes ? end : (position | (PAGE_LENGTH_BYTES - 1)) + 1;
        }
        return position + FrameDescriptor.SLOT_LENGTH_BYTES;
    }

    private String describe(FrameVerdict bad) {
        return switch (bad) {
            case BAD_LENGTH -> bad.text() + ": length " + frames.length();
            case BAD_POSITION -> bad.text() + ": position " + frames.framePosition();
            case BAD_EPOCH -> bad.text() + ": epoch " + frames.epoch();
            case BAD_CHECKSUM ->
                "%s: expected 0x%08x, actual 0x%08x"
                        .formatted(bad.text(), frames.checksum(), frames.computedChecksum());
            case UNKNOWN -> bad.text() + ": kind " + frames.kind() + ", flags " + frames.flags();
            default -> bad.text();
        };
    }

    private Step damaged(long from, long end, FrameVerdict bad, String text) {
        stepStart = from;
        stepEnd = end;
        damage = new DamagedRange(from, end, geometry.fileOffset(from), bad.name(), text);
        return Step.DAMAGED;
    }

    /// Whether the ring went past the frame of the last step by now: bytes of it that are read later may be others'.
    public boolean isOverwritten() {
        return wentPast(stepStart);
    }

    /// After FRAME, the accessors tell its header.
    public FrameReader frames() {
        return frames;
    }

    /// After FRAME: goes through its entries, once more after each [EntryCursor#begin].
    public EntryCursor entries() {
        return entries;
    }

    /// After FRAME: DATA, PAD, SEAL or SKIPPABLE.
    public FrameVerdict verdict() {
        return verdict;
    }

    /// After DAMAGED.
    public DamagedRange damage() {
        return Objects.requireNonNull(damage);
    }

    /// Where the last step begins.
    public long stepStart() {
        return stepStart;
    }

    /// Where the last step ends.
    public long stepEnd() {
        return stepEnd;
    }
}
