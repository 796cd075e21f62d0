package io.fenceline.journal.persist;

import io.fenceline.journal.PersistStrategy;
import io.fenceline.journal.format.FrameDescriptor;
import java.lang.foreign.MemorySegment;

/// A [PersistStrategy] in instructions: *store*, *drain* and what joins the two, at addresses.
///
/// Lengths as [Instructions] bounds them. Threads: any number; a drain covers the stores of its own thread.
abstract sealed class MemoryStrategy {
    final Instructions instructions;

    private MemoryStrategy(Instructions instructions) {
        this.instructions = instructions;
    }

    static MemoryStrategy of(PersistStrategy strategy, Instructions instructions) {
        return switch (strategy) {
            case NT -> new NonTemporal(instructions);
            case WRITE_BACK -> new Cached(instructions, true);
            case FENCE_ONLY -> new Cached(instructions, false);
        };
    }

    /// Bytes are on their way; the next drain of this thread makes them persistent.
    abstract void store(long destination, long source, long length);

    /// Store and drain.
    abstract void persist(long destination, long source, long length);

    /// [#store], and goes on with a CRC32C over the same bytes.
    abstract int storeCrc32c(int crc, long destination, long source, long length);

    /// Completes a staged frame by its checksum, then persists it.
    abstract void persistFrame(long destination, long stage, long length, long slotsLength, int salt);

    /// Builds the frame of one entry from the caller's memory, and persists it; only if the instructions have it.
    abstract void persistEntry(
            long destination,
            MemorySegment payload,
            int length,
            int type,
            long position,
            long sequence,
            long timestampNs,
            int epoch,
            int salt);

    /// What this thread stored or rewrote is persistent when it returns.
    final void drain() {
        instructions.fence();
    }

    /// Takes bytes that anybody stored, in whatever way, on their way to persistence: a cache may hold them.
    final void rewrite(long address, long length) {
        instructions.writeBack(address, length);
    }

    private static final class NonTemporal extends MemoryStrategy {
        NonTemporal(Instructions instructions) {
            super(instructions);
        }

        @Override
        void store(long destination, long source, long length) {
            instructions.copy(destination, source, length);
        }

        @Override
        void persist(long destination, long source, long length) {
            instructions.persist(destination, source, length);
        }

        @Override
        int storeCrc32c(int crc, long destination, long source, long length) {
            return instructions.copyCrc32c(crc, destination, source, length);
        }

        @Override
        void persistFrame(long destination, long stage, long length, long slotsLength, int salt) {
            instructions.persistFrame(destination, stage, length, slotsLength, salt);
        }

        @Override
        void persistEntry(
                long destination,
                MemorySegment payload,
                int length,
                int type,
                long position,
                long sequence,
                long timestampNs,
                int epoch,
                int salt) {
            instructions.persistEntry(destination, payload, length, type, position, sequence, timestampNs, epoch, salt);
        }
    }

    /// Plain stores, then a write-back unless the caches are in the persistence domain.
    private static final class Cached extends MemoryStrategy {
        private final boolean writeBack;

        Cached(Instructions instructions, boolean writeBack) {
            super(instructions);
            this.writeBack = writeBack;
        }

        @Override
        void store(long destination, long source, long length) {
            instructions.store(destination, source, length);
            if (writeBack) {
                instructions.writeBack(destination, length);
            }
        }

        @Override
        void persist(long destination, long source, long length) {
            instructions.store(destination, source, length);
            drain(destination, length);
        }

        @Override
        int storeCrc32c(int crc, long destination, long source, long length) {
            store(destination, source, length);
            return instructions.crc32c(crc, source, length);
        }

        @Override
        void persistFrame(long destination, long stage, long length, long slotsLength, int salt) {
            instructions.storeFrame(destination, stage, length, slotsLength, salt);
            drain(destination, slotsLength);
        }

        @Override
        void persistEntry(
                long destination,
                MemorySegment payload,
                int length,
                int type,
                long position,
                long sequence,
                long timestampNs,
                int epoch,
                int salt) {
            instructions.storeEntry(destination, payload, length, type, position, sequence, timestampNs, epoch, salt);
            drain(destination, FrameDescriptor.slotAlignedLength(FrameDescriptor.frameLength(length)));
        }

        /// What was stored to a range is persistent when this returns.
        private void drain(long destination, long length) {
            if (writeBack) {
                instructions.flush(destination, length);
            } else {
                instructions.fence();
            }
        }
    }
}
