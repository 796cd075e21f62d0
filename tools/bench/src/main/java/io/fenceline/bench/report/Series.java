package io.fenceline.bench.report;

import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/// One system under one load: its latencies, and what goes with them.
///
/// @param subject   what was measured
/// @param medium    where
/// @param histogram latencies in nanoseconds; not changed any more
/// @param intervals latency over time
/// @param outcome   the rest
public record Series(Subject subject, Medium medium, Histogram histogram, List<Interval> intervals, Outcome outcome) {
    /// This over each raw limit that is comparable.
    public List<Ratio> ratios(List<Series> all) {
        List<Ratio> ratios = new ArrayList<>();
        for (Series other : all) {
            if (!subject.limit()
                    && other.subject.limit()
                    && subject.isComparable(other.subject)
                    && medium.isComparable(other.medium)
                    && isMeasured()
                    && other.isMeasured()) {
                ratios.add(Ratio.of(this, other));
            }
        }
        return ratios;
    }

    private boolean isMeasured() {
        return histogram.getTotalCount() > 0 || !outcome.nsPerEntry().isEmpty();
    }
}
