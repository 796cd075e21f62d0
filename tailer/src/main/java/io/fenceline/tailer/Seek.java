package io.fenceline.tailer;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.LogView;

/// Finds where a tailer begins. There is no index: frames certify themselves, each segment begins with one, and
/// sequences and (nearly) times grow, so that a place is found by a binary search that probes slots, and a short
/// walk.
///
/// A probe looks for the first frame at or behind a slot, over at most [#PROBE_LENGTH_BYTES]. It goes on over
/// frames that tell nothing: a PAD has no time. Where it finds none, it landed in a long frame (or in damage);
/// then some headers are walked from the last known frame on, and if that does not reach the place, the search
/// looks nearer to that frame. So a long frame costs a bounded scan and a few headers, not a pass through its
/// payload.
///
/// One thread.
final class Seek {
    private static final long UNKNOWN = Forwards.UNKNOWN;

    /// Stretch that is walked frame by frame rather than halved again.
    private static final long WALK_LENGTH_BYTES = 16 << 10;

    /// How far a probe looks for a frame.
    private static final long PROBE_LENGTH_BYTES = 256 << 10;

    /// Frames that are walked at once: as many as fit the stretch.
    private static final int MAXIMUM_HOPS = (int) (WALK_LENGTH_BYTES / FrameDescriptor.SLOT_LENGTH_BYTES) + 1;

    private final LogView view;
    private final Geometry geometry;
    private final Slots slots;

    /// Where to begin, the sequence of the first entry wanted (-1 if no frame tells it), and the generation of
    /// the log when that was found.
    ///
    /// @param insideOf sequence of the first entry of the frame there, if another one is wanted; else -1
    /// @param epoch    of that frame; or 0
    record Place(long position, long sequence, long insideOf, int epoch, long generation) {
        Place(long position, long sequence) {
            this(position, sequence, UNKNOWN, 0, 0);
        }

        Place at(long generation) {
            return new Place(position, sequence, insideOf, epoch, generation);
        }
    }

    /// What a frame tells about the place that is looked for.
    private enum Side {
        /// It lies at this frame or behind it.
        BEHIND,
        /// It lies before this frame.
        BEFORE,
        /// Nothing.
        SILENT,
        /// No frame was found that tells it.
        LOST
    }

    /// What is looked for.
    private interface Target {
        /// Of the frame that was judged last.
        Side side();

        /// Whether that frame is the one to begin at.
        boolean isReached();
    }

    Seek(LogView view) {
        this.view = view;
        this.geometry = view.superblock().geometry();
        this.slots = new Slots(view);
    }

    /// Slots looked at so far.
    long slotsRead() {
        return slots.slotsRead();
    }

    /// Finds the place again if the ring went past it meanwhile, or the log was cut.
    ///
    /// @throws IllegalArgumentException if there is no such place
    /// @throws IllegalStateException    if the journal is closed
    Place find(Start start) {
        while (true) {
            long generation = view.generation();
            long oldest = view.retained();
            long newest = view.published();
            try {
                Place place = find(start, oldest, newest);
                if (view.retained() <= place.position() && view.isUnchanged(generation, place.position())) {
                    return place.at(generation);
                }
            } catch (Slots.Overtaken e) {
                Thread.onSpinWait();
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
            case TIME -> findTime(start.value(), start.skewNs(), oldest, newest);
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
        if (position < newest && !(aligned && slots.certify(position).isValid())) {
            long before = frameBefore(position, oldest);
            throw new IllegalArgumentException("position " + position + ": no valid frame begins there"
                    + (before < 0 ? "" : "; the nearest one before it begins at position " + before)
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
        Target target = new Target() {
            @Override
            public Side side() {
                boolean tells = slots.kind() == FrameDescriptor.KIND_DATA || slots.kind() == FrameDescriptor.KIND_PAD;
                return !tells ? Side.SILENT : slots.sequence() <= sequence ? Side.BEHIND : Side.BEFORE;
            }

            @Override
            public boolean isReached() {
                return slots.kind() == FrameDescriptor.KIND_DATA && slots.sequence() + slots.entries() > sequence;
            }
        };
        Place place = walk(target, bisect(target, oldest, newest), newest);
        boolean inside = place.sequence() != UNKNOWN && place.sequence() < sequence;
        return inside
                ? new Place(place.position(), sequence, place.sequence(), slots.epoch(), 0)
                : new Place(place.position(), Math.max(sequence, place.sequence()));
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
            // With nothing before it, the first poll looks whether the log was reset to here.
            long known = position == oldest ? Forwards.NEVER : generation;
            Resumed there = new Resumed(new Place(position, nextSequence).at(known), false);
            try {
                if (position > newest && (LogView.isCutting(generation) || !view.isEndCertain())) {
                    return new Resumed(undecided(position, nextSequence, epoch), false);
                }
                if (position < oldest || (position == newest && !isCutAt(newest, oldest, nextSequence))) {
                    return there;
                }
                if (position < newest && goesOn(position, nextSequence, epoch)) {
                    long insideOf = slots.sequence() < nextSequence ? slots.sequence() : UNKNOWN;
                    return new Resumed(new Place(position, nextSequence, insideOf, epoch, known), false);
                }
                long behind = behindLastCommon(Math.min(position, newest), nextSequence, oldest);
                long sequence = sequenceAt(behind, oldest, newest);
                if (view.retained() <= behind && view.isUnchanged(generation, behind)) {
                    return new Resumed(new Place(behind, sequence).at(generation), true);
                }
            } catch (Slots.Overtaken e) {
                Thread.onSpinWait();
            }
        }
    }

    /// A place that is perhaps being cut off, or behind the end as far as it is known. Its writer may have died, and
    /// the next one may take the cut back, or find the end behind it: the poll that finds it decided tells.
    private Place undecided(long position, long nextSequence, int epoch) {
        boolean inside = goesOn(position, nextSequence, epoch) && slots.sequence() < nextSequence;
        return new Place(position, nextSequence, inside ? slots.sequence() : UNKNOWN, epoch, Forwards.NEVER);
    }

    /// Whether what was seen before the end of the log was cut off: a cut uses no position again, so that only the
    /// sequence tells.
    private boolean isCutAt(long newest, long oldest, long nextSequence) {
        long sequence = sequenceAt(newest, oldest, newest);
        return sequence != UNKNOWN && sequence < nextSequence;
    }

    /// Whether the frame at a position is what a cursor expects there. Behind a crash a sequence may be greater.
    /// It is less in the middle of a batch; but then the cursor has seen the entries before, and so the epoch of
    /// this frame: one of another epoch was written when the log was cut off, behind the cut.
    private boolean goesOn(long position, long nextSequence, int epoch) {
        FrameVerdict verdict = slots.certify(position);
        if (!verdict.isValid() || slots.epoch() < epoch) {
            return false;
        }
        boolean inside = verdict == FrameVerdict.DATA
                && slots.epoch() == epoch
                && slots.sequence() + slots.entries() > nextSequence;
        return slots.sequence() >= nextSequence || inside;
    }

    /// Behind the nearest frame with entries before a position that a cursor can have seen.
    private long behindLastCommon(long position, long nextSequence, long oldest) {
        long at = position;
        while (at > oldest) {
            long before = frameBefore(at, oldest);
            if (before >= 0 && slots.kind() == FrameDescriptor.KIND_DATA && slots.sequence() < nextSequence) {
                return Math.min(slots.next(), position);
            }
            at = before >= 0 ? before : geometry.segmentStart(at - 1);
        }
        return oldest;
    }

    private Place findTime(long timestampNs, long skewNs, long oldest, long newest) {
        long certainlyBefore = timestampNs < Long.MIN_VALUE + skewNs ? Long.MIN_VALUE : timestampNs - skewNs;
        Target target = new Target() {
            @Override
            public Side side() {
                boolean tells = slots.kind() == FrameDescriptor.KIND_DATA && slots.timestamp() != 0;
                return !tells ? Side.SILENT : slots.timestamp() < certainlyBefore ? Side.BEHIND : Side.BEFORE;
            }

            @Override
            public boolean isReached() {
                return slots.kind() == FrameDescriptor.KIND_DATA
                        && slots.timestamp() != 0
                        && slots.timestamp() >= timestampNs;
            }
        };
        Place place = walk(target, bisect(target, oldest, newest), newest);
        return place.position() == newest ? new Place(newest, sequenceAt(newest, oldest, newest)) : place;
    }

    /// The start of the last frame that is known to lie before the place, or of one shortly before that: the oldest
    /// frame if there is none.
    private long bisect(Target target, long oldest, long newest) {
        long low = oldest;
        long high = newest; // nothing from here on is wanted
        long reach = newest; // nothing from here on is worth a probe
        while (high - low > WALK_LENGTH_BYTES) {
            long middle = reach;
            if (reach - low > WALK_LENGTH_BYTES) {
                middle = middle(low, reach);
                Side side = probe(target, middle, reach, high);
                if (side == Side.BEHIND) {
                    low = probed;
                    reach = low < reach ? reach : high;
                } else if (side != Side.LOST) {
                    high = reach = middle;
                }
                if (side != Side.LOST) {
                    continue;
                }
            }
            long before = low;
            Side side = hop(target, low, middle, MAXIMUM_HOPS);
            if (side == Side.LOST && middle == reach && lastBehind <= before) {
                side = hop(target, low, middle, Integer.MAX_VALUE); // what a recovery sealed, slot by slot
            }
            low = Math.max(low, lastBehind);
            if (side == Side.BEHIND) {
                reach = high;
            } else if (side == Side.BEFORE || (middle == reach && low == before)) {
                return low; // nothing lies between; or nothing that can be found by halves
            } else {
                reach = middle;
            }
        }
        return low;
    }

    /// Halfway; where that is far, the start of a segment, which is the start of a frame, too.
    private long middle(long low, long high) {
        long segmentLength = geometry.segmentLengthBytes();
        long unit = high - low > 2 * segmentLength ? segmentLength : FrameDescriptor.SLOT_LENGTH_BYTES;
        return Bytes.align(low + (high - low) / 2, unit);
    }

    /// Start of the frame that the last probe came to.
    private long probed;

    /// Looks for the first frame from a slot on that tells something.
    ///
    /// @param reach no frame that begins here or behind is looked for
    /// @param high  frames that silent ones lead to are looked at up to here
    /// @return SILENT if there is none before `high`
    private Side probe(Target target, long middle, long reach, long high) {
        long limit = Math.min(reach, middle + PROBE_LENGTH_BYTES);
        long at = slots.first(middle, limit);
        for (int hops = 0; at != Slots.LOST && at < high && hops < MAXIMUM_HOPS; hops++) {
            if (at >= limit && hops == 0) {
                return limit == high ? Side.SILENT : Side.LOST;
            }
            Side side = target.side();
            if (side != Side.SILENT) {
                probed = at;
                return side;
            }
            at = slots.next();
            if (at < high && !slots.glance(at).isValid()) {
                return Side.LOST;
            }
        }
        return at >= high && at != Slots.LOST ? Side.SILENT : Side.LOST;
    }

    /// Start of the last frame that the last [#hop] found to be BEHIND, -1 if none.
    private long lastBehind;

    /// Goes from frame to frame, from the start of one to the first one that begins at or behind a position.
    ///
    /// @return what that one, or the first one that is BEFORE, tells; LOST if the limit or damage came first
    private Side hop(Target target, long from, long to, int limit) {
        lastBehind = -1;
        long at = from;
        long published = view.published();
        for (int hops = 0; hops <= limit; hops++) {
            if (at >= published || slots.header(at) != FrameVerdict.DATA) {
                return Side.LOST;
            }
            Side side = target.side();
            if (side == Side.BEFORE) {
                return side;
            }
            if (side == Side.BEHIND) {
                lastBehind = at;
                if (at >= to) {
                    return side;
                }
            }
            at = slots.next();
        }
        return Side.LOST;
    }

    /// Goes from frame to frame to the one to begin at. If that may be lost in damage, the place is the start of
    /// the damage.
    private Place walk(Target target, long from, long newest) {
        long position = from;
        while (position < newest) {
            if (slots.glance(position).isValid()) {
                if (target.isReached()) {
                    return new Place(position, slots.sequence());
                }
                position = slots.next();
            } else {
                long damaged = position;
                position = slots.first(position + FrameDescriptor.SLOT_LENGTH_BYTES, newest);
                if (position == Slots.LOST || position == newest || target.side() == Side.BEFORE) {
                    return new Place(damaged, UNKNOWN);
                }
            }
        }
        return new Place(newest, UNKNOWN);
    }

    /// Sequence of the first entry at or behind the start of a frame, as the frame there tells, or the one before
    /// it, or the state record where there is none.
    private long sequenceAt(long position, long oldest, long newest) {
        if (position < newest) {
            return slots.glance(position).isValid() ? slots.sequence() : UNKNOWN;
        }
        if (position == oldest) {
            return view.sequenceOfEmptyLog(position);
        }
        long before = frameBefore(position, oldest);
        if (before < 0 || slots.next() != position) {
            return UNKNOWN;
        }
        return slots.sequence() + (slots.kind() == FrameDescriptor.KIND_DATA ? slots.entries() : 0);
    }

    /// Start of the nearest frame before a position, in its segment, which was judged last; negative if there is
    /// none.
    private long frameBefore(long position, long oldest) {
        if (position <= oldest) {
            return UNKNOWN;
        }
        long from = Math.max(oldest, geometry.segmentStart(position - 1));
        return slots.last(from, Bytes.align(position, FrameDescriptor.SLOT_LENGTH_BYTES));
    }
}
