package io.fenceline.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.bench.limits.RawLimits;
import io.fenceline.bench.report.HistogramLog;
import io.fenceline.bench.report.ReportPage;
import io.fenceline.bench.report.Results;
import io.fenceline.bench.report.ResultsJson;
import io.fenceline.bench.report.ResultsTable;
import io.fenceline.bench.report.Series;
import io.fenceline.bench.report.Stage;
import io.fenceline.bench.report.Subject;
import io.fenceline.journal.Durability;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.persist.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A whole run, tiny: what is measured and reported, never how fast. Below `target/`, because `DEVICE` is refused
/// on a tmpfs.
class BenchTest {
    private Path directory;

    @BeforeEach
    void makeDirectory() throws IOException {
        directory = Files.createTempDirectory(Files.createDirectories(Path.of("target/bench-test")), "run");
    }

    /// Whatever ran has removed its files.
    @AfterEach
    void checkDirectory() throws IOException {
        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(List.of(), left.toList());
        }
        Files.delete(directory);
    }

    private BenchPlan plan(
            Durability durability, List<Integer> sizes, int rate, int threads, int batch, boolean tails) {
        JournalConfig config = JournalConfig.defaults()
                .withSegmentLengthBytes(2 << 20)
                .withSegmentCount(2)
                .withDurability(durability)
                .withEmulatePersistentMemory(durability == Durability.MEMORY);
        return new BenchPlan(
                directory,
                config,
                sizes,
                List.of(rate),
                true,
                150_000_000,
                10_000_000,
                threads,
                batch,
                tails,
                true,
                false);
    }

    private static Results run(BenchPlan plan) {
        return new Bench(plan, "test", "test", (what, done, remainingNs) -> {}, null).run();
    }

    private static Set<String> names(Results results) {
        return results.series().stream()
                .map(Series::subject)
                .map(subject -> "%s %s %d %d"
                        .formatted(
                                subject.limit() ? "limit" : subject.system(),
                                subject.stage(),
                                Math.min(1, subject.rate()),
                                subject.tailers()))
                .collect(Collectors.toSet());
    }

    /// Goal: every figure that the tool promises is there, each with a limit of the same load and size beside it.
    @Test
    void shouldMeasureEveryStageBesideItsLimitAtProcess() {
        Results results = run(plan(Durability.PROCESS, List.of(64), 20_000, 1, 1, true));
        assertTrue(results.complete());
        Set<String> names = names(results);
        for (String expected : List.of(
                "Fenceline APPEND 0 0",
                "Fenceline APPEND 0 1",
                "Fenceline APPEND 1 0",
                "Fenceline APPEND 1 1",
                "Fenceline TAIL 1 1",
                "Fenceline TAIL_PROCESS 1 1",
                "Fenceline RESERVE 1 0",
                "Fenceline WRITE 1 0",
                "Fenceline PERSIST 1 0",
                "Fenceline PUBLISH 1 0")) {
            assertTrue(names.contains(expected), expected + " in " + names);
        }
        if (RawLimits.isAvailable()) {
            for (Series series : results.series()) {
                assertTrue(
                        series.subject().limit()
                                || !series.ratios(results.series()).isEmpty(),
                        series.subject().toString());
            }
        }
        for (Series series : results.series()) {
            Subject subject = series.subject();
            assertTrue(series.histogram().getTotalCount() > 0, subject.toString());
            if (subject.rate() > 0 && subject.stage() == Stage.APPEND) {
                // 3 rounds of 50 ms at 20,000/s: one latency for each that was due, whatever happened.
                assertEquals(3_000, (double) series.histogram().getTotalCount(), 3, subject.toString());
            }
            if (subject.stage().isTail()) {
                assertEquals(0, series.outcome().lost());
            }
        }
        assertEquals(
                0,
                results.notRun().stream()
                        .filter(each -> !each.system().equals("raw limits"))
                        .count());
        assertReadable(results);
    }

    @Test
    void shouldSayEmulatedWhereverMemoryIs() {
        assumeTrue(Kernel.isAvailable() && RawLimits.isAvailable(), "this build holds no native kernel");
        Results results = run(plan(Durability.MEMORY, List.of(5_000), 20_000, 1, 4, false));
        Set<String> limits = results.series().stream()
                .filter(series -> series.subject().limit())
                .map(series -> series.subject().system())
                .collect(Collectors.toSet());
        assertEquals(Set.of("limit: framed NT + fence", "limit: raw NT + fence"), limits);
        assertTrue(results.series().stream().allMatch(series -> series.medium().emulated()));
        assertTrue(ResultsTable.of(results).getFirst().contains("emulated"));
        assertTrue(ResultsJson.of(results).contains("\"emulated\" : true"));
        assertReadable(results);
    }

    @Test
    void shouldCommitTheEntriesOfSeveralThreadsTogetherAtDevice() {
        Results results = run(plan(Durability.DEVICE, List.of(64), 500, 2, 1, false));
        Set<Stage> stages = results.series().stream()
                .map(series -> series.subject().stage())
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Stage.class)));
        assertTrue(stages.containsAll(Set.of(Stage.APPEND, Stage.PERSIST)), stages.toString());
        assertReadable(results);
    }

    @Test
    void shouldReturnWhatWasMeasuredSoFarWhenItIsStopped() {
        BenchPlan plan = plan(Durability.PROCESS, List.of(64, 128, 256), 20_000, 1, 1, false);
        Bench[] bench = new Bench[1];
        bench[0] = new Bench(
                plan,
                "test",
                "test",
                (what, done, remainingNs) -> {
                    if (done > 0.2) {
                        bench[0].stop();
                    }
                },
                null);
        Results results = bench[0].run();
        assertFalse(results.complete());
        assertFalse(results.series().isEmpty());
        assertTrue(names(results).contains("Fenceline APPEND 0 0"));
        assertTrue(
                results.series().stream().noneMatch(series -> series.subject().payloadLengthBytes() == 256));
        assertTrue(ResultsTable.of(results).getFirst().contains("ended early"));
        assertReadable(results);
    }

    /// HdrHistogram's own reader finds each series again by its tag.
    @Test
    void shouldLogIntervalsThatHdrHistogramReads() throws IOException {
        Path file = directory.resolve("run.hlog");
        Results results;
        try (HistogramLog log = HistogramLog.create(file, "test")) {
            results = new Bench(
                            plan(Durability.PROCESS, List.of(64), 20_000, 1, 1, false),
                            "test",
                            "test",
                            (what, done, remainingNs) -> {},
                            log)
                    .run();
            assertTrue(log.flush());
        }
        Set<String> tags = new java.util.HashSet<>();
        long count = 0;
        HistogramLogReader reader = new HistogramLogReader(file.toFile());
        for (var next = reader.nextIntervalHistogram(); next != null; next = reader.nextIntervalHistogram()) {
            tags.add(next.getTag());
            count += ((Histogram) next).getTotalCount();
        }
        Files.delete(file);
        assertEquals(
                results.series().stream().map(series -> series.subject().tag()).collect(Collectors.toSet()), tags);
        assertEquals(
                results.series().stream()
                        .mapToLong(series -> series.histogram().getTotalCount())
                        .sum(),
                count);
    }

    @Test
    void shouldRefusePlansThatCannotBeMeasured() {
        for (Runnable bad : List.<Runnable>of(
                () -> plan(Durability.PROCESS, List.of(), 1, 1, 1, true),
                () -> plan(Durability.PROCESS, List.of(-1), 1, 1, 1, true),
                () -> plan(Durability.PROCESS, List.of(600_000), 1, 1, 1, true), // a quarter of a segment is 512 KiB
                () -> plan(Durability.PROCESS, List.of(64), 0, 1, 1, true),
                () -> plan(Durability.PROCESS, List.of(64), 1, 0, 1, true),
                () -> plan(Durability.PROCESS, List.of(64), 1, 1, 70_000, true),
                () -> plan(Durability.DEVICE, List.of(64), 1, 2, 2, true))) {
            String problem =
                    assertThrows(IllegalArgumentException.class, bad::run).toString();
            assertTrue(problem.contains("expected"), problem);
        }
    }

    private static void assertReadable(Results results) {
        String json = ResultsJson.of(results);
        ResultsJson.check(json);
        String page = ReportPage.of(List.of(json, json));
        assertTrue(page.contains("\"fenceline-bench\""));
        assertFalse(ResultsTable.of(results).isEmpty());
    }
}
