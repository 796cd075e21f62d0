package io.fenceline.peers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/// What one writes by hand: entries with length and CRC gather in a buffer under a lock, one thread swaps the buffer,
/// writes it, syncs; who waits yields. No recovery, no tailers.
final class GatheredPeer implements Peer {
    private static final int BUFFER_LENGTH_BYTES = 1 << 20;

    private final RingFile file;
    private final Thread writer;
    private ByteBuffer gathering = ByteBuffer.allocateDirect(BUFFER_LENGTH_BYTES);
    private ByteBuffer writing = ByteBuffer.allocateDirect(BUFFER_LENGTH_BYTES);
    private long batch;
    private volatile long durable = -1;
    private volatile boolean closed;

    GatheredPeer(Path directory) throws IOException {
        file = new RingFile(directory.resolve("log"));
        writer = Thread.ofPlatform().daemon().name("writer").start(this::write);
    }

    @Override
    public String description() {
        return "group commit by hand over a FileChannel: shared buffer, one writing thread, waiters yield";
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        byte[] payload = new byte[payloadLengthBytes];
        return stamp -> {
            ByteBuffer.wrap(payload).putLong(stamp);
            append(payload);
        };
    }

    private void append(byte[] payload) {
        java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
        crc.update(payload, 0, payload.length);
        long mine = -1;
        while (mine < 0) {
            synchronized (this) {
                if (gathering.remaining() >= payload.length + 8) {
                    gathering
                            .putInt(payload.length)
                            .putInt((int) crc.getValue())
                            .put(payload);
                    mine = batch;
                }
            }
        }
        while (durable < mine) {
            Thread.yield();
        }
    }

    private void write() {
        try {
            while (!closed) {
                long taken;
                synchronized (this) {
                    ByteBuffer full = gathering;
                    gathering = writing.clear();
                    writing = full.flip();
                    taken = batch++;
                }
                if (writing.hasRemaining()) {
                    file.append(writing);
                    file.sync();
                } else {
                    Thread.yield();
                }
                durable = taken;
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        boolean ended = false;
        while (!ended) {
            ended = !writer.isAlive();
            Thread.onSpinWait();
        }
        file.close();
    }
}
