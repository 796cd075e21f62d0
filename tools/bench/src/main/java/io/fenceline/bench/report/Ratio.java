package io.fenceline.bench.report;

/// A series over another of the same load, size and run.
///
/// @param to         the system that is divided by
/// @param nsPerEntry NaN in an open loop; the percentiles are NaN where one side has no histogram
public record Ratio(String to, double nsPerEntry, double p50, double p99, double p999) {
    static Ratio of(Series series, Series limit) {
        return new Ratio(
                limit.subject().system(),
                series.outcome().nsPerEntry().median()
                        / limit.outcome().nsPerEntry().median(),
                quotient(series, limit, 50),
                quotient(series, limit, 99),
                quotient(series, limit, 99.9));
    }

    private static double quotient(Series series, Series limit, double percentile) {
        if (series.histogram().getTotalCount() == 0 || limit.histogram().getTotalCount() == 0) {
            return Double.NaN;
        }
        return (double) series.histogram().getValueAtPercentile(percentile)
                / Math.max(1, limit.histogram().getValueAtPercentile(percentile));
    }
}
