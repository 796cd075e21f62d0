package io.fenceline.journal.format;

import static io.fenceline.journal.format.Bytes.I16;
import static io.fenceline.journal.format.Bytes.I32;
import static io.fenceline.journal.format.Bytes.I64;
import static io.fenceline.journal.format.Bytes.I8;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// The durable promises of a journal, in exactly one cache line.
///
///     +----+---------------+------+---------------------------------------------------------------------+
///     | at | field         | type | meaning                                                             |
///     +----+---------------+------+---------------------------------------------------------------------+
///     |  0 | version       | i64  | counts records, from 1; the highest valid one wins                  |
///     |  8 | lease         | i64  | nothing at or beyond it was ever written in this lap                |
///     | 16 | floor         | i64  | everything below it was whole and published                         |
///     | 24 | floorSequence | i64  | sequence of the first entry at or after floor                       |
///     | 32 | retained      | i64  | oldest byte still readable, the start of a segment                  |
///     | 40 | epochStart    | i64  | frames at or beyond it have this record's epoch                     |
///     | 48 | epoch         | i32  | writer generation                                                   |
///     | 52 | flags         | u16  | bit 0 CLEAN, bit 1 TRUNCATING, bit 2 EMULATED; the others are zero  |
///     | 54 | durability    | u8   | 1 MEMORY, 2 DEVICE, 3 PROCESS                                       |
///     | 55 | reserved      | u8   | zero                                                                |
///     | 56 | bootHash      | i32  | which boot of the machine wrote it                                  |
///     | 60 | crc           | i32  | CRC32C of bytes [0, 60) XOR the salt                                |
///     +----+---------------+------+---------------------------------------------------------------------+
///
/// Record *v* goes to line (v / 2) mod 64 of both pages of pair (v mod 2), and is made durable before it is relied on.
/// So a torn write leaves record v - 1 in the other pair, and a line that rots leaves its mirror.
public record StateRecord(
        long version,
        long lease,
        long floor,
        long floorSequence,
        long retained,
        long epochStart,
        int epoch,
        int flags,
        int durability,
        int bootHash) {
    /// A record is one cache line.
    public static final int LENGTH_BYTES = 64;

    /// Version of the record that a creation writes: nobody has opened the journal for writing since.
    public static final long FIRST_VERSION = 1;

    /// Closed in order: `floor = lease = published`, and everything below is synced.
    public static final int FLAG_CLEAN = 1;

    /// A suffix truncation is under way: nothing in [floor, lease) counts, whatever lies there.
    public static final int FLAG_TRUNCATING = 2;

    /// Persistent memory was emulated, by the wish of whoever created the journal.
    public static final int FLAG_EMULATED = 4;

    /// Flags that this version knows. A record with another one is refused.
    public static final int KNOWN_FLAGS = FLAG_CLEAN | FLAG_TRUNCATING | FLAG_EMULATED;

    /// No version, position or sequence of a record is greater: what is reckoned from one must not overflow.
    public static final long LARGEST = Long.MAX_VALUE - (1L << 31);

    public static final int VERSION_OFFSET = 0;
    public static final int LEASE_OFFSET = 8;
    public static final int FLOOR_OFFSET = 16;
    public static final int FLOOR_SEQUENCE_OFFSET = 24;
    public static final int RETAINED_OFFSET = 32;
    public static final int EPOCH_START_OFFSET = 40;
    public static final int EPOCH_OFFSET = 48;
    public static final int FLAGS_OFFSET = 52;
    public static final int DURABILITY_OFFSET = 54;
    public static final int BOOT_HASH_OFFSET = 56;
    public static final int CRC_OFFSET = 60;

    /// Length of a page of records.
    public static final int PAGE_LENGTH_BYTES = 4096;

    /// Lines in a page.
    public static final int LINES = PAGE_LENGTH_BYTES / LENGTH_BYTES;

    /// Each record is written to so many pages.
    public static final int MIRRORS = 2;

    /// Records alternate between so many pairs of pages.
    public static final int PAIRS = 2;

    /// File offset of a page: pair 0 lies at 4 KiB, pair 1 at 8 KiB, and their mirrors 1 MiB further.
    public static long pageFileOffset(int pair, int mirror) {
        return ((long) mirror << 20) + (long) (pair + 1) * PAGE_LENGTH_BYTES;
    }

    /// File offset of the line that record `version` goes to.
    public static long fileOffset(long version, int mirror) {
        return pageFileOffset((int) (version % PAIRS), mirror) + (version / PAIRS) % LINES * LENGTH_BYTES;
    }

    public boolean isClean() {
        return (flags & FLAG_CLEAN) != 0;
    }

    /// Whether everything in [floor, lease) is being taken out of the log.
    public boolean isTruncating() {
        return (flags & FLAG_TRUNCATING) != 0;
    }

    public boolean isEmulated() {
        return (flags & FLAG_EMULATED) != 0;
    }

    /// Writes the record into a direct buffer of [#LENGTH_BYTES].
    public void encode(ByteBuffer buffer, int salt) {
        encode(
                MemorySegment.ofBuffer(buffer.clear()),
                version,
                lease,
                floor,
                floorSequence,
                retained,
                epochStart,
                epoch,
                flags,
                durability,
                bootHash);
        seal(buffer, new Crc32c(), salt);
    }

    /// Writes all fields but the checksum; see [#seal].
    public static void encode(
            MemorySegment line,
            long version,
            long lease,
            long floor,
            long floorSequence,
            long retained,
            long epochStart,
            int epoch,
            int flags,
            int durability,
            int bootHash) {
        line.set(I64, VERSION_OFFSET, version);
        line.set(I64, LEASE_OFFSET, lease);
        line.set(I64, FLOOR_OFFSET, floor);
        line.set(I64, FLOOR_SEQUENCE_OFFSET, floorSequence);
        line.set(I64, RETAINED_OFFSET, retained);
        line.set(I64, EPOCH_START_OFFSET, epochStart);
        line.set(I32, EPOCH_OFFSET, epoch);
        line.set(I32, FLAGS_OFFSET, flags | durability << 16);
        line.set(I32, BOOT_HASH_OFFSET, bootHash);
    }

    /// Sets the checksum of an encoded line.
    public static void seal(ByteBuffer line, Crc32c crc, int salt) {
        int value = crc.of(line, 0, CRC_OFFSET, salt);
        line.clear();
        line.putInt(CRC_OFFSET, line.order() == java.nio.ByteOrder.LITTLE_ENDIAN ? value : Integer.reverseBytes(value));
    }

    /// Reads the line that should hold a record; null if no valid record of that line is there.
    ///
    /// @param page   a direct buffer that holds a page
    /// @param pair   which pair the page belongs to
    /// @param line   which line of the page
    /// @param salt   of the journal
    public static @Nullable StateRecord decode(ByteBuffer page, int pair, int line, int salt) {
        MemorySegment bytes = MemorySegment.ofBuffer(page.clear());
        int at = line * LENGTH_BYTES;
        int crc = new Crc32c().of(page, at, at + CRC_OFFSET, salt);
        page.clear();
        long version = bytes.get(I64, at + VERSION_OFFSET);
        if (bytes.get(I32, at + CRC_OFFSET) != crc
                || version < 1
                || version % PAIRS != pair
                || version / PAIRS % LINES != line) {
            return null;
        }
        return new StateRecord(
                version,
                bytes.get(I64, at + LEASE_OFFSET),
                bytes.get(I64, at + FLOOR_OFFSET),
                bytes.get(I64, at + FLOOR_SEQUENCE_OFFSET),
                bytes.get(I64, at + RETAINED_OFFSET),
                bytes.get(I64, at + EPOCH_START_OFFSET),
                bytes.get(I32, at + EPOCH_OFFSET),
                bytes.get(I16, at + FLAGS_OFFSET) & 0xFFFF,
                bytes.get(I8, at + DURABILITY_OFFSET) & 0xFF,
                bytes.get(I32, at + BOOT_HASH_OFFSET));
    }

    /// What is senseless about the fields in this geometry; null if nothing is.
    public @Nullable String problem(Geometry geometry) {
        if ((flags & ~KNOWN_FLAGS) != 0) {
            return "unknown flags 0x%x".formatted(flags & ~KNOWN_FLAGS);
        }
        if (durability < 1 || durability > 3) {
            return "unknown durability " + durability;
        }
        long slotMask = FrameDescriptor.SLOT_LENGTH_BYTES - 1;
        boolean ordered = 0 <= retained
                && retained == geometry.segmentStart(retained)
                && retained <= floor
                && floor <= lease
                && lease - retained <= geometry.capacityBytes()
                && 0 <= epochStart
                && epochStart <= lease
                && 0 <= floorSequence
                && 0 <= epoch
                && epoch < Integer.MAX_VALUE
                && Math.max(version, floorSequence) <= LARGEST
                && ((lease | floor | epochStart) & slotMask) == 0
                && lease <= LARGEST;
        if (!ordered || (isClean() && (floor != lease || isTruncating()))) {
            return "senseless positions: " + this;
        }
        return null;
    }
}
