package io.fenceline.tailer;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.recovery.FrameReader;

/// Finds where a tailer begins. There is no index: frames certify themselves, each segment begins with one, and
/// sequences grow, so that a sequence is found by a binary search that probes slots.
final class Seek {
    private static final long UNKNOWN = -1;

    /// Stretch that is walked frame by frame rather than halved again.
    private static final long WALK_LENGTH_BYTES = 64 << 10;

    /// How far a probe looks for a frame; longer frames are walked, there are few of them.
    private static final long PROBE_LENGTH_BYTES = 64 << 10;

    private final LogView view;
    private final Geometry geometry;
    private final FrameReader frames;

    /// Where to begin, the sequence of the first entry wanted (-1 if no frame tells it), and the generation of the
    /// log when that was found.
    record Place(long position, long sequence, long generation) {
        Place(long position, long sequence) {
            this(position, sequence, 0);
        }
    }

    Seek(LogView view) {
        this.view = view;
        this.geometry = view.superblock().geometry();
        this.frames = new FrameReader(view.reader(), view.superblock());
    }

    /// Finds the place again if the ring went past it meanwhile, or the log was cut.
    Place find(Start start) {
        while (true) {
            long generation = view.generation();
            long oldest = view.retained();
            long newest = view.published();
            frames.refresh();
            try {
                Place place = find(start, oldest, newest);
                if (view.retained() <= place.position() && view.isUnchanged(generation, place.position())) {
                    return new Place(place.position(), place.sequence(), generation);
                }
            } catch (JournalException | IllegalArgumentException e) {
                if (view.retained() == oldest && view.isUnchanged(generation, newest)) {
                    throw e;
                }
            }
        }
    }

    private Place find(Start start, long oldest, long newest) {
        return switch (start.kind()) {
            case OLDEST -> new Place(oldest, sequenceAt(oldest, oldest, newest));
            case NEWEST -> new Place(newest, sequenceAt(newest, oldest, newest));
            case POSITION -> findPosition(start.value(), oldest, newest);
            case SEQUENCE -> findSequence(start.value(), oldest, newest);
        };
    }

    private Place findPosition(long position, long oldest, long newest) {
        if (position < oldest || position > newest) {
            throw new IllegalArgumentException(
                    "position %d: %s; positions from %d (oldest retained) to %d (end of what is published) can be read"
                            .formatted(
                                    position,
                                    position < oldest
                                            ? "not retained any more, its place in the ring was given up"
                                            : "not written yet",
                                    oldest,
                                    newest));
        }
        boolean aligned = position % FrameDescriptor.SLOT_LENGTH_BYTES == 0;
        if (position < newest && !(aligned && certify(position).isValid())) {
            long before = frameBefore(position, oldest);
            throw new IllegalArgumentException("position " + position + ": no valid frame begins there"
                    + (before == UNKNOWN ? "" : "; the nearest one before it begins at position " + before)
                    + "; use a position that an append returned or an entry told");
        }
        return new Place(position, sequenceAt(position, oldest, newest));
    }

    private Place findSequence(long sequence, long oldest, long newest) {
        long first = sequenceAt(oldest, oldest, newest);
        long next = sequenceAt(newest, oldest, newest);
        if (sequence == next) {
            return new Place(newest, next);
        }
        if (sequence < first || (next != UNKNOWN && sequence > next) || oldest == newest) {
            throw new IllegalArgumentException(
                    "sequence %d: %s; expected one from %d (oldest retained) to %d (the next one to be written)"
                            .formatted(
                                    sequence,
                                    sequence < first ? "not retained any more" : "not written yet",
                                    first,
                                    next));
        }
        long low = bisectSlots(sequence, segmentOf(sequence, oldest, newest), newest);
        return walk(sequence, low, newest);
    }

    /// Where a cursor goes on, and whether the log was cut off behind its back.
    record Resumed(Place place, boolean isTruncated) {}

    /// Finds where a cursor goes on that has been committed. What the ring went past is left to the first poll.
    ///
    /// @param position     of the frame with the next entry, or where the next frame would be
    /// @param nextSequence of the next entry
    /// @param epoch        of the last entry before it
    Resumed resume(long position, long nextSequence, int epoch) {
        while (true) {
            long generation = view.generation();
            long oldest = view.retained();
            long newest = view.published();
            Resumed there = new Resumed(new Place(position, nextSequence, generation), false);
            frames.refresh();
            if (position < oldest
                    || position == newest
                    || (position > newest && !view.isEndCertain())
                    || (position < newest && goesOn(position, nextSequence, epoch))) {
                return there;
            }
            long behind = behindLastCommon(Math.min(position, newest), nextSequence, oldest);
            long sequence = sequenceAt(behind, oldest, newest);
            if (view.retained() <= behind && view.isUnchanged(generation, behind)) {
                return new Resumed(new Place(behind, sequence, generation), true);
            }
        }
    }

    /// Whether the frame at a position is what a cursor expects there. Behind a crash a sequence may be greater.
    private boolean goesOn(long position, long nextSequence, int epoch) {
        FrameVerdict verdict = certify(position);
        long end = frames.sequence() + (verdict == FrameVerdict.DATA ? frames.entries() - 1 : 0);
        return verdict.isValid() && end >= nextSequence && frames.epoch() >= epoch;
    }

    /// Behind the nearest frame with entries before a position that a cursor can have seen.
    private long behindLastCommon(long position, long nextSequence, long oldest) {
        long at = position;
        while (at > oldest) {
            long before = frameBefore(at, oldest);
            if (before == UNKNOWN) {
                return oldest;
            }
            if (certify(before) == FrameVerdict.DATA && frames.sequence() < nextSequence) {
                return Math.min(frames.nextPosition(), position);
            }
            at = before;
        }
        return oldest;
    }

    /// The last segment start, or the oldest frame, whose sequence is not greater.
    private long segmentOf(long sequence, long oldest, long newest) {
        long segmentLength = geometry.segmentLengthBytes();
        long low = 0;
        long high = (newest - 1 - oldest) / segmentLength; // retained is the start of a segment
        while (low < high) {
            long middle = (low + high + 1) >>> 1;
            long at = oldest + middle * segmentLength;
            requireValid(at, certify(at));
            if (frames.sequence() <= sequence) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return oldest + low * segmentLength;
    }

    /// Closes in on the frame of a sequence inside a segment: the result is the start of a frame with that
    /// sequence or a smaller one.
    private long bisectSlots(long sequence, long segmentStart, long newest) {
        long low = segmentStart;
        long high = Math.min(geometry.segmentEnd(segmentStart), newest);
        while (high - low > WALK_LENGTH_BYTES) {
            long middle = Bytes.align(low + (high - low) / 2, FrameDescriptor.SLOT_LENGTH_BYTES);
            long limit = Math.min(high, middle + PROBE_LENGTH_BYTES);
            long at = middle;
            while (at < limit && !certify(at).isValid()) {
                at += FrameDescriptor.SLOT_LENGTH_BYTES;
            }
            if (at < limit && frames.sequence() <= sequence) {
                low = at;
            } else if (at < limit || limit == high) {
                high = middle;
            } else {
                break;
            }
        }
        return low;
    }

    /// Goes from frame to frame until one holds the sequence, or begins behind it: then there is a gap.
    private Place walk(long sequence, long from, long newest) {
        long position = from;
        while (position < newest) {
            FrameVerdict verdict = certify(position);
            requireValid(position, verdict);
            if (verdict == FrameVerdict.DATA && frames.sequence() + frames.entries() > sequence) {
                return new Place(position, Math.max(sequence, frames.sequence()));
            }
            position = frames.nextPosition();
        }
        return new Place(newest, sequence);
    }

    /// Sequence of the first entry at or behind the start of a frame, as the frame there tells, or the one before
    /// it.
    private long sequenceAt(long position, long oldest, long newest) {
        if (position < newest) {
            return certify(position).isValid() ? frames.sequence() : UNKNOWN;
        }
        if (position == 0) {
            return 0;
        }
        long before = frameBefore(position, oldest);
        if (before == UNKNOWN) {
            return UNKNOWN;
        }
        boolean entries = certify(before) == FrameVerdict.DATA;
        return frames.nextPosition() == position ? frames.sequence() + (entries ? frames.entries() : 0) : UNKNOWN;
    }

    /// Start of the nearest frame before a position, -1 if there is none.
    private long frameBefore(long position, long oldest) {
        long last = (position - 1) & -FrameDescriptor.SLOT_LENGTH_BYTES;
        for (long at = last; at >= oldest; at -= FrameDescriptor.SLOT_LENGTH_BYTES) {
            if (certify(at).isValid()) {
                return at;
            }
        }
        return UNKNOWN;
    }

    private FrameVerdict certify(long position) {
        return frames.certify(position, 0, Integer.MAX_VALUE);
    }

    private void requireValid(long position, FrameVerdict verdict) {
        if (!verdict.isValid()) {
            throw new JournalException.Corrupt("%s, position %d (file offset %d): expected a valid frame, found %s"
                            .formatted(view.name(), position, geometry.fileOffset(position), verdict.text())
                    + "; `fenceline verify` tells how far the damage goes");
        }
    }
}
