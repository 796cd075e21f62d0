package io.fenceline.journal.recovery;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.Geometry;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/// Checksums of many overlapping ranges of the log, each byte of which is read once.
///
/// A CRC is linear: with the checksums `P(h)` and `P(t)` of everything before two places, that of `[h, t)` is
/// `P(t) XOR P(h) · x^(8 (t − h)) mod P`. So running checksums are kept at the boundaries of blocks, in a ring that
/// spans more than the longest frame; what lies between a boundary and an end of the range is added directly.
///
///     a    h                                     t    b
///     |head|  block  |  block  | - - - |  block  |tail|
///
///     crc[a, b) = (P(t) ^ (head ^ P(h)) · x^..) · x^.. ^ tail
///
/// Without it, a file in which each slot claims a long frame that does not certify would cost the square of its length:
/// a slot of 64 bytes takes a checksum of up to 256 MiB. One thread.
final class PrefixChecksums {
    /// Distance of the places whose running checksum is kept.
    static final int BLOCK_LENGTH_BYTES = 1 << 10;

    private static final int BLOCKS = (256 << 20) / BLOCK_LENGTH_BYTES;
    private static final int CHUNK_LENGTH_BYTES = 64 << 10;
    private static final int TAIL_LENGTH_BYTES = 4 << 10;

    private final LogReader reader;
    private final Geometry geometry;
    private final int[] prefixes = new int[BLOCKS];
    private final CRC32C running = new CRC32C();
    private final CRC32C edge = new CRC32C();
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_LENGTH_BYTES);
    private final MemorySegment chunkBytes = MemorySegment.ofBuffer(chunk);
    private final ByteBuffer tail = ByteBuffer.allocateDirect(TAIL_LENGTH_BYTES);
    private final MemorySegment tailBytes = MemorySegment.ofBuffer(tail);
    private long tailStart;
    private long tailEnd;
    private long start = -1;
    private long end = -1;
    private long bytesRead;

    PrefixChecksums(LogReader reader, Geometry geometry) {
        this.reader = reader;
        this.geometry = geometry;
    }

    /// Forgets what was read.
    void refresh() {
        start = end = -1;
        tailStart = tailEnd = 0;
    }

    /// Bytes read so far.
    long bytesRead() {
        return bytesRead;
    }

    /// The first place at or after a position whose running checksum is kept: the caller gives the bytes before it.
    static long firstBoundary(long position) {
        return Bytes.align(position, BLOCK_LENGTH_BYTES);
    }

    /// The unsalted CRC32C of `[from, to)`, which lies in one segment and ends at or behind the first boundary.
    ///
    /// @param head     holds the bytes of `[from, firstBoundary(from))`; its position and limit change
    /// @param headFrom index of the first of them
    int of(long from, long to, ByteBuffer head, int headFrom) {
        long first = firstBoundary(from);
        long last = to & -BLOCK_LENGTH_BYTES;
        cover(first, last);
        edge.reset();
        head.limit(headFrom + (int) (first - from)).position(headFrom);
        edge.update(head);
        int blocks = (int) ((last - first) / BLOCK_LENGTH_BYTES);
        int value = prefix(last) ^ Crc32cShift.byBlocks((int) edge.getValue() ^ prefix(first), blocks);
        int tailLength = (int) (to - last);
        if (tailLength == 0) {
            return value;
        }
        return Crc32cShift.byBytes(value, tailLength) ^ tailChecksum(last, tailLength);
    }

    private int prefix(long boundary) {
        return prefixes[(int) (boundary / BLOCK_LENGTH_BYTES) & (BLOCKS - 1)];
    }

    /// Keeps the running checksums from one boundary to another.
    private void cover(long first, long last) {
        if (first < start || first > end) {
            running.reset();
            start = end = first;
            put(first);
        }
        while (end < last) {
            int length = (int) Math.min(CHUNK_LENGTH_BYTES, Math.min(last, geometry.segmentEnd(end)) - end);
            reader.read(geometry.fileOffset(end), chunkBytes, 0, length);
            bytesRead += length;
            for (int at = 0; at < length; at += BLOCK_LENGTH_BYTES) {
                chunk.limit(at + BLOCK_LENGTH_BYTES).position(at);
                running.update(chunk);
                end += BLOCK_LENGTH_BYTES;
                put(end);
            }
            start = Math.max(start, end - (long) (BLOCKS - 1) * BLOCK_LENGTH_BYTES);
        }
    }

    private void put(long boundary) {
        prefixes[(int) (boundary / BLOCK_LENGTH_BYTES) & (BLOCKS - 1)] = (int) running.getValue();
    }

    private int tailChecksum(long from, int length) {
        if (from < tailStart || from + length > tailEnd) {
            try {
                readTail(from, (int) Math.min(TAIL_LENGTH_BYTES, geometry.segmentEnd(from) - from));
            } catch (JournalException.Io e) {
                readTail(from, length); // the file ends, or a block is bad, behind the range
            }
        }
        int at = (int) (from - tailStart);
        tail.limit(at + length).position(at);
        edge.reset();
        edge.update(tail);
        return (int) edge.getValue();
    }

    private void readTail(long from, int length) {
        tailStart = tailEnd = 0;
        reader.read(geometry.fileOffset(from), tailBytes, 0, length);
        bytesRead += length;
        tailStart = from;
        tailEnd = from + length;
    }

    /// What appending zeros does to a CRC32C: multiplication by a power of x modulo the polynomial (bits reflected).
    static final class Crc32cShift {
        private static final int POLYNOMIAL = 0x82F6_3B78;

        /// `BYTES[n]` is x^(8 n).
        private static final int[] BYTES = new int[BLOCK_LENGTH_BYTES];

        /// `BLOCK_POWERS[k]` is x^(8 · block · 2^k).
        private static final int[] BLOCK_POWERS = new int[31];

        static {
            int x8 = 1 << (31 - Byte.SIZE);
            Arrays.fill(BYTES, 1 << 31);
            for (int n = 1; n < BYTES.length; n++) {
                BYTES[n] = multiply(BYTES[n - 1], x8);
            }
            int power = multiply(BYTES[BLOCK_LENGTH_BYTES - 1], x8);
            for (int k = 0; k < BLOCK_POWERS.length; k++) {
                BLOCK_POWERS[k] = power;
                power = multiply(power, power);
            }
        }

        private Crc32cShift() {}

        /// @param count fewer than a block
        static int byBytes(int crc, int count) {
            return multiply(BYTES[count], crc);
        }

        static int byBlocks(int crc, int count) {
            int value = crc;
            for (int left = count, k = 0; left != 0; left >>>= 1, k++) {
                if ((left & 1) != 0) {
                    value = multiply(BLOCK_POWERS[k], value);
                }
            }
            return value;
        }

        /// The product of two polynomials; bit 31 is x^0. Without branches, which random bits would mispredict.
        private static int multiply(int a, int b) {
            int product = 0;
            int shifted = b;
            for (int bit = 31; bit >= 0; bit--) {
                product ^= shifted & -((a >>> bit) & 1);
                shifted = (shifted >>> 1) ^ (POLYNOMIAL & -(shifted & 1));
            }
            return product;
        }
    }
}
