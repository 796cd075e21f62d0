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
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.YieldingIdleStrategy;
import org.agrona.concurrent.status.CountersReader;

/// Aeron Archive: an IPC publication that is recorded; what the recording position has passed
/// is in the file, and with `fileSyncLevel` 1 or 2 on the device.
final class AeronArchivePeer implements Peer {
    private static final String CHANNEL = "aeron:ipc?term-length=64m";
    private static final int STREAM = 10;

    private final ArchivingMediaDriver driver;
    private final AeronArchive archive;
    private final Publication publication;
    private final CountersReader counters;
    private final int counter;
    private final int syncLevel;

    AeronArchivePeer(Path directory, int syncLevel) {
        this.syncLevel = syncLevel;
        String aeron = directory.resolve("driver").toString();
        driver = ArchivingMediaDriver.launch(
                new MediaDriver.Context()
                        .aeronDirectoryName(aeron)
                        .threadingMode(ThreadingMode.SHARED)
                        .sharedIdleStrategy(idle())
                        .spiesSimulateConnection(true)
                        .dirDeleteOnStart(true),
                new Archive.Context()
                        .aeronDirectoryName(aeron)
                        .archiveDir(directory.resolve("archive").toFile())
                        .threadingMode(ArchiveThreadingMode.SHARED)
                        .idleStrategySupplier(this::idle)
                        .controlChannelEnabled(false)
                        .archiveClientContext(new AeronArchive.Context().controlResponseChannel("aeron:ipc"))
                        .replicationChannel("aeron:udp?endpoint=localhost:0")
                        .fileSyncLevel(syncLevel)
                        .catalogFileSyncLevel(syncLevel));
        archive = AeronArchive.connect(new AeronArchive.Context()
                .aeronDirectoryName(aeron)
                .controlRequestChannel("aeron:ipc")
                .controlResponseChannel("aeron:ipc"));
        archive.startRecording(CHANNEL, STREAM, SourceLocation.LOCAL);
        publication = archive.context().aeron().addPublication(CHANNEL, STREAM);
        counters = archive.context().aeron().countersReader();
        counter = awaitCounter();
    }

    /// Nothing sleeps while an entry that goes to the page cache only is waited for.
    private IdleStrategy idle() {
        return syncLevel == 0 ? YieldingIdleStrategy.INSTANCE : new BackoffIdleStrategy();
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
        return "fileSyncLevel " + syncLevel
                + ", one IPC publication shared by all threads, waiters yield until it is recorded"
                + (syncLevel == 0 ? ", driver and archive yield, too" : "");
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        UnsafeBuffer buffer = new UnsafeBuffer(ByteBuffer.allocateDirect(payloadLengthBytes));
        return stamp -> {
            buffer.putLong(0, stamp);
            long position;
            while ((position = publication.offer(buffer)) < 0) {
                Thread.yield();
            }
            while (counters.getCounterValue(counter) < position) {
                Thread.yield();
            }
        };
    }

    @Override
    public void close() {
        archive.close();
        driver.close();
    }
}
