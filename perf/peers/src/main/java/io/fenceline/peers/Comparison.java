package io.fenceline.peers;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.DataFormatException;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// What a run found, round by round: of each peer, task by task.
final class Comparison {
    /// One task of one peer.
    ///
    /// @param rounds     one value for each round in which it worked: ns per entry, or the median latency
    /// @param histograms those of the rounds, if it is one of latencies
    record Found(Map<Integer, Double> rounds, Map<Integer, Histogram> histograms, Map<Integer, Double> extra) {
        /// All rounds in one.
        Histogram all() {
            Histogram all = new Histogram(SingleLoad.HIGHEST_NS, 3);
            histograms.values().forEach(all::add);
            return all;
        }

        double median() {
            return Forks.median(new ArrayList<>(rounds.values()));
        }

        /// The greatest of what was allocated, or the sum of what was missed.
        double extraSum() {
            return extra.values().stream().mapToDouble(Double::doubleValue).sum();
        }
    }

    /// A quotient of two figures within one round, over the rounds.
    record Spread(double median, double least, double greatest) {
        static final Spread NONE = new Spread(Double.NaN, Double.NaN, Double.NaN);

        static Spread of(List<Double> values) {
            return values.isEmpty()
                    ? NONE
                    : new Spread(
                            Forks.median(values),
                            values.stream()
                                    .mapToDouble(Double::doubleValue)
                                    .min()
                                    .orElseThrow(),
                            values.stream()
                                    .mapToDouble(Double::doubleValue)
                                    .max()
                                    .orElseThrow());
        }

        boolean isKnown() {
            return !Double.isNaN(median);
        }
    }

    /// What one histogram, or one round, says.
    @FunctionalInterface
    interface Figure {
        double of(Histogram histogram);
    }

    private final Map<String, Found> found = new LinkedHashMap<>();
    private final Map<String, String> descriptions = new LinkedHashMap<>();
    private final Map<String, String> failures = new LinkedHashMap<>();

    private static String key(Catalog peer, String task) {
        return task + " " + peer.id();
    }

    /// Takes what a [PeerFork] wrote.
    ///
    /// @param asked its tasks: one that it says nothing of has failed
    void add(Catalog peer, int round, List<String> lines, List<String> asked) {
        List<String> missing = new ArrayList<>(asked);
        for (String line : lines) {
            String[] fields = line.split(" ", 2);
            if (fields[0].equals("is")) {
                descriptions.put(peer.id(), fields[1]);
            } else if (missing.remove(fields[0])) {
                add(peer, round, fields[0], fields[1]);
            }
        }
        if (!missing.isEmpty()) {
            fail(peer, "its JVM ended without " + String.join(", ", missing));
        }
    }

    private void add(Catalog peer, int round, String asked, String result) {
        String task = asked.substring(0, asked.lastIndexOf(':'));
        String[] fields = result.split(" ", -1);
        if (fields[0].equals("failed")) {
            fail(peer, task + ": " + result.substring("failed ".length()));
        } else if (!fields[0].equals("none")) {
            Found all = found.computeIfAbsent(
                    key(peer, task),
                    key -> new Found(new LinkedHashMap<>(), new LinkedHashMap<>(), new LinkedHashMap<>()));
            if (task.startsWith("append") || task.startsWith("scan")) {
                all.rounds.put(round, Double.parseDouble(fields[0]));
                if (fields.length > 1) {
                    all.extra.put(round, Double.parseDouble(fields[1]));
                }
            } else {
                Histogram histogram = decode(fields[fields.length - 1]);
                all.rounds.put(round, (double) histogram.getValueAtPercentile(50));
                all.histograms.put(round, histogram);
                all.extra.put(round, fields.length > 1 ? Double.parseDouble(fields[0]) : 0);
            }
        }
    }

    /// Says why a peer has not all of the figures; the first reason counts.
    void fail(Catalog peer, String reason) {
        failures.putIfAbsent(peer.id(), reason);
    }

    static Histogram decode(String text) {
        try {
            return Histogram.decodeFromCompressedByteBuffer(
                    ByteBuffer.wrap(Base64.getDecoder().decode(text)), SingleLoad.HIGHEST_NS);
        } catch (DataFormatException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Nullable
    Found of(Catalog peer, String task) {
        return found.get(key(peer, task));
    }

    /// What there is of a peer, in the order in which it was found.
    List<String> tasks(Catalog peer) {
        String end = " " + peer.id();
        return found.keySet().stream()
                .filter(key -> key.endsWith(end))
                .map(key -> key.substring(0, key.length() - end.length()))
                .toList();
    }

    Found require(Catalog peer, String task) {
        return Objects.requireNonNull(found.get(key(peer, task)), task);
    }

    /// One peer's figure over another's, round by round, in the rounds that have both.
    Spread ratio(Catalog peer, String task, Catalog over, String overTask) {
        Found a = of(peer, task);
        Found b = of(over, overTask);
        List<Double> ratios = new ArrayList<>();
        if (a != null && b != null) {
            a.rounds.forEach((round, value) -> {
                Double other = b.rounds.get(round);
                if (other != null) {
                    ratios.add(value / other);
                }
            });
        }
        return Spread.of(ratios);
    }

    /// The same of a figure of the latencies.
    Spread ratio(Catalog peer, Catalog over, String task, Figure figure) {
        Found a = of(peer, task);
        Found b = of(over, task);
        List<Double> ratios = new ArrayList<>();
        if (a != null && b != null) {
            a.histograms.forEach((round, histogram) -> {
                Histogram other = b.histograms.get(round);
                if (other != null) {
                    ratios.add(figure.of(histogram) / Math.max(1, figure.of(other)));
                }
            });
        }
        return Spread.of(ratios);
    }

    String description(Catalog peer) {
        return descriptions.getOrDefault(peer.id(), "");
    }

    /// Why it has none of the figures, or not all; empty if it has.
    String failure(Catalog peer) {
        return failures.getOrDefault(peer.id(), "");
    }
}
