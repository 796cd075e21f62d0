package io.fenceline.peers;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.logbuffer.FragmentHandler;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.agrona.concurrent.UnsafeBuffer;

/// Aeron between two threads by shared memory: it persists nothing, and is what a tailer's latency is held against.
final class AeronIpcPeer implements Peer {
    private static final String CHANNEL = "aeron:ipc?term-length=64m";
    private static final int STREAM = 11;
    private static final int FRAGMENT_LIMIT = 1024;

    private final MediaDriver driver;
    private final Aeron aeron;
    private final Subscription subscription;
    private final ExclusivePublication publication;

    AeronIpcPeer(Path directory) {
        String path = directory.resolve("driver").toString();
        driver = MediaDriver.launch(new MediaDriver.Context()
                .aeronDirectoryName(path)
                .threadingMode(ThreadingMode.SHARED)
                .dirDeleteOnStart(true));
        aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(path));
        subscription = aeron.addSubscription(CHANNEL, STREAM);
        publication = aeron.addExclusivePublication(CHANNEL, STREAM);
        while (!publication.isConnected() || subscription.hasNoImages()) {
            Thread.yield();
        }
    }

    @Override
    public String description() {
        return "exclusive publication and subscription, aeron:ipc, terms of 64 MiB, driver in one thread";
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        UnsafeBuffer payload = new UnsafeBuffer(ByteBuffer.allocateDirect(payloadLengthBytes));
        return stamp -> {
            payload.putLong(0, stamp);
            while (publication.offer(payload) < 0) {
                Thread.onSpinWait();
            }
        };
    }

    @Override
    public Reading reading(ReadMode mode) {
        return new Reading() {
            private Values values = value -> {};
            private final FragmentHandler handler =
                    (buffer, offset, length, header) -> values.on(buffer.getLong(offset));

            @Override
            public int poll(Values values) {
                this.values = values;
                return subscription.poll(handler, FRAGMENT_LIMIT);
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void close() {
        aeron.close();
        driver.close();
    }
}
