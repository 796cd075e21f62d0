package io.fenceline.peers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// A file that is written once, so that later writes allocate nothing, and then overwritten lap after lap.
final class RingFile implements AutoCloseable {

    private final FileChannel channel;
    private long at;

    RingFile(Path file) throws IOException {
        channel = FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
        ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
        for (long written = 0; written < Room.LENGTH_BYTES; ) {
            written += channel.write(zeros.clear(), written);
        }
        channel.force(true);
    }

    /// One `pwrite`.
    void append(ByteBuffer buffer) throws IOException {
        if (at + buffer.remaining() > Room.LENGTH_BYTES) {
            at = 0;
        }
        while (buffer.hasRemaining()) {
            at += channel.write(buffer, at);
        }
    }

    /// One `fdatasync`.
    void sync() throws IOException {
        channel.force(false);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
