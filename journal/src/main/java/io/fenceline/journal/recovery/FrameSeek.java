package io.fenceline.journal.recovery;

import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;

/// Finds a frame in a journal that is looked at from outside, damaged or not. Frames certify themselves, and every
/// segment begins with one: no index is needed.
public final class FrameSeek {
    private final Inspection inspection;
    private final Geometry geometry;
    private final FrameReader frames;

    public FrameSeek(Inspection inspection) {
        this.inspection = inspection;
        this.geometry = inspection.superblock().geometry();
        this.frames = inspection.newFrameReader();
    }

    /// The first frame that begins at or after a position, as far as bytes are whole; [Inspection#end] if none does.
    public long atOrAfter(long position) {
        long at = Bytes.align(Math.max(position, inspection.from()), FrameDescriptor.SLOT_LENGTH_BYTES);
        while (at < inspection.end() && !isFrame(at)) {
            at += FrameDescriptor.SLOT_LENGTH_BYTES;
        }
        return Math.min(at, inspection.end());
    }

    /// The frame that holds an entry, or the first one after it; [Inspection#end] if there is none.
    public long sequence(long sequence) {
        long start = lastSegmentBefore(sequence);
        long found = search(inspection.walk(start), sequence);
        if (found < 0) {
            found = search(inspection.walkUnrecovered(inspection.to()), sequence);
        }
        return found < 0 ? inspection.end() : found;
    }

    /// The start of a segment from which the entry can be reached by walking on: by halves, where segments begin whole.
    private long lastSegmentBefore(long sequence) {
        long length = geometry.segmentLengthBytes();
        long low = inspection.from();
        long high = geometry.segmentStart(Math.max(inspection.from(), inspection.to() - 1));
        while (low < high) {
            long middle = low + (((high - low) / length + 1) / 2) * length;
            long probe = middle;
            while (probe > low && !isFrame(probe)) {
                probe -= length;
            }
            if (probe > low && frames.sequence() > sequence) {
                high = probe - length;
            } else if (probe == low) {
                // Nothing whole between: what lies behind the middle cannot be ruled out either.
                if (middle == high || !isFrame(middle + length) || frames.sequence() > sequence) {
                    return low;
                }
                low = middle + length;
            } else {
                low = probe;
            }
        }
        return low;
    }

    private static long search(FrameWalk walk, long sequence) {
        for (FrameWalk.Step step = walk.next(); step != FrameWalk.Step.END; step = walk.next()) {
            if (step == FrameWalk.Step.FRAME
                    && walk.verdict() == FrameVerdict.DATA
                    && walk.frames().sequence() + walk.frames().entries() > sequence) {
                return walk.stepStart();
            }
        }
        return -1;
    }

    private boolean isFrame(long position) {
        return position < inspection.end()
                && frames.certify(position, 0, inspection.state().epoch()).isValid();
    }
}
