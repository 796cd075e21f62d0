package io.fenceline.journal.recovery;

import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.Persister;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// Stores PADs with SEAL over what shall never be read as frames again. They carry the epoch that is being
/// sealed, not the next one: else they would outrank acknowledged frames behind them. The caller drains.
///
/// One thread.
public final class Seals {
    private static final int SLOT = FrameDescriptor.SLOT_LENGTH_BYTES;
    private static final int CHUNK_LENGTH_BYTES = 4 << 10;

    private final Persister persister;
    private final Geometry geometry;
    private final int salt;
    private final int epoch;
    private final Crc32c crc = new Crc32c();
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_LENGTH_BYTES + SLOT)
            .alignedSlice(SLOT)
            .slice(0, CHUNK_LENGTH_BYTES);
    private final MemorySegment bytes = MemorySegment.ofBuffer(chunk);

    /// @param epoch that is being sealed
    public Seals(Persister persister, Superblock superblock, int epoch) {
        this.persister = persister;
        this.geometry = superblock.geometry();
        this.salt = superblock.salt();
        this.epoch = epoch;
    }

    /// One PAD over [start, end), which lies in one segment.
    ///
    /// @param sequence of the next entry
    void over(long start, long end, long sequence) {
        pad(0, start, (int) (end - start), sequence);
        persister.store(geometry.fileOffset(start), bytes.address(), SLOT);
    }

    /// A PAD of one slot on each slot of [start, end), which lies in one segment: a crash between two of them
    /// leaves the rest to be judged again.
    void onEachSlot(long start, long end, long sequence) {
        store(start, end, sequence, false);
    }

    /// A PAD on each slot of [start, end), over any number of segments, that reaches as far as the range does
    /// in its segment: whoever walks there is through at once. Only under a record that says TRUNCATING,
    /// because the first of them hides what the others have not reached yet.
    public void cut(long start, long end, long sequence) {
        for (long from = start; from < end; ) {
            long to = Math.min(end, geometry.segmentEnd(from));
            store(from, to, sequence, true);
            from = to;
        }
    }

    private void store(long start, long end, long sequence, boolean reaching) {
        for (long from = start; from < end; ) {
            int length = (int) Math.min(CHUNK_LENGTH_BYTES, end - from);
            for (int at = 0; at < length; at += SLOT) {
                pad(at, from + at, reaching ? (int) (end - from - at) : SLOT, sequence);
            }
            persister.store(geometry.fileOffset(from), bytes.address(), length);
            from += length;
        }
    }

    private void pad(int at, long position, int distance, long sequence) {
        bytes.asSlice(at, SLOT).fill((byte) 0);
        FrameDescriptor.writeHeader(
                bytes,
                at,
                distance,
                position,
                sequence,
                0,
                epoch,
                FrameDescriptor.KIND_PAD,
                FrameDescriptor.FLAG_SEAL,
                0);
        chunk.clear();
        FrameDescriptor.checksum(bytes, at, crc.of(chunk, at + FrameDescriptor.CHECKSUM_START, at + SLOT, salt));
    }
}
