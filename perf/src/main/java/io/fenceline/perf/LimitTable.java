package io.fenceline.perf;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Measures every figure beside its limit and prints a table: product, limit, ratio with its spread, target, met or
/// not. The ratio is the median over all rounds of the ratio *within one round*, whose columns were measured within
/// some milliseconds of each other, by the same thread on the same processor.
///
///     java … io.fenceline.perf.LimitTable [--forks N] [--results FILE] [TITLE-PART…]
///
/// Run by `perf/bin/limits`.
final class LimitTable {
    private final Places places = Places.ofProperties();
    private final Map<String, LimitFork.Result> measured = new LinkedHashMap<>();
    private final List<String> wanted = new ArrayList<>();
    private int forks = 3;
    private Path results = Path.of("");

    private LimitTable() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        LimitTable table = new LimitTable();
        table.parse(arguments);
        boolean met = table.run();
        System.exit(met ? 0 : 1);
    }

    private void parse(String[] arguments) {
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--forks" -> forks = Integer.parseInt(arguments[++i]);
                case "--results" -> results = Path.of(arguments[++i]);
                default -> wanted.add(arguments[i]);
            }
        }
    }

    private boolean run() throws IOException, InterruptedException {
        List<Figure> figures = Figure.all().stream()
                .filter(figure -> wanted.isEmpty()
                        || wanted.stream().anyMatch(part -> (figure.probe() + " " + figure.title()).contains(part)))
                .toList();
        Map<String, String> machine = Machine.describe(places);
        machine.put("forks", Integer.toString(forks));
        StringBuilder text = new StringBuilder();
        machine.forEach((name, value) -> text.append(String.format(Locale.ROOT, "%-17s %s%n", name, value)));
        text.append(String.format(
                Locale.ROOT,
                "%n%-50s %9s %9s %-5s %7s %15s %9s  %-4s %6s%n",
                "figure",
                "product",
                "limit",
                "",
                "ratio",
                "(p10–p90)",
                "target",
                "met",
                "B/op"));
        System.out.print(text);
        boolean allMet = true;
        List<String> json = new ArrayList<>();
        for (Figure figure : figures) {
            LimitFork.Result result = measured.get(figure.probe());
            if (result == null) {
                result = measure(figure.probe());
                measured.put(figure.probe(), result);
            }
            LimitRow row = LimitRow.of(figure, result);
            System.out.println(row.text());
            text.append(row.text()).append(System.lineSeparator());
            json.add(row.json());
            allMet &= row.met();
        }
        if (!results.toString().isEmpty()) {
            write(text.toString(), machine, json);
        }
        return allMet;
    }

    private void write(String text, Map<String, String> machine, List<String> figures) throws IOException {
        Path parent = results.toAbsolutePath().getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        StringBuilder json = new StringBuilder("{\n  \"machine\": {");
        List<String> facts = new ArrayList<>();
        machine.forEach((name, value) -> facts.add("\n    " + LimitRow.quoted(name) + ": " + LimitRow.quoted(value)));
        json.append(String.join(",", facts)).append("\n  },\n  \"figures\": [\n    ");
        json.append(String.join(",\n    ", figures)).append("\n  ]\n}\n");
        Files.writeString(Path.of(results + ".txt"), text);
        Files.writeString(Path.of(results + ".json"), json.toString());
    }

    /// All forks of a probe, their rounds put together.
    private LimitFork.Result measure(String probe) throws IOException, InterruptedException {
        List<double[]> rounds = new ArrayList<>();
        List<String> columns = List.of();
        double allocated = Double.NaN;
        for (int fork = 0; fork < forks; fork++) {
            LimitFork.Result result = fork(probe);
            columns = result.columns();
            rounds.addAll(result.rounds());
            allocated =
                    Double.isNaN(allocated) ? result.allocatedBytes() : Math.max(allocated, result.allocatedBytes());
        }
        return new LimitFork.Result(columns, rounds, allocated);
    }

    private LimitFork.Result fork(String probe) throws IOException, InterruptedException {
        List<double[]> rounds = new ArrayList<>();
        List<String> columns = List.of();
        StringBuilder other = new StringBuilder();
        double allocated = Double.NaN;
        Process process = ChildJvm.start(
                LimitFork.class,
                List.of(
                        "-D" + Places.MEMORY_PROPERTY + "=" + places.memory(),
                        "-D" + Places.DEVICE_PROPERTY + "=" + places.device(),
                        "-Dfenceline.perf.segmentLength=" + places.segmentLengthBytes(),
                        "-Dfenceline.perf.segments=" + places.segmentCount(),
                        "-Dfenceline.perf.scale=" + places.scale()),
                probe);
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ");
                switch (words[0]) {
                    case "columns" ->
                        columns = List.of(line.substring(words[0].length() + 1).split("\\|"));
                    case "round" ->
                        rounds.add(Arrays.stream(words)
                                .skip(1)
                                .mapToDouble(Double::parseDouble)
                                .toArray());
                    case "allocated" -> allocated = Double.parseDouble(words[1]);
                    default -> other.append(line).append(System.lineSeparator());
                }
            }
        }
        if (process.waitFor() != 0 || rounds.isEmpty()) {
            throw new IllegalStateException("the fork of " + probe + " failed: " + other);
        }
        return new LimitFork.Result(columns, rounds, allocated);
    }
}
