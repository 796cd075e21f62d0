package io.fenceline.bench.report;

import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

/// The points of a percentile plot: dense towards 1, where the distance to 1 is what is drawn.
final class Curve {
    private static final int TICKS_PER_HALF_DISTANCE = 8;

    private Curve() {}

    /// Pairs of a fraction below 1 and nanoseconds, both rising. The last is at 1 - 1 / (2 n) of n values: the
    /// maximum.
    static List<double[]> of(Histogram histogram) {
        List<double[]> points = new ArrayList<>();
        long count = histogram.getTotalCount();
        if (count == 0) {
            return points;
        }
        double last = 1 - 0.5 / count;
        for (HistogramIterationValue value : histogram.percentiles(TICKS_PER_HALF_DISTANCE)) {
            double fraction = Math.min(last, value.getPercentileLevelIteratedTo() / 100);
            if (points.isEmpty() || fraction > points.getLast()[0]) {
                points.add(new double[] {fraction, value.getValueIteratedTo()});
            }
        }
        return points;
    }
}
