package io.fenceline.peers;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// One thread that appends, one that reads: the four ways in which peers are compared.
final class SingleLoad {
    static final long HIGHEST_NS = 10_000_000_000L;

    /// Of a payload, what a peer may need for an entry beside it; for [Peer#prepare].
    private static final int OVERHEAD_BYTES = 64;

    private static final long CHUNK_LENGTH_BYTES = Room.LENGTH_BYTES / 16;
    private static final long CHUNK_NS = 25_000_000;
    private static final int GROUP = 64;
    private static final long SCAN_LENGTH_BYTES = Room.LENGTH_BYTES / 8 * 3L;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /// A scan is warm when so many passes take at least this part of the time that as many before them took.
    private static final int STEADY_PASSES = 15;

    private static final double STEADY = 0.97;
    private static final int LONGEST_WARM_UP_TIMES = 5;

    private final Peer peer;
    private final int payloadLengthBytes;
    private final long warmUpNs;
    private final long measureNs;

    /// @param measureNs without what is not measured: [Peer#prepare], filling
    SingleLoad(Peer peer, int payloadLengthBytes, long warmUpNs, long measureNs) {
        this.peer = peer;
        this.payloadLengthBytes = payloadLengthBytes;
        this.warmUpNs = warmUpNs;
        this.measureNs = measureNs;
    }

    /// @param nsPerEntry     median of chunks of entries, nothing timed inside
    /// @param allocatedBytes per entry, by the appending thread, at the least
    record Saturated(double nsPerEntry, double allocatedBytes) {}

    /// @param missed entries that were due and could not be begun in time
    record Open(Histogram latencies, long missed) {}

    /// One entry after the other.
    Saturated saturated() throws Exception {
        Peer.Appending appending = peer.appending(payloadLengthBytes);
        chunks(appending, warmUpNs, new ArrayList<>());
        List<Double> ns = new ArrayList<>();
        double allocated = chunks(appending, measureNs, ns);
        return new Saturated(Forks.median(ns), allocated);
    }

    private double chunks(Peer.Appending appending, long lengthNs, List<Double> ns) throws Exception {
        long entries = Math.max(GROUP, CHUNK_LENGTH_BYTES / (payloadLengthBytes + OVERHEAD_BYTES) / GROUP * GROUP);
        double leastAllocated = Double.MAX_VALUE;
        for (long passedNs = 0; passedNs < lengthNs; ) {
            peer.prepare(entries * (payloadLengthBytes + OVERHEAD_BYTES));
            long allocated = THREADS.getCurrentThreadAllocatedBytes();
            long done = 0;
            long startNs = System.nanoTime();
            long chunkNs = 0;
            while (done < entries && chunkNs < CHUNK_NS) {
                appending.appendAll(GROUP);
                done += GROUP;
                chunkNs = System.nanoTime() - startNs;
            }
            allocated = THREADS.getCurrentThreadAllocatedBytes() - allocated;
            passedNs += chunkNs;
            ns.add((double) chunkNs / done);
            leastAllocated = Math.min(leastAllocated, (double) allocated / done);
        }
        return leastAllocated;
    }

    /// At a fixed rate: latency counts from when an entry was due, whether or not the one before had returned.
    Open open(int ratePerSecond) throws Exception {
        Peer.Appending appending = peer.appending(payloadLengthBytes);
        chunks(appending, warmUpNs, new ArrayList<>());
        Histogram latencies = new Histogram(HIGHEST_NS, 3);
        prepare(ratePerSecond);
        long missed = atRate(appending, ratePerSecond, latencies, new AtomicLong());
        return new Open(latencies, missed);
    }

    private void prepare(int ratePerSecond) throws Exception {
        long entries = (long) ((warmUpNs + measureNs) / 1e9 * ratePerSecond);
        peer.prepare(entries * (payloadLengthBytes + OVERHEAD_BYTES));
    }

    /// @param last gets the last stamp
    /// @return how many were due and not begun
    private long atRate(Peer.Appending appending, int ratePerSecond, Histogram latencies, AtomicLong last)
            throws Exception {
        double periodNs = 1e9 / ratePerSecond;
        long startNs = System.nanoTime();
        long recordNs = startNs + warmUpNs;
        long endNs = recordNs + measureNs;
        long dueNs = startNs;
        long nowNs = startNs;
        long begun = 0;
        while (dueNs < endNs && nowNs < endNs) {
            while (nowNs < dueNs) {
                nowNs = System.nanoTime();
            }
            appending.append(dueNs);
            nowNs = System.nanoTime();
            if (dueNs >= recordNs) {
                latencies.recordValue(Math.min(nowNs - dueNs, HIGHEST_NS));
            }
            last.setPlain(dueNs);
            dueNs = startNs + (long) (++begun * periodNs);
        }
        long missed = 0;
        for (; dueNs < endNs; dueNs = startNs + (long) (++begun * periodNs)) {
            latencies.recordValue(Math.min(Math.max(nowNs - dueNs, 1), HIGHEST_NS));
            missed++;
        }
        return missed;
    }

    /// From when an entry was due to when the reader has it, in another thread.
    ///
    /// @return null: the peer has no reader
    @Nullable
    Histogram tail(int ratePerSecond) throws Exception {
        Peer.Appending appending = peer.appending(payloadLengthBytes);
        prepare(ratePerSecond);
        Peer.Reading reading = peer.reading(new Peer.ReadMode(true, false));
        if (reading == null) {
            return null;
        }
        Arrivals arrivals = new Arrivals(reading, System.nanoTime() + warmUpNs);
        Thread reader = Thread.ofPlatform().daemon().name("reader").start(arrivals);
        AtomicLong last = new AtomicLong();
        long end = Long.MIN_VALUE;
        try {
            atRate(appending, ratePerSecond, new Histogram(HIGHEST_NS, 3), last);
            end = last.get();
        } finally {
            arrivals.end(end);
        }
        reader.join();
        Throwable failure = arrivals.failure.get();
        if (failure != null) {
            throw new IllegalStateException("the reader failed", failure);
        }
        return arrivals.latencies;
    }

    /// Spins on the reader until it has seen the last stamp.
    private static final class Arrivals implements Runnable {
        private static final long PATIENCE_NS = 5_000_000_000L;

        private final Peer.Reading reading;
        private final long recordNs;
        final Histogram latencies = new Histogram(HIGHEST_NS, 3);
        final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        private long latest;
        private volatile long lastStamp = Long.MAX_VALUE;
        private volatile long deadlineNs = Long.MAX_VALUE;

        Arrivals(Peer.Reading reading, long recordNs) {
            this.reading = reading;
            this.recordNs = recordNs;
        }

        void end(long stamp) {
            deadlineNs = System.nanoTime() + PATIENCE_NS;
            lastStamp = stamp;
        }

        @Override
        public void run() {
            try (reading) {
                Peer.Values values = stamp -> {
                    latest = stamp;
                    if (stamp >= recordNs) {
                        latencies.recordValue(Math.min(System.nanoTime() - stamp, HIGHEST_NS));
                    }
                };
                while (latest < lastStamp) {
                    if (reading.poll(values) == 0) {
                        Thread.onSpinWait();
                        if (deadlineNs != Long.MAX_VALUE && System.nanoTime() > deadlineNs) {
                            throw new IllegalStateException("the last entry did not arrive");
                        }
                    }
                }
            } catch (Throwable e) {
                failure.set(e);
            }
        }
    }

    /// From the first entry to the last, all of them there already, again and again; measured when it is not getting
    /// faster any more.
    ///
    /// @return nanoseconds per entry, median; NaN: the peer has no reader
    double scan(Peer.ReadMode mode) throws Exception {
        try (Peer.Reading probe = peer.reading(mode)) {
            if (probe == null) {
                return Double.NaN;
            }
        }
        Peer.Appending appending = peer.appending(payloadLengthBytes);
        long entries = SCAN_LENGTH_BYTES / (payloadLengthBytes + OVERHEAD_BYTES);
        peer.prepare(SCAN_LENGTH_BYTES);
        for (long i = 0; i < entries; i++) {
            appending.append(i + 1);
        }
        List<Double> warm = new ArrayList<>();
        long startNs = System.nanoTime();
        while (System.nanoTime() - startNs < warmUpNs
                || (isStillWarming(warm) && System.nanoTime() - startNs < LONGEST_WARM_UP_TIMES * warmUpNs)) {
            warm.add(scanOnce(mode, entries));
        }
        List<Double> ns = new ArrayList<>();
        startNs = System.nanoTime();
        do {
            ns.add(scanOnce(mode, entries));
        } while (System.nanoTime() - startNs < measureNs);
        return Forks.median(ns);
    }

    /// Whether the last passes were faster than those before them: then code is still being compiled.
    private static boolean isStillWarming(List<Double> ns) {
        int passes = ns.size();
        if (passes < 2 * STEADY_PASSES) {
            return true;
        }
        double before = Forks.median(ns.subList(passes - 2 * STEADY_PASSES, passes - STEADY_PASSES));
        return Forks.median(ns.subList(passes - STEADY_PASSES, passes)) < STEADY * before;
    }

    /// @return nanoseconds per entry
    private double scanOnce(Peer.ReadMode mode, long entries) throws Exception {
        try (Peer.Reading reading = Objects.requireNonNull(peer.reading(mode))) {
            long startNs = System.nanoTime();
            scan(reading, entries);
            return (double) (System.nanoTime() - startNs) / entries;
        }
    }

    private static void scan(Peer.Reading reading, long entries) throws Exception {
        long[] sum = new long[1];
        Peer.Values values = value -> sum[0] += value;
        long seen = 0;
        while (true) {
            int polled = reading.poll(values);
            if (polled == 0) {
                break;
            }
            seen += polled;
        }
        if (seen != entries || sum[0] == 0) {
            throw new IllegalStateException("read " + seen + " of " + entries + " entries, sum " + sum[0]);
        }
    }
}
