package io.fenceline.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// Threads that append one entry after the other, each waiting for its own, for a while.
///
/// @param ratePerSecond entries of all threads
/// @param p50Ns         time of one append
/// @param p99Ns         of the slowest hundredth
record Load(double ratePerSecond, long p50Ns, long p99Ns) {
    private enum Phase {
        WARM_UP,
        MEASURE,
        END
    }

    static Load run(Peer peer, int threads, int payloadLengthBytes, long warmUpNs, long measureNs) throws Exception {
        AtomicReference<Phase> phase = new AtomicReference<>(Phase.WARM_UP);
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        List<Histogram> histograms = new ArrayList<>();
        List<Thread> running = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            Histogram histogram = new Histogram(10_000_000_000L, 3);
            histograms.add(histogram);
            running.add(Thread.ofPlatform().name("load-" + i).start(() -> {
                try {
                    append(peer.appending(payloadLengthBytes), histogram, phase);
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                    phase.set(Phase.END);
                }
            }));
        }
        pause(warmUpNs, phase);
        long startNs = System.nanoTime();
        phase.compareAndSet(Phase.WARM_UP, Phase.MEASURE);
        pause(measureNs, phase);
        phase.set(Phase.END);
        double seconds = (System.nanoTime() - startNs) / 1e9;
        Histogram all = new Histogram(10_000_000_000L, 3);
        for (Thread thread : running) {
            thread.join();
        }
        histograms.forEach(all::add);
        Throwable first = failure.get();
        if (first != null) {
            throw new IllegalStateException("an append failed", first);
        }
        return new Load(all.getTotalCount() / seconds, all.getValueAtPercentile(50), all.getValueAtPercentile(99));
    }

    private static void append(Peer.Appending appending, Histogram histogram, AtomicReference<Phase> phase)
            throws Exception {
        Phase now;
        while ((now = phase.get()) != Phase.END) {
            long startNs = System.nanoTime();
            appending.append(startNs);
            if (now == Phase.MEASURE) {
                histogram.recordValue(Math.min(System.nanoTime() - startNs, 10_000_000_000L));
            }
        }
    }

    private static void pause(long ns, AtomicReference<Phase> phase) throws InterruptedException {
        long startNs = System.nanoTime();
        while (System.nanoTime() - startNs < ns && phase.get() != Phase.END) {
            Thread.sleep(1);
        }
    }
}
