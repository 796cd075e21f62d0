package io.fenceline.journal.recovery;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;

/// Finds the last entry before a position by probing slots backwards: the nearest one that certifies as DATA. The salt
/// keeps the image of a frame inside a payload from certifying, and what recovery dropped has a PAD on every slot.
final class LastEntry {
    private final FrameReader frames;

    LastEntry(FrameReader frames) {
        this.frames = frames;
    }

    /// Position of the frame that holds the entry `sequence`, the last one before `end`; -1 if it is not retained or
    /// cannot be found.
    long find(long end, long retained, long sequence) {
        long slot = FrameDescriptor.SLOT_LENGTH_BYTES;
        for (long position = end - slot; position >= retained; position -= slot) {
            FrameVerdict verdict = frames.certify(position, 0, Integer.MAX_VALUE);
            if (verdict == FrameVerdict.DATA && frames.nextPosition() <= end) {
                return frames.sequence() + frames.entries() - 1 == sequence ? position : -1;
            }
        }
        return -1;
    }
}
