package io.fenceline.perf;

import io.fenceline.bench.limits.RawRing;
import io.fenceline.journal.Durability;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/// Appends lap after lap over one ring, beside the raw loop over another, and prints the cost of an append in lap 1, 2,
/// 3, 10, 50, 100, with the page faults of the appending thread. A lap alternates between product and raw loop in steps
/// of a sixteenth. Code is warm before lap 1, the journal is new.
///
///     java … io.fenceline.perf.LapTable [--laps N] [--frame BYTES]
///
/// Run by `perf/bin/limits --laps`.
final class LapTable {
    private static final int STEPS = 16;
    private static final Set<Integer> SHOWN = new TreeSet<>(List.of(1, 2, 3, 10, 50, 100));

    private LapTable() {}

    /// One lap: ns per append of product and raw loop, the median ratio of the steps, page faults of this thread.
    record Lap(int number, double appendNs, double rawNs, double ratio, long minorFaults, long majorFaults) {}

    public static void main(String[] arguments) {
        int laps = 100;
        int frameLength = 64;
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            switch (arguments[i]) {
                case "--laps" -> laps = Integer.parseInt(arguments[i + 1]);
                case "--frame" -> frameLength = Integer.parseInt(arguments[i + 1]);
                default -> throw new IllegalArgumentException("unknown option " + arguments[i]);
            }
        }
        Places places = Places.ofProperties();
        Machine.describe(places).forEach((name, value) -> System.out.printf(Locale.ROOT, "%-17s %s%n", name, value));
        System.out.printf(Locale.ROOT, "frames of %d bytes, emulated MEMORY%n%n", frameLength);
        System.out.printf(
                Locale.ROOT,
                "%-6s %10s %10s %7s %13s %13s%n",
                "lap",
                "append ns",
                "raw ns",
                "ratio",
                "minor faults",
                "major faults");
        List<Double> ratios = new ArrayList<>();
        for (Lap lap : run(places, frameLength, laps)) {
            ratios.add(lap.ratio);
            if (SHOWN.contains(lap.number) || lap.number == laps) {
                System.out.printf(
                        Locale.ROOT,
                        "%-6d %10.2f %10.2f %7.3f %13d %13d%n",
                        lap.number,
                        lap.appendNs,
                        lap.rawNs,
                        lap.ratio,
                        lap.minorFaults,
                        lap.majorFaults);
            }
        }
        Samples all = new Samples(ratios);
        System.out.printf(
                Locale.ROOT,
                "all    %21s %7.3f (of a lap: least %.3f, p90 %.3f, most %.3f)%n",
                "median ratio",
                all.median(),
                all.minimum(),
                all.quantile(0.9),
                all.quantile(1));
    }

    static List<Lap> run(Places places, int frameLength, int laps) {
        warmUp(places, frameLength);
        List<Lap> done = new ArrayList<>();
        try (JournalFixture fixture = JournalFixture.create(places, Durability.MEMORY);
                RawRing raw = new RawRing(places.memory(), places.capacityBytes())) {
            MemorySegment payload = fixture.payloadOfFrame(frameLength);
            long stepFrames = places.capacityBytes() / frameLength / STEPS;
            for (int lap = 1; lap <= laps; lap++) {
                done.add(lap(lap, fixture, raw, payload, frameLength, stepFrames));
            }
        }
        return done;
    }

    private static Lap lap(
            int number, JournalFixture fixture, RawRing raw, MemorySegment payload, int frameLength, long stepFrames) {
        long appendNs = 0;
        long rawNs = 0;
        long minor = 0;
        long major = 0;
        List<Double> ratios = new ArrayList<>();
        for (int step = 0; step < STEPS; step++) {
            long[] before = threadFaults();
            long startNs = System.nanoTime();
            fixture.append(payload, stepFrames);
            long appendStepNs = System.nanoTime() - startNs;
            long[] after = threadFaults();
            minor += after[0] - before[0];
            major += after[1] - before[1];
            long rawStepNs = raw.nt(frameLength, stepFrames);
            appendNs += appendStepNs;
            rawNs += rawStepNs;
            ratios.add((double) appendStepNs / rawStepNs);
        }
        double frames = (double) STEPS * stepFrames;
        return new Lap(number, appendNs / frames, rawNs / frames, new Samples(ratios).median(), minor, major);
    }

    /// The JIT's work, on a small ring that is thrown away; [#threadFaults] too.
    private static void warmUp(Places places, int frameLength) {
        try (JournalFixture fixture = JournalFixture.create(places.memory(), Durability.MEMORY, 2 << 20, 2)) {
            MemorySegment payload = fixture.payloadOfFrame(frameLength);
            for (int i = 0; i < 200; i++) {
                fixture.append(payload, places.scaled(5_000));
                threadFaults();
            }
        }
    }

    /// Minor and major page faults of this thread since it began.
    private static long[] threadFaults() {
        try {
            String stat = Files.readString(Path.of("/proc/thread-self/stat"));
            // After the name, which stands in brackets and may hold blanks: field 10 is minflt, 12 majflt.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            return new long[] {Long.parseLong(fields[7]), Long.parseLong(fields[9])};
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
