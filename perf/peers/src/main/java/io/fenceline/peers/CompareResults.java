package io.fenceline.peers;

import io.fenceline.bench.report.Medium;
import io.fenceline.bench.report.Outcome;
import io.fenceline.bench.report.Results;
import io.fenceline.bench.report.Rounds;
import io.fenceline.bench.report.Series;
import io.fenceline.bench.report.Stage;
import io.fenceline.bench.report.Subject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A comparison as `fenceline bench` keeps its runs (`docs/BENCH.md`), so that the same page draws it. Ratios there are
/// those of the figures; the table's are medians of the rounds'.
final class CompareResults {
    private static final String TOOL = "perf/bin/compare";
    private static final long UNKNOWN = -1;

    private final Map<Catalog.Kind, Storage> storage;

    private CompareResults(Map<Catalog.Kind, Storage> storage) {
        this.storage = storage;
    }

    /// What a class was measured on.
    ///
    /// @param fileSystem its kind
    /// @param emulated   whether it cannot give that class
    record Storage(String fileSystem, boolean emulated) {}

    /// A run.
    ///
    /// @param arguments of the command
    /// @param complete  false: it was ended early
    /// @param machine   facts, in order
    record Run(
            Instant time,
            String arguments,
            boolean complete,
            Map<String, String> machine,
            Map<Catalog.Kind, Storage> storage) {}

    static Results of(Comparison comparison, List<Catalog> peers, Run run) {
        CompareResults results = new CompareResults(run.storage);
        List<String> notes = new ArrayList<>();
        notes.add("each peer in a JVM of its own, rounds interleaved; a peer reads its clock in every latency");
        List<Series> series = new ArrayList<>();
        List<Results.Scan> scans = new ArrayList<>();
        List<Results.NotRun> notRun = new ArrayList<>();
        for (Catalog peer : peers) {
            if (!comparison.description(peer).isEmpty()) {
                notes.add(peer.title() + " (" + peer.kind() + "): " + comparison.description(peer));
            }
            for (String task : comparison.tasks(peer)) {
                String[] fields = task.split(":", -1);
                Comparison.Found found = comparison.require(peer, task);
                if (fields[0].equals("scan")) {
                    int payloadLengthBytes = Integer.parseInt(fields[1]);
                    scans.add(new Results.Scan(peer.title(), payloadLengthBytes, fields[2], found.median()));
                } else {
                    series.add(results.series(peer, fields, found));
                }
            }
            if (!comparison.failure(peer).isEmpty()) {
                notRun.add(new Results.NotRun(peer.title() + ", " + peer.kind(), comparison.failure(peer)));
            }
        }
        return new Results(
                TOOL,
                "Fenceline beside its peers",
                run.time,
                (TOOL + " " + run.arguments).strip(),
                run.complete,
                run.machine,
                notes,
                null,
                null,
                series,
                scans,
                notRun);
    }

    /// @param fields of the task: `append:PAYLOAD`, `open:PAYLOAD:RATE`, `tail:PAYLOAD:RATE`
    private Series series(Catalog peer, String[] fields, Comparison.Found found) {
        boolean saturated = fields[0].equals("append");
        boolean tail = fields[0].equals("tail");
        Subject subject = new Subject(
                peer.title(),
                peer.limit(),
                tail ? Stage.TAIL : Stage.APPEND,
                saturated ? 0 : Integer.parseInt(fields[2]),
                Integer.parseInt(fields[1]),
                0,
                1,
                1,
                tail ? 1 : 0);
        Outcome outcome = new Outcome(
                Double.NaN,
                saturated ? 1e9 / found.median() : Double.NaN,
                saturated ? new Rounds(List.copyOf(found.rounds().values())) : Rounds.NONE,
                saturated || tail || found.extraSum() == 0,
                0,
                saturated ? Forks.median(List.copyOf(found.extra().values())) : Double.NaN,
                UNKNOWN,
                UNKNOWN,
                UNKNOWN);
        return new Series(subject, medium(peer), found.all(), List.of(), outcome);
    }

    private Medium medium(Catalog peer) {
        Storage on = storage.getOrDefault(peer.kind(), new Storage("", false));
        String durability =
                peer.kind() == Catalog.Kind.NOTHING ? Medium.NONE : peer.kind().name();
        return new Medium(durability, on.emulated, on.fileSystem, promises(peer, on.emulated));
    }

    /// What an entry survives on the medium that was measured.
    static String promises(Catalog peer, boolean emulated) {
        return emulated && !peer.limit()
                ? "process crash: the medium is emulated; on persistent memory " + peer.promises()
                : peer.promises();
    }
}
