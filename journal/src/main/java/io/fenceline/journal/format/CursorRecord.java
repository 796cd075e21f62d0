package io.fenceline.journal.format;

import static io.fenceline.journal.format.Bytes.I16;
import static io.fenceline.journal.format.Bytes.I32;
import static io.fenceline.journal.format.Bytes.I64;
import static io.fenceline.journal.format.Bytes.I8;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// How far a named tailer has come: a record of a file `cursors/NAME`, and the data of its user.
///
///     +-----+----------------+------+--------------------------------------------------------------------+
///     |  at | field          | type | meaning                                                            |
///     +-----+----------------+------+--------------------------------------------------------------------+
///     |   0 | version        | i64  | counts records, from 1; the highest valid one wins                 |
///     |   8 | journalId      | 16 B | as in the superblock                                               |
///     |  24 | position       | i64  | of the frame that holds the next entry, or of the next frame       |
///     |  32 | nextSequence   | i64  | of the next entry                                                  |
///     |  40 | epoch          | i32  | writer generation of the last entry before it; 0 if there was none |
///     |  44 | flags          | u16  | bit 0 GATING; the others are zero                                  |
///     |  46 | userDataLength | u8   | bytes of userData that count, 0 to 32                              |
///     |  47 | reserved       | u8   | zero                                                               |
///     |  48 | userData       | 32 B | the user's, then zeros                                             |
///     |  80 | time           | i64  | of the commit, ns since the epoch; for people                      |
///     |  88 | reserved       | 36 B | zero                                                               |
///     | 124 | crc            | i32  | CRC32C of bytes [0, 124), not salted                               |
///     +-----+----------------+------+--------------------------------------------------------------------+
///
/// Record *v* goes to line (v / 2) mod 32 of page (v mod 2), and is durable before the next one is begun. So a
/// torn write leaves record v - 1, in the other page.
@SuppressWarnings("ArrayRecordComponent") // equals and hashCode look into it
public record CursorRecord(
        long version,
        UUID journalId,
        long position,
        long nextSequence,
        int epoch,
        int flags,
        byte[] userData,
        long timeNs) {
    /// Version of the record that a creation writes: nothing was committed since.
    public static final long FIRST_VERSION = 1;

    /// A record is two cache lines.
    public static final int LENGTH_BYTES = 128;

    /// The tailer holds the ring at this position.
    public static final int FLAG_GATING = 1;

    /// Most bytes of a user's data.
    public static final int MAXIMUM_USER_DATA_LENGTH_BYTES = 32;

    public static final int VERSION_OFFSET = 0;
    public static final int JOURNAL_ID_OFFSET = 8;
    public static final int POSITION_OFFSET = 24;
    public static final int NEXT_SEQUENCE_OFFSET = 32;
    public static final int EPOCH_OFFSET = 40;
    public static final int FLAGS_OFFSET = 44;
    public static final int USER_DATA_LENGTH_OFFSET = 46;
    public static final int USER_DATA_OFFSET = 48;
    public static final int TIME_OFFSET = 80;
    public static final int CRC_OFFSET = 124;

    /// Records alternate between so many pages.
    public static final int PAGES = 2;

    /// Length of a page of records.
    public static final int PAGE_LENGTH_BYTES = 4096;

    /// Lines in a page.
    public static final int LINES = PAGE_LENGTH_BYTES / LENGTH_BYTES;

    /// Length of the file.
    public static final int FILE_LENGTH_BYTES = PAGES * PAGE_LENGTH_BYTES;

    /// Longest name of a cursor.
    public static final int MAXIMUM_NAME_LENGTH = 64;

    private static final Pattern NAME =
            Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0," + (MAXIMUM_NAME_LENGTH - 1) + "}");

    /// Offset of the line that record `version` goes to.
    public static long fileOffset(long version) {
        return version % PAGES * PAGE_LENGTH_BYTES + version / PAGES % LINES * LENGTH_BYTES;
    }

    /// Returns a name that may be the name of a cursor, and so of its file.
    ///
    /// @throws IllegalArgumentException if it may not
    public static String checkName(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("cursor name '" + name + "': expected 1 to " + MAXIMUM_NAME_LENGTH
                    + " of A-Z a-z 0-9 . _ -, not beginning with . or -");
        }
        return name;
    }

    /// Whether it holds the ring.
    public boolean isGating() {
        return (flags & FLAG_GATING) != 0;
    }

    /// Writes the record into a direct buffer of [#LENGTH_BYTES], with its checksum.
    public void encode(ByteBuffer line, Crc32c crc) {
        encode(
                line,
                crc,
                version,
                journalId,
                position,
                nextSequence,
                epoch,
                flags,
                userData,
                0,
                userData.length,
                timeNs);
    }

    /// The same without a record.
    public static void encode(
            ByteBuffer line,
            Crc32c crc,
            long version,
            UUID journalId,
            long position,
            long nextSequence,
            int epoch,
            int flags,
            byte[] userData,
            int userDataOffset,
            int userDataLength,
            long timeNs) {
        line.clear().order(ByteOrder.LITTLE_ENDIAN);
        line.putLong(VERSION_OFFSET, version);
        line.putLong(JOURNAL_ID_OFFSET, journalId.getMostSignificantBits());
        line.putLong(JOURNAL_ID_OFFSET + 8, journalId.getLeastSignificantBits());
        line.putLong(POSITION_OFFSET, position);
        line.putLong(NEXT_SEQUENCE_OFFSET, nextSequence);
        line.putInt(EPOCH_OFFSET, epoch);
        line.putInt(FLAGS_OFFSET, flags | userDataLength << 16);
        for (int at = 0; at < MAXIMUM_USER_DATA_LENGTH_BYTES; at++) {
            line.put(USER_DATA_OFFSET + at, at < userDataLength ? userData[userDataOffset + at] : 0);
        }
        line.putLong(TIME_OFFSET, timeNs);
        for (int at = TIME_OFFSET + 8; at < CRC_OFFSET; at += 4) {
            line.putInt(at, 0);
        }
        int value = crc.of(line, 0, CRC_OFFSET, 0);
        line.clear();
        line.putInt(CRC_OFFSET, value);
    }

    /// Reads the record that should lie on a line; null if no valid one does.
    ///
    /// @param file a direct buffer that holds the whole file
    public static @Nullable CursorRecord decode(ByteBuffer file, int page, int line) {
        int at = page * PAGE_LENGTH_BYTES + line * LENGTH_BYTES;
        int crc = new Crc32c().of(file, at, at + CRC_OFFSET, 0);
        MemorySegment bytes = MemorySegment.ofBuffer(file.clear());
        long version = bytes.get(I64, at + VERSION_OFFSET);
        int userDataLength = bytes.get(I8, at + USER_DATA_LENGTH_OFFSET) & 0xFF;
        if (bytes.get(I32, at + CRC_OFFSET) != crc
                || version < 1
                || fileOffset(version) != at
                || userDataLength > MAXIMUM_USER_DATA_LENGTH_BYTES) {
            return null;
        }
        byte[] userData = new byte[userDataLength];
        MemorySegment.copy(bytes, I8, at + USER_DATA_OFFSET, userData, 0, userDataLength);
        return new CursorRecord(
                version,
                new UUID(bytes.get(I64, at + JOURNAL_ID_OFFSET), bytes.get(I64, at + JOURNAL_ID_OFFSET + 8)),
                bytes.get(I64, at + POSITION_OFFSET),
                bytes.get(I64, at + NEXT_SEQUENCE_OFFSET),
                bytes.get(I32, at + EPOCH_OFFSET),
                bytes.get(I16, at + FLAGS_OFFSET) & 0xFFFF,
                userData,
                bytes.get(I64, at + TIME_OFFSET));
    }

    /// The valid record with the highest version; null if there is none.
    ///
    /// @param file a direct buffer that holds the whole file
    public static @Nullable CursorRecord newest(ByteBuffer file) {
        CursorRecord newest = null;
        for (int page = 0; page < PAGES; page++) {
            for (int line = 0; line < LINES; line++) {
                CursorRecord found = decode(file, page, line);
                if (found != null && (newest == null || found.version > newest.version)) {
                    newest = found;
                }
            }
        }
        return newest;
    }

    /// What is senseless about the fields; null if nothing is.
    public @Nullable String problem() {
        if ((flags & ~FLAG_GATING) != 0) {
            return "unknown flags 0x%x".formatted(flags & ~FLAG_GATING);
        }
        boolean sensible = position >= 0
                && position % FrameDescriptor.SLOT_LENGTH_BYTES == 0
                && nextSequence >= 0
                && epoch >= 0
                && version < Long.MAX_VALUE - (1L << 31);
        return sensible ? null : "senseless fields: " + this;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CursorRecord record
                && version == record.version
                && journalId.equals(record.journalId)
                && position == record.position
                && nextSequence == record.nextSequence
                && epoch == record.epoch
                && flags == record.flags
                && timeNs == record.timeNs
                && Arrays.equals(userData, record.userData);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(version * 31 + position) * 31 + Arrays.hashCode(userData);
    }
}
