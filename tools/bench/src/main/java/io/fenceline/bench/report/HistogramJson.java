package io.fenceline.bench.report;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import org.HdrHistogram.Histogram;

/// Numbers in a file of results, as `docs/BENCH.md` describes them.
public final class HistogramJson {
    private static final MathContext DIGITS = new MathContext(6);
    private static final MathContext FRACTION_DIGITS = new MathContext(8);

    private HistogramJson() {}

    /// The fields `ns` and `percentiles`.
    ///
    /// @param histogram of nanoseconds
    public static void write(JsonGenerator json, Histogram histogram) throws IOException {
        json.writeObjectFieldStart("ns");
        if (histogram.getTotalCount() > 0) {
            json.writeNumberField("min", histogram.getMinValue());
            number(json, "mean", histogram.getMean());
            for (Quantile quantile : Quantile.values()) {
                json.writeNumberField(quantile.title(), quantile.of(histogram));
            }
        }
        json.writeEndObject();
        json.writeArrayFieldStart("percentiles");
        for (double[] point : Curve.of(histogram)) {
            json.writeStartArray();
            json.writeNumber(new BigDecimal(point[0]).round(FRACTION_DIGITS));
            json.writeNumber((long) point[1]);
            json.writeEndArray();
        }
        json.writeEndArray();
    }

    /// A field; what is not known (NaN) is left out.
    public static void number(JsonGenerator json, String name, double value) throws IOException {
        if (Double.isFinite(value)) {
            json.writeFieldName(name);
            json.writeNumber(rounded(value));
        }
    }

    /// To what a measurement is good for, in plain digits.
    public static BigDecimal rounded(double value) {
        BigDecimal rounded = new BigDecimal(value).round(DIGITS).stripTrailingZeros();
        return rounded.scale() < 0 ? rounded.setScale(0) : rounded;
    }
}
