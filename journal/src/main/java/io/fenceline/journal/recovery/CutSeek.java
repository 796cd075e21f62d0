package io.fenceline.journal.recovery;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.positions.Positions;

/// Finds the frame with which a cut of the log's end begins: by its position, or by the sequence of its first
/// entry. A frame is the unit: a batch is cut whole or not at all. One thread, and nobody appends meanwhile.
public final class CutSeek {
    private static final int SLOT = FrameDescriptor.SLOT_LENGTH_BYTES;

    private final Geometry geometry;
    private final FrameReader frames;

    public CutSeek(LogReader reader, Superblock superblock) {
        geometry = superblock.geometry();
        frames = new FrameReader(reader, superblock);
    }

    /// The frame at a position, or the end.
    ///
    /// @throws IllegalArgumentException if no frame begins there
    public Positions.Cut position(long position, long retained, long end, long nextSequence) {
        if (position < retained || position > end || position % SLOT != 0) {
            throw new IllegalArgumentException("truncate to position " + position + ": expected a multiple of " + SLOT
                    + " from " + retained + " (oldest retained) to " + end + " (end of what is published)");
        }
        if (position == end) {
            return new Positions.Cut(end, nextSequence);
        }
        FrameVerdict verdict = frames.certify(position, 0, Integer.MAX_VALUE);
        if (!verdict.isValid() || verdict == FrameVerdict.SKIPPABLE) {
            throw new IllegalArgumentException("truncate to position " + position + ": no frame begins there ("
                    + verdict.text() + "); use a position that an append returned, or an entry told");
        }
        return new Positions.Cut(position, frames.sequence());
    }

    /// The frame that begins with an entry, or the end.
    ///
    /// @throws IllegalArgumentException if the entry is not retained, not there, or in the middle of a batch
    public Positions.Cut sequence(long sequence, long retained, long end, long nextSequence) {
        if (sequence == nextSequence) {
            return new Positions.Cut(end, nextSequence);
        }
        long position = sequence < 0 || sequence > nextSequence ? end : lastSegmentBefore(sequence, retained, end);
        while (position < end) {
            FrameVerdict verdict = frames.certify(position, 0, Integer.MAX_VALUE);
            if (!verdict.isValid()) {
                throw new JournalException.Corrupt("position " + position + " (file offset "
                        + geometry.fileOffset(position) + "): expected a frame, found one that is " + verdict.text()
                        + "; nothing was changed; `fenceline verify` tells how far the damage goes");
            }
            if (verdict == FrameVerdict.DATA && frames.sequence() + frames.entries() > sequence) {
                break;
            }
            position = frames.nextPosition();
        }
        if (position >= end || frames.sequence() != sequence) {
            boolean inside = position < end && frames.sequence() < sequence;
            throw new IllegalArgumentException("truncate to sequence " + sequence + ": "
                    + (inside
                            ? "it lies inside the batch of sequences " + frames.sequence() + " to "
                                    + (frames.sequence() + frames.entries() - 1) + " at position " + position
                                    + ", which is cut whole or not at all"
                            : "there is no such entry")
                    + "; expected the first entry of a frame from position " + retained
                    + " on, or the next one to be written, " + nextSequence);
        }
        return new Positions.Cut(position, sequence);
    }

    /// The last segment that begins with this sequence or a smaller one, else the oldest: by halves.
    private long lastSegmentBefore(long sequence, long retained, long end) {
        long low = 0;
        long high = Math.max(0, end - 1 - retained) / geometry.segmentLengthBytes();
        while (low < high) {
            long middle = (low + high + 1) >>> 1;
            long at = retained + middle * geometry.segmentLengthBytes();
            // Damage is for the walk to find, not here.
            if (frames.certify(at, 0, Integer.MAX_VALUE).isValid() && frames.sequence() <= sequence) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return retained + low * geometry.segmentLengthBytes();
    }
}
