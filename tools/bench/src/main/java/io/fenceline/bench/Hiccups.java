package io.fenceline.bench;

import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.jspecify.annotations.Nullable;

/// The machine's own pauses: a thread that sleeps a while again and again, and records how much later than usual
/// it woke (as jHiccup does). What delays it is not the journal: the scheduler, the hypervisor, the garbage
/// collector.
///
/// Threads: [#take] of one.
final class Hiccups implements AutoCloseable {
    private static final long IDLE_PERIOD_NS = 1_000_000;
    private static final long BUSY_PERIOD_NS = 10_000_000;

    private final Recorder recorder = new Recorder(1, Latencies.HIGHEST_NS, 3);
    private final Thread thread = Thread.ofPlatform().daemon().name("hiccups").unstarted(this::watch);
    private @Nullable Histogram taken;
    private volatile long periodNs = IDLE_PERIOD_NS;
    private volatile boolean ended;

    Hiccups() {
        thread.start();
    }

    /// With a processor to spare it sleeps 1 ms at a time, else 10 ms, so as not to disturb.
    void busyThreads(int threads) {
        periodNs = threads < Runtime.getRuntime().availableProcessors() ? IDLE_PERIOD_NS : BUSY_PERIOD_NS;
    }

    private void watch() {
        long leastNs = Long.MAX_VALUE;
        long lastPeriodNs = 0;
        while (!ended) {
            long period = periodNs;
            if (period != lastPeriodNs) {
                leastNs = Long.MAX_VALUE;
                lastPeriodNs = period;
            }
            long beforeNs = System.nanoTime();
            LockSupport.parkNanos(period);
            long sleptNs = System.nanoTime() - beforeNs;
            leastNs = Math.min(leastNs, sleptNs);
            long pauseNs = Math.clamp(sleptNs - leastNs, 1, Latencies.HIGHEST_NS);
            recorder.recordValueWithExpectedInterval(pauseNs, period);
        }
    }

    /// Pauses since the last call. The same object each time.
    Histogram take() {
        taken = recorder.getIntervalHistogram(taken);
        return taken;
    }

    @Override
    public void close() {
        ended = true;
        LockSupport.unpark(thread);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
