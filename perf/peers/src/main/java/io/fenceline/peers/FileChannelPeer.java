package io.fenceline.peers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/// A `FileChannel` and nothing else: one `pwrite` an entry into a file that is allocated already, and one `fdatasync`
/// if it is to survive a power cut.
final class FileChannelPeer implements Peer {
    private final RingFile file;
    private final boolean sync;

    FileChannelPeer(Path directory, boolean sync) throws IOException {
        file = new RingFile(directory.resolve("bare"));
        this.sync = sync;
    }

    @Override
    public String description() {
        return "one thread, pwrite " + (sync ? "and fdatasync " : "") + "of each entry into an allocated file";
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(payloadLengthBytes);
        return stamp -> {
            file.append(buffer.clear().putLong(0, stamp));
            if (sync) {
                file.sync();
            }
        };
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
