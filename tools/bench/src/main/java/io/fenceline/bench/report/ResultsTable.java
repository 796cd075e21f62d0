package io.fenceline.bench.report;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.HdrHistogram.Histogram;

/// Results as text: a table for each load and size, the raw limits and the ratio under each figure.
public final class ResultsTable {
    private final Results results;
    private final List<String> lines = new ArrayList<>();
    private final Set<Subject> shownLimits = new HashSet<>();

    private ResultsTable(Results results) {
        this.results = results;
    }

    /// Lines without their ends.
    public static List<String> of(Results results) {
        ResultsTable table = new ResultsTable(results);
        table.header();
        table.body();
        return table.lines;
    }

    private void header() {
        lines.add(results.title() + (results.complete() ? "" : " (ended early: what was measured so far)"));
        for (Map.Entry<String, String> fact : results.machine().entrySet()) {
            lines.add("  %-20s%s".formatted(fact.getKey(), fact.getValue()));
        }
        Results.Cost cost = results.cost();
        if (cost != null) {
            lines.add("  %-20stimer %.1f ns, empty loop %.0f ns, full fence %.1f ns"
                    .formatted("cost of this tool", cost.timerNs(), cost.emptyLoopNs(), cost.fullFenceNs()));
        }
        Series pauses = results.pauses();
        if (pauses != null) {
            StringBuilder text = new StringBuilder();
            for (Quantile quantile : Quantile.values()) {
                text.append(text.isEmpty() ? "" : ", ")
                        .append(quantile.title())
                        .append(' ')
                        .append(time((double) quantile.of(pauses.histogram())));
            }
            lines.add("  %-20s%s".formatted("machine's pauses", text));
            lines.add("  %-20s%s".formatted("", "(how late a sleeping thread woke; no journal is involved)"));
        }
        for (String note : results.notes()) {
            lines.add("  %-20s%s".formatted("note", note));
        }
        for (Results.NotRun notRun : results.notRun()) {
            lines.add("  %-20s%s: %s".formatted("not measured", notRun.system(), notRun.reason()));
        }
    }

    private void body() {
        Subject last = null;
        for (Series series : results.series()) {
            Subject subject = series.subject();
            if (last == null || !sameTable(last, subject)) {
                lines.add("");
                lines.add(title(subject));
                shownLimits.clear();
                List<String> cells = new ArrayList<>(List.of(""));
                for (Quantile quantile : Quantile.values()) {
                    cells.add(quantile.title());
                }
                cells.addAll(List.of("per entry", "entries/s", "B/entry", "pause max"));
                lines.add(line(cells));
            }
            last = subject;
            if (!subject.limit()) {
                row(series);
            } else if (results.series().stream()
                    .noneMatch(
                            other -> !other.subject().limit() && other.subject().isComparable(subject))) {
                row(series);
            }
        }
    }

    private static boolean sameTable(Subject a, Subject b) {
        return a.rate() == b.rate() && a.payloadLengthBytes() == b.payloadLengthBytes();
    }

    private static String title(Subject subject) {
        return "%,d B payload, frames of %,d B%s%s: %s"
                .formatted(
                        subject.payloadLengthBytes(),
                        subject.frameLengthBytes(),
                        subject.batch() > 1 ? ", %,d entries each".formatted(subject.batch()) : "",
                        subject.threads() > 1 ? ", %d threads".formatted(subject.threads()) : "",
                        subject.rate() == 0 ? "saturated" : "open loop at %,d/s".formatted(subject.rate()));
    }

    /// A series, and under it each limit and the ratio to it; a limit once a table.
    private void row(Series series) {
        lines.add(figures(name(series), series));
        remarks(series.outcome());
        if (series.subject().limit()) {
            return;
        }
        for (Series limit : results.series()) {
            if (limit.subject().limit() && limit.subject().isComparable(series.subject())) {
                boolean first = shownLimits.add(limit.subject());
                if (first) {
                    lines.add(figures("    " + limit.subject().system(), limit));
                }
                lines.add(ratios(
                        first
                                ? "      ratio"
                                : "      ratio to " + limit.subject().system(),
                        series,
                        limit));
            }
        }
    }

    private static String name(Series series) {
        Subject subject = series.subject();
        boolean own = subject.system().equals(Subject.FENCELINE);
        return "  " + (own ? "" : subject.system() + ": ") + subject.stage().title()
                + (subject.tailers() > 0 && !subject.stage().isTail() ? ", a tailer live" : "");
    }

    private void remarks(Outcome outcome) {
        if (!outcome.rateReached()) {
            lines.add("      the rate was not reached: latency grows with the queue");
        }
        if (outcome.lost() > 0) {
            lines.add("      %,d entries were overwritten before the tailer read them".formatted(outcome.lost()));
        }
        if (outcome.gcPauses() > 0) {
            lines.add("      garbage collections meanwhile: %,d, %,d ms"
                    .formatted(outcome.gcPauses(), outcome.gcPauseMs()));
        }
    }

    private static String figures(String name, Series series) {
        Histogram histogram = series.histogram();
        Outcome outcome = series.outcome();
        List<String> cells = new ArrayList<>(List.of(name));
        for (Quantile quantile : Quantile.values()) {
            cells.add(time((double) quantile.of(histogram)));
        }
        Rounds perEntry = outcome.nsPerEntry();
        cells.add(perEntry.isEmpty() ? "" : time(perEntry.median()));
        cells.add(Double.isNaN(outcome.entriesPerSecond()) ? "" : "%,.0f".formatted(outcome.entriesPerSecond()));
        double allocated = outcome.allocatedBytesPerEntry();
        cells.add(Double.isNaN(allocated) || series.subject().limit() ? "" : "%.1f".formatted(allocated));
        cells.add(time((double) outcome.machinePauseMaxNs()));
        return line(cells);
    }

    private static String ratios(String name, Series series, Series limit) {
        List<String> cells = new ArrayList<>(List.of(name));
        for (Quantile quantile : Quantile.values()) {
            cells.add(ratio((double) quantile.of(series.histogram()) / Math.max(1, quantile.of(limit.histogram()))));
        }
        double perEntry = series.outcome().nsPerEntry().median()
                / limit.outcome().nsPerEntry().median();
        cells.add(Double.isNaN(perEntry) ? "" : ratio(perEntry));
        cells.addAll(List.of("", "", ""));
        return line(cells);
    }

    private static String line(List<String> cells) {
        return "%-40s%9s%9s%9s%9s%9s%9s%10s%13s%8s%10s"
                .formatted(cells.toArray())
                .stripTrailing();
    }

    private static String ratio(double ratio) {
        return (ratio < 99.5 ? "%.2f" : "%,.0f").formatted(ratio);
    }

    /// A time in the unit that suits it, with two to four digits.
    public static String time(double ns) {
        if (ns < 9_999.5) {
            return (ns < 100 && ns != Math.rint(ns) ? "%.1f ns" : "%.0f ns").formatted(ns);
        }
        if (ns < 999_500) {
            return (ns < 99_950 ? "%.1f \u00b5s" : "%.0f \u00b5s").formatted(ns / 1e3);
        }
        return (ns < 9_995_000 ? "%.2f ms" : ns < 99_950_000 ? "%.1f ms" : "%.0f ms").formatted(ns / 1e6);
    }
}
