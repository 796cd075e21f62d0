package io.fenceline.journal.recovery;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.Superblock;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// Judges the bytes at one position after the other, in memory of fixed size.
///
/// After [#certify] the accessors tell what the header says; they mean something only as far as the verdict goes. One
/// thread.
public final class FrameReader {
    private static final int WINDOW_LENGTH_BYTES = 256 << 10;

    private final LogReader reader;
    private final Superblock superblock;
    private final Geometry geometry;
    private final Crc32c crc = new Crc32c();
    private final ByteBuffer window = ByteBuffer.allocateDirect(WINDOW_LENGTH_BYTES);
    private final MemorySegment windowBytes = MemorySegment.ofBuffer(window);
    private final ByteBuffer stream = ByteBuffer.allocateDirect(WINDOW_LENGTH_BYTES);
    private final MemorySegment streamBytes = MemorySegment.ofBuffer(stream);
    private long windowStart;
    private long windowEnd;
    private long bytesRead;

    private long position;
    private int offset;
    private int computedChecksum;

    public FrameReader(LogReader reader, Superblock superblock) {
        this.reader = reader;
        this.superblock = superblock;
        this.geometry = superblock.geometry();
    }

    /// Judges the slot at a position.
    ///
    /// @param position     a multiple of the slot length
    /// @param minimumEpoch no smaller one fits
    /// @param maximumEpoch no greater one fits
    public FrameVerdict certify(long position, int minimumEpoch, int maximumEpoch) {
        this.position = position;
        this.computedChecksum = 0;
        try {
            ensureWindow(position);
        } catch (JournalException.Io e) {
            windowStart = windowEnd = 0;
            return FrameVerdict.UNREADABLE;
        }
        FrameVerdict verdict =
                FrameVerdict.ofHeader(windowBytes, offset, position, geometry, minimumEpoch, maximumEpoch);
        if (verdict != FrameVerdict.DATA) {
            return verdict;
        }
        try {
            computedChecksum = computeChecksum();
        } catch (JournalException.Io e) {
            return FrameVerdict.UNREADABLE;
        }
        if (computedChecksum != FrameDescriptor.checksum(windowBytes, offset)) {
            return FrameVerdict.BAD_CHECKSUM;
        }
        return FrameVerdict.ofKind(windowBytes, offset);
    }

    private int computeChecksum() {
        int end = FrameDescriptor.checksummedLength(kind(), length());
        if (position + end <= windowEnd) {
            return crc.of(window, offset + FrameDescriptor.CHECKSUM_START, offset + end, superblock.salt());
        }
        // The frame is longer than what the window holds of it: stream it.
        int inWindow = (int) (windowEnd - position);
        crc.start(superblock.salt()).add(window, offset + FrameDescriptor.CHECKSUM_START, offset + inWindow);
        for (int done = inWindow; done < end; ) {
            int chunk = Math.min(WINDOW_LENGTH_BYTES, end - done);
            readInto(streamBytes, position + done, chunk);
            crc.add(stream, 0, chunk);
            done += chunk;
        }
        return crc.value();
    }

    private void ensureWindow(long position) {
        if (position < windowStart || position + FrameDescriptor.SLOT_LENGTH_BYTES > windowEnd) {
            // Read ahead, or behind when the caller walks backwards.
            boolean backwards = position < windowStart;
            long start = backwards
                    ? Math.max(
                            geometry.segmentStart(position),
                            position + FrameDescriptor.SLOT_LENGTH_BYTES - WINDOW_LENGTH_BYTES)
                    : position;
            long end = backwards
                    ? position + FrameDescriptor.SLOT_LENGTH_BYTES
                    : Math.min(position + WINDOW_LENGTH_BYTES, geometry.segmentEnd(position));
            windowStart = windowEnd = 0;
            readInto(windowBytes, start, (int) (end - start));
            windowStart = start;
            windowEnd = end;
        }
        offset = (int) (position - windowStart);
    }

    private void readInto(MemorySegment destination, long position, int length) {
        reader.read(geometry.fileOffset(position), destination, 0, length);
        bytesRead += length;
    }

    /// Forgets what was read ahead, so that bytes written since are seen.
    public void refresh() {
        windowStart = windowEnd = 0;
    }

    /// Where the next frame begins, if this one is valid.
    public long nextPosition() {
        return position + (kind() == FrameDescriptor.KIND_PAD ? length() : FrameDescriptor.slotAlignedLength(length()));
    }

    /// Reads bytes of the frame, counted from its start.
    public void readFrame(long frameOffset, MemorySegment destination, int lengthBytes) {
        readInto(destination, position + frameOffset, lengthBytes);
    }

    public long position() {
        return position;
    }

    /// The position that the header names.
    public long framePosition() {
        return FrameDescriptor.position(windowBytes, offset);
    }

    public int length() {
        return FrameDescriptor.length(windowBytes, offset);
    }

    public long sequence() {
        return FrameDescriptor.sequence(windowBytes, offset);
    }

    public long timestamp() {
        return FrameDescriptor.timestamp(windowBytes, offset);
    }

    public int epoch() {
        return FrameDescriptor.epoch(windowBytes, offset);
    }

    public int kind() {
        return FrameDescriptor.kind(windowBytes, offset);
    }

    public int flags() {
        return FrameDescriptor.flags(windowBytes, offset);
    }

    public int entries() {
        return FrameDescriptor.entries(windowBytes, offset);
    }

    /// The checksum in the header.
    public int checksum() {
        return FrameDescriptor.checksum(windowBytes, offset);
    }

    /// The checksum computed by the last [#certify], if it got so far.
    public int computedChecksum() {
        return computedChecksum;
    }

    /// Bytes read from the file so far.
    public long bytesRead() {
        return bytesRead;
    }
}
