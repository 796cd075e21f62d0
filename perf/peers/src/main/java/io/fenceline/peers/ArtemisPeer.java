package io.fenceline.peers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.activemq.artemis.core.io.nio.NIOSequentialFileFactory;
import org.apache.activemq.artemis.core.journal.impl.JournalImpl;

/// The Artemis journal over NIO, with its timed buffer; records are added with `sync`.
final class ArtemisPeer implements Peer {
    private static final int FILE_LENGTH_BYTES = 10 << 20;
    private static final int FILES = Math.clamp(Room.LENGTH_BYTES / FILE_LENGTH_BYTES, 2, 20);
    private static final int BUFFER_LENGTH_BYTES = 490 << 10;
    private static final int BUFFER_TIMEOUT_NS = 100_000;

    private final JournalImpl journal;
    private final AtomicLong ids = new AtomicLong(1);

    ArtemisPeer(Path directory) throws Exception {
        NIOSequentialFileFactory files = new NIOSequentialFileFactory(
                directory.toFile(), true, BUFFER_LENGTH_BYTES, BUFFER_TIMEOUT_NS, 1, false, null, null);
        files.setDatasync(true);
        journal = new JournalImpl(FILE_LENGTH_BYTES, FILES, FILES, 0, 0, files, "log", "dat", 1);
        journal.start();
        journal.load(new ArrayList<>(), new ArrayList<>(), null);
    }

    @Override
    public String description() {
        return "NIO, files of 10 MiB, timed buffer of 490 KiB and 0.1 ms, datasync, appendAddRecord with sync";
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        byte[] payload = new byte[payloadLengthBytes];
        return stamp -> {
            ByteBuffer.wrap(payload).putLong(stamp);
            journal.appendAddRecord(ids.getAndIncrement(), (byte) 0, payload, true);
        };
    }

    @Override
    public void close() throws IOException {
        try {
            journal.stop();
        } catch (Exception e) {
            throw new IOException(e);
        }
    }
}
