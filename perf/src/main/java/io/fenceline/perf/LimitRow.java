package io.fenceline.perf;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A figure with what was measured of it.
record LimitRow(
        Figure figure, Samples product, List<Double> limit, List<Double> ratio, double allocatedBytes, int rounds) {
    static LimitRow of(Figure figure, LimitFork.Result result) {
        List<String> columns = result.columns();
        int product = columns.indexOf(figure.product());
        if (product < 0) {
            throw new IllegalStateException("the probe " + figure.probe() + " has no column " + figure.product());
        }
        int limit = figure.limit() == null ? -1 : columns.indexOf(figure.limit());
        List<Double> products = new ArrayList<>();
        List<Double> limits = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        for (double[] round : result.rounds()) {
            products.add(round[product]);
            if (limit >= 0) {
                limits.add(round[limit]);
                ratios.add(figure.ratio(round[product], round[limit]));
            }
        }
        return new LimitRow(
                figure,
                new Samples(products),
                limits,
                ratios,
                result.allocatedBytes(),
                result.rounds().size());
    }

    double medianRatio() {
        return ratio.isEmpty() ? Double.NaN : new Samples(ratio).median();
    }

    boolean met() {
        return figure.isMet(product.median(), medianRatio()) && !(allocatedBytes >= 0.5);
    }

    String text() {
        String limitText = limit.isEmpty() ? "–" : decimal(figure.unit().of(new Samples(limit).median()));
        String ratioText = ratio.isEmpty() ? "–" : String.format(Locale.ROOT, "%.3f", medianRatio());
        String spread = ratio.isEmpty()
                ? String.format(
                        Locale.ROOT,
                        "(%s–%s)",
                        decimal(figure.unit().of(product.quantile(0.1))),
                        decimal(figure.unit().of(product.quantile(0.9))))
                : String.format(
                        Locale.ROOT, "(%.3f–%.3f)", new Samples(ratio).quantile(0.1), new Samples(ratio).quantile(0.9));
        return String.format(
                Locale.ROOT,
                "%-50s %9s %9s %-5s %7s %15s %9s  %-4s %6s",
                figure.title(),
                decimal(figure.unit().of(product.median())),
                limitText,
                figure.unit().symbol,
                ratioText,
                spread,
                figure.targetText(),
                met() ? "yes" : "NO",
                Double.isNaN(allocatedBytes) ? "–" : String.format(Locale.ROOT, "%.0f", allocatedBytes));
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, value < 100 ? "%.2f" : "%.1f", value);
    }

    String json() {
        List<String> fields = new ArrayList<>();
        fields.add("\"figure\": " + quoted(figure.title()));
        fields.add("\"unit\": " + quoted(figure.unit().symbol));
        fields.add("\"product\": " + json(figure.unit().of(product.median())));
        fields.add("\"productBest\": " + json(figure.unit().of(product.minimum())));
        if (!ratio.isEmpty()) {
            Samples ratios = new Samples(ratio);
            fields.add("\"limit\": " + json(figure.unit().of(new Samples(limit).median())));
            fields.add("\"limitBest\": " + json(figure.unit().of(new Samples(limit).minimum())));
            fields.add("\"ratio\": " + json(ratios.median()));
            fields.add("\"ratioP10\": " + json(ratios.quantile(0.1)));
            fields.add("\"ratioP90\": " + json(ratios.quantile(0.9)));
        }
        fields.add("\"target\": " + quoted(figure.targetText()));
        fields.add("\"met\": " + met());
        if (!Double.isNaN(allocatedBytes)) {
            fields.add("\"allocatedBytesPerOperation\": " + json(allocatedBytes));
        }
        fields.add("\"rounds\": " + rounds);
        return "{" + String.join(", ", fields) + "}";
    }

    private static String json(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }

    static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
