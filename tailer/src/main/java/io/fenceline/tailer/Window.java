package io.fenceline.tailer;

import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.LogView;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Private copy of a stretch of the stream. What is copied stays whole whatever the writer does:
///
/// 1. copy [position, end) of the mapping, all of it published, none of it beyond the end of the segment;
/// 2. acquire fence;
/// 3. re-read `retained`: if it has passed the position, the bytes may be those of another lap, and the copy is
/// void;
/// 4. re-read the generation: if it is another one, the end of the log was cut off, and the copy is void, too.
///
/// That suffices because the writer stores `retained`, with a full fence behind it, before it stores into what it
/// gives up, and the generation before it stores into what it cuts. One thread.
final class Window {
    /// Bytes were copied.
    static final int COPIED = 1;

    /// Nothing is published beyond the position.
    static final int EMPTY = 0;

    /// The ring went past the position.
    static final int OVERRUN = -1;

    /// The journal is closed.
    static final int CLOSED = -2;

    /// The generation is another one.
    static final int CHANGED = -4;

    /// Copied at once if frames are short: it stays in the first-level cache until it has been read. Measured for
    /// frames of 128 bytes, with prefetching (`docs/adr/0004`): 4 and 8 KiB are alike, 16 KiB cost 2 ns per frame
    /// more.
    private static final int LENGTH_BYTES = 8 << 10;

    /// Long frames are copied several at once, up to so many bytes.
    private static final int MAXIMUM_LENGTH_BYTES = 64 << 10;

    private static final int FRAMES_AT_ONCE = 8;

    /// A copy is one leaf call, during which no safepoint is possible: bounded.
    private static final int CHUNK_LENGTH_BYTES = 1 << 20;

    private final LogView view;
    private final Geometry geometry;
    private final @Nullable LongSupplier until;
    private long bound = Long.MAX_VALUE;
    private ByteBuffer buffer;
    private MemorySegment bytes;
    private int usualLength = LENGTH_BYTES;
    private long ahead;

    /// @param until nothing from this position on is copied; null: only `published` ends it
    Window(LogView view, @Nullable LongSupplier until) {
        this.view = view;
        this.until = until;
        this.geometry = view.superblock().geometry();
        this.buffer = allocate(LENGTH_BYTES);
        this.bytes = MemorySegment.ofBuffer(buffer);
    }

    private static ByteBuffer allocate(int lengthBytes) {
        return ByteBuffer.allocateDirect(lengthBytes + FrameDescriptor.SLOT_LENGTH_BYTES)
                .alignedSlice(FrameDescriptor.SLOT_LENGTH_BYTES);
    }

    /// The copied bytes, for checksums; changes when a longer frame was copied.
    ByteBuffer buffer() {
        return buffer;
    }

    /// The same bytes; changes with [#buffer].
    MemorySegment bytes() {
        return bytes;
    }

    /// Nothing from a position on is copied for now; the greatest one ends that.
    void bound(long end) {
        bound = end;
    }

    /// Where a copy that begins at a position may end now: in its segment, before `published` and all bounds.
    long end(long position) {
        long end = Math.min(view.published(), Math.min(bound, geometry.segmentEnd(position)));
        return until == null ? end : Math.min(end, until.getAsLong() & -FrameDescriptor.SLOT_LENGTH_BYTES);
    }

    /// Whether it is a bound, not `published`, that keeps the bytes before a position from being copied; or perhaps:
    /// when the end of the log was cut off meanwhile, `published` does not tell.
    ///
    /// @param generation of the last copy
    boolean isCutShort(long end, long generation) {
        return end <= view.published() || view.generation() != generation;
    }

    /// Copies from a position on.
    ///
    /// @param position    start of a frame
    /// @param frameLength at least so many bytes, if they are published: a whole number of slots, at most the
    ///                    longest frame of the journal; 0 for as many as are good
    /// @param generation  that the caller knows of
    /// @return the number of bytes copied, greater than 0, or [#EMPTY], [#OVERRUN], [#CLOSED], [#CHANGED]
    /// @throws InternalError at some time, perhaps after this method, if the storage cannot give the bytes
    int copy(long position, int frameLength, long generation) {
        try {
            if (view.generation() != generation) {
                return CHANGED;
            }
            long available = end(position) - position;
            if (available <= 0) {
                return view.retained() > position ? OVERRUN : EMPTY;
            }
            if (frameLength > usualLength / FRAMES_AT_ONCE) {
                usualLength = Math.min(MAXIMUM_LENGTH_BYTES, frameLength * FRAMES_AT_ONCE);
            }
            int length = (int) Math.min(available, Math.max(usualLength, frameLength));
            if (length > bytes.byteSize()) {
                grow(length);
            }
            long fileOffset = geometry.fileOffset(position);
            copyBytes(fileOffset, length);
            ahead = available >= 2L * length ? view.mapping().address() + fileOffset + length : 0;
            VarHandle.acquireFence();
            if (view.retained() > position) {
                return OVERRUN;
            }
            return view.isUnchanged(generation, position + length) ? length : CHANGED;
        } catch (IllegalStateException e) {
            return CLOSED; // the mapping has ended
        }
    }

    /// Where the mapping holds what lies one window behind a byte of this one, to be prefetched; 0: nowhere.
    /// Never beyond what was published when the window was copied: the lines behind that are the writer's.
    long ahead(int offset) {
        return ahead == 0 ? 0 : ahead + offset;
    }

    private void copyBytes(long fileOffset, int length) {
        MemorySegment mapping = view.mapping();
        for (int done = 0; done < length; done += CHUNK_LENGTH_BYTES) {
            int chunk = Math.min(CHUNK_LENGTH_BYTES, length - done);
            MemorySegment.copy(mapping, fileOffset + done, bytes, done, chunk);
        }
    }

    private void grow(int length) {
        long doubled = Math.max(length, Math.min(2 * bytes.byteSize(), geometry.maximumFrameLengthBytes()));
        buffer = allocate((int) Bytes.align(doubled, FrameDescriptor.SLOT_LENGTH_BYTES));
        bytes = MemorySegment.ofBuffer(buffer);
    }
}
