package io.fenceline.bench.report;

import java.util.List;

/// One figure, measured in several rounds.
///
/// @param values a value for each round; may be empty
public record Rounds(List<Double> values) {
    public static final Rounds NONE = new Rounds(List.of());

    public Rounds {
        values = values.stream().sorted().toList();
    }

    public boolean isEmpty() {
        return values.isEmpty();
    }

    /// The middle one; NaN if there is none.
    public double median() {
        int n = values.size();
        return n == 0 ? Double.NaN : (values.get((n - 1) / 2) + values.get(n / 2)) / 2;
    }

    public double least() {
        return values.isEmpty() ? Double.NaN : values.getFirst();
    }

    public double greatest() {
        return values.isEmpty() ? Double.NaN : values.getLast();
    }
}
