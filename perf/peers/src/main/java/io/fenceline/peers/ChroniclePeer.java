package io.fenceline.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.SyncMode;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.wire.DocumentContext;
import org.jspecify.annotations.Nullable;

/// Chronicle Queue, open source. It reuses no file, and what pretouches a new one is not open source: so that no page
/// fault is measured, each queue is written into its first block once it is mapped, and replaced before that is full.
final class ChroniclePeer implements Peer {

    private final Path directory;
    private final boolean sync;
    private final int blockLengthBytes;
    private int queues;
    private long usedBytes;
    private @Nullable SingleChronicleQueue queue;
    private @Nullable ExcerptAppender appender;

    ChroniclePeer(Path directory, boolean sync) throws IOException {
        this.directory = directory;
        this.sync = sync;
        blockLengthBytes = sync ? Room.LENGTH_BYTES / 8 : Room.LENGTH_BYTES;
        open();
    }

    private void open() throws IOException {
        close();
        Path path = directory.resolve("queue" + queues++);
        SingleChronicleQueue opened = SingleChronicleQueueBuilder.binary(path)
                .blockSize(blockLengthBytes)
                .syncMode(sync ? SyncMode.SYNC : SyncMode.NONE)
                .build();
        queue = opened;
        ExcerptAppender created = opened.createAppender();
        created.singleThreadedCheckDisabled(true);
        appender = created;
        Bytes<?> first = Bytes.allocateDirect(Long.BYTES);
        created.writeBytes(first.writeLong(0));
        first.releaseLast();
        MappedIn.populate(path);
        if (sync) {
            created.sync(); // what mapping in made dirty
        }
        usedBytes = 0;
    }

    @Override
    public String description() {
        return "writeBytes to a queue of default roll cycle in one block, mapped in beforehand"
                + (sync
                        ? ", sync() after each, SyncMode SYNC: the default is msync with MS_ASYNC, which syncs nothing"
                        : "");
    }

    @Override
    public void prepare(long lengthBytes) throws IOException {
        if (usedBytes + lengthBytes > blockLengthBytes - (blockLengthBytes >> 3)) {
            open();
        }
        usedBytes += lengthBytes;
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        Bytes<?> payload = Bytes.allocateDirect(payloadLengthBytes);
        payload.writePosition(payloadLengthBytes);
        return stamp -> {
            payload.writeLong(0, stamp);
            ExcerptAppender current = appender;
            if (current == null) {
                throw new IllegalStateException("closed");
            }
            current.writeBytes(payload);
            if (sync) {
                current.sync();
            }
        };
    }

    @Override
    public Reading reading(ReadMode mode) throws IOException {
        SingleChronicleQueue current = queue;
        if (current == null) {
            throw new IllegalStateException("closed");
        }
        ExcerptTailer tailer = current.createTailer();
        tailer.singleThreadedCheckDisabled(true);
        try (DocumentContext first = tailer.readingDocument()) {
            if (!first.isPresent()) {
                throw new IllegalStateException("the entry that opens each queue is not there");
            }
        }
        MappedIn.populate(directory);
        return new Tailing(tailer, mode.whole());
    }

    @Override
    public void close() throws IOException {
        SingleChronicleQueue current = queue;
        if (current == null) {
            return;
        }
        if (appender != null) {
            appender.close();
        }
        Path path = current.file().toPath();
        current.close();
        queue = null;
        Forks.remove(path);
        Files.createDirectories(directory);
    }

    private record Tailing(ExcerptTailer tailer, boolean whole) implements Reading {
        @Override
        public int poll(Values values) {
            int polled = 0;
            while (polled < 1024) {
                try (DocumentContext document = tailer.readingDocument()) {
                    if (!document.isPresent()) {
                        break;
                    }
                    Bytes<?> bytes =
                            java.util.Objects.requireNonNull(document.wire()).bytes();
                    long sum = bytes.readLong();
                    if (whole) {
                        while (bytes.readRemaining() >= Long.BYTES) {
                            sum += bytes.readLong();
                        }
                    }
                    values.on(sum);
                }
                polled++;
            }
            return polled;
        }

        @Override
        public void close() {
            tailer.close();
        }
    }
}
