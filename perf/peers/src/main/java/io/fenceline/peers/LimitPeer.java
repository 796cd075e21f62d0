package io.fenceline.peers;

import io.fenceline.bench.limits.RawLimits;
import io.fenceline.bench.limits.RawRing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// What the medium costs, in C: the same frames as the product's, no journal.
final class LimitPeer implements Peer {
    private static final int OVERHEAD_BYTES = 48;
    private static final int SLOT_BYTES = 64;

    enum Means {
        RAW,
        FRAMED,
        MEMCPY,
        SYNC
    }

    private final RawRing ring;
    private final Means means;
    private final int fd;

    LimitPeer(Path directory, Means means) {
        this.means = means;
        ring = new RawRing(directory, Room.LENGTH_BYTES);
        fd = ring.fd();
    }

    @Override
    public String description() {
        return "one frame as long as the product's a call, "
                + switch (means) {
                    case RAW -> "NT stores and sfence";
                    case FRAMED -> "header, CRC32C, NT stores and sfence";
                    case MEMCPY -> "memcpy";
                    case SYNC -> "pwrite and fdatasync";
                };
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        int frame = (payloadLengthBytes + OVERHEAD_BYTES + SLOT_BYTES - 1) & -SLOT_BYTES;
        MemorySegment stage = Arena.ofAuto().allocate(frame, SLOT_BYTES);
        return new Frames(frame, stage);
    }

    @Override
    public void close() {
        ring.close();
    }

    private final class Frames implements Appending {
        private final int frameLengthBytes;
        private final MemorySegment stage;
        private long at;

        Frames(int frameLengthBytes, MemorySegment stage) {
            this.frameLengthBytes = frameLengthBytes;
            this.stage = stage;
        }

        @Override
        public void append(long stamp) {
            if (at + frameLengthBytes > Room.LENGTH_BYTES) {
                at = 0;
            }
            long to = ring.bytes().address() + at;
            long source = ring.source().address();
            switch (means) {
                case RAW -> {
                    RawLimits.store(to, source, frameLengthBytes);
                    RawLimits.fence();
                }
                case FRAMED -> {
                    RawLimits.storeFramed(to, stage.address(), stamp, at, frameLengthBytes, source);
                    RawLimits.fence();
                }
                case MEMCPY -> RawLimits.copy(to, source, frameLengthBytes);
                case SYNC -> {
                    RawLimits.pwrite(fd, source, frameLengthBytes, at);
                    RawLimits.fdatasync(fd);
                }
            }
            at += frameLengthBytes;
        }

        /// In a loop in C, which is the limit of the saturated figures.
        @Override
        public void appendAll(int count) {
            switch (means) {
                case RAW -> ring.nt(frameLengthBytes, count);
                case FRAMED -> ring.framed(frameLengthBytes, count);
                case MEMCPY -> ring.memcpy(frameLengthBytes, count);
                case SYNC -> ring.sync(frameLengthBytes, count);
            }
        }
    }
}
