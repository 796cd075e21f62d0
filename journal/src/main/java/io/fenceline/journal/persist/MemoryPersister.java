package io.fenceline.journal.persist;

import io.fenceline.journal.PersistStrategy;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/// `MEMORY`: a [MemoryStrategy] over the mapping of a file; no kernel code on the data path.
final class MemoryPersister extends FilePersister {
    private final long base;
    private final MemoryStrategy strategy;
    private final Instructions instructions;

    MemoryPersister(DataFile file, Path owner, PersistStrategy strategy) {
        super(file, owner);
        base = file.mappedAddress();
        instructions = NativeKernel.kernel();
        this.strategy = MemoryStrategy.of(strategy, instructions);
    }

    @Override
    public void store(long fileOffset, long sourceAddress, long lengthBytes) {
        check();
        long done = 0;
        while (done < lengthBytes) {
            long chunk = Math.min(CHUNK_LENGTH_BYTES, lengthBytes - done);
            strategy.store(base + fileOffset + done, sourceAddress + done, chunk);
            done += chunk;
        }
    }

    @Override
    public void drain() {
        check();
        strategy.drain();
    }

    @Override
    public void persist(long fileOffset, long sourceAddress, long lengthBytes) {
        if (lengthBytes <= CHUNK_LENGTH_BYTES) {
            check();
            strategy.persist(base + fileOffset, sourceAddress, lengthBytes);
        } else {
            store(fileOffset, sourceAddress, lengthBytes);
            drain();
        }
    }

    @Override
    public void persistFrame(
            long fileOffset,
            ByteBuffer stage,
            long stageAddress,
            int lengthBytes,
            int slotsLengthBytes,
            int salt,
            Crc32c crc) {
        check();
        if (slotsLengthBytes <= CHUNK_LENGTH_BYTES) {
            strategy.persistFrame(base + fileOffset, stageAddress, lengthBytes, slotsLengthBytes, salt);
        } else {
            persistLargeFrame(fileOffset, stage, stageAddress, lengthBytes, slotsLengthBytes, salt);
        }
    }

    @Override
    public boolean takesEntries() {
        return instructions.hasEntry();
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
        check();
        strategy.persistEntry(
                base + fileOffset, payload, lengthBytes, type, position, sequence, timestampNs, epoch, salt);
    }

    /// In chunks; the first slot, which holds the checksum, goes last.
    private void persistLargeFrame(
            long fileOffset, ByteBuffer stage, long stageAddress, int lengthBytes, int slotsLengthBytes, int salt) {
        int slot = FrameDescriptor.SLOT_LENGTH_BYTES;
        int crc = instructions.crc32c(
                0, stageAddress + FrameDescriptor.CHECKSUM_START, slot - FrameDescriptor.CHECKSUM_START);
        for (int at = slot; at < slotsLengthBytes; ) {
            int chunk = Math.min(CHUNK_LENGTH_BYTES, slotsLengthBytes - at);
            int covered = Math.min(chunk, lengthBytes - at);
            int whole = covered & -slot;
            crc = strategy.storeCrc32c(crc, base + fileOffset + at, stageAddress + at, whole);
            strategy.store(base + fileOffset + at + whole, stageAddress + at + whole, chunk - whole);
            crc = instructions.crc32c(crc, stageAddress + at + whole, covered - whole);
            at += chunk;
        }
        stage.clear().putInt(FrameDescriptor.CHECKSUM_OFFSET, crc ^ salt);
        strategy.persist(base + fileOffset, stageAddress, slot);
    }

    @Override
    public void rewrite(long fileOffset, long lengthBytes) {
        check();
        long done = 0;
        while (done < lengthBytes) {
            long chunk = Math.min(CHUNK_LENGTH_BYTES, lengthBytes - done);
            strategy.rewrite(base + fileOffset + done, chunk);
            done += chunk;
        }
    }
}
