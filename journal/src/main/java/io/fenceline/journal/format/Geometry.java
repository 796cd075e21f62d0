package io.fenceline.journal.format;

/// Where a position of the stream lies in `journal.log`. Fixed when the journal is created.
///
///     0        2 MiB     + L        + 2 L               + N L
///     +---------+---------+---------+-- - - - --+---------+
///     |  head   | seg 0   | seg 1   |           | seg N-1 |      file
///     +---------+---------+---------+-- - - - --+---------+
///
/// A *position* is a byte of the endless stream. It lies in the segment `position / L`, and that one in the ring's
/// place `segment mod N`. `L` is a power of two, `N` need not be.
///
/// @param segmentLengthBytes     length `L` of a segment, a power of two from 4 KiB to 1 GiB
/// @param segmentCount           number `N` of segments in the ring, at least 2
/// @param maximumFrameLengthBytes no frame is longer; a multiple of the slot length, below 256 MiB
public record Geometry(int segmentLengthBytes, int segmentCount, int maximumFrameLengthBytes) {
    /// Superblocks, state records and scratch page, in front of the first segment.
    public static final int HEAD_LENGTH_BYTES = 2 << 20;

    /// The smallest segment of the format (for tests; the API asks for at least [#MINIMUM_API_SEGMENT_LENGTH_BYTES]).
    public static final int MINIMUM_SEGMENT_LENGTH_BYTES = 4 << 10;

    /// The smallest segment that an application can ask for.
    public static final int MINIMUM_API_SEGMENT_LENGTH_BYTES = 2 << 20;

    /// The largest segment.
    public static final int MAXIMUM_SEGMENT_LENGTH_BYTES = 1 << 30;

    /// The largest number of segments.
    public static final int MAXIMUM_SEGMENT_COUNT = 1 << 16;

    public Geometry {
        if (!isValid(segmentLengthBytes, segmentCount, maximumFrameLengthBytes)) {
            throw new IllegalArgumentException("no such geometry: segmentLengthBytes=" + segmentLengthBytes
                    + " (a power of two from " + MINIMUM_SEGMENT_LENGTH_BYTES + " to " + MAXIMUM_SEGMENT_LENGTH_BYTES
                    + "), segmentCount=" + segmentCount + " (2 to " + MAXIMUM_SEGMENT_COUNT
                    + "), maximumFrameLengthBytes=" + maximumFrameLengthBytes);
        }
    }

    /// The geometry whose largest payload is a quarter of a segment, as far as a frame stays below 256 MiB.
    public static Geometry of(int segmentLengthBytes, int segmentCount) {
        int quarter = FrameDescriptor.slotAlignedLength(FrameDescriptor.frameLength(segmentLengthBytes / 4));
        return new Geometry(
                segmentLengthBytes, segmentCount, Math.min(quarter, FrameDescriptor.MAXIMUM_FRAME_LENGTH_BYTES));
    }

    /// Tells whether three numbers, read from a file perhaps, are a geometry.
    public static boolean isValid(long segmentLengthBytes, long segmentCount, long maximumFrameLengthBytes) {
        return segmentLengthBytes >= MINIMUM_SEGMENT_LENGTH_BYTES
                && segmentLengthBytes <= MAXIMUM_SEGMENT_LENGTH_BYTES
                && Long.bitCount(segmentLengthBytes) == 1
                && segmentCount >= 2
                && segmentCount <= MAXIMUM_SEGMENT_COUNT
                && maximumFrameLengthBytes >= FrameDescriptor.SLOT_LENGTH_BYTES
                && maximumFrameLengthBytes <= FrameDescriptor.MAXIMUM_FRAME_LENGTH_BYTES
                && maximumFrameLengthBytes <= segmentLengthBytes
                && maximumFrameLengthBytes % FrameDescriptor.SLOT_LENGTH_BYTES == 0;
    }

    /// All segments together, in bytes.
    public long capacityBytes() {
        return (long) segmentLengthBytes * segmentCount;
    }

    /// Length of `journal.log`.
    public long fileLengthBytes() {
        return HEAD_LENGTH_BYTES + capacityBytes();
    }

    /// The largest payload of one entry.
    public int maximumPayloadLengthBytes() {
        return Math.min(
                segmentLengthBytes / 4,
                maximumFrameLengthBytes
                        - FrameDescriptor.HEADER_LENGTH_BYTES
                        - FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES);
    }

    /// The position where the segment of a position begins.
    public long segmentStart(long position) {
        return position & -(long) segmentLengthBytes;
    }

    /// The position where the segment of a position ends.
    public long segmentEnd(long position) {
        return segmentStart(position) + segmentLengthBytes;
    }

    /// Where a position lies in `journal.log`.
    public long fileOffset(long position) {
        long segment = position >>> Integer.numberOfTrailingZeros(segmentLengthBytes);
        return HEAD_LENGTH_BYTES
                + (segment % segmentCount) * segmentLengthBytes
                + (position & (segmentLengthBytes - 1));
    }
}
