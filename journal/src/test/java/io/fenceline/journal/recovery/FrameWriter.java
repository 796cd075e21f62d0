package io.fenceline.journal.recovery;

import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.SimulatedMedium;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// Puts frames and state records where a test wants them, durable, whatever the rules say.
public final class FrameWriter {
    private final SimulatedMedium medium;
    private final Superblock superblock;

    public FrameWriter(SimulatedMedium medium, Superblock superblock) {
        this.medium = medium;
        this.superblock = superblock;
    }

    /// A frame with one entry of type 0.
    ///
    /// @return the position after it
    public long data(long position, long sequence, int epoch, int flags, String payload) {
        byte[] bytes = payload.getBytes(StandardCharsets.UTF_8);
        int length = FrameDescriptor.frameLength(bytes.length);
        ByteBuffer buffer = ByteBuffer.allocateDirect(FrameDescriptor.slotAlignedLength(length));
        MemorySegment frame = MemorySegment.ofBuffer(buffer);
        FrameDescriptor.writeHeader(
                frame, 0, length, position, sequence, 0, epoch, FrameDescriptor.KIND_DATA, flags, 1);
        FrameDescriptor.entryHeader(frame, FrameDescriptor.HEADER_LENGTH_BYTES, bytes.length, 0);
        MemorySegment.copy(
                MemorySegment.ofArray(bytes),
                0,
                frame,
                FrameDescriptor.HEADER_LENGTH_BYTES + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES,
                bytes.length);
        return put(buffer, position, length);
    }

    /// A PAD.
    ///
    /// @return the position after it
    public long pad(long position, int distance, long sequence, int epoch, int flags) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(FrameDescriptor.SLOT_LENGTH_BYTES);
        FrameDescriptor.writeHeader(
                MemorySegment.ofBuffer(buffer),
                0,
                distance,
                position,
                sequence,
                0,
                epoch,
                FrameDescriptor.KIND_PAD,
                flags,
                0);
        put(buffer, position, FrameDescriptor.SLOT_LENGTH_BYTES);
        return position + distance;
    }

    private long put(ByteBuffer buffer, long position, int length) {
        int checksum = new Crc32c().of(buffer, FrameDescriptor.CHECKSUM_START, length, superblock.salt());
        MemorySegment frame = MemorySegment.ofBuffer(buffer.clear());
        FrameDescriptor.checksum(frame, 0, checksum);
        medium.overwrite(superblock.geometry().fileOffset(position), frame);
        return position + frame.byteSize();
    }

    /// Both mirrors of a record.
    public void state(StateRecord record) {
        for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
            state(record, mirror);
        }
    }

    /// One mirror of a record.
    public void state(StateRecord record, int mirror) {
        ByteBuffer line = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES);
        record.encode(line, superblock.salt());
        medium.overwrite(StateRecord.fileOffset(record.version(), mirror), MemorySegment.ofBuffer(line.clear()));
    }

    /// Takes both mirrors of the line of a record away.
    public void wipeState(long version) {
        for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
            wipe(StateRecord.fileOffset(version, mirror), StateRecord.LENGTH_BYTES);
        }
    }

    /// Junk instead of bytes.
    public void wipe(long fileOffset, int lengthBytes) {
        ByteBuffer junk = ByteBuffer.allocateDirect(lengthBytes);
        MemorySegment.ofBuffer(junk).fill((byte) 0x5A);
        medium.overwrite(fileOffset, MemorySegment.ofBuffer(junk));
    }

    /// Whether the slot at a position holds a PAD that seals.
    public boolean isSealed(long position) {
        FrameReader reader = new FrameReader(medium::read, superblock);
        return reader.certify(position, 0, Integer.MAX_VALUE) == io.fenceline.journal.format.FrameVerdict.SEAL;
    }
}
