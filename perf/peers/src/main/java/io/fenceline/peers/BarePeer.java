package io.fenceline.peers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/// The limit: one thread, one `pwrite` and one `fdatasync` an entry, nothing else.
final class BarePeer implements Peer {
    private final RingFile file;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);

    BarePeer(Path directory) throws IOException {
        file = new RingFile(directory.resolve("bare"));
    }

    @Override
    public String description() {
        return "one thread, pwrite and fdatasync of each entry into an allocated file";
    }

    @Override
    public void append(byte[] payload) throws IOException {
        file.append(buffer.clear().put(payload).flip());
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
