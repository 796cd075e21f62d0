package io.fenceline.journal.format;

import static io.fenceline.journal.format.Bytes.I32;
import static io.fenceline.journal.format.Bytes.I64;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.UUID;

/// What a journal is. Written once, at creation, in two copies on pages of their own, and never changed.
///
///     +-----+------------------------+-------+----------------------------------------------------------+
///     |  at | field                  | type  | meaning                                                  |
///     +-----+------------------------+-------+----------------------------------------------------------+
///     |   0 | magic                  | 8 B   | the ASCII bytes FENCELIN                                 |
///     |   8 | version                | i32   | 1                                                        |
///     |  12 | slotLength             | i32   | 64                                                       |
///     |  16 | journalId              | 16 B  | a random UUID: most, then least significant half         |
///     |  32 | salt                   | i32   | random, secret: folded into every checksum               |
///     |  36 | checksumId             | i32   | 1 = CRC32C                                               |
///     |  40 | segmentLength          | i64   | bytes, a power of two                                    |
///     |  48 | segmentCount           | i32   | segments in the ring                                     |
///     |  52 | maximumFrame           | i32   | no frame is longer                                       |
///     |  56 | compatible             | i64   | feature bits: unknown ones may be ignored                |
///     |  64 | readOnlyCompatible     | i64   | feature bits: unknown ones allow reading only            |
///     |  72 | incompatible           | i64   | feature bits: unknown ones forbid all use                |
///     |  80 | creationTime           | i64   | ns since the epoch                                       |
///     |  88 | reserved               | 36 B  | zero                                                     |
///     | 124 | crc                    | i32   | CRC32C of bytes [0, 124), not salted                     |
///     +-----+------------------------+-------+----------------------------------------------------------+
///
/// Copy 0 lies at file offset 0, copy 1 at 1 MiB. Either is enough. Two whole copies that differ are refused.
///
/// @param journalId          identity; cursors carry it
/// @param salt               folded into every checksum; keeps the image of a frame inside a payload from certifying
/// @param geometry           where positions lie
/// @param readOnlyCompatible feature bits; a set bit that is unknown allows only reading
/// @param creationTimeNs     ns since the epoch
public record Superblock(UUID journalId, int salt, Geometry geometry, long readOnlyCompatible, long creationTimeNs) {
    /// `FENCELIN`, as a little-endian number.
    public static final long MAGIC = 0x4E49_4C45_434E_4546L;

    /// The version that this code writes, and the newest that it reads.
    public static final int VERSION = 1;

    /// Length of a copy.
    public static final int LENGTH_BYTES = 128;

    /// CRC32C, the only checksum of version 1.
    public static final int CHECKSUM_CRC32C = 1;

    /// Number of copies.
    public static final int COPIES = 2;

    /// Read-only-compatible feature: an archive, into which sealed segments of another journal's ring are copied. What
    /// lies beyond the floor is nothing.
    public static final long READ_ONLY_ARCHIVE = 1;

    public static final int MAGIC_OFFSET = 0;
    public static final int VERSION_OFFSET = 8;
    public static final int SLOT_LENGTH_OFFSET = 12;
    public static final int JOURNAL_ID_OFFSET = 16;
    public static final int SALT_OFFSET = 32;
    public static final int CHECKSUM_ID_OFFSET = 36;
    public static final int SEGMENT_LENGTH_OFFSET = 40;
    public static final int SEGMENT_COUNT_OFFSET = 48;
    public static final int MAXIMUM_FRAME_OFFSET = 52;
    public static final int COMPATIBLE_OFFSET = 56;
    public static final int READ_ONLY_COMPATIBLE_OFFSET = 64;
    public static final int INCOMPATIBLE_OFFSET = 72;
    public static final int CREATION_TIME_OFFSET = 80;
    public static final int CRC_OFFSET = 124;

    /// File offset of a copy, 0 or 1.
    public static long fileOffset(int copy) {
        return (long) copy << 20;
    }

    /// Writes a copy into a direct, zeroed buffer of [#LENGTH_BYTES].
    public void encode(ByteBuffer buffer) {
        MemorySegment bytes = MemorySegment.ofBuffer(buffer.clear());
        bytes.set(I64, MAGIC_OFFSET, MAGIC);
        bytes.set(I32, VERSION_OFFSET, VERSION);
        bytes.set(I32, SLOT_LENGTH_OFFSET, FrameDescriptor.SLOT_LENGTH_BYTES);
        bytes.set(I64, JOURNAL_ID_OFFSET, journalId.getMostSignificantBits());
        bytes.set(I64, JOURNAL_ID_OFFSET + 8, journalId.getLeastSignificantBits());
        bytes.set(I32, SALT_OFFSET, salt);
        bytes.set(I32, CHECKSUM_ID_OFFSET, CHECKSUM_CRC32C);
        bytes.set(I64, SEGMENT_LENGTH_OFFSET, geometry.segmentLengthBytes());
        bytes.set(I32, SEGMENT_COUNT_OFFSET, geometry.segmentCount());
        bytes.set(I32, MAXIMUM_FRAME_OFFSET, geometry.maximumFrameLengthBytes());
        bytes.set(I64, READ_ONLY_COMPATIBLE_OFFSET, readOnlyCompatible);
        bytes.set(I64, CREATION_TIME_OFFSET, creationTimeNs);
        bytes.set(I32, CRC_OFFSET, new Crc32c().of(buffer, 0, CRC_OFFSET, 0));
        buffer.clear();
    }

    /// What one copy says; exactly one of `superblock` and `problem` is set.
    ///
    /// @param superblock the copy, when it is whole and of a kind that this code knows
    /// @param problem    what is wrong with it
    /// @param kind       of the problem
    public record Decoded(@org.jspecify.annotations.Nullable Superblock superblock, Problem kind, String problem) {}

    /// Ways in which a copy can be no use.
    public enum Problem {
        /// The copy is good.
        NONE,
        /// No magic: not a journal, or overwritten.
        FOREIGN,
        /// The magic, but the checksum does not match, or the fields are senseless.
        DAMAGED,
        /// Whole, but of a newer version or with an unknown incompatible feature.
        UNSUPPORTED
    }

    /// Reads one copy from a direct buffer of [#LENGTH_BYTES]; trusts nothing before it is bounded.
    public static Decoded decode(ByteBuffer buffer) {
        MemorySegment bytes = MemorySegment.ofBuffer(buffer.clear());
        long magic = bytes.get(I64, MAGIC_OFFSET);
        if (magic != MAGIC) {
            return problem(
                    Problem.FOREIGN,
                    "expected magic 0x%016x, actual 0x%016x"
                            .formatted(Long.reverseBytes(MAGIC), Long.reverseBytes(magic)));
        }
        int crc = new Crc32c().of(buffer, 0, CRC_OFFSET, 0);
        buffer.clear();
        if (bytes.get(I32, CRC_OFFSET) != crc) {
            return problem(
                    Problem.DAMAGED,
                    "expected checksum 0x%08x, actual 0x%08x".formatted(bytes.get(I32, CRC_OFFSET), crc));
        }
        int version = bytes.get(I32, VERSION_OFFSET);
        if (version != VERSION) {
            return problem(
                    Problem.UNSUPPORTED, "format version " + version + ", this software reads version " + VERSION);
        }
        long incompatible = bytes.get(I64, INCOMPATIBLE_OFFSET);
        int checksumId = bytes.get(I32, CHECKSUM_ID_OFFSET);
        int slotLength = bytes.get(I32, SLOT_LENGTH_OFFSET);
        if (incompatible != 0 || checksumId != CHECKSUM_CRC32C || slotLength != FrameDescriptor.SLOT_LENGTH_BYTES) {
            return problem(
                    Problem.UNSUPPORTED,
                    "unknown incompatible features 0x%x, checksum id %d (known: 1), slot length %d (known: 64)"
                            .formatted(incompatible, checksumId, slotLength));
        }
        long segmentLength = bytes.get(I64, SEGMENT_LENGTH_OFFSET);
        int segmentCount = bytes.get(I32, SEGMENT_COUNT_OFFSET);
        int maximumFrame = bytes.get(I32, MAXIMUM_FRAME_OFFSET);
        if (!Geometry.isValid(segmentLength, segmentCount, maximumFrame)) {
            return problem(
                    Problem.DAMAGED,
                    "senseless geometry: segment length %d, segment count %d, maximum frame %d"
                            .formatted(segmentLength, segmentCount, maximumFrame));
        }
        return new Decoded(
                new Superblock(
                        new UUID(bytes.get(I64, JOURNAL_ID_OFFSET), bytes.get(I64, JOURNAL_ID_OFFSET + 8)),
                        bytes.get(I32, SALT_OFFSET),
                        new Geometry((int) segmentLength, segmentCount, maximumFrame),
                        bytes.get(I64, READ_ONLY_COMPATIBLE_OFFSET),
                        bytes.get(I64, CREATION_TIME_OFFSET)),
                Problem.NONE,
                "");
    }

    private static Decoded problem(Problem kind, String text) {
        return new Decoded(null, kind, text);
    }

    /// Whether this is an archive of the journal with that identity.
    public boolean isArchive() {
        return (readOnlyCompatible & READ_ONLY_ARCHIVE) != 0;
    }

    /// Not the salt: it is a secret of the journal's owner.
    @Override
    public String toString() {
        return "Superblock[" + journalId + ", " + geometry + ']';
    }
}
