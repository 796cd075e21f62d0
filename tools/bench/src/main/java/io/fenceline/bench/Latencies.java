package io.fenceline.bench;

import org.HdrHistogram.Histogram;

/// Latencies of one round, of one thread: a histogram for each slice of its time, all made beforehand.
///
/// Threads: one at a time.
final class Latencies {
    /// Longer ones count as this.
    static final long HIGHEST_NS = 100_000_000_000L;

    private static final int SIGNIFICANT_DIGITS = 3;

    private final Histogram[] slices;
    private long recordNs;
    private long sliceLengthNs;
    private long sliceEndNs;
    private int current;

    Latencies(int slices) {
        this.slices = new Histogram[slices];
        for (int i = 0; i < slices; i++) {
            this.slices[i] = newHistogram();
        }
    }

    static Histogram newHistogram() {
        return new Histogram(1, HIGHEST_NS, SIGNIFICANT_DIGITS);
    }

    /// Empties all slices for another round.
    void begin(Loop.Times times) {
        for (Histogram slice : slices) {
            if (slice.getTotalCount() > 0) {
                slice.reset();
            }
        }
        recordNs = times.recordNs();
        sliceLengthNs = Math.max(1, (times.endNs() - recordNs) / slices.length);
        sliceEndNs = recordNs + sliceLengthNs;
        current = 0;
    }

    /// @param latencyNs to record
    /// @param nowNs     when it was known
    void record(long latencyNs, long nowNs) {
        if (nowNs - sliceEndNs >= 0) {
            advance(nowNs);
        }
        slices[current].recordValue(Math.clamp(latencyNs, 1, HIGHEST_NS));
    }

    private void advance(long nowNs) {
        current = (int) Math.min((nowNs - recordNs) / sliceLengthNs, slices.length - 1);
        sliceEndNs = current == slices.length - 1
                ? recordNs + (Long.MAX_VALUE >> 2)
                : recordNs + (current + 1) * sliceLengthNs;
    }

    int slices() {
        return slices.length;
    }

    Histogram slice(int index) {
        return slices[index];
    }

    /// End of a slice in terms of [System#nanoTime].
    long endNs(int index) {
        return recordNs + (index + 1) * sliceLengthNs;
    }

    long lengthNs() {
        return sliceLengthNs;
    }
}
