package io.fenceline.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

/// The loops tell the truth about a system that stalls.
class MeasuringLoopTest {
    private static final double PERIOD_NS = 100_000;
    private static final long LENGTH_NS = 200_000_000;
    private static final long STALL_NS = 50_000_000;

    private final Loop.Stop stop = new Loop.Stop();
    private final Loop.Tally tally = new Loop.Tally();

    /// Does nothing, but stalls once.
    private static final class Stalling extends Workload {
        private final long when;
        private final long stallNs;
        private long count;

        Stalling(long when, long stallNs) {
            this.when = when;
            this.stallNs = stallNs;
        }

        @Override
        void run(long stamp) {
            if (count++ == when) {
                for (long endNs = System.nanoTime() + stallNs; System.nanoTime() - endNs < 0; ) {
                    LockSupport.parkNanos(endNs - System.nanoTime());
                }
            }
        }
    }

    private static Histogram total(Latencies latencies) {
        Histogram total = Latencies.newHistogram();
        for (int i = 0; i < latencies.slices(); i++) {
            total.add(latencies.slice(i));
        }
        return total;
    }

    /// Goal: no coordinated omission. One stall of 50 ms at 10,000/s delays 500 operations: half of them by 25 ms
    /// or more, however fast or slow this machine is.
    @Test
    void shouldChargeAStallToEveryOperationThatItDelaysWhenTheLoopIsOpen() {
        Latencies latencies = new Latencies(4);
        Loop.Times times = Loop.Times.of(0, 10_000_000, LENGTH_NS);
        latencies.begin(times);
        MeasuringLoop.copy().open(new Stalling(300, STALL_NS), latencies, tally, times, PERIOD_NS, stop);
        Histogram total = total(latencies);
        assertEquals(LENGTH_NS / PERIOD_NS, (double) total.getTotalCount(), 1, "one latency for each that was due");
        long delayed = total.getCountBetweenValues(STALL_NS / 2, Latencies.HIGHEST_NS);
        assertTrue(delayed >= 245, delayed + " saw 25 ms or more");
        assertTrue(total.getValueAtPercentile(90) >= STALL_NS / 2, "p90 " + total.getValueAtPercentile(90));
        assertTrue(total.getMaxValue() >= STALL_NS * 0.99, "max " + total.getMaxValue());
    }

    /// The same stall in a loop that waits for each operation: one latency tells of it. That is why the other
    /// exists.
    @Test
    void shouldTellOfAStallOnceWhenTheLoopIsSaturated() {
        Latencies latencies = new Latencies(1);
        Loop.Times times = Loop.Times.of(0, 0, LENGTH_NS);
        latencies.begin(times);
        MeasuringLoop.copy().saturated(new Stalling(1000, STALL_NS), latencies, tally, times, stop);
        Histogram total = total(latencies);
        assertTrue(total.getCountBetweenValues(STALL_NS, Latencies.HIGHEST_NS) >= 1);
        assertTrue(total.getMaxValue() >= STALL_NS * 0.99, "max " + total.getMaxValue());
        assertEquals(total.getTotalCount(), tally.operations);
    }

    /// Goal: what never got its turn counts, too. The stall outlasts the round.
    @Test
    void shouldCountWhatWasDueAndNeverBegan() {
        Latencies latencies = new Latencies(2);
        Loop.Times times = Loop.Times.of(0, 20_000_000, LENGTH_NS);
        latencies.begin(times);
        MeasuringLoop.copy().open(new Stalling(0, 2 * LENGTH_NS), latencies, tally, times, PERIOD_NS, stop);
        Histogram total = total(latencies);
        assertEquals(LENGTH_NS / PERIOD_NS, (double) total.getTotalCount(), 1);
        assertEquals(0, tally.recorded, "the operation that stalled was warming up");
        assertEquals(total.getTotalCount(), tally.missed);
        assertTrue(total.getMinValue() >= LENGTH_NS - 21_000_000, "min " + total.getMinValue());
    }

    @Test
    void shouldRecordNothingOfTheWarmUp() {
        Latencies latencies = new Latencies(1);
        Loop.Times times = Loop.Times.of(0, 20_000_000, 20_000_000);
        latencies.begin(times);
        MeasuringLoop.copy().open(new Stalling(-1, 0), latencies, tally, times, PERIOD_NS, stop);
        assertEquals(200, (double) total(latencies).getTotalCount(), 1);
        assertEquals(200, (double) (tally.recorded + tally.missed), 1);
        assertTrue(tally.operations >= tally.recorded);
    }

    @Test
    void shouldEndAtOnceAndClaimNothingMoreWhenItIsStopped() {
        Latencies latencies = new Latencies(1);
        Loop.Times times = Loop.Times.of(0, 0, 60_000_000_000L);
        latencies.begin(times);
        Workload stopping = new Workload() {
            private int left = 10;

            @Override
            void run(long stamp) {
                if (--left == 0) {
                    stop.set();
                }
            }
        };
        MeasuringLoop.copy().open(stopping, latencies, tally, times, PERIOD_NS, stop);
        assertEquals(10, total(latencies).getTotalCount());
        assertEquals(0, tally.missed);
    }

    /// Goal: the hot loops allocate nothing, so that what the table says of allocation is the journal's.
    @Test
    void shouldAllocateNothing() {
        var threads = (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        Loop loop = MeasuringLoop.copy();
        Latencies latencies = new Latencies(3);
        Workload workload = new Stalling(-1, 0);
        for (int round = 0; round < 5; round++) {
            Loop.Times times = Loop.Times.of(0, 0, 20_000_000);
            latencies.begin(times);
            long before = threads.getCurrentThreadAllocatedBytes();
            loop.open(workload, latencies, tally, times, 1_000, stop);
            loop.saturated(workload, latencies, tally, Loop.Times.of(0, 0, 0), stop);
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertTrue(least < 200, least + " bytes for 20,000 operations (a Times is one of them)");
    }
}
