package io.fenceline.bench;

import io.fenceline.bench.limits.RawLimits;
import io.fenceline.bench.report.HistogramLog;
import io.fenceline.bench.report.Medium;
import io.fenceline.bench.report.Outcome;
import io.fenceline.bench.report.Results;
import io.fenceline.bench.report.Rounds;
import io.fenceline.bench.report.Series;
import io.fenceline.bench.report.Stage;
import io.fenceline.bench.report.Subject;
import io.fenceline.journal.Durability;
import io.fenceline.journal.DurabilityReport;
import io.fenceline.journal.PersistReport;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// Measures what a machine gives: one run of a [BenchPlan].
///
/// What is to be compared is measured in turn, round by round, forwards and backwards, so that a noisy moment of
/// the machine hurts all of it:
///
///     for each size, for each load:   append │ append with a live tailer │ limits …
///                                     append → tailer: thread │ line │ process │ line
///     at last, for each size, load:   stages of append │ stages of a bare one
///
/// The stages come last because they put a [StageClock] between appender and medium, for which the JIT compiles
/// the appender anew.
///
/// Threads: [#run] of one, once; [#stop] of any.
public final class Bench {
    private static final long ROUND_NS = 250_000_000;
    private static final int FEWEST_ROUNDS = 3;
    private static final int MOST_ROUNDS = 20;
    private static final int MOST_SLICES = 12;
    private static final int FURTHER_WARM_UP = 10;

    private final BenchPlan plan;
    private final String tool;
    private final String command;
    private final BenchWatcher watcher;
    private final @Nullable HistogramLog log;
    private final Loop.Stop stop = new Loop.Stop();
    private final Instant time = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final Histogram pauses = Latencies.newHistogram();
    private final List<Recording> recordings = new ArrayList<>();
    private final List<Results.NotRun> notRun = new ArrayList<>();
    private final int rounds;
    private final int slices;
    private final long roundNs;
    private long beganNs;
    private double roundsDone;
    private double roundsPlanned;

    /// @param tool    name and version of who measures
    /// @param command how it was called
    /// @param watcher hears how far it is
    /// @param log     gets every interval; null: there is none
    public Bench(BenchPlan plan, String tool, String command, BenchWatcher watcher, @Nullable HistogramLog log) {
        this.plan = plan;
        this.tool = tool;
        this.command = command;
        this.watcher = watcher;
        this.log = log;
        rounds = Math.clamp(plan.lengthNs() / ROUND_NS, FEWEST_ROUNDS, MOST_ROUNDS);
        roundNs = plan.lengthNs() / rounds;
        slices = Math.clamp(roundNs / ROUND_NS, 1, MOST_SLICES);
    }

    /// Ends the run soon; [#run] then returns what was measured so far.
    public void stop() {
        stop.set();
    }

    /// Measures. Whatever happens, the files are removed.
    ///
    /// @throws io.fenceline.journal.JournalException if the storage refuses
    public Results run() {
        watcher.progress("the tool's own cost", 0, -1);
        Results.Cost cost = OwnCost.measure(stop);
        Pin pin = Pin.of(plan.pin());
        try (BenchFiles files = BenchFiles.create(plan, bytes -> watcher.progress("creating the journal", 0, -1));
                Hiccups hiccups = new Hiccups()) {
            DurabilityReport durability = files.durability();
            Measurement.Context context = new Measurement.Context(
                    stop, pin, hiccups, pauses, durability.durability() == Durability.DEVICE ? 4 : 512);
            if (!RawLimits.isAvailable()) {
                notRun.add(new Results.NotRun("raw limits", RawLimits.problem()));
            }
            try (Systems systems = new Systems(plan, files, context, slices, log)) {
                measureAll(systems, durability.durability());
            }
            Medium medium = new Medium(
                    durability.durability().name(),
                    durability.emulated(),
                    durability.fileSystem(),
                    durability.survives());
            return results(cost, medium, durability, pin, files);
        }
    }

    private void measureAll(Systems systems, Durability durability) {
        List<Integer> loads = new ArrayList<>();
        if (plan.saturated()) {
            loads.add(0);
        }
        loads.addAll(plan.rates(durability));
        List<Integer> stageLoads =
                loads.size() > 1 ? loads.subList(loads.getFirst() == 0 ? 1 : 0, loads.size()) : loads;
        List<Group> groups = new ArrayList<>();
        for (int size : plan.sizes()) {
            for (int rate : loads) {
                groups.add(new Group(describe("append", size, rate), () -> systems.appends(size, rate)));
                if (rate > 0 && plan.tails()) {
                    if (size < Long.BYTES) {
                        notRun.add(new Results.NotRun(
                                Stage.TAIL.title() + ", " + size + " B",
                                "a payload carries the time at which it was due, in 8 bytes"));
                    } else {
                        groups.add(new Group(
                                describe("append \u2192 tailer", size, rate), () -> systems.tails(size, rate)));
                    }
                }
            }
        }
        if (plan.stages()) {
            for (int size : plan.sizes()) {
                for (int rate : stageLoads) {
                    groups.add(new Group(describe("stages", size, rate), () -> systems.stages(size, rate)));
                }
            }
        }
        beganNs = System.nanoTime();
        roundsPlanned = groups.size() * (double) rounds;
        for (Group group : groups) {
            if (!stop.isSet()) {
                measure(group);
            }
        }
    }

    private static String describe(String what, int size, int rate) {
        return "%s, %,d B, %s".formatted(what, size, rate == 0 ? "saturated" : "%,d/s".formatted(rate));
    }

    /// What is measured in turn.
    private record Group(String title, Maker maker) {
        interface Maker {
            List<Measurement> make();
        }
    }

    private void measure(Group group) {
        progress(group);
        List<Measurement> measurements = group.maker.make();
        System.gc(); // of what was made for the group, so that the collector has nothing to do in its rounds
        try {
            for (int round = 0; round < rounds; round++) {
                for (int i = 0; i < measurements.size() && !stop.isSet(); i++) {
                    int next = (round & 1) == 0 ? i : measurements.size() - 1 - i;
                    measurements
                            .get(next)
                            .round(round == 0 ? plan.warmUpNs() : plan.warmUpNs() / FURTHER_WARM_UP, roundNs);
                    roundsDone += 1.0 / measurements.size();
                    progress(group);
                }
            }
        } finally {
            measurements.forEach(Measurement::close);
        }
        measurements.forEach(each -> recordings.addAll(each.recordings()));
    }

    private void progress(Group group) {
        double done = roundsDone / roundsPlanned;
        long remainingNs = roundsDone < 1 ? -1 : (long) ((System.nanoTime() - beganNs) / done * (1 - done));
        watcher.progress(group.title, done, remainingNs);
    }

    private Results results(Results.Cost cost, Medium medium, DurabilityReport durability, Pin pin, BenchFiles files) {
        List<Series> series = recordings.stream()
                .sorted(java.util.Comparator.comparingInt((Recording each) ->
                                plan.sizes().indexOf(each.subject().payloadLengthBytes()))
                        .thenComparingInt(each -> each.subject().rate())
                        .thenComparing(each -> each.subject().stage()))
                .map(each -> each.toSeries(medium))
                .toList();
        Map<String, String> machine = new LinkedHashMap<>(Machine.describe());
        machine.put("storage", Objects.requireNonNull(durability.toString()));
        PersistReport persist = durability.persist();
        if (persist != null) {
            machine.put("persist strategy", persist.toString());
        }
        machine.put("ring", files.describeRing());
        List<String> notes = new ArrayList<>();
        notes.add(pin.describe(plan.threads()));
        notes.add("one call of the clock is inside every latency");
        if (plan.stages()) {
            notes.add("stages are timed one by one in a single thread, persist and publish with a full fence: their sum"
                    + " is more than a whole append");
        }
        if (medium.emulated()) {
            notes.add("persistent memory is emulated: a power cut would lose the data, and real hardware has other"
                    + " latencies");
        }
        return new Results(
                tool,
                "What this machine gives: " + medium,
                time,
                command,
                !stop.isSet(),
                machine,
                notes,
                cost,
                pauses.getTotalCount() == 0 ? null : pauseSeries(medium),
                series,
                List.of(),
                notRun);
    }

    private Series pauseSeries(Medium medium) {
        Subject subject = new Subject("machine", false, Stage.APPEND, 0, 0, 0, 1, 0, 0);
        Outcome outcome = new Outcome(
                (System.nanoTime() - beganNs) / 1e9,
                Double.NaN,
                Rounds.NONE,
                true,
                0,
                Double.NaN,
                0,
                0,
                pauses.getMaxValue());
        return new Series(subject, medium, pauses, List.of(), outcome);
    }
}
