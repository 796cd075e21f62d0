package io.fenceline.bench;

import com.sun.management.ThreadMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// One system under one load, measured in rounds: as many threads as [Workload]s, and a reader if there is one.
final class Measurement implements AutoCloseable {
    private static final long START_DELAY_NS = 2_000_000;
    private static final long READER_DELAY_NS = 30_000_000;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /// What all measurements of a run share.
    record Context(Loop.Stop stop, Pin pin, Hiccups hiccups, Histogram pauses, int chunk) {}

    /// A series that is not the whole operation: recorded on the way by the workload.
    record Part(Recording recording, Latencies latencies) {}

    private final Context context;
    private final List<Workload> workloads;
    private final List<Loop> loops = new ArrayList<>();
    private final List<Latencies> latencies = new ArrayList<>();
    private final @Nullable Recording appends;
    private final @Nullable Recording arrivals;
    private final @Nullable Reader reader;
    private final List<Part> parts;
    private final int rate;
    private final int batch;
    private volatile @Nullable Throwable failure;

    /// @param appends  gets the whole operations; null: nothing does
    /// @param arrivals gets what the reader records; null: nothing does
    Measurement(
            Context context,
            List<? extends Workload> workloads,
            int rate,
            int batch,
            int slices,
            @Nullable Recording appends,
            @Nullable Reader reader,
            @Nullable Recording arrivals,
            List<Part> parts) {
        this.context = context;
        this.workloads = List.copyOf(workloads);
        this.rate = rate;
        this.batch = batch;
        this.appends = appends;
        this.reader = reader;
        this.arrivals = arrivals;
        this.parts = parts;
        for (int i = 0; i < workloads.size(); i++) {
            loops.add(MeasuringLoop.copy());
            latencies.add(new Latencies(slices));
        }
    }

    /// One round. Nothing of it is recorded if it is stopped before its time to record.
    void round(long warmUpNs, long lengthNs) {
        context.hiccups.busyThreads(workloads.size() + (reader == null ? 0 : 1));
        Loop.Times times = Loop.Times.of(reader == null ? START_DELAY_NS : READER_DELAY_NS, warmUpNs, lengthNs);
        // Saturated, the first half is not timed inside.
        Loop.Times timed = rate > 0
                ? times
                : new Loop.Times(times.recordNs() + lengthNs / 2, times.recordNs() + lengthNs / 2, times.endNs());
        latencies.forEach(each -> each.begin(timed));
        parts.forEach(part -> part.latencies.begin(timed));
        if (reader != null) {
            reader.begin(timed);
        }
        context.pauses.add(context.hiccups.take());
        long collections = collections();
        long collectionMs = collectionMs();
        List<Loop.Tally> tallies = run(times, timed);
        Reader.Arrivals arrived = endReader();
        Histogram pauses = context.hiccups.take();
        context.pauses.add(pauses);
        long pauseMaxNs = pauses.getTotalCount() == 0 ? 0 : pauses.getMaxValue();
        if (appends != null) {
            appends.add(latencies);
            addThroughput(appends, tallies);
            appends.addPauses(collections() - collections, collectionMs() - collectionMs, pauseMaxNs);
        }
        if (arrivals != null && arrived != null) {
            long lengthOfSliceNs = (timed.endNs() - timed.recordNs())
                    / Math.max(1, arrived.slices().size());
            for (int i = 0; i < arrived.slices().size(); i++) {
                arrivals.addSlice(
                        arrived.slices().get(i), timed.recordNs() + (i + 1) * lengthOfSliceNs, lengthOfSliceNs);
            }
            arrivals.addLost(arrived.lost());
            addThroughput(arrivals, tallies);
            arrivals.addPauses(collections() - collections, collectionMs() - collectionMs, pauseMaxNs);
        }
        for (Part part : parts) {
            part.recording.add(List.of(part.latencies));
            part.recording.addPauses(collections() - collections, collectionMs() - collectionMs, pauseMaxNs);
        }
    }

    private void addThroughput(Recording to, List<Loop.Tally> tallies) {
        long entries = 0;
        long elapsedNs = 0;
        double allocated = 0;
        for (Loop.Tally tally : tallies) {
            entries += tally.recorded * batch;
            elapsedNs = Math.max(elapsedNs, tally.elapsedNs);
            to.addMissed(tally.missed);
            allocated += (double) tally.allocatedBytes / Math.max(1, tally.operations * batch) / tallies.size();
        }
        to.addThroughput(entries, elapsedNs, rate == 0);
        to.addAllocation(allocated);
    }

    private Reader.@Nullable Arrivals endReader() {
        if (reader == null) {
            return null;
        }
        workloads.getFirst().run(Workload.END);
        return reader.end();
    }

    private List<Loop.Tally> run(Loop.Times times, Loop.Times timed) {
        List<Thread> threads = new ArrayList<>();
        List<Loop.Tally> tallies = new ArrayList<>();
        failure = null;
        for (int i = 0; i < workloads.size(); i++) {
            Loop.Tally tally = new Loop.Tally();
            tallies.add(tally);
            int number = i;
            threads.add(
                    Thread.ofPlatform().name("append-" + i).daemon().start(() -> append(number, tally, times, timed)));
        }
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            context.stop.set();
            Thread.currentThread().interrupt();
        }
        Throwable problem = failure;
        if (problem instanceof RuntimeException exception) {
            throw exception;
        }
        if (problem != null) {
            throw new IllegalStateException(problem);
        }
        return tallies;
    }

    private void append(int number, Loop.Tally tally, Loop.Times times, Loop.Times timed) {
        try {
            Pin.current(context.pin.processor(number, workloads.size()));
            Loop loop = loops.get(number);
            Workload workload = workloads.get(number);
            while (times.startNs() - System.nanoTime() > 0) {
                LockSupport.parkNanos(times.startNs() - System.nanoTime());
            }
            long allocated = THREADS.getCurrentThreadAllocatedBytes();
            if (rate == 0) {
                loop.untimed(workload, new Loop.Tally(), times.recordNs(), context.chunk, context.stop);
                allocated = THREADS.getCurrentThreadAllocatedBytes();
                loop.untimed(workload, tally, timed.recordNs(), context.chunk, context.stop);
                loop.saturated(workload, latencies.get(number), tally, timed, context.stop);
            } else {
                double periodNs = 1e9 * batch * workloads.size() / rate;
                long offsetNs = (long) (periodNs * number / workloads.size());
                Loop.Times shifted =
                        new Loop.Times(times.startNs() + offsetNs, times.recordNs() + offsetNs, times.endNs());
                loop.open(workload, latencies.get(number), tally, shifted, periodNs, context.stop);
            }
            tally.allocatedBytes = THREADS.getCurrentThreadAllocatedBytes() - allocated;
        } catch (RuntimeException | Error e) {
            failure = e;
            context.stop.set();
        }
    }

    private static long collections() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream()
                .mapToLong(GarbageCollectorMXBean::getCollectionCount)
                .sum();
    }

    private static long collectionMs() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream()
                .mapToLong(GarbageCollectorMXBean::getCollectionTime)
                .sum();
    }

    /// Of what was measured, as far as there is something.
    List<Recording> recordings() {
        List<Recording> all = new ArrayList<>();
        if (appends != null) {
            all.add(appends);
        }
        if (arrivals != null) {
            all.add(arrivals);
        }
        parts.forEach(part -> all.add(part.recording));
        all.removeIf(Recording::isEmpty);
        return all;
    }

    @Override
    public void close() {
        if (reader != null) {
            reader.close();
        }
    }
}
