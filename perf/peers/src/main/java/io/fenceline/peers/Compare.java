package io.fenceline.peers;

import io.fenceline.bench.Machine;
import io.fenceline.bench.report.ResultsJson;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Measures Fenceline beside its peers. Every peer runs in a JVM of its own, once a round, one after the other, the
/// limits too. Who ends it early, by Ctrl-C say, is shown what was measured so far, and it is written.
///
///     java … io.fenceline.peers.Compare MEMORY-DIR DEVICE-DIR ROUNDS SECONDS RESULTS|- CLASSES TASK|- PEER…
///
/// RESULTS names two files, `.txt` and `.json` appended; CLASSES is a list with commas; TASK is how the
/// names of those that are wanted begin; no PEER: all.
final class Compare {
    /// For a process that was told to end: to stop what runs, and to print.
    private static final long END_PATIENCE_MS = 8_000;

    private final Instant time = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final Path memory;
    private final Path device;
    private final int rounds;
    private final String seconds;
    private final String results;
    private final List<Catalog.Kind> kinds = new ArrayList<>();
    private final String only;
    private final List<String> names;
    private final List<Catalog> peers = new ArrayList<>(Catalog.SINGLE);
    private final Comparison comparison = new Comparison();
    private int wholeRounds;

    private Compare(String[] arguments) {
        memory = Path.of(arguments[0]);
        device = Path.of(arguments[1]);
        rounds = Integer.parseInt(arguments[2]);
        seconds = arguments[3];
        results = arguments[4];
        for (String kind : arguments[5].split(",", -1)) {
            kinds.add(Catalog.Kind.valueOf(kind));
        }
        only = arguments[6].equals("-") ? "" : arguments[6];
        names = List.of(arguments).subList(7, arguments.length);
        peers.removeIf(peer -> !kinds.contains(peer.kind()));
        if (!names.isEmpty()) {
            peers.removeIf(peer -> !names.contains(peer.name()) && !peer.limit() && !peer.isProduct());
        }
    }

    public static void main(String[] arguments) throws Exception {
        Compare compare = new Compare(arguments);
        Thread measuring = Thread.currentThread();
        Thread end = new Thread(() -> stop(measuring));
        Runtime.getRuntime().addShutdownHook(end);
        compare.measure();
        boolean missed = compare.print();
        if (!Forks.isStopped()) {
            Runtime.getRuntime().removeShutdownHook(end);
            System.exit(missed ? 1 : 0);
        }
    }

    /// The process ends when this returns: not before what was measured is printed.
    private static void stop(Thread measuring) {
        long endNs = System.nanoTime() + END_PATIENCE_MS * 1_000_000;
        try {
            while (measuring.isAlive() && System.nanoTime() < endNs) {
                Forks.stop();
                measuring.join(100);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void measure() throws Exception {
        for (int round = 0; round < rounds && !Forks.isStopped(); round++) {
            for (Catalog peer : peers) {
                measure(peer, round);
            }
            wholeRounds += Forks.isStopped() ? 0 : 1;
        }
        for (Catalog peer : peers) {
            if (Forks.isStopped() && comparison.tasks(peer).isEmpty()) {
                comparison.fail(peer, "the run was ended before it");
            }
        }
    }

    private void measure(Catalog peer, int round) throws Exception {
        List<String> tasks = CompareTable.tasks(peer, seconds);
        tasks.removeIf(task -> !task.startsWith(only));
        if (Forks.isStopped() || tasks.isEmpty()) {
            return;
        }
        System.err.printf(Locale.ROOT, "round %d of %d: %s, %s%n", round + 1, rounds, peer.title(), peer.kind());
        Path parent = peer.kind() == Catalog.Kind.DEVICE ? device : memory;
        List<String> fork = List.of("SINGLE", peer.kind().name(), peer.name());
        List<String> lines = new ArrayList<>(Forks.run(PeerFork.class, parent, fork, tasks));
        if (Forks.isStopped()) {
            if (!lines.isEmpty()) {
                lines.removeLast(); // it may be half of one
            }
            tasks.removeIf(task -> lines.stream().noneMatch(line -> line.startsWith(task + " ")));
        }
        comparison.add(peer, round, lines, tasks);
    }

    /// @return whether a goal was missed
    private boolean print() throws IOException {
        Map<Catalog.Kind, CompareResults.Storage> storage = storage();
        CompareTable table = new CompareTable(storage, kinds, peers, comparison);
        boolean complete = wholeRounds == rounds;
        List<Goals.Goal> goals = table.print(
                time,
                complete ? rounds + " rounds" : "rounds, ENDED EARLY: " + wholeRounds + " of " + rounds + " whole");
        if (!results.equals("-")) {
            Files.writeString(Path.of(results + ".txt"), table.text());
            Map<String, String> machine = new LinkedHashMap<>(Machine.describe());
            machine.put("versions", Forks.versions());
            machine.put("rounds", wholeRounds + " of " + rounds + ", " + seconds + " s a task");
            List<String> command = new ArrayList<>(List.of("--class"));
            command.add(String.join(",", kinds.stream().map(Catalog.Kind::name).toList()));
            command.addAll(List.of("--rounds", Integer.toString(rounds), "--seconds", seconds));
            if (!only.isEmpty()) {
                command.addAll(List.of("--only", only));
            }
            command.addAll(names);
            CompareResults.Run run =
                    new CompareResults.Run(time, String.join(" ", command), complete, machine, storage);
            Files.writeString(Path.of(results + ".json"), ResultsJson.of(CompareResults.of(comparison, peers, run)));
        }
        return goals.stream().anyMatch(goal -> goal.value().isKnown() && !goal.isReached());
    }

    private Map<Catalog.Kind, CompareResults.Storage> storage() throws IOException {
        Map<Catalog.Kind, CompareResults.Storage> storage = new EnumMap<>(Catalog.Kind.class);
        for (Catalog.Kind kind : Catalog.Kind.values()) {
            Path parent = kind == Catalog.Kind.DEVICE ? device : memory;
            boolean emulated = kind == Catalog.Kind.MEMORY && kinds.contains(kind) && isEmulated();
            storage.put(kind, new CompareResults.Storage(Forks.fileSystem(parent), emulated));
        }
        return storage;
    }

    /// Whether memory there is a pretence, as the product sees it.
    private boolean isEmulated() throws IOException {
        Path directory = Files.createTempDirectory(memory, "fenceline-peers");
        JournalConfig config = JournalConfig.defaults()
                .withSegmentLengthBytes(2 << 20)
                .withSegmentCount(2)
                .withDurability(Durability.MEMORY)
                .withEmulatePersistentMemory(true);
        try (Journal journal = Journal.create(directory.resolve("journal"), config)) {
            return journal.durability().emulated();
        } catch (JournalException.DurabilityUnavailable e) {
            return true; // no C kernel: nothing of this class was measured
        } finally {
            Forks.remove(directory);
        }
    }
}
