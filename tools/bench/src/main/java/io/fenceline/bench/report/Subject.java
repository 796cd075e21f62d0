package io.fenceline.bench.report;

/// What was measured under which load; two series of one run differ in it.
///
/// @param system             name, such as `Fenceline`, `limit: framed`
/// @param limit              whether it is a raw limit, no journal
/// @param stage              what was timed
/// @param rate               entries per second in an open loop; 0: saturated, one operation after the other
/// @param payloadLengthBytes of an entry
/// @param frameLengthBytes   what goes to the medium in one operation; 0: not known
/// @param batch              entries per operation
/// @param threads            that append
/// @param tailers            live while it was measured
public record Subject(
        String system,
        boolean limit,
        Stage stage,
        int rate,
        int payloadLengthBytes,
        int frameLengthBytes,
        int batch,
        int threads,
        int tailers) {
    /// The name of Fenceline itself among the systems.
    public static final String FENCELINE = "Fenceline";

    public Subject withStage(Stage stage) {
        return new Subject(system, limit, stage, rate, payloadLengthBytes, frameLengthBytes, batch, threads, tailers);
    }

    public Subject withSystem(String system, boolean limit) {
        return new Subject(system, limit, stage, rate, payloadLengthBytes, frameLengthBytes, batch, threads, tailers);
    }

    public Subject withTailers(int tailers) {
        return new Subject(system, limit, stage, rate, payloadLengthBytes, frameLengthBytes, batch, threads, tailers);
    }

    /// Same load and size, so that a ratio means something.
    public boolean isComparable(Subject other) {
        return stage == other.stage
                && rate == other.rate
                && payloadLengthBytes == other.payloadLengthBytes
                && batch == other.batch;
    }

    /// A word for the logs of HdrHistogram, whose tags take no commas and blanks.
    public String tag() {
        String load = rate == 0 ? "saturated" : rate + "-per-s";
        String with = tailers == 0 || stage.isTail() ? "" : "-with-tailer";
        return "%s-%s%s-%dB-%s"
                .formatted(system.replaceAll("[^A-Za-z0-9.+-]+", "-"), stage.json(), with, payloadLengthBytes, load);
    }
}
