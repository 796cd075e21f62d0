package io.fenceline.journal.format;

import static io.fenceline.journal.format.Bytes.I16;
import static io.fenceline.journal.format.Bytes.I32;
import static io.fenceline.journal.format.Bytes.I64;
import static io.fenceline.journal.format.Bytes.I8;

import java.lang.foreign.MemorySegment;

/// The frame: the unit of atomicity, one entry or a whole batch. It starts at a slot and owns whole slots.
///
///     +----+-----------+------+--------------------------------------------------------------------------+
///     | at | field     | type | meaning                                                                  |
///     +----+-----------+------+--------------------------------------------------------------------------+
///     |  0 | checksum  | i32  | CRC32C of bytes [4, length) XOR the salt;  PAD: of bytes [4, 64)         |
///     |  4 | length    | i32  | bytes from 0, before padding to slots;     PAD: distance to the next one |
///     |  8 | position  | i64  | its own                                                                  |
///     | 16 | sequence  | i64  | of its first entry;                        PAD: of the next entry        |
///     | 24 | timestamp | i64  | ns since the epoch, 0 = none;              PAD: 0                        |
///     | 32 | epoch     | i32  | writer generation                                                        |
///     | 36 | kind      | u8   | 1 DATA, 2 PAD; with the top bit set: skipped by length if unknown        |
///     | 37 | flags     | u8   | bit 0 DEPENDENT, bit 1 SEAL; the others are zero                         |
///     | 38 | entries   | u16  | number of entries, PAD: 0                                                |
///     | 40 | entries   |      | each {length i32, type i32, payload, zeros to a multiple of 8}           |
///     +----+-----------+------+--------------------------------------------------------------------------+
///
/// The commit rule: **a frame counts if and only if it certifies itself** – (1) its length is within bounds and
/// inside the segment, (2) its position is exactly where it lies, (3) its epoch fits, (4) its checksum matches.
/// There is no commit flag and no index.
public final class FrameDescriptor {
    /// A slot is one cache line, so that no two appenders share one.
    public static final int SLOT_LENGTH_BYTES = 64;

    /// Where the entries begin.
    public static final int HEADER_LENGTH_BYTES = 40;

    /// Length and type in front of each payload.
    public static final int ENTRY_HEADER_LENGTH_BYTES = 8;

    /// Entries begin at multiples of this, counted from the start of the frame.
    public static final int ENTRY_ALIGNMENT_BYTES = 8;

    /// No frame is longer than this, in any geometry.
    public static final int MAXIMUM_FRAME_LENGTH_BYTES = (256 << 20) - SLOT_LENGTH_BYTES;

    /// `entries` is 16 bits wide.
    public static final int MAXIMUM_ENTRIES = 0xFFFF;

    public static final int CHECKSUM_OFFSET = 0;
    public static final int LENGTH_OFFSET = 4;
    public static final int POSITION_OFFSET = 8;
    public static final int SEQUENCE_OFFSET = 16;
    public static final int TIMESTAMP_OFFSET = 24;
    public static final int EPOCH_OFFSET = 32;
    public static final int KIND_OFFSET = 36;
    public static final int FLAGS_OFFSET = 37;
    public static final int ENTRIES_OFFSET = 38;

    /// The first byte that the checksum covers.
    public static final int CHECKSUM_START = LENGTH_OFFSET;

    /// One or more entries.
    public static final int KIND_DATA = 1;

    /// Nothing up to the next frame.
    public static final int KIND_PAD = 2;

    /// A reader that does not know a kind with this bit skips the frame by its length; without it, it refuses.
    public static final int KIND_SKIPPABLE_BIT = 0x80;

    /// May be kept by recovery only if everything from the floor to it is kept.
    public static final int FLAG_DEPENDENT = 1;

    /// A PAD written by recovery.
    public static final int FLAG_SEAL = 2;

    /// All flags that this version knows.
    public static final int KNOWN_FLAGS = FLAG_DEPENDENT | FLAG_SEAL;

    private FrameDescriptor() {}

    /// Length of a frame with one entry, before padding to slots.
    public static int frameLength(int payloadLengthBytes) {
        return HEADER_LENGTH_BYTES + entryLength(payloadLengthBytes);
    }

    /// Bytes that an entry takes in a frame.
    public static int entryLength(int payloadLengthBytes) {
        return ENTRY_HEADER_LENGTH_BYTES + Bytes.align(payloadLengthBytes, ENTRY_ALIGNMENT_BYTES);
    }

    /// Rounds up to whole slots.
    public static int slotAlignedLength(int lengthBytes) {
        return Bytes.align(lengthBytes, SLOT_LENGTH_BYTES);
    }

    /// Writes all fields but the checksum.
    public static void writeHeader(
            MemorySegment buffer,
            long offset,
            int length,
            long position,
            long sequence,
            long timestamp,
            int epoch,
            int kind,
            int flags,
            int entries) {
        buffer.set(I64, offset, (long) length << 32);
        buffer.set(I64, offset + POSITION_OFFSET, position);
        buffer.set(I64, offset + SEQUENCE_OFFSET, sequence);
        buffer.set(I64, offset + TIMESTAMP_OFFSET, timestamp);
        buffer.set(I64, offset + EPOCH_OFFSET, attributes(epoch, kind, flags, entries));
    }

    /// Sets the checksum: the CRC32C of bytes [4, length), salted by the caller.
    public static void checksum(MemorySegment buffer, long offset, int checksum) {
        buffer.set(I32, offset + CHECKSUM_OFFSET, checksum);
    }

    public static int checksum(MemorySegment buffer, long offset) {
        return buffer.get(I32, offset + CHECKSUM_OFFSET);
    }

    public static int length(MemorySegment buffer, long offset) {
        return buffer.get(I32, offset + LENGTH_OFFSET);
    }

    public static long position(MemorySegment buffer, long offset) {
        return buffer.get(I64, offset + POSITION_OFFSET);
    }

    public static long sequence(MemorySegment buffer, long offset) {
        return buffer.get(I64, offset + SEQUENCE_OFFSET);
    }

    public static long timestamp(MemorySegment buffer, long offset) {
        return buffer.get(I64, offset + TIMESTAMP_OFFSET);
    }

    public static int epoch(MemorySegment buffer, long offset) {
        return buffer.get(I32, offset + EPOCH_OFFSET);
    }

    public static int kind(MemorySegment buffer, long offset) {
        return buffer.get(I8, offset + KIND_OFFSET) & 0xFF;
    }

    public static int flags(MemorySegment buffer, long offset) {
        return buffer.get(I8, offset + FLAGS_OFFSET) & 0xFF;
    }

    public static int entries(MemorySegment buffer, long offset) {
        return buffer.get(I16, offset + ENTRIES_OFFSET) & 0xFFFF;
    }

    /// Epoch, kind, flags and number of entries in one word.
    public static long attributes(int epoch, int kind, int flags, int entries) {
        return (epoch & 0xFFFF_FFFFL) | (long) kind << 32 | (long) flags << 40 | (long) entries << 48;
    }

    /// Epoch, kind, flags and number of entries in one word, to be compared with that of another frame.
    public static long attributes(MemorySegment buffer, long offset) {
        return buffer.get(I64, offset + EPOCH_OFFSET);
    }

    /// Bytes covered by the checksum, from the start of the frame: for a PAD its one slot, else the whole frame.
    public static int checksummedLength(int kind, int length) {
        return kind == KIND_PAD ? SLOT_LENGTH_BYTES : length;
    }

    public static void entryHeader(MemorySegment buffer, long offset, int payloadLengthBytes, int type) {
        buffer.set(I64, offset, (payloadLengthBytes & 0xFFFF_FFFFL) | (long) type << 32);
    }

    public static int entryPayloadLength(MemorySegment buffer, long offset) {
        return buffer.get(I32, offset);
    }

    public static int entryType(MemorySegment buffer, long offset) {
        return buffer.get(I32, offset + 4);
    }
}
