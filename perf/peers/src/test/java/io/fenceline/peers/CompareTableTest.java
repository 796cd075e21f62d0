package io.fenceline.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.bench.report.Ratio;
import io.fenceline.bench.report.ResultsJson;
import io.fenceline.bench.report.Series;
import io.fenceline.peers.Catalog.Kind;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class CompareTableTest {
    private static final Catalog PRODUCT = Catalog.find(Catalog.PRODUCT, Kind.PROCESS);
    private static final Catalog CHRONICLE = Catalog.find("chronicle", Kind.PROCESS);
    private static final String OPEN = CompareTable.open(Kind.PROCESS);

    private static final Map<Kind, CompareResults.Storage> STORAGE = Map.of(
            Kind.MEMORY, new CompareResults.Storage("tmpfs", true),
            Kind.PROCESS, new CompareResults.Storage("tmpfs", false));

    private final Comparison comparison = new Comparison();

    private void add(Catalog peer, int round, String... results) {
        List<String> lines = List.of(results);
        comparison.add(
                peer,
                round,
                lines,
                lines.stream().map(line -> line.split(" ", 2)[0]).toList());
    }

    private static String latencies(long... ns) {
        Histogram histogram = new Histogram(SingleLoad.HIGHEST_NS, 3);
        for (long value : ns) {
            histogram.recordValue(value);
        }
        return PeerFork.encode(histogram);
    }

    /// Ratios are taken within a round, then the median of them: here that of 3, 2 and 10, though the medians of the
    /// two columns, 40 and 20, give 2.
    @Test
    void shouldTakeTheMedianOfTheRatiosOfEachRound() {
        double[][] rounds = {{10, 30}, {20, 40}, {30, 300}};
        for (int round = 0; round < rounds.length; round++) {
            add(PRODUCT, round, "append:64:1 " + rounds[round][0] + " 0.00");
            add(CHRONICLE, round, "append:64:1 " + rounds[round][1] + " 0.00");
        }
        Comparison.Spread ratio = comparison.ratio(CHRONICLE, "append:64", PRODUCT, "append:64");
        assertEquals(new Comparison.Spread(3, 2, 10), ratio);
    }

    @Test
    void shouldLeaveOutRoundsInWhichOneSideFailed() {
        add(PRODUCT, 0, "append:64:1 10 0");
        add(PRODUCT, 1, "append:64:1 20 0");
        add(CHRONICLE, 0, "append:64:1 failed no space");
        add(CHRONICLE, 1, "append:64:1 50 0");
        assertEquals(
                2.5,
                comparison.ratio(CHRONICLE, "append:64", PRODUCT, "append:64").median());
        assertEquals("append:64: no space", comparison.failure(CHRONICLE));
    }

    @Test
    void shouldSayOfWhichTaskAJvmLeftNothing() {
        comparison.add(CHRONICLE, 0, List.of("is a queue", "append:64:1 50 0"), List.of("append:64:1", "append:256:1"));
        assertEquals("its JVM ended without append:256:1", comparison.failure(CHRONICLE));
        assertEquals("a queue", comparison.description(CHRONICLE));
    }

    @Test
    void shouldMergeTheLatenciesOfAllRounds() {
        add(PRODUCT, 0, OPEN + ":1 0 " + latencies(10, 10));
        add(PRODUCT, 1, OPEN + ":1 3 " + latencies(30, 30, 30));
        Comparison.Found found = Objects.requireNonNull(comparison.of(PRODUCT, OPEN));
        assertEquals(5, found.all().getTotalCount());
        assertEquals(30, found.all().getMaxValue());
        assertEquals(3, found.extraSum());
        add(CHRONICLE, 1, OPEN + ":1 0 " + latencies(60));
        assertEquals(
                2,
                comparison
                        .ratio(CHRONICLE, PRODUCT, OPEN, Histogram::getMaxValue)
                        .median());
    }

    @Test
    void shouldTakeNoneForNothing() {
        add(CHRONICLE, 0, "scan:64:verified-first:1 none");
        assertNull(comparison.of(CHRONICLE, "scan:64:verified-first"));
        assertEquals("", comparison.failure(CHRONICLE));
    }

    @Test
    void shouldJudgeGoals() {
        add(PRODUCT, 0, "append:64:1 26 0", "append:1024:1 100 0");
        add(CHRONICLE, 0, "append:64:1 78 0", "append:1024:1 120 0");
        List<Goals.Goal> goals = Goals.of(comparison, EnumSet.of(Kind.MEMORY, Kind.PROCESS));
        Goals.Goal absolute = goal(goals, "PROCESS append, 64 B: ns");
        assertFalse(absolute.isReached());
        assertTrue(absolute.toString().contains("NOT REACHED"));
        assertTrue(goal(goals, "PROCESS append, 64 B: Chronicle").isReached());
        assertFalse(goal(goals, "PROCESS append, 1024 B: Chronicle").isReached());
        assertTrue(goal(goals, "MEMORY append, 64 B: mashona").toString().endsWith("not measured"));
        assertTrue(Goals.of(comparison, EnumSet.of(Kind.PROCESS)).stream()
                .noneMatch(goal -> goal.title().startsWith("MEMORY")));
        assertEquals(List.of(), Goals.of(comparison, EnumSet.of(Kind.DEVICE)));
    }

    private static Goals.Goal goal(List<Goals.Goal> goals, String title) {
        return goals.stream()
                .filter(goal -> goal.title().startsWith(title))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void shouldPrintWhatEachPromisesAndWhyOneIsMissing() throws Exception {
        Catalog pmemlog = Catalog.find("pmemlog", Kind.MEMORY);
        add(pmemlog, 0, "append:64:1 failed there is no libpmemlog.so.1");
        CompareTable table = new CompareTable(STORAGE, List.of(Kind.MEMORY), Catalog.of(Kind.MEMORY), comparison);
        List<Goals.Goal> goals = table.print(Instant.EPOCH, "1 round");
        assertNotNull(goals);
        String text = table.text();
        assertTrue(text.contains("NOT MEASURED, or not all: append:64: there is no libpmemlog.so.1"), text);
        for (Catalog peer : Catalog.of(Kind.MEMORY)) {
            assertTrue(text.contains(peer.title()), text);
            assertTrue(text.contains("survives " + CompareResults.promises(peer, true)), text);
        }
    }

    /// The file is read back as any reader would: names and figures are where docs/BENCH.md says.
    @Test
    void shouldWriteTheFileOfBenchmarks() throws Exception {
        add(PRODUCT, 0, "append:64:1 20 0", OPEN + ":1 0 " + latencies(10, 20, 30), "scan:64:verified-first:1 5");
        add(CHRONICLE, 0, "append:64:1 failed a \"reason\"");
        CompareResults.Run run =
                new CompareResults.Run(Instant.EPOCH, "--rounds 1", false, Map.of("cpu", "x"), STORAGE);
        String text = ResultsJson.of(CompareResults.of(comparison, List.of(PRODUCT, CHRONICLE), run));
        ResultsJson.check(text);
        List<String> seen = new java.util.ArrayList<>();
        try (var parser = new com.fasterxml.jackson.core.JsonFactory().createParser(text)) {
            while (parser.nextToken() != null) {
                if (parser.currentToken().isScalarValue()) {
                    seen.add(parser.getParsingContext().toString() + "=" + parser.getText());
                }
            }
        }
        for (String expected : List.of(
                "{\"format\"}=fenceline-bench",
                "{\"complete\"}=false",
                "{\"command\"}=perf/bin/compare --rounds 1",
                "{\"system\"}=Fenceline",
                "{\"nsPerEntry\"}=20",
                "{\"rate\"}=100000",
                "{\"count\"}=3",
                "{\"p50\"}=20",
                "{\"max\"}=30",
                "{\"mode\"}=verified-first",
                "{\"reason\"}=append:64: a \"reason\"")) {
            assertTrue(seen.stream().anyMatch(each -> each.endsWith(expected)), expected + " in " + seen);
        }
    }

    /// A file must not promise more than its medium gives, whatever the peer does elsewhere.
    @Test
    void shouldPromiseNoPowerCutOnAnEmulatedMedium() {
        for (Catalog peer : Catalog.of(Kind.MEMORY)) {
            add(peer, 0, "append:64:1 20 0");
        }
        CompareResults.Run run = new CompareResults.Run(Instant.EPOCH, "", true, Map.of(), STORAGE);
        List<Series> series =
                CompareResults.of(comparison, Catalog.of(Kind.MEMORY), run).series();
        assertEquals(5, series.size());
        for (Series each : series) {
            assertTrue(each.medium().emulated());
            assertTrue(
                    each.subject().limit()
                            || each.medium().promises().startsWith("process crash: the medium is emulated"),
                    each.medium()::promises);
        }
    }

    /// A figure is divided by the limit of its own class, and by what persists nothing.
    @Test
    void shouldDivideByLimitsOfTheSameClass() {
        List<Catalog> peers = Catalog.SINGLE.stream()
                .filter(peer -> peer.isProduct() || peer.limit())
                .toList();
        for (Catalog peer : peers) {
            add(peer, 0, "append:64:1 20 0", CompareTable.TAIL + ":1 " + latencies(100));
        }
        CompareResults.Run run = new CompareResults.Run(Instant.EPOCH, "", true, Map.of(), STORAGE);
        List<Series> series = CompareResults.of(comparison, peers, run).series();
        for (Series each : series) {
            if (each.medium().durability().equals("DEVICE") && !each.subject().limit()) {
                assertEquals(
                        List.of("limit: pwrite + fdatasync, C", "limit: one cache line"),
                        each.ratios(series).stream().map(Ratio::to).toList());
            }
        }
    }

    @Test
    void shouldTellTheVersionsOfAllLibraries() {
        assertEquals(5, Forks.versions().split(", ", -1).length, Forks.versions());
        assertTrue(Forks.versions().contains("chronicle-queue 20"), Forks.versions());
    }

    @Test
    void shouldNameEachPeerOnceInItsClass() {
        assertEquals(
                Catalog.SINGLE.size(),
                Catalog.SINGLE.stream().map(Catalog::id).distinct().count());
    }
}
