package io.fenceline.journal.recovery;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;

/// Finds the frame of the last entry before a position, below which everything is whole.
///
/// 1. From the hint, a frame that the last writer noted in `journal.run`, forwards by headers: a few reads, however
///    long the frame. The hint is believed only if a chain of headers leads from it to the position.
/// 2. Else backwards from slot to slot: the nearest one that certifies as DATA. The salt keeps the image of a frame
///    inside a payload from certifying, and what recovery dropped has a PAD on every slot.
/// 3. Where too much looks like a frame and is none, or the nearest one is not of the last entry, forwards through
///    whole segments, up to the nearest one with entries. (A power cut under `PROCESS` takes back what the lease was;
///    frames of the lost life that it did not take may then lie under a PAD, at their own positions.)
final class LastEntry {
    /// How many headers are followed from the hint.
    private static final int MAXIMUM_STEPS = 4096;

    /// How many slots may fail by their checksum on the way back.
    private static final int MAXIMUM_FAILURES = 16;

    private final FrameReader frames;
    private final Geometry geometry;
    private final long end;
    private final long retained;
    private final long sequence;

    /// @param end      a frame ends here, and all below is whole
    /// @param retained the oldest readable position
    /// @param sequence of the last entry before `end`, -1 if not known: then the nearest one counts
    LastEntry(FrameReader frames, Geometry geometry, long end, long retained, long sequence) {
        this.frames = frames;
        this.geometry = geometry;
        this.end = end;
        this.retained = retained;
        this.sequence = sequence;
    }

    /// The position; -1 if it is not retained or cannot be found.
    long find(long hint) {
        long position = followHint(hint);
        return position >= 0 ? position : searchBackwards();
    }

    private long followHint(long hint) {
        if (hint < retained || hint >= end || hint % FrameDescriptor.SLOT_LENGTH_BYTES != 0) {
            return -1;
        }
        long found = -1;
        long position = hint;
        for (int steps = 0; position < end && steps < MAXIMUM_STEPS; steps++) {
            if (frames.certifyHeader(position, 0, Integer.MAX_VALUE) != FrameVerdict.DATA) {
                return -1;
            }
            if (frames.kind() == FrameDescriptor.KIND_DATA) {
                found = holdsLast() ? position : -1;
            }
            position = frames.nextPosition();
        }
        return position == end ? found : -1;
    }

    private boolean holdsLast() {
        return sequence < 0 || frames.sequence() + frames.entries() - 1 == sequence;
    }

    private long searchBackwards() {
        int failures = 0;
        long slot = FrameDescriptor.SLOT_LENGTH_BYTES;
        for (long position = end - slot; position >= retained; position -= slot) {
            FrameVerdict verdict = frames.certify(position, 0, Integer.MAX_VALUE);
            if (verdict == FrameVerdict.DATA && frames.nextPosition() <= end) {
                return holdsLast() ? position : searchForwards(position);
            }
            if (verdict == FrameVerdict.BAD_CHECKSUM && ++failures > MAXIMUM_FAILURES) {
                return searchForwards(position);
            }
        }
        return -1;
    }

    /// Segment by segment, the nearest one first: each begins with a frame.
    private long searchForwards(long before) {
        for (long segment = geometry.segmentStart(before);
                segment >= retained;
                segment -= geometry.segmentLengthBytes()) {
            boolean hasEntries = false;
            long found = -1;
            long position = segment;
            long segmentEnd = Math.min(end, geometry.segmentEnd(segment));
            while (position < segmentEnd) {
                FrameVerdict verdict = frames.certify(position, 0, Integer.MAX_VALUE);
                if (verdict == FrameVerdict.DATA) {
                    hasEntries = true;
                    found = holdsLast() ? position : -1;
                }
                position = verdict.isValid() ? frames.nextPosition() : position + FrameDescriptor.SLOT_LENGTH_BYTES;
            }
            if (hasEntries) {
                return found;
            }
        }
        return -1;
    }
}
