package io.fenceline.perf;

import io.fenceline.journal.Durability;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A figure to reach: a column of a probe, the column that it is held against, and how far it may be off.
///
/// @param title   what it says in the table
/// @param probe   name of the probe, see [#PROBES]
/// @param product column of the product
/// @param limit   column that the ratio is taken to; null: there is none
/// @param unit    how values are shown
/// @param rule    what the target bounds
/// @param target  the bound, in terms of the rule
record Figure(
        String title,
        String probe,
        String product,
        @Nullable String limit,
        Unit unit,
        Rule rule,
        double target) {
    enum Unit {
        NS("ns"),
        US("µs"),
        MS("ms"),
        PER_SECOND("M/s"),
        BANDWIDTH("GB/s");

        final String symbol;

        Unit(String symbol) {
            this.symbol = symbol;
        }

        boolean isRate() {
            return this == PER_SECOND || this == BANDWIDTH;
        }

        /// @param ns per operation; for a bandwidth, of one chunk of a probe "stream-…"
        double of(double ns) {
            return switch (this) {
                case NS -> ns;
                case US -> ns / 1e3;
                case MS -> ns / 1e6;
                case PER_SECOND -> 1e3 / ns;
                case BANDWIDTH -> STREAM_CHUNK_LENGTH_BYTES / ns;
            };
        }
    }

    enum Rule {
        /// The value of the product over that of the limit is at most the target.
        RATIO_AT_MOST,
        /// The value of the product over that of the limit is at least the target.
        RATIO_AT_LEAST,
        /// The value, in its unit, is at most the target.
        AT_MOST,
        /// The value, in its unit, is at least the target.
        AT_LEAST
    }

    static final int STREAM_CHUNK_LENGTH_BYTES = 256 << 10;

    private static final int[] FRAME_LENGTHS = {64, 128, 256, 1024, 4096};

    /// What can be measured, by name.
    static final Map<String, Probe.Factory> PROBES = Map.ofEntries(
            Map.entry("memory-64", places -> AppendProbe.memory(places, 64)),
            Map.entry("memory-128", places -> AppendProbe.memory(places, 128)),
            Map.entry("memory-256", places -> AppendProbe.memory(places, 256)),
            Map.entry("memory-1024", places -> AppendProbe.memory(places, 1024)),
            Map.entry("memory-4096", places -> AppendProbe.memory(places, 4096)),
            Map.entry("batch-16", places -> AppendProbe.batch(places, 16)),
            Map.entry("batch-64", places -> AppendProbe.batch(places, 64)),
            Map.entry("stream", places -> AppendProbe.stream(places, STREAM_CHUNK_LENGTH_BYTES)),
            Map.entry("process-64", places -> AppendProbe.process(places, 64)),
            Map.entry("device-64", places -> AppendProbe.device(places, 64)),
            Map.entry("threads-64", places -> new ThreadsProbe(places, Durability.MEMORY, 64)),
            Map.entry("threads-256", places -> new ThreadsProbe(places, Durability.MEMORY, 256)),
            Map.entry("threads-1024", places -> new ThreadsProbe(places, Durability.MEMORY, 1024)),
            Map.entry("publish", PublishProbe::new),
            Map.entry("blocked", BlockedProbe::new),
            Map.entry("wake", WakeProbe::new),
            Map.entry("tail-64", places -> new TailProbe(places, 64)),
            Map.entry("tail-256", places -> new TailProbe(places, 256)),
            Map.entry("backwards-64", places -> new BackwardsProbe(places, 64)),
            Map.entry("seek-1g", places -> new SeekProbe(places, 256, 16)),
            Map.entry("tailers-1", places -> new TailersProbe(places, 64, 1)),
            Map.entry("tailers-1-256", places -> new TailersProbe(places, 256, 1)),
            Map.entry("tailers-1-1024", places -> new TailersProbe(places, 1024, 1)),
            Map.entry("tailers-8", places -> new TailersProbe(places, 64, 8)),
            Map.entry("recovery-256m", places -> new OpenProbe(places, 256 << 20, true)),
            Map.entry("recovery-1g", places -> new OpenProbe(places, 1 << 30, true)),
            Map.entry("reopening-1g", places -> new OpenProbe(places, 1 << 30, false)));

    /// The figures that the project sets out to reach.
    static List<Figure> all() {
        List<Figure> figures = new ArrayList<>();
        for (int length : FRAME_LENGTHS) {
            figures.add(memory(length, "raw", "NT stores + fence", length == 4096 ? 1.15 : 1.1));
        }
        for (int length : FRAME_LENGTHS) {
            figures.add(memory(length, "framed", "the same, framed", length == 4096 ? 1.15 : 1.05));
        }
        for (int length : new int[] {64, 256, 1024}) {
            figures.add(tailed(length, "raw", "NT stores + fence", 1.1));
            figures.add(tailed(length, "framed", "the same, framed", 1.05));
            figures.add(tailed(length, "framed, followed", "framed, followed in C", 1.05));
        }
        for (int payload : new int[] {16, 64}) {
            String title = "MEMORY batch of 16, payload " + payload + " B";
            String probe = "batch-" + payload;
            figures.add(new Figure(
                    title + " / 16 appends", probe, "batch of 16", "16 appends", Unit.NS, Rule.RATIO_AT_MOST, 0.35));
        }
        figures.add(new Figure(
                "MEMORY batches of 256 KiB / raw NT stream",
                "stream",
                "batches",
                "raw NT stream",
                Unit.BANDWIDTH,
                Rule.RATIO_AT_LEAST,
                0.6));
        figures.add(new Figure(
                "PROCESS append, frame 64 B (beside memcpy)",
                "process-64",
                "append",
                "memcpy",
                Unit.NS,
                Rule.AT_MOST,
                25));
        figures.add(new Figure(
                "DEVICE append, frame 64 B / pwrite+fdatasync",
                "device-64",
                "append",
                "pwrite+fdatasync",
                Unit.US,
                Rule.RATIO_AT_MOST,
                1.1));
        for (int length : new int[] {64, 256, 1024}) {
            figures.addAll(threads(length));
        }
        figures.add(new Figure(
                "publishing, nobody sleeps / a store and 2 ns",
                "publish",
                "publish",
                "store + 2 ns",
                Unit.NS,
                Rule.RATIO_AT_MOST,
                1));
        figures.add(new Figure(
                "MEMORY append, a tailer in another process / 2 ns more",
                "blocked",
                "beside",
                "alone + 2 ns",
                Unit.NS,
                Rule.RATIO_AT_MOST,
                1));
        figures.add(new Figure(
                "append to the handler of a tailer that slept",
                "wake",
                "append to handler",
                "bare futex",
                Unit.US,
                Rule.RATIO_AT_MOST,
                2));
        figures.add(tail(64, "unverified", "C walk", 70));
        figures.add(tail(64, "verified", "C walk, CRC32C", 35));
        figures.add(tail(256, "verified", "C walk, CRC32C", 20));
        figures.add(backwards("backwards", "forwards"));
        figures.add(backwards("backwards, unverified", "forwards, unverified"));
        figures.add(new Figure(
                "seek by sequence, 1 GiB of 256 B", "seek-1g", "by sequence", null, Unit.US, Rule.AT_MOST, 100));
        figures.add(new Figure("seek by time, 1 GiB of 256 B", "seek-1g", "by time", null, Unit.US, Rule.AT_MOST, 100));
        figures.add(tailers(8, "burning", "8 threads that burn"));
        figures.add(tailers(8, "alone", "none"));
        figures.add(tailers(1, "burning", "a thread that burns"));
        figures.add(opening("recovery after a crash, 256 MiB", "recovery-256m", "recovery", 50));
        figures.add(opening("recovery after a crash, 1 GiB", "recovery-1g", "recovery", 50));
        figures.add(opening("reopening after a clean close, 1 GiB", "reopening-1g", "reopening", 20));
        return figures;
    }

    private static Figure memory(int frameLength, String limit, String name, double target) {
        return new Figure(
                String.format(Locale.ROOT, "MEMORY append, frame %d B / %s", frameLength, name),
                "memory-" + frameLength,
                "append",
                limit,
                Unit.NS,
                Rule.RATIO_AT_MOST,
                target);
    }

    private static Figure tailed(int frameLength, String limit, String name, double target) {
        return new Figure(
                String.format(Locale.ROOT, "MEMORY append, tailed, frame %d B / %s", frameLength, name),
                frameLength == 64 ? "tailers-1" : "tailers-1-" + frameLength,
                "followed",
                limit,
                Unit.NS,
                Rule.RATIO_AT_MOST,
                target);
    }

    /// What sharing an appender costs: alone, beside one other thread, and among many.
    private static List<Figure> threads(int frameLength) {
        String probe = "threads-" + frameLength;
        String title = String.format(Locale.ROOT, "ConcurrentAppender, frame %d B, ", frameLength);
        double alone = frameLength > 256 ? 1.6 : 1.25;
        return List.of(
                new Figure(
                        title + "1 thread / exclusive",
                        probe,
                        "1 thread",
                        "exclusive",
                        Unit.NS,
                        Rule.RATIO_AT_MOST,
                        alone),
                new Figure(
                        title + "2 threads / 1",
                        probe,
                        "2 threads",
                        "1 thread",
                        Unit.PER_SECOND,
                        Rule.RATIO_AT_LEAST,
                        1.2),
                new Figure(
                        title + "16 threads / 2",
                        probe,
                        "16 threads",
                        "2 threads",
                        Unit.PER_SECOND,
                        Rule.RATIO_AT_LEAST,
                        0.8));
    }

    private static Figure backwards(String column, String limit) {
        String title = "tail, frames of 64 B, " + column + " / " + limit;
        return new Figure(title, "backwards-64", column, limit, Unit.PER_SECOND, Rule.RATIO_AT_LEAST, 1.0 / 3);
    }

    private static Figure tail(int frameLength, String column, String limit, double targetPerSecond) {
        String title = "tail, frames of " + frameLength + " B, " + column + " (beside a C walk)";
        return new Figure(title, "tail-" + frameLength, column, limit, Unit.PER_SECOND, Rule.AT_LEAST, targetPerSecond);
    }

    private static Figure tailers(int tailers, String limit, String beside) {
        String title = "MEMORY append, " + tailers + (tailers == 1 ? " tailer / " : " tailers / ") + beside;
        return new Figure(title, "tailers-" + tailers, "followed", limit, Unit.NS, Rule.RATIO_AT_MOST, 1.1);
    }

    private static Figure opening(String title, String probe, String product, double targetMs) {
        return new Figure(title, probe, product, null, Unit.MS, Rule.AT_MOST, targetMs);
    }

    /// Value of the product over value of the limit, both in the unit.
    double ratio(double productNs, double limitNs) {
        return unit.isRate() ? limitNs / productNs : productNs / limitNs;
    }

    /// Whether the target is met by a median value and a median ratio.
    boolean isMet(double productNs, double ratio) {
        return switch (rule) {
            case RATIO_AT_MOST -> ratio <= target;
            case RATIO_AT_LEAST -> ratio >= target;
            case AT_MOST -> unit.of(productNs) <= target;
            case AT_LEAST -> unit.of(productNs) >= target;
        };
    }

    /// The target as the table shows it.
    String targetText() {
        return switch (rule) {
            case RATIO_AT_MOST -> String.format(Locale.ROOT, "≤ %.2f ×", target);
            case RATIO_AT_LEAST -> String.format(Locale.ROOT, "≥ %.2f ×", target);
            case AT_MOST -> String.format(Locale.ROOT, "≤ %.0f %s", target, unit.symbol);
            case AT_LEAST -> String.format(Locale.ROOT, "≥ %.0f %s", target, unit.symbol);
        };
    }
}
