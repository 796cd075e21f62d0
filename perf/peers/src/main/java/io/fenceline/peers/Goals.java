package io.fenceline.peers;

import static io.fenceline.peers.Catalog.Kind.MEMORY;
import static io.fenceline.peers.Catalog.Kind.NOTHING;
import static io.fenceline.peers.Catalog.Kind.PROCESS;

import io.fenceline.bench.report.Quantile;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;

/// What Fenceline is to reach beside its peers, judged on one run: the goals of the classes that were run. One of which
/// a side was not measured says so, and counts as neither.
final class Goals {
    /// @param title what
    /// @param value what was found, median of the rounds, with its spread
    /// @param bound what it is to be
    /// @param least whether the bound is the least; else the greatest
    record Goal(String title, Comparison.Spread value, double bound, boolean least) {
        boolean isReached() {
            return least ? value.median() >= bound : value.median() <= bound;
        }

        @Override
        public String toString() {
            String verdict = !value.isKnown() ? "not measured" : isReached() ? "reached" : "NOT REACHED";
            return value.isKnown()
                    ? String.format(
                            Locale.ROOT,
                            "%-74s %8.2f (%.2f–%.2f) %8s %-6.4g %s",
                            title,
                            value.median(),
                            value.least(),
                            value.greatest(),
                            least ? "≥" : "≤",
                            bound,
                            verdict)
                    : String.format(Locale.ROOT, "%-74s %s", title, verdict);
        }
    }

    private final Comparison comparison;
    private final List<Goal> goals = new ArrayList<>();

    private Goals(Comparison comparison) {
        this.comparison = comparison;
    }

    static List<Goal> of(Comparison comparison, Collection<Catalog.Kind> kinds) {
        Goals all = new Goals(comparison);
        if (kinds.contains(MEMORY)) {
            all.memory();
            all.tail(MEMORY);
        }
        if (kinds.contains(PROCESS)) {
            all.process();
            all.tail(PROCESS);
            all.scan();
        }
        return all.goals;
    }

    private void add(String title, Comparison.Spread value, boolean least, double bound) {
        goals.add(new Goal(title, value, bound, least));
    }

    private Comparison.Spread appends(Catalog peer, Catalog product, int payload) {
        String task = "append:" + payload;
        return comparison.ratio(peer, task, product, task);
    }

    private void memory() {
        Catalog product = Catalog.find(Catalog.PRODUCT, MEMORY);
        Catalog pmemlog = Catalog.find("pmemlog", MEMORY);
        Catalog mashona = Catalog.find("mashona", MEMORY);
        String open = CompareTable.open(MEMORY);
        add(
                "MEMORY p99.9 at 100 k/s, 256 B / bare C append",
                comparison.ratio(product, Catalog.find("raw", MEMORY), open, h -> h.getValueAtPercentile(99.9)),
                false,
                1.3);
        for (int payload : new int[] {64, 256, 1024}) {
            add(
                    "MEMORY append, " + payload + " B: libpmemlog / Fenceline",
                    appends(pmemlog, product, payload),
                    true,
                    payload < 1024 ? 3 : 2.3);
        }
        for (int payload : CompareTable.PAYLOADS) {
            add("MEMORY append, " + payload + " B: mashona / Fenceline", appends(mashona, product, payload), true, 1.9);
        }
    }

    private void process() {
        Catalog product = Catalog.find(Catalog.PRODUCT, PROCESS);
        Catalog chronicle = Catalog.find("chronicle", PROCESS);
        Comparison.Found small = comparison.of(product, "append:64");
        add(
                "PROCESS append, 64 B: ns with checksum and timestamp",
                small == null
                        ? Comparison.Spread.NONE
                        : Comparison.Spread.of(new ArrayList<>(small.rounds().values())),
                false,
                25);
        add("PROCESS append, 64 B: Chronicle / Fenceline", appends(chronicle, product, 64), true, 3);
        add("PROCESS append, 1024 B: Chronicle / Fenceline", appends(chronicle, product, 1024), true, 1.3);
        String open = CompareTable.open(PROCESS);
        for (Quantile quantile : EnumSet.range(Quantile.P50, Quantile.P9999)) {
            add(
                    "PROCESS " + quantile.title() + " at 100 k/s, 256 B: Chronicle / Fenceline",
                    comparison.ratio(chronicle, product, open, quantile::of),
                    true,
                    1);
        }
    }

    private void tail(Catalog.Kind kind) {
        Catalog line = Catalog.find("line", NOTHING);
        Catalog aeron = Catalog.find("aeron-ipc", NOTHING);
        Catalog product = Catalog.find(Catalog.PRODUCT, kind);
        add(
                kind + " append→tailer p50: beyond the append's, in hand-overs of a line",
                beyondAppend(product, line, CompareTable.open(kind)),
                false,
                1.5);
        add(
                kind + " append→tailer p50: Fenceline / Aeron IPC",
                comparison.ratio(product, CompareTable.TAIL, aeron, CompareTable.TAIL),
                false,
                1.3);
        if (kind == PROCESS) {
            add(
                    "PROCESS append→tailer p50: Chronicle / Fenceline",
                    comparison.ratio(Catalog.find("chronicle", PROCESS), CompareTable.TAIL, product, CompareTable.TAIL),
                    true,
                    1);
        }
    }

    private Comparison.Spread beyondAppend(Catalog product, Catalog line, String open) {
        Comparison.Found tails = comparison.of(product, CompareTable.TAIL);
        Comparison.Found appends = comparison.of(product, open);
        Comparison.Found lines = comparison.of(line, CompareTable.TAIL);
        List<Double> values = new ArrayList<>();
        if (tails != null && appends != null && lines != null) {
            tails.rounds().forEach((round, tail) -> {
                Double append = appends.rounds().get(round);
                Double handOver = lines.rounds().get(round);
                if (append != null && handOver != null) {
                    values.add((tail - append) / handOver);
                }
            });
        }
        return Comparison.Spread.of(values);
    }

    private void scan() {
        Catalog product = Catalog.find(Catalog.PRODUCT, PROCESS);
        Catalog walk = Catalog.find("mapped", PROCESS);
        Catalog chronicle = Catalog.find("chronicle", PROCESS);
        for (int payload : CompareTable.SCANNED) {
            String verified = "scan:" + payload + ":verified-first";
            add(
                    "scan verified, " + payload + " B: speed / that of a Java walk that only checksums",
                    comparison.ratio(walk, verified, product, verified),
                    true,
                    0.8);
        }
        for (int payload : CompareTable.SCANNED) {
            String whole = "scan:" + payload + ":unverified-whole";
            add(
                    "scan unverified, payload read, " + payload + " B: speed / Chronicle's",
                    comparison.ratio(chronicle, whole, product, whole),
                    true,
                    payload == 64 ? 2 : 1.3);
        }
    }
}
