package io.fenceline.peers;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;

/// What a [Comparison] found as tables, one for each class of durability: a figure is the median of the rounds, a ratio
/// the median of the rounds' ratios, with the least and the greatest.
final class CompareTable {
    static final int[] PAYLOADS = {64, 256, 1024, 4096};
    static final int[] SCANNED = {64, 1024};
    static final int OPEN_PAYLOAD = 256;
    static final int RATE = 100_000;
    /// Latencies are measured for so many times as long: their tails are rare.
    private static final double LATENCY_TIMES = 2.5;

    static final int DEVICE_RATE = 1_000;
    static final String TAIL = "tail:" + OPEN_PAYLOAD + ":" + RATE;

    /// Peers that have a reader which follows, and that take part in it.
    private static final List<String> TAILED =
            List.of("fenceline/MEMORY", "fenceline/PROCESS", "chronicle/PROCESS", "line/NOTHING", "aeron-ipc/NOTHING");

    /// Peers that are read from the first entry to the last. Aeron Archive has its replay, which is a stream over IPC
    /// and no scan; RocksDB and Artemis read their logs when they open.
    private static final List<String> READ_BACK =
            List.of("fenceline/PROCESS", "mapped/PROCESS", "chronicle/PROCESS", "mashona/MEMORY");

    private final Map<Catalog.Kind, CompareResults.Storage> storage;
    private final List<Catalog.Kind> kinds;
    private final List<Catalog> peers;
    private final Comparison comparison;
    private final StringBuilder text = new StringBuilder();

    CompareTable(
            Map<Catalog.Kind, CompareResults.Storage> storage,
            List<Catalog.Kind> kinds,
            List<Catalog> peers,
            Comparison comparison) {
        this.storage = storage;
        this.kinds = kinds;
        this.peers = peers;
        this.comparison = comparison;
    }

    static String open(Catalog.Kind kind) {
        return "open:" + OPEN_PAYLOAD + ":" + (kind == Catalog.Kind.DEVICE ? DEVICE_RATE : RATE);
    }

    /// What a peer is asked to do.
    static List<String> tasks(Catalog peer, String seconds) {
        List<String> tasks = new ArrayList<>();
        if (peer.kind() != Catalog.Kind.NOTHING) {
            for (int payload : PAYLOADS) {
                tasks.add("append:" + payload);
            }
            tasks.add(open(peer.kind()));
        }
        if (TAILED.contains(peer.id())) {
            tasks.add(TAIL);
        }
        if (READ_BACK.contains(peer.id())) {
            for (int payload : SCANNED) {
                tasks.add("scan:" + payload + ":verified-first");
                tasks.add("scan:" + payload + ":unverified-whole");
            }
        }
        String longer = Double.toString(LATENCY_TIMES * Double.parseDouble(seconds));
        tasks.replaceAll(task -> task + ":" + (task.startsWith("open") || task.startsWith("tail") ? longer : seconds));
        return tasks;
    }

    /// Everything; the goals at the end.
    ///
    /// @param rounds as a line about them: how many, or how many of how many
    List<Goals.Goal> print(Instant time, String rounds) throws IOException {
        print("Fenceline beside its peers, %s", time);
        print("%s", Forks.describeMachine());
        print("%s", Forks.versions());
        print("%s; medians of %s, each peer in a JVM of its", describeStorage(), rounds);
        print("own, interleaved; × is a peer's figure over Fenceline's of the same round, median (least–greatest).");
        for (Catalog.Kind kind : kinds) {
            if (kind != Catalog.Kind.NOTHING && isAnyMeasured("append")) {
                appends(kind);
                open(
                        kind,
                        open(kind),
                        "open loop, " + OPEN_PAYLOAD + " B at " + (kind == Catalog.Kind.DEVICE ? DEVICE_RATE : RATE)
                                + "/s, from when an entry was due");
            }
        }
        if (isAnyMeasured("tail")) {
            tails();
        }
        scans(
                "verified-first",
                "scan, checksums verified (where there are any), first 8 bytes read; the mapped store's walk computes"
                        + " CRC32C");
        scans("unverified-whole", "scan, checksums not verified, whole payload read");
        print("");
        for (Catalog peer : peers) {
            print("%-8s %-30s %s", peer.kind(), peer.title(), comparison.description(peer));
            print("%-8s %-30s survives %s", "", "", CompareResults.promises(peer, isEmulated(peer.kind())));
            if (!comparison.failure(peer).isEmpty()) {
                print("%-8s %-30s NOT MEASURED, or not all: %s", "", "", comparison.failure(peer));
            }
        }
        print("");
        List<Goals.Goal> goals = Goals.of(comparison, kinds);
        goals.forEach(goal -> print("%s", goal));
        return goals;
    }

    private boolean isAnyMeasured(String task) {
        return peers.stream()
                .flatMap(peer -> comparison.tasks(peer).stream())
                .anyMatch(measured -> measured.startsWith(task));
    }

    private String describeStorage() {
        return kinds.stream()
                .map(kind -> kind
                        + (isEmulated(kind) ? " (emulated) on " : " on ")
                        + Objects.requireNonNull(storage.get(kind)).fileSystem())
                .collect(Collectors.joining(", "));
    }

    private boolean isEmulated(Catalog.Kind kind) {
        return Objects.requireNonNull(storage.get(kind)).emulated();
    }

    /// What was printed.
    String text() {
        return text.toString();
    }

    private Catalog product(Catalog.Kind kind) {
        return Catalog.find(Catalog.PRODUCT, kind == Catalog.Kind.NOTHING ? Catalog.Kind.MEMORY : kind);
    }

    private void appends(Catalog.Kind kind) {
        print("");
        print("%s: one append after the other, ns per entry", kind);
        StringBuilder header = new StringBuilder(String.format(Locale.ROOT, "%-30s", ""));
        for (int payload : PAYLOADS) {
            header.append(String.format(Locale.ROOT, " %26s", payload + " B"));
        }
        print("%s %10s", header, "B alloc'd");
        for (Catalog peer : of(kind)) {
            StringBuilder row = new StringBuilder(String.format(Locale.ROOT, "%-30s", peer.title()));
            double allocated = 0;
            for (int payload : PAYLOADS) {
                String task = "append:" + payload;
                Comparison.Found found = comparison.of(peer, task);
                row.append(String.format(
                        Locale.ROOT,
                        " %8s %17s",
                        found == null ? "–" : ns(found.median()),
                        ratio(comparison.ratio(peer, task, product(kind), task), peer)));
                if (found != null) {
                    allocated = Math.max(
                            allocated,
                            Forks.median(new ArrayList<>(found.extra().values())));
                }
            }
            print("%s %10.0f", row, allocated);
        }
    }

    private void open(Catalog.Kind kind, String task, String title) {
        print("");
        print("%s: %s, ns", kind, title);
        print("%-30s %10s %10s %10s %10s %10s %17s %17s", "", "p50", "p90", "p99", "p99.9", "max", "p50", "p99.9");
        for (Catalog peer : of(kind)) {
            latencies(peer, task, product(kind));
        }
    }

    private void tails() {
        List<Catalog> tailed = new ArrayList<>(peers);
        tailed.removeIf(peer -> comparison.of(peer, TAIL) == null);
        if (!tailed.isEmpty()) {
            print("");
            print(
                    "append → reader in another thread, %d B at %d/s, from when it was due, ns (× of the first)",
                    OPEN_PAYLOAD, RATE);
            print("%-30s %10s %10s %10s %10s %10s %17s %17s", "", "p50", "p90", "p99", "p99.9", "max", "p50", "p99.9");
            tailed.forEach(peer -> latencies(peer, TAIL, tailed.getFirst()));
        }
    }

    private void latencies(Catalog peer, String task, Catalog product) {
        Comparison.Found found = comparison.of(peer, task);
        if (found == null) {
            return;
        }
        Histogram all = found.all();
        print(
                "%-30s %10d %10d %10d %10d %10d %17s %17s%s",
                peer.title() + (task.equals(TAIL) && peer.isProduct() ? ", " + peer.kind() : ""),
                all.getValueAtPercentile(50),
                all.getValueAtPercentile(90),
                all.getValueAtPercentile(99),
                all.getValueAtPercentile(99.9),
                all.getMaxValue(),
                ratio(comparison.ratio(peer, product, task, h -> h.getValueAtPercentile(50)), peer),
                ratio(comparison.ratio(peer, product, task, h -> h.getValueAtPercentile(99.9)), peer),
                found.extraSum() > 0 && !task.equals(TAIL)
                        ? String.format(Locale.ROOT, "  the rate was not kept: %.0f begun too late", found.extraSum())
                        : "");
    }

    private void scans(String mode, String title) {
        List<Catalog> scanned = new ArrayList<>(peers);
        scanned.removeIf(peer -> comparison.of(peer, "scan:" + SCANNED[0] + ":" + mode) == null);
        if (scanned.isEmpty()) {
            return;
        }
        print("");
        print("%s, million entries/s (× is speed over Fenceline's)", title);
        for (Catalog peer : scanned) {
            StringBuilder row = new StringBuilder(String.format(Locale.ROOT, "%-30s", peer.title()));
            for (int payload : SCANNED) {
                String task = "scan:" + payload + ":" + mode;
                Comparison.Found found = comparison.of(peer, task);
                row.append(String.format(
                        Locale.ROOT,
                        " %8s %17s",
                        found == null ? "–" : String.format(Locale.ROOT, "%.1f", 1e3 / found.median()),
                        ratio(
                                comparison.ratio(Catalog.find(Catalog.PRODUCT, Catalog.Kind.PROCESS), task, peer, task),
                                peer)));
            }
            print("%s", row);
        }
    }

    private List<Catalog> of(Catalog.Kind kind) {
        return peers.stream().filter(peer -> peer.kind() == kind).toList();
    }

    private static String ns(double ns) {
        return String.format(Locale.ROOT, ns < 100 ? "%.1f" : "%.0f", ns);
    }

    private static String ratio(Comparison.Spread spread, Catalog peer) {
        return !spread.isKnown() || peer.isProduct()
                ? ""
                : String.format(Locale.ROOT, "×%.2f (%.2f–%.2f)", spread.median(), spread.least(), spread.greatest());
    }

    @SuppressWarnings("AnnotateFormatMethod") // no dependency for one annotation
    private void print(String format, Object... arguments) {
        String line = String.format(Locale.ROOT, format, arguments).stripTrailing();
        System.out.println(line);
        text.append(line).append('\n');
    }
}
