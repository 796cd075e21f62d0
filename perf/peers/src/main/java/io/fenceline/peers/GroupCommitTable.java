package io.fenceline.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Measures group commit beside its peers and prints a table. Every peer runs in a JVM of its own, once a round, one
/// after the other, the limit too; a figure is the median of the rounds, a ratio the median of the rounds' ratios.
///
///     java … io.fenceline.peers.GroupCommitTable DEVICE-DIRECTORY MEMORY-DIRECTORY ROUNDS SECONDS RESULT-FILE|- PEER…
final class GroupCommitTable {
    private static final int[] THREADS = {1, 8, 64};
    private static final String BARE = "bare";
    private final Path device;
    private final Path memory;
    private final int rounds;
    private final String seconds;
    private final List<String> names = new ArrayList<>();
    private final Map<String, String> descriptions = new LinkedHashMap<>();
    private final StringBuilder text = new StringBuilder();

    /// Of each peer and number of threads, round by round: rate, p50, p99.
    private final Map<String, List<double[]>> loads = new LinkedHashMap<>();

    private GroupCommitTable(String[] arguments) {
        device = Path.of(arguments[0]);
        memory = Path.of(arguments[1]);
        rounds = Integer.parseInt(arguments[2]);
        seconds = arguments[3];
        names.addAll(Arrays.asList(arguments).subList(5, arguments.length));
        if (names.isEmpty()) {
            Catalog.GROUP.stream()
                    .map(Catalog::name)
                    .filter(name -> !name.equals(BARE))
                    .forEach(names::add);
        }
    }

    public static void main(String[] arguments) throws Exception {
        GroupCommitTable table = new GroupCommitTable(arguments);
        boolean met = table.run();
        if (!arguments[4].equals("-")) {
            Files.writeString(Path.of(arguments[4]), table.text);
        }
        System.exit(met ? 0 : 1);
    }

    private boolean run() throws Exception {
        print("Group commit, %s", Forks.describeMachine());
        boolean memoryMet = names.contains("fenceline") && memory();
        print("");
        for (int round = 0; round < rounds; round++) {
            measure(BARE, "1");
            for (String name : names) {
                measure(name, "1", "8", "64");
            }
        }
        return device() && memoryMet;
    }

    private boolean memory() throws Exception {
        print("");
        print(
                "MEMORY (emulated on %s), entries/s: one thread of single durable appends, and 2 producers of a group",
                Forks.fileSystem(memory));
        print("commit (asynchronous, reused listener) in turn in one JVM, %d rounds:", 4 * rounds);
        print("%-10s %12s %12s %8s", "payload", "single", "group", "ratio");
        boolean met = true;
        for (String payload : new String[] {"16", "64"}) {
            List<Double> single = new ArrayList<>();
            List<Double> group = new ArrayList<>();
            List<Double> ratio = new ArrayList<>();
            for (String line :
                    Forks.run(MemoryFork.class, memory, List.of(), List.of(Integer.toString(4 * rounds), payload))) {
                String[] fields = line.split(" ", -1);
                single.add(Double.parseDouble(fields[1]));
                group.add(Double.parseDouble(fields[2]));
                ratio.add(group.getLast() / single.getLast());
            }
            double times = Forks.median(ratio);
            print(
                    "%-10s %,12.0f %,12.0f %8.2f   goal 3.00%s",
                    payload, Forks.median(single), Forks.median(group), times, met(times >= 3));
            met &= times >= 3;
        }
        return met;
    }

    private void measure(String name, String... threads) throws Exception {
        List<String> tasks = new ArrayList<>();
        for (String count : threads) {
            tasks.add("load:" + count + ":" + seconds);
        }
        for (String line : Forks.run(PeerFork.class, device, List.of("GROUP", "DEVICE", name), tasks)) {
            String[] fields = line.split(" ", 2);
            if (fields[0].equals("is")) {
                descriptions.put(name, fields[1]);
            } else if (fields[0].startsWith("load:")) {
                String[] numbers = fields[1].split(" ", -1);
                if (numbers.length == 3 && !numbers[0].equals("failed")) {
                    double[] load = {
                        1e9 / Double.parseDouble(numbers[0]),
                        Double.parseDouble(numbers[1]),
                        Double.parseDouble(numbers[2])
                    };
                    loads.computeIfAbsent(name + " " + fields[0].split(":", -1)[1], key -> new ArrayList<>())
                            .add(load);
                }
            }
        }
    }

    private boolean device() throws IOException {
        print(
                "DEVICE (%s), payload of %d bytes, each thread waits for its own entry; medians of %d rounds,",
                Forks.fileSystem(device), PeerFork.PAYLOAD_LENGTH_BYTES, rounds);
        print("each peer in a JVM of its own, interleaved; 'of limit' is rate / (appenders x bare rate):");
        print("%-12s %9s %12s %9s %9s %9s %9s", "", "appenders", "entries/s", "of limit", "p50 us", "p99 us", "x bare");
        double[] bare = row(BARE, 1);
        boolean met = true;
        for (int threads : THREADS) {
            for (String name : names) {
                double[] row = row(name, threads);
                if (name.equals("fenceline") && threads > 1) {
                    met &= goals(row, threads);
                }
            }
        }
        print("");
        descriptions.forEach((name, description) -> print("%-12s %s", name, description));
        return met && bare.length > 0;
    }

    private boolean goals(double[] row, int threads) {
        double share = threads == 8 ? 0.6 : 0.45;
        double times = threads == 8 ? 2.5 : 4;
        boolean rate = row[0] >= share;
        boolean tail = row[1] <= times;
        print(
                "%-12s %9s %12s %9.2f %9s %9s %9.2f  %s",
                "", "", "goal", share, "", "", times, met(rate && tail).strip());
        return rate && tail;
    }

    /// @return share of the limit, and p99 in multiples of the bare one's
    private double[] row(String name, int threads) {
        List<double[]> found = loads.getOrDefault(name + " " + threads, List.of());
        List<double[]> bare = loads.getOrDefault(BARE + " 1", List.of());
        if (found.isEmpty()) {
            print("%-12s %9d  not measured", name, threads);
            return new double[] {0, Double.MAX_VALUE};
        }
        List<Double> share = new ArrayList<>();
        List<Double> times = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            share.add(found.get(i)[0] / (threads * bare.get(i)[0]));
            times.add(found.get(i)[2] / bare.get(i)[2]);
        }
        print(
                "%-12s %9d %,12.0f %9.2f %9.0f %9.0f %9.2f",
                name,
                threads,
                Forks.median(found.stream().map(load -> load[0]).toList()),
                Forks.median(share),
                Forks.median(found.stream().map(load -> load[1]).toList()) / 1000,
                Forks.median(found.stream().map(load -> load[2]).toList()) / 1000,
                Forks.median(times));
        return new double[] {Forks.median(share), Forks.median(times)};
    }

    private static String met(boolean met) {
        return met ? "  met" : "  MISSED";
    }

    @SuppressWarnings("AnnotateFormatMethod") // no dependency for one annotation
    private void print(String format, Object... arguments) {
        String line = String.format(Locale.ROOT, format, arguments).stripTrailing();
        System.out.println(line);
        text.append(line).append('\n');
    }
}
