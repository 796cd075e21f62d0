package io.fenceline.journal.recovery;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.Superblock;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// Judges the bytes at one position after the other, in memory of fixed size.
///
/// After [#certify] the accessors tell what the header says; they mean something only as far as the verdict goes. One
/// thread.
///
/// The first long frame whose checksum does not match changes the way that checksums of long frames are computed from
/// then on ([PrefixChecksums]), so that a walk from slot to slot through any bytes takes time in proportion to them.
public final class FrameReader {
    private static final int WINDOW_LENGTH_BYTES = 256 << 10;

    /// What is read when the storage cannot read a window.
    private static final int PAGE_LENGTH_BYTES = 4 << 10;

    /// A checksum over fewer bytes than this is always computed directly.
    private static final int SHORT_LENGTH_BYTES = 4 << 10;

    private final LogReader reader;
    private final Superblock superblock;
    private final Geometry geometry;
    private final Crc32c crc = new Crc32c();
    private final int windowLengthBytes;
    private final ByteBuffer window;
    private final MemorySegment windowBytes;
    private @Nullable ByteBuffer stream;
    private @Nullable PrefixChecksums prefixes;
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
        this.windowLengthBytes = Math.min(WINDOW_LENGTH_BYTES, geometry.segmentLengthBytes());
        this.window = ByteBuffer.allocateDirect(windowLengthBytes);
        this.windowBytes = MemorySegment.ofBuffer(window);
    }

    /// Judges the slot at a position.
    ///
    /// @param position     a multiple of the slot length
    /// @param minimumEpoch no smaller one fits
    /// @param maximumEpoch no greater one fits
    public FrameVerdict certify(long position, int minimumEpoch, int maximumEpoch) {
        FrameVerdict verdict = certifyHeader(position, minimumEpoch, maximumEpoch);
        if (verdict != FrameVerdict.DATA) {
            return verdict;
        }
        try {
            computedChecksum = computeChecksum();
        } catch (JournalException.Io e) {
            return FrameVerdict.UNREADABLE;
        }
        if (computedChecksum != FrameDescriptor.checksum(windowBytes, offset)) {
            if (prefixes == null && FrameDescriptor.checksummedLength(kind(), length()) >= SHORT_LENGTH_BYTES) {
                prefixes = new PrefixChecksums(reader, geometry);
            }
            return FrameVerdict.BAD_CHECKSUM;
        }
        return FrameVerdict.ofKind(windowBytes, offset);
    }

    /// Judges the header of the slot at a position, but not the checksum; DATA stands for "so far so good", whatever
    /// the kind.
    FrameVerdict certifyHeader(long position, int minimumEpoch, int maximumEpoch) {
        this.position = position;
        this.computedChecksum = 0;
        try {
            ensureWindow(position);
        } catch (JournalException.Io e) {
            windowStart = windowEnd = 0;
            windowBytes.asSlice(0, FrameDescriptor.SLOT_LENGTH_BYTES).fill((byte) 0);
            offset = 0;
            return FrameVerdict.UNREADABLE;
        }
        return FrameVerdict.ofHeader(windowBytes, offset, position, geometry, minimumEpoch, maximumEpoch);
    }

    private int computeChecksum() {
        int end = FrameDescriptor.checksummedLength(kind(), length());
        if (prefixes != null && end >= SHORT_LENGTH_BYTES) {
            long from = position + FrameDescriptor.CHECKSUM_START;
            long boundary = PrefixChecksums.firstBoundary(from);
            if (boundary > windowEnd) {
                loadAtLeast(boundary);
            }
            return superblock.salt()
                    ^ prefixes.of(from, position + end, window, offset + FrameDescriptor.CHECKSUM_START);
        }
        if (position + end <= windowEnd) {
            return crc.of(window, offset + FrameDescriptor.CHECKSUM_START, offset + end, superblock.salt());
        }
        // The frame is longer than what the window holds of it: stream it.
        if (stream == null) {
            stream = ByteBuffer.allocateDirect(windowLengthBytes);
        }
        MemorySegment streamBytes = MemorySegment.ofBuffer(stream.clear());
        int inWindow = (int) (windowEnd - position);
        crc.start(superblock.salt()).add(window, offset + FrameDescriptor.CHECKSUM_START, offset + inWindow);
        for (int done = inWindow; done < end; ) {
            int chunk = Math.min(windowLengthBytes, end - done);
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
                            position + FrameDescriptor.SLOT_LENGTH_BYTES - windowLengthBytes)
                    : position;
            long end = backwards
                    ? position + FrameDescriptor.SLOT_LENGTH_BYTES
                    : Math.min(position + windowLengthBytes, geometry.segmentEnd(position));
            try {
                load(start, end);
            } catch (JournalException.Io e) {
                loadLess();
            }
        }
        offset = (int) (position - windowStart);
    }

    /// The file ends, or a block is bad, somewhere in the window: reads the rest of the page, at least the slot.
    private void loadLess() {
        try {
            load(position, Bytes.align(position + 1, PAGE_LENGTH_BYTES));
        } catch (JournalException.Io e) {
            load(position, position + FrameDescriptor.SLOT_LENGTH_BYTES);
        }
    }

    private void loadAtLeast(long end) {
        try {
            load(position, Math.min(position + windowLengthBytes, geometry.segmentEnd(position)));
        } catch (JournalException.Io e) {
            load(position, end);
        }
    }

    private void load(long start, long end) {
        windowStart = windowEnd = 0;
        readInto(windowBytes, start, (int) (end - start));
        windowStart = start;
        windowEnd = end;
        offset = (int) (position - windowStart);
    }

    private void readInto(MemorySegment destination, long position, int length) {
        reader.read(geometry.fileOffset(position), destination, 0, length);
        bytesRead += length;
    }

    /// Forgets what was read ahead, so that bytes written since are seen.
    public void refresh() {
        windowStart = windowEnd = 0;
        if (prefixes != null) {
            prefixes.refresh();
        }
    }

    /// Where the next frame begins, if this one is valid.
    public long nextPosition() {
        return position + (kind() == FrameDescriptor.KIND_PAD ? length() : FrameDescriptor.slotAlignedLength(length()));
    }

    /// Reads bytes of the frame, counted from its start: from memory if they were read for the verdict and are there
    /// still, else from the file once more.
    ///
    /// @throws JournalException.Io if they cannot be read
    public void readFrame(long frameOffset, MemorySegment destination, int lengthBytes) {
        long from = position + frameOffset;
        if (from >= windowStart && from + lengthBytes <= windowEnd) {
            MemorySegment.copy(windowBytes, from - windowStart, destination, 0, lengthBytes);
        } else {
            readInto(destination, from, lengthBytes);
        }
    }

    /// Whether all bytes of the frame that was judged last are in memory: then [#readFrame] gives what was judged.
    public boolean isInMemory() {
        return position >= windowStart && position + length() <= windowEnd;
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
        return bytesRead + (prefixes == null ? 0 : prefixes.bytesRead());
    }
}
