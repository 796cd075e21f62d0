package io.fenceline.perf;

import java.util.Arrays;
import java.util.List;

/// Numbers of many rounds, and what they say on a machine that is not quiet.
final class Samples {
    private final double[] sorted;

    Samples(List<Double> values) {
        if (values.isEmpty()) {
            throw new IllegalArgumentException("no samples");
        }
        sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    }

    static Samples of(double... values) {
        return new Samples(Arrays.stream(values).boxed().toList());
    }

    double median() {
        return quantile(0.5);
    }

    double minimum() {
        return sorted[0];
    }

    /// Interpolated between the two nearest values.
    double quantile(double fraction) {
        double index = fraction * (sorted.length - 1);
        int below = (int) Math.floor(index);
        int above = (int) Math.ceil(index);
        return sorted[below] + (sorted[above] - sorted[below]) * (index - below);
    }

    int size() {
        return sorted.length;
    }
}
