package io.fenceline.perf;

import io.fenceline.bench.limits.RawLimits;
import io.fenceline.bench.limits.RawRing;
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

/// Appends while tailers of the same process follow, which idle as Agrona's agents do by default; beside appends while
/// the same threads burn processor time and touch nothing, and beside appends while they sleep. The threads share one
/// processor, the first, and the appender has another: so followed over burning tells what sharing the journal costs,
/// and burning over alone what a machine costs whose other processor is busy. The raw loops run while they sleep, but
/// for the one that is followed: there the first of them reads in C what a loop in C writes, which is what the
/// hardware takes for having a reader that spins.
final class TailersProbe implements Probe {
    private static final int POLL_LIMIT = 256;
    private static final int FOLLOWED = 0;
    private static final int BURNING = 1;
    private static final int ALONE = 2;
    private static final int RAW = 3;
    private static final int FRAMED_FOLLOWED = 5;
    private static final int BURST = 1000;

    private final JournalFixture fixture;
    private final RawRing raw;
    private final int frameLengthBytes;
    private final MemorySegment payload;
    private final long operations;
    private final List<Thread> threads = new ArrayList<>();
    private volatile int column = ALONE;
    private volatile boolean closed;

    TailersProbe(Places places, int frameLengthBytes, int tailers) {
        fixture = JournalFixture.create(places, Durability.MEMORY);
        raw = new RawRing(places.memory(), places.capacityBytes());
        this.frameLengthBytes = frameLengthBytes;
        payload = fixture.payloadOfFrame(frameLengthBytes);
        operations = places.scaled(100_000);
        for (int i = 0; i < tailers; i++) {
            boolean first = i == 0;
            threads.add(Thread.ofPlatform().daemon().start(() -> follow(first)));
        }
    }

    private void follow(boolean first) {
        RawLimits.pin(0);
        long[] sum = new long[1];
        IdleStrategy idle = new BackoffIdleStrategy();
        try (Tailer tailer = Tailer.open(fixture.journal(), Start.newest())) {
            while (!closed) {
                switch (column) {
                    case FOLLOWED ->
                        idle.idle(Math.max(0, tailer.poll(entry -> sum[0] += firstWord(entry), POLL_LIMIT)));
                    case BURNING -> sum[0] = burn(sum[0]);
                    default -> {
                        if (first && column == FRAMED_FOLLOWED) {
                            sum[0] += raw.follow(frameLengthBytes);
                        }
                        LockSupport.parkNanos(100_000);
                        tailer.skipTo(Start.newest());
                    }
                }
            }
        }
    }

    private static long burn(long seed) {
        long value = seed;
        for (int i = 0; i < BURST; i++) {
            value = value * 0x5851_F42D_4C95_7F2DL + 1;
        }
        return value;
    }

    private static long firstWord(Entry entry) {
        return entry.buffer().get(ValueLayout.JAVA_LONG_UNALIGNED, entry.offset());
    }

    @Override
    public List<String> columns() {
        return List.of("followed", "burning", "alone", "raw", "framed", "framed, followed");
    }

    @Override
    public double measure(int column) {
        if (column == FRAMED_FOLLOWED) {
            raw.beginFollowing();
        }
        this.column = column;
        LockSupport.parkNanos(2_000_000); // until all have noticed
        return (double) run(column) / operations;
    }

    private long run(int column) {
        if (column == FRAMED_FOLLOWED) {
            long ns = raw.framedFollowed(frameLengthBytes, operations);
            raw.endFollowing();
            return ns;
        }
        if (column >= RAW) {
            return column == RAW ? raw.nt(frameLengthBytes, operations) : raw.framed(frameLengthBytes, operations);
        }
        long startNs = System.nanoTime();
        fixture.append(payload, operations);
        return System.nanoTime() - startNs;
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
        raw.close();
    }
}
