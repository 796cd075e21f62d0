package io.fenceline.tailer;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.LogView;
import java.lang.foreign.MemorySegment;

/// Says what is wrong with a published frame.
final class Refusal {
    private static final String ADVICE =
            "; `fenceline verify` tells how far the damage goes; restore the file from a copy, or open a tailer behind"
                    + " it";

    private Refusal() {}

    /// @param bytes            begin with the first slot of what is no valid frame
    /// @param minimumEpoch     of the frames before it
    /// @param computedChecksum of the frame, if the verdict is about that
    /// @return [JournalException.Corrupt], or [JournalException.Unsupported]
    static JournalException of(
            FrameVerdict verdict,
            MemorySegment bytes,
            LogView view,
            long position,
            int minimumEpoch,
            int computedChecksum) {
        int length = FrameDescriptor.length(bytes, 0);
        int entries = FrameDescriptor.entries(bytes, 0);
        if (verdict == FrameVerdict.UNKNOWN) {
            return new JournalException.Unsupported(
                    "%sa valid frame of kind %d with flags 0x%x, which this version does"
                                    .formatted(
                                            where(view, position),
                                            FrameDescriptor.kind(bytes, 0),
                                            FrameDescriptor.flags(bytes, 0))
                            + " not know; use a newer Fenceline");
        }
        Geometry geometry = view.superblock().geometry();
        String what = switch (verdict) {
            case EMPTY -> "expected a frame, found an empty slot";
            case BAD_LENGTH ->
                "expected a frame of at most %d bytes that ends before position %d, found a length of %d bytes"
                        .formatted(
                                geometry.maximumFrameLengthBytes(),
                                Math.min(geometry.segmentEnd(position), view.published()),
                                length);
            case BAD_POSITION ->
                "expected a frame with this position, found one with position " + FrameDescriptor.position(bytes, 0);
            case BAD_EPOCH ->
                "expected a frame of epoch %d or greater, found epoch %d"
                        .formatted(minimumEpoch, FrameDescriptor.epoch(bytes, 0));
            case BAD_CHECKSUM ->
                "expected checksum 0x%08x over %d bytes, found 0x%08x"
                        .formatted(computedChecksum, length, FrameDescriptor.checksum(bytes, 0));
            case BAD_ENTRIES ->
                "expected one entry or more that fill a frame of %d bytes, found %d that do not"
                        .formatted(length, entries);
            default -> verdict.text();
        };
        return new JournalException.Corrupt(where(view, position) + what + ADVICE);
    }

    /// A frame whose sequence goes back.
    static JournalException ofSequence(LogView view, long position, long sequence, long nextSequence) {
        return new JournalException.Corrupt(where(view, position) + "expected a frame with sequence " + nextSequence
                + " or greater, found sequence " + sequence + ADVICE);
    }

    /// A range that is no frames, met from behind.
    static JournalException.Corrupt ofRange(LogView view, long from, long to, FrameVerdict found) {
        return new JournalException.Corrupt(where(view, from) + "expected frames that end at position " + to
                + ", found a frame that is not valid: " + found.text() + ADVICE);
    }

    private static String where(LogView view, long position) {
        return view.name() + ", position " + position + " (file offset "
                + view.superblock().geometry().fileOffset(position) + "): ";
    }
}
