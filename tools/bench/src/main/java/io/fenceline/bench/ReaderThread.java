package io.fenceline.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// A [Reader] in a thread of this process.
final class ReaderThread implements Reader {
    private static final long PATIENCE_MS = 20_000;

    private final Function<Latencies, Arrival> arrivals;
    private final Latencies latencies;
    private final int processor;
    private final Loop.Stop stop;
    private @Nullable Thread thread;
    private volatile boolean givenUp;
    private volatile @Nullable Throwable failure;
    private long lost;

    /// @param arrivals  opens what is read
    /// @param processor to be bound to; -1: any
    ReaderThread(Function<Latencies, Arrival> arrivals, int slices, int processor, Loop.Stop stop) {
        this.arrivals = arrivals;
        this.latencies = new Latencies(slices);
        this.processor = processor;
        this.stop = stop;
    }

    @Override
    public void begin(Loop.Times times) {
        latencies.begin(times);
        givenUp = false;
        CountDownLatch ready = new CountDownLatch(1);
        thread = Thread.ofPlatform().daemon().name("reader").start(() -> read(ready));
        try {
            ready.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private void read(CountDownLatch ready) {
        try {
            Pin.current(processor);
            try (Arrival arrival = arrivals.apply(latencies)) {
                ready.countDown();
                arrival.run(() -> givenUp);
                lost = arrival.lost;
            }
        } catch (RuntimeException | Error e) {
            failure = e;
        } finally {
            ready.countDown();
        }
    }

    @Override
    public Arrivals end() {
        join(PATIENCE_MS);
        Throwable problem = failure;
        if (problem != null) {
            throw new IllegalStateException("reading failed: " + problem.getMessage(), problem);
        }
        if (givenUp && !stop.isSet()) {
            throw new IllegalStateException(
                    "the reader has not seen the last entry after " + PATIENCE_MS / 1000 + " s");
        }
        List<Histogram> slices = new ArrayList<>();
        for (int i = 0; i < latencies.slices(); i++) {
            slices.add(latencies.slice(i));
        }
        return new Arrivals(slices, lost);
    }

    private void join(long patienceMs) {
        Thread reader = thread;
        if (reader == null) {
            return;
        }
        try {
            if (!reader.join(java.time.Duration.ofMillis(patienceMs))) {
                givenUp = true;
                reader.join(java.time.Duration.ofNanos(TimeUnit.SECONDS.toNanos(5)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        thread = null;
    }

    @Override
    public void close() {
        givenUp = true;
        join(5_000);
    }
}
