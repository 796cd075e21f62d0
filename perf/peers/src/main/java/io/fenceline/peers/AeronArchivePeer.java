package io.fenceline.peers;

import io.aeron.Publication;
import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveThreadingMode;
import io.aeron.archive.ArchivingMediaDriver;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.archive.status.RecordingPos;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import java.nio.file.Path;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersReader;

/// Aeron Archive with `fileSyncLevel` 2: an IPC publication that is recorded; durable is what the recording position
/// has passed.
final class AeronArchivePeer implements Peer {
    private static final String CHANNEL = "aeron:ipc?term-length=64m";
    private static final int STREAM = 10;

    private final ArchivingMediaDriver driver;
    private final AeronArchive archive;
    private final Publication publication;
    private final CountersReader counters;
    private final int counter;
    private final ThreadLocal<UnsafeBuffer> buffers = ThreadLocal.withInitial(() -> new UnsafeBuffer(0, 0));

    AeronArchivePeer(Path directory) {
        String aeron = directory.resolve("driver").toString();
        driver = ArchivingMediaDriver.launch(
                new MediaDriver.Context()
                        .aeronDirectoryName(aeron)
                        .threadingMode(ThreadingMode.SHARED)
                        .spiesSimulateConnection(true)
                        .dirDeleteOnStart(true),
                new Archive.Context()
                        .aeronDirectoryName(aeron)
                        .archiveDir(directory.resolve("archive").toFile())
                        .threadingMode(ArchiveThreadingMode.SHARED)
                        .controlChannelEnabled(false)
                        .archiveClientContext(new AeronArchive.Context().controlResponseChannel("aeron:ipc"))
                        .replicationChannel("aeron:udp?endpoint=localhost:0")
                        .fileSyncLevel(2)
                        .catalogFileSyncLevel(2));
        archive = AeronArchive.connect(new AeronArchive.Context()
                .aeronDirectoryName(aeron)
                .controlRequestChannel("aeron:ipc")
                .controlResponseChannel("aeron:ipc"));
        archive.startRecording(CHANNEL, STREAM, SourceLocation.LOCAL);
        publication = archive.context().aeron().addPublication(CHANNEL, STREAM);
        counters = archive.context().aeron().countersReader();
        counter = awaitCounter();
    }

    private int awaitCounter() {
        while (true) {
            int id = RecordingPos.findCounterIdBySession(counters, publication.sessionId(), archive.archiveId());
            if (id != CountersReader.NULL_COUNTER_ID) {
                return id;
            }
            Thread.yield();
        }
    }

    @Override
    public String description() {
        return "fileSyncLevel 2, one IPC publication shared by all threads, waiters yield until it is recorded";
    }

    @Override
    public void append(byte[] payload) {
        UnsafeBuffer buffer = buffers.get();
        buffer.wrap(payload);
        long position;
        while ((position = publication.offer(buffer)) < 0) {
            Thread.yield();
        }
        while (counters.getCounterValue(counter) < position) {
            Thread.yield();
        }
    }

    @Override
    public void close() {
        archive.close();
        driver.close();
    }
}
