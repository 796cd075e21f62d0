package io.fenceline.bench;

import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.persist.ForwardingPersister;
import io.fenceline.journal.persist.Persister;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Stands between an appender and the medium, and times what passes: an append reaches it when its place is
/// reserved, and leaves it to publish. What the medium may do in one pass (build, checksum, store, fence) is done
/// step by step here, so that each step has an end.
///
/// Threads: one.
final class StageClock extends ForwardingPersister {
    private final StageTimes times;
    private final ByteBuffer stage;
    private final MemorySegment bytes;
    private final Crc32c crc = new Crc32c();

    /// @param frameLengthBytes of the longest frame, in whole slots
    StageClock(Persister medium, StageTimes times, int frameLengthBytes) {
        super(medium);
        this.times = times;
        this.stage = ByteBuffer.allocateDirect(frameLengthBytes + FrameDescriptor.SLOT_LENGTH_BYTES)
                .alignedSlice(FrameDescriptor.SLOT_LENGTH_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        this.bytes = MemorySegment.ofBuffer(stage);
    }

    @Override
    public boolean takesEntries() {
        return true;
    }

    @Override
    public void persistEntry(
            long fileOffset,
            MemorySegment payload,
            int lengthBytes,
            int type,
            long position,
            long sequence,
            long timestampNs,
            int epoch,
            int salt) {
        times.reserved();
        int length = FrameDescriptor.frameLength(lengthBytes);
        int slotsLength = FrameDescriptor.slotAlignedLength(length);
        FrameDescriptor.writeHeader(
                bytes, 0, length, position, sequence, timestampNs, epoch, FrameDescriptor.KIND_DATA, 0, 1);
        FrameDescriptor.entryHeader(bytes, FrameDescriptor.HEADER_LENGTH_BYTES, lengthBytes, type);
        int payloadOffset = FrameDescriptor.HEADER_LENGTH_BYTES + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;
        MemorySegment.copy(payload, 0, bytes, payloadOffset, lengthBytes);
        for (int i = payloadOffset + lengthBytes; i < slotsLength; i++) {
            bytes.set(Bytes.I8, i, (byte) 0);
        }
        persistStaged(fileOffset, stage, bytes.address(), length, slotsLength, salt, crc);
    }

    @Override
    public void persistFrame(
            long fileOffset,
            ByteBuffer frame,
            long frameAddress,
            int lengthBytes,
            int slotsLengthBytes,
            int salt,
            Crc32c frameCrc) {
        times.reserved();
        persistStaged(fileOffset, frame, frameAddress, lengthBytes, slotsLengthBytes, salt, frameCrc);
    }

    private void persistStaged(
            long fileOffset, ByteBuffer frame, long address, int length, int slotsLength, int salt, Crc32c crc) {
        int checksum = crc.of(frame, FrameDescriptor.CHECKSUM_START, length, salt);
        frame.clear().putInt(FrameDescriptor.CHECKSUM_OFFSET, checksum);
        super.store(fileOffset, address, slotsLength);
        times.written();
        super.drain();
        times.persisted();
    }

    /// Of a frame that is longer than the appender's stage, chunk after chunk, its first slot last; or a PAD.
    @Override
    public void store(long fileOffset, long sourceAddress, long lengthBytes) {
        if (lengthBytes > FrameDescriptor.SLOT_LENGTH_BYTES) {
            times.firstStore();
        }
        super.store(fileOffset, sourceAddress, lengthBytes);
    }

    @Override
    public void drain() {
        times.written();
        super.drain();
        times.persisted();
    }
}
