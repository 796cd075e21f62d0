package io.fenceline.journal;

import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.LogView;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.UUID;

/// A segment of a journal that is published whole, so that nobody writes to it in this lap: frames without a gap,
/// from its start to its end, as `docs/FORMAT.md` says.
///
/// Threads: one.
public final class SealedSegment {
    private final LogView view;
    private final Geometry geometry;
    private final long generation;
    private final long start;

    /// @param view  of the journal
    /// @param start position of the segment
    /// @throws IllegalArgumentException if no segment begins there, or it is not published whole
    @SuppressWarnings("exports")
    public SealedSegment(LogView view, long start) {
        this.view = view;
        this.geometry = view.superblock().geometry();
        this.generation = view.generation();
        this.start = start;
        if (start < 0 || start != geometry.segmentStart(start) || end() > view.published()) {
            throw new IllegalArgumentException("segment at " + start + ": expected a multiple of "
                    + geometry.segmentLengthBytes() + ", a segment's length before published " + view.published());
        }
    }

    /// Identity of the journal.
    public UUID journalId() {
        return view.superblock().journalId();
    }

    /// Position of the first byte.
    public long start() {
        return start;
    }

    /// Position behind the last byte.
    public long end() {
        return start + geometry.segmentLengthBytes();
    }

    /// Copies bytes of the segment.
    ///
    /// @param offset      from the start of the segment
    /// @param destination native memory
    /// @throws IndexOutOfBoundsException if they lie outside
    /// @throws JournalException.Io       if the storage cannot give them
    public void read(long offset, MemorySegment destination, long destinationOffset, long lengthBytes) {
        if (offset < 0 || lengthBytes < 0 || offset > geometry.segmentLengthBytes() - lengthBytes) {
            throw new IndexOutOfBoundsException("bytes [" + offset + ", " + (offset + lengthBytes)
                    + "): expected them in [0, " + geometry.segmentLengthBytes() + ")");
        }
        view.reader().read(geometry.fileOffset(start) + offset, destination, destinationOffset, lengthBytes);
    }

    /// Whether all that was read so far was the segment: the ring did not go past it, and the end of the log was
    /// not cut off meanwhile.
    public boolean isIntact() {
        VarHandle.acquireFence();
        return view.isUnchanged(generation, end()) && view.retained() <= start;
    }
}
