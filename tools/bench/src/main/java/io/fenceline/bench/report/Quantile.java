package io.fenceline.bench.report;

import org.HdrHistogram.Histogram;

/// The columns of every table.
public enum Quantile {
    P50("p50", 50),
    P90("p90", 90),
    P99("p99", 99),
    P999("p99.9", 99.9),
    P9999("p99.99", 99.99),
    MAX("max", 100);

    private final String title;
    private final double percentile;

    Quantile(String title, double percentile) {
        this.title = title;
        this.percentile = percentile;
    }

    public String title() {
        return title;
    }

    /// @return nanoseconds
    public long of(Histogram histogram) {
        return this == MAX ? histogram.getMaxValue() : histogram.getValueAtPercentile(percentile);
    }
}
