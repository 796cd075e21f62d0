package io.fenceline.perf;

import io.fenceline.bench.limits.RawLimits;
import io.fenceline.journal.Durability;
import io.fenceline.tailer.Entry;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

/// Appends while tailers of the same process follow, which idle as Agrona's agents do by default, beside appends
/// that nobody follows. The tailers share one processor, the first, and the appender has another: so this tells
/// what sharing the journal costs, not what sharing a processor does.
final class TailersProbe implements Probe {
    private static final int POLL_LIMIT = 256;

    private final JournalFixture fixture;
    private final MemorySegment payload;
    private final long operations;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean following;
    private volatile boolean closed;

    TailersProbe(Places places, int frameLengthBytes, int tailers) {
        fixture = JournalFixture.create(
                places.memory(), Durability.MEMORY, places.segmentLengthBytes(), places.segmentCount());
        payload = fixture.payloadOfFrame(frameLengthBytes);
        operations = places.scaled(100_000);
        for (int i = 0; i < tailers; i++) {
            threads.add(Thread.ofPlatform().daemon().start(this::follow));
        }
    }

    private void follow() {
        RawLimits.pin(0);
        long[] sum = new long[1];
        IdleStrategy idle = new BackoffIdleStrategy();
        try (Tailer tailer = Tailer.open(fixture.journal(), Start.newest())) {
            while (!closed) {
                if (!following) {
                    LockSupport.parkNanos(100_000);
                    tailer.skipTo(Start.newest());
                } else {
                    idle.idle(Math.max(0, tailer.poll(entry -> sum[0] += firstWord(entry), POLL_LIMIT)));
                }
            }
        }
    }

    private static long firstWord(Entry entry) {
        return entry.buffer().get(ValueLayout.JAVA_LONG_UNALIGNED, entry.offset());
    }

    @Override
    public List<String> columns() {
        return List.of("followed", "alone");
    }

    @Override
    public double measure(int column) {
        following = column == 0;
        LockSupport.parkNanos(2_000_000); // until all have noticed
        long startNs = System.nanoTime();
        fixture.append(payload, operations);
        return (double) (System.nanoTime() - startNs) / operations;
    }

    @Override
    public long operations() {
        return operations;
    }

    @Override
    public void close() {
        closed = true;
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        fixture.close();
    }
}
