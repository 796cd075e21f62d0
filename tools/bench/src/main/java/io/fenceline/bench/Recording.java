package io.fenceline.bench;

import io.fenceline.bench.report.HistogramLog;
import io.fenceline.bench.report.Interval;
import io.fenceline.bench.report.Medium;
import io.fenceline.bench.report.Outcome;
import io.fenceline.bench.report.Rounds;
import io.fenceline.bench.report.Series;
import io.fenceline.bench.report.Subject;
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// What gathers about one series, round by round.
final class Recording {
    private static final double KEPT_UP = 0.99;

    private final Subject subject;
    private final @Nullable HistogramLog log;
    private final long beginNs;
    private final Histogram total = Latencies.newHistogram();
    private final List<Interval> intervals = new ArrayList<>();
    private final List<Double> nsPerEntry = new ArrayList<>();
    private long elapsedNs;
    private long entries;
    private long missed;
    private long lost;
    private double allocatedBytesPerEntry = Double.NaN;
    private long gcPauses;
    private long gcPauseMs;
    private long machinePauseMaxNs;

    /// @param beginNs when the series of its group began, for the intervals
    Recording(Subject subject, @Nullable HistogramLog log, long beginNs) {
        this.subject = subject;
        this.log = log;
        this.beginNs = beginNs;
    }

    Subject subject() {
        return subject;
    }

    /// Takes what threads recorded in the same round.
    void add(List<Latencies> threads) {
        Latencies first = threads.getFirst();
        for (int i = 0; i < first.slices(); i++) {
            Histogram slice = first.slice(i);
            for (int thread = 1; thread < threads.size(); thread++) {
                slice.add(threads.get(thread).slice(i));
            }
            addSlice(slice, first.endNs(i), first.lengthNs());
        }
    }

    void addSlice(Histogram slice, long endNs, long lengthNs) {
        if (slice.getTotalCount() == 0) {
            return;
        }
        total.add(slice);
        intervals.add(new Interval(
                (endNs - beginNs) / 1e9,
                slice.getTotalCount(),
                slice.getValueAtPercentile(50),
                slice.getValueAtPercentile(99),
                slice.getMaxValue()));
        if (log != null) {
            log.add(subject.tag(), slice, endNs - lengthNs, endNs);
        }
    }

    /// A round of so many entries in that time.
    void addThroughput(long roundEntries, long roundNs, boolean saturated) {
        entries += roundEntries;
        elapsedNs += roundNs;
        if (saturated && roundEntries > 0) {
            nsPerEntry.add((double) roundNs / roundEntries);
        }
    }

    void addMissed(long count) {
        missed += count;
    }

    void addLost(long count) {
        lost += count;
    }

    /// The least of all rounds counts: in the first ones classes are still loaded.
    void addAllocation(double bytesPerEntry) {
        allocatedBytesPerEntry =
                Double.isNaN(allocatedBytesPerEntry) ? bytesPerEntry : Math.min(allocatedBytesPerEntry, bytesPerEntry);
    }

    void addPauses(long collections, long collectionMs, long pauseMaxNs) {
        gcPauses += collections;
        gcPauseMs += collectionMs;
        machinePauseMaxNs = Math.max(machinePauseMaxNs, pauseMaxNs);
    }

    boolean isEmpty() {
        return total.getTotalCount() == 0;
    }

    Series toSeries(Medium medium) {
        double seconds = elapsedNs / 1e9;
        double perSecond = seconds == 0 ? Double.NaN : entries / seconds;
        return new Series(
                subject,
                medium,
                total,
                List.copyOf(intervals),
                new Outcome(
                        seconds,
                        perSecond,
                        new Rounds(nsPerEntry),
                        subject.rate() == 0 || missed * subject.batch() <= entries * (1 - KEPT_UP),
                        lost,
                        allocatedBytesPerEntry,
                        gcPauses,
                        gcPauseMs,
                        machinePauseMaxNs));
    }
}
