package io.fenceline.journal.persist;

import io.fenceline.journal.PersistStrategy;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// The product's [MemoryStrategy], whose instructions are done to a [SimulatedMedium]: a destination is a file
/// offset. A write-back that is left out is a word that no drain decides.
final class SimulatedMemory extends ForwardingPersister {
    private final MemoryStrategy strategy;
    private final MemoryStrategy rewriting;

    SimulatedMemory(SimulatedMedium medium, PersistStrategy strategy) {
        super(medium);
        this.strategy = MemoryStrategy.of(strategy, new SimulatedInstructions(medium, Kind.WRITE_BACK));
        this.rewriting = MemoryStrategy.of(strategy, new SimulatedInstructions(medium, Kind.REWRITE));
    }

    private static final class SimulatedInstructions extends Instructions {
        private final SimulatedMedium medium;
        private final Kind sweep;

        /// @param sweep as what a write-back is recorded
        SimulatedInstructions(SimulatedMedium medium, Kind sweep) {
            this.medium = medium;
            this.sweep = sweep;
        }

        @Override
        void copy(long destination, long source, long length) {
            medium.store(destination, source, length);
        }

        @Override
        void persist(long destination, long source, long length) {
            copy(destination, source, length);
            fence();
        }

        @Override
        void store(long destination, long source, long length) {
            medium.storeInCache(destination, source, length);
        }

        @Override
        void writeBack(long address, long length) {
            medium.writeBack(sweep, address, length);
        }

        @Override
        void flush(long address, long length) {
            writeBack(address, length);
            fence();
        }

        @Override
        void fence() {
            medium.drain();
        }

        @Override
        int crc32c(int crc, long address, long length) {
            if (crc != 0) {
                throw new UnsupportedOperationException("frames that go through in chunks");
            }
            CRC32C checksum = new CRC32C();
            checksum.update(MemorySegment.ofAddress(address).reinterpret(length).asByteBuffer());
            return (int) checksum.getValue();
        }

        @Override
        int copyCrc32c(int crc, long destination, long source, long length) {
            copy(destination, source, length);
            return crc32c(crc, source, length);
        }

        @Override
        void persistFrame(long destination, long source, long length, long slotsLength, int salt) {
            complete(source, length, salt);
            persist(destination, source, slotsLength);
        }

        @Override
        void storeFrame(long destination, long source, long length, long slotsLength, int salt) {
            complete(source, length, salt);
            store(destination, source, slotsLength);
        }

        private void complete(long source, long length, int salt) {
            int start = FrameDescriptor.CHECKSUM_START;
            ByteBuffer frame =
                    MemorySegment.ofAddress(source).reinterpret(length).asByteBuffer();
            frame.order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(FrameDescriptor.CHECKSUM_OFFSET, crc32c(0, source + start, length - start) ^ salt);
        }

        @Override
        boolean hasEntry() {
            return false;
        }

        @Override
        void persistEntry(
                long destination,
                MemorySegment payload,
                long length,
                int type,
                long position,
                long sequence,
                long timestampNs,
                int epoch,
                int salt) {
            throw new UnsupportedOperationException();
        }

        @Override
        void storeEntry(
                long destination,
                MemorySegment payload,
                long length,
                int type,
                long position,
                long sequence,
                long timestampNs,
                int epoch,
                int salt) {
            throw new UnsupportedOperationException();
        }
    }

    @Override
    public void store(long fileOffset, long sourceAddress, long lengthBytes) {
        strategy.store(fileOffset, sourceAddress, lengthBytes);
    }

    @Override
    public void drain() {
        strategy.drain();
    }

    @Override
    public void persist(long fileOffset, long sourceAddress, long lengthBytes) {
        strategy.persist(fileOffset, sourceAddress, lengthBytes);
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
        strategy.persistFrame(fileOffset, stageAddress, lengthBytes, slotsLengthBytes, salt);
    }

    @Override
    public void rewrite(long fileOffset, long lengthBytes) {
        rewriting.rewrite(fileOffset, lengthBytes);
    }
}
