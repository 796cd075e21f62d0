package io.fenceline.peers;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/// The least that Java can do for a process crash: the payload stored to a mapped file, its length after it. Its reader
/// is the walk that scans are held against: verified, it computes `java.util.zip.CRC32C` of every payload and does
/// nothing else with it (nothing was stored to compare it with).
final class MappedPeer implements Peer {
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final int HEADER_LENGTH_BYTES = 8;
    private static final int POLL_LIMIT = 1024;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment ring;
    private final ByteBuffer bytes;
    private long at;

    MappedPeer(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(
                directory.resolve("mapped"),
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            ring = channel.map(FileChannel.MapMode.READ_WRITE, 0, Room.LENGTH_BYTES, arena);
        }
        ring.fill((byte) 0);
        bytes = ring.asByteBuffer();
    }

    @Override
    public String description() {
        return "length and payload into a mapped file of 256 MiB by MemorySegment.copy, release store; overwritten";
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        MemorySegment payload = Arena.ofAuto().allocate(payloadLengthBytes, 64);
        return stamp -> {
            payload.set(ValueLayout.JAVA_LONG, 0, stamp);
            if (at + HEADER_LENGTH_BYTES + payloadLengthBytes + HEADER_LENGTH_BYTES > Room.LENGTH_BYTES) {
                at = 0;
            }
            MemorySegment.copy(payload, 0, ring, at + HEADER_LENGTH_BYTES, payloadLengthBytes);
            INT.setRelease(ring, at, payloadLengthBytes);
            at += HEADER_LENGTH_BYTES + payloadLengthBytes;
        };
    }

    /// Of what was appended before; not of a second lap.
    @Override
    public Reading reading(ReadMode mode) {
        return new Walk(mode);
    }

    private final class Walk implements Reading {
        private final ReadMode mode;
        private final CRC32C crc = new CRC32C();
        private final ByteBuffer view = bytes.duplicate();
        private long next;

        Walk(ReadMode mode) {
            this.mode = mode;
        }

        @Override
        public int poll(Values values) {
            int polled = 0;
            while (polled < POLL_LIMIT && next + HEADER_LENGTH_BYTES <= Room.LENGTH_BYTES) {
                int length = (int) INT.getAcquire(ring, next);
                if (length == 0) {
                    break;
                }
                values.on(value((int) next + HEADER_LENGTH_BYTES, length));
                next += HEADER_LENGTH_BYTES + length;
                polled++;
            }
            return polled;
        }

        private long value(int payload, int length) {
            if (mode.verified()) {
                crc.reset();
                crc.update(view.limit(payload + length).position(payload));
                return crc.getValue();
            }
            long sum = ring.get(ValueLayout.JAVA_LONG_UNALIGNED, payload);
            if (mode.whole()) {
                for (int i = Long.BYTES; i < length; i += Long.BYTES) {
                    sum += ring.get(ValueLayout.JAVA_LONG_UNALIGNED, (long) payload + i);
                }
            }
            return sum;
        }

        @Override
        public void close() {}
    }

    @Override
    public void close() {
        arena.close();
    }
}
