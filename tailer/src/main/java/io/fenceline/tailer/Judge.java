package io.fenceline.tailer;

import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Superblock;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// Judges a frame that lies whole in private memory and whose header is right: checksum, kind, entries. One thread.
final class Judge {
    private final int salt;
    private final boolean verifyChecksums;
    private final Crc32c crc = new Crc32c();
    private int computedChecksum;

    /// @param verifyChecksums false: payloads may be damaged
    Judge(Superblock superblock, boolean verifyChecksums) {
        this.salt = superblock.salt();
        this.verifyChecksums = verifyChecksums;
    }

    /// Bytes of a frame that must be there before it can be judged, in whole slots.
    static int wholeLength(MemorySegment bytes, long offset) {
        return FrameDescriptor.slotAlignedLength(FrameDescriptor.checksummedLength(
                FrameDescriptor.kind(bytes, offset), FrameDescriptor.length(bytes, offset)));
    }

    /// Distance from a frame with a right header to the next one.
    static int distance(MemorySegment bytes, long offset) {
        return FrameDescriptor.slotAlignedLength(FrameDescriptor.length(bytes, offset));
    }

    /// @param buffer holds the frame
    /// @param bytes  the same memory
    /// @param offset where the frame begins
    FrameVerdict judge(ByteBuffer buffer, MemorySegment bytes, int offset) {
        int length = FrameDescriptor.length(bytes, offset);
        int end = FrameDescriptor.checksummedLength(FrameDescriptor.kind(bytes, offset), length);
        if (!hasChecksum(buffer, bytes, offset, end)) {
            return FrameVerdict.BAD_CHECKSUM;
        }
        FrameVerdict found = FrameVerdict.ofKind(bytes, offset);
        boolean filled = found != FrameVerdict.DATA
                || doEntriesFill(bytes, offset, length, FrameDescriptor.entries(bytes, offset));
        return filled ? found : FrameVerdict.BAD_ENTRIES;
    }

    /// Whether a frame has the checksum that its bytes give; true if that is not looked at.
    private boolean hasChecksum(ByteBuffer buffer, MemorySegment bytes, int offset, int checksummedLength) {
        if (!verifyChecksums) {
            return true;
        }
        computedChecksum = crc.of(buffer, offset + FrameDescriptor.CHECKSUM_START, offset + checksummedLength, salt);
        return computedChecksum == FrameDescriptor.checksum(bytes, offset);
    }

    /// What the last [#judge] computed, 0 if nothing was ever.
    int computedChecksum() {
        return computedChecksum;
    }

    /// Whether the entries end exactly where the frame does; each length is bounded before it is used.
    private static boolean doEntriesFill(MemorySegment bytes, int at, int length, int entries) {
        int end = at + length;
        int entryAt = at + FrameDescriptor.HEADER_LENGTH_BYTES;
        for (int i = 0; i < entries; i++) {
            int room = end - entryAt - FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;
            if (room < 0) {
                return false;
            }
            int payloadLength = FrameDescriptor.entryPayloadLength(bytes, entryAt);
            if (payloadLength < 0 || payloadLength > room) {
                return false;
            }
            entryAt += FrameDescriptor.entryLength(payloadLength);
        }
        return entries > 0 && entryAt == end;
    }
}
