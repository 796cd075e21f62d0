package io.fenceline.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.RecoveryReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Everything that measures runs, with tiny parameters: this says nothing about speed. Below `target/`, because
/// `DEVICE` is refused on a tmpfs.
class BenchmarksTest {
    private static final List<String> PROPERTIES = List.of(
            Places.MEMORY_PROPERTY,
            Places.DEVICE_PROPERTY,
            "fenceline.perf.segmentLength",
            "fenceline.perf.segments",
            "fenceline.perf.scale");

    private Path directory;
    private Places places;

    @BeforeAll
    static void needLibraries() {
        Libraries.assumeBuilt();
    }

    @BeforeEach
    void setUp() throws IOException {
        directory = Files.createTempDirectory(Files.createDirectories(Path.of("target/perf-test")), "run");
        places = new Places(directory, directory, 2 << 20, 2, 0.002);
        System.setProperty(Places.MEMORY_PROPERTY, directory.toString());
        System.setProperty(Places.DEVICE_PROPERTY, directory.toString());
        System.setProperty("fenceline.perf.segmentLength", Integer.toString(places.segmentLengthBytes()));
        System.setProperty("fenceline.perf.segments", Integer.toString(places.segmentCount()));
        System.setProperty("fenceline.perf.scale", Double.toString(places.scale()));
    }

    /// Whatever ran has removed its files.
    @AfterEach
    void tearDown() throws IOException {
        PROPERTIES.forEach(System::clearProperty);
        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(List.of(), left.toList());
        }
        Files.delete(directory);
    }

    /// Openings have a probe of their own below, because a figure's journal is large.
    @Test
    void shouldMeasureEveryColumnOfEveryFigure() {
        Set<String> seen = new HashSet<>();
        for (Figure figure : Figure.all()) {
            if (figure.unit() == Figure.Unit.MS || !seen.add(figure.probe())) {
                continue;
            }
            Probe.Factory factory = Objects.requireNonNull(Figure.PROBES.get(figure.probe()), figure.probe());
            try (Probe probe = factory.open(places)) {
                LimitRow row = LimitRow.of(figure, LimitFork.run(probe, 1, 2));
                assertEquals(2, row.rounds());
                assertTrue(row.product().minimum() > 0, row.text());
                assertTrue(row.text().contains(figure.title()), row.text());
                assertTrue(row.json().startsWith("{\"figure\": \"" + figure.title()), row.json());
            }
        }
        assertFalse(seen.isEmpty());
    }

    @Test
    void shouldMeasureOpeningAfterACrashAndAfterAClose() {
        for (boolean crashed : new boolean[] {true, false}) {
            try (OpenProbe probe = new OpenProbe(places, 8 << 20, crashed)) {
                probe.prepare();
                assertEquals(crashed, probe.open().recovery().verdict() == RecoveryReport.Verdict.RECOVERED);
                probe.closeJournal();
                assertTrue(crashed || probe.measure(0) > 0);
            }
        }
    }

    @Test
    void shouldCountLapsWithTheirFaults() {
        List<LapTable.Lap> laps = LapTable.run(places, 64, 3);
        assertEquals(List.of(1, 2, 3), laps.stream().map(LapTable.Lap::number).toList());
        for (LapTable.Lap lap : laps) {
            assertTrue(lap.appendNs() > 0 && lap.rawNs() > 0 && lap.minorFaults() >= 0, lap.toString());
        }
    }

    /// Goal: no benchmark rots. Runs each method of each class under JMH, in this JVM, a millisecond at one
    /// parameter.
    @Test
    void shouldRunEveryBenchmarkUnderJmh() throws RunnerException {
        Options options = new OptionsBuilder()
                .include("io\\.fenceline\\.perf\\.")
                .exclude("OpenBenchmark") // its journals are large; its one line is covered above
                .param("frameLengthBytes", "128")
                .param("payloadLengthBytes", "16")
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(1))
                .verbosity(VerboseMode.SILENT)
                .shouldFailOnError(true)
                .build();
        Collection<RunResult> results = new Runner(options).run();
        Set<String> ran = new TreeSet<>();
        for (RunResult result : results) {
            ran.add(result.getParams().getBenchmark());
            assertTrue(
                    result.getPrimaryResult().getScore() > 0, result.getParams().getBenchmark());
        }
        assertTrue(ran.contains(MemoryAppendBenchmark.class.getName() + ".append"), ran.toString());
        assertTrue(ran.size() >= 12, ran.toString());
    }
}
