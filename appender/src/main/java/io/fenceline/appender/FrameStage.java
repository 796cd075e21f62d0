package io.fenceline.appender;

import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.agrona.DirectBuffer;

/// The staging buffer of one appender: a frame is built here, checksummed from here, and stored from here, so that
/// each byte of the user's memory is read once, whatever another thread does to it meanwhile.
///
/// Native memory, aligned to slots; grows to the largest frame that was ever built, and stays. One thread.
final class FrameStage {
    /// Frames up to this length are built whole; a longer `append` streams through in chunks of it.
    static final int CHUNK_LENGTH_BYTES = 64 << 10;

    private final Crc32c crc = new Crc32c();
    private ByteBuffer buffer;
    private MemorySegment bytes;
    private long address;

    FrameStage(int lengthBytes) {
        buffer = allocate(lengthBytes);
        bytes = MemorySegment.ofBuffer(buffer);
        address = bytes.address();
    }

    private static ByteBuffer allocate(int lengthBytes) {
        return ByteBuffer.allocateDirect(lengthBytes + FrameDescriptor.SLOT_LENGTH_BYTES)
                .alignedSlice(FrameDescriptor.SLOT_LENGTH_BYTES)
                .slice(0, lengthBytes)
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /// Makes room for that many bytes, keeping the first `used`.
    void ensure(int lengthBytes, int used) {
        if (lengthBytes <= bytes.byteSize()) {
            return;
        }
        long doubled =
                Math.max(lengthBytes, Math.min(2L * bytes.byteSize(), FrameDescriptor.MAXIMUM_FRAME_LENGTH_BYTES));
        ByteBuffer larger = allocate((int) doubled);
        MemorySegment largerBytes = MemorySegment.ofBuffer(larger);
        MemorySegment.copy(bytes, 0, largerBytes, 0, used);
        buffer = larger;
        bytes = largerBytes;
        address = largerBytes.address();
    }

    MemorySegment bytes() {
        return bytes;
    }

    long address() {
        return address;
    }

    void entryHeader(int offset, int payloadLengthBytes, int type) {
        FrameDescriptor.entryHeader(bytes, offset, payloadLengthBytes, type);
    }

    void copyIn(int offset, MemorySegment source, long sourceOffset, int lengthBytes) {
        MemorySegment.copy(source, sourceOffset, bytes, offset, lengthBytes);
    }

    void copyIn(int offset, DirectBuffer source, int sourceOffset, int lengthBytes) {
        buffer.clear();
        source.getBytes(sourceOffset, buffer, offset, lengthBytes);
    }

    /// Zeros from `from` up to the next multiple of a power of two.
    void zeroPad(int from, int alignment) {
        zero(from, Bytes.align(from, alignment));
    }

    void zero(int from, int to) {
        for (int i = from; i < to; i++) {
            bytes.set(Bytes.I8, i, (byte) 0);
        }
    }

    /// Writes the header of a staged frame at `offset`, checksum included.
    void seal(
            int offset,
            int length,
            long position,
            long sequence,
            long timestamp,
            int epoch,
            int kind,
            int entries,
            int salt) {
        FrameDescriptor.writeHeader(bytes, offset, length, position, sequence, timestamp, epoch, kind, 0, entries);
        checksum(offset, offset + FrameDescriptor.checksummedLength(kind, length), salt);
    }

    /// Writes the checksum of a staged frame at `offset`, whose header is there already.
    ///
    /// @param end of what it covers
    void checksum(int offset, int end, int salt) {
        int checksum = crc.of(buffer, offset + FrameDescriptor.CHECKSUM_START, end, salt);
        FrameDescriptor.checksum(bytes, offset, checksum);
    }

    /// The running checksum of a frame that does not fit the stage.
    Crc32c crc() {
        return crc;
    }

    /// For [Crc32c#add].
    ByteBuffer buffer() {
        return buffer;
    }
}
