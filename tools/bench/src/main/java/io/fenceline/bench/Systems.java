package io.fenceline.bench;

import io.fenceline.appender.Appender;
import io.fenceline.appender.ConcurrentAppender;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.appender.GroupCommitAppender;
import io.fenceline.bench.limits.RawRing;
import io.fenceline.bench.report.HistogramLog;
import io.fenceline.bench.report.Stage;
import io.fenceline.bench.report.Subject;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What there is to measure: the journal in its forms, and the raw limits beside them.
final class Systems implements AutoCloseable {
    private static final String LINE = "limit: cache line";

    private final BenchPlan plan;
    private final BenchFiles files;
    private final Measurement.Context context;
    private final int slices;
    private final @Nullable HistogramLog log;
    private final Durability durability;
    private long beginNs;
    private @Nullable Appender appender;
    private @Nullable GroupCommitAppender groupAppender;

    Systems(BenchPlan plan, BenchFiles files, Measurement.Context context, int slices, @Nullable HistogramLog log) {
        this.plan = plan;
        this.files = files;
        this.context = context;
        this.slices = slices;
        this.log = log;
        this.durability = files.durability().durability();
    }

    /// Whole appends, without a tailer and (saturated) with one, and the raw limits.
    List<Measurement> appends(int size, int rate) {
        beginNs = System.nanoTime();
        List<Measurement> group = new ArrayList<>();
        Subject subject = subject(size, rate);
        group.add(measurement(appenders(size), rate, recording(subject), null, null));
        if (rate == 0 && plan.tails() && size >= Long.BYTES) {
            group.add(measurement(appenders(size), rate, recording(subject.withTailers(1)), tailerThread(), null));
        }
        RawRing ring = files.ring();
        if (ring != null) {
            int threads = durability == Durability.DEVICE ? 1 : plan.threads();
            for (BareWorkload.Means means : BareWorkload.Means.of(durability)) {
                List<Workload> bare = new ArrayList<>();
                for (int i = 0; i < threads; i++) {
                    bare.add(new BareWorkload(means, ring, subject.frameLengthBytes(), i, threads, null));
                }
                group.add(measurement(bare, rate, recording(subject.withSystem(means.title(), true)), null, null));
            }
        }
        return group;
    }

    /// Appends that are tailed, in this process and in another one, and one cache line handed over likewise.
    List<Measurement> tails(int size, int rate) {
        beginNs = System.nanoTime();
        Subject tailed = subject(size, rate).withTailers(1);
        double periodNs = 1e9 * plan.batch() / rate;
        List<Measurement> group = new ArrayList<>();
        group.add(measurement(
                appenders(size), rate, recording(tailed), tailerThread(), recording(tailed.withStage(Stage.TAIL))));
        Subject line = tailed.withStage(Stage.TAIL).withSystem(LINE, true);
        Reader lineThread = new ReaderThread(
                latencies -> new Arrival.ByLine(files.line(), periodNs, latencies),
                slices,
                processor(1),
                context.stop());
        group.add(measurement(List.of(Arrival.ByLine.writer(files.line())), rate, null, lineThread, recording(line)));
        group.add(measurement(
                appenders(size),
                rate,
                null,
                process(ArrivalProcess.TAILER, files.journal().directory(), periodNs, plan.threads()),
                recording(tailed.withStage(Stage.TAIL_PROCESS))));
        group.add(measurement(
                List.of(Arrival.ByLine.writer(files.line())),
                rate,
                null,
                process(ArrivalProcess.LINE, files.linePath(), periodNs, 1),
                recording(line.withStage(Stage.TAIL_PROCESS))));
        return group;
    }

    /// Each stage of an append, and of a bare one. One thread.
    List<Measurement> stages(int size, int rate) {
        beginNs = System.nanoTime();
        close();
        Subject subject = subject(size, rate);
        Subject single = new Subject(
                subject.system(),
                false,
                subject.stage(),
                rate,
                size,
                subject.frameLengthBytes(),
                subject.batch(),
                1,
                0);
        List<Measurement> group = new ArrayList<>();
        StageTimes times = new StageTimes(slices);
        Journal journal = files.journal();
        journal.positions().persistThrough(medium -> new StageClock(medium, times, subject.frameLengthBytes()));
        Appender staged = ExclusiveAppender.open(journal);
        appender = staged;
        group.add(stages(new JournalWorkload.Staged(staged, size, plan.batch(), times), single, times));
        RawRing ring = files.ring();
        if (ring != null) {
            BareWorkload.Means means = BareWorkload.Means.of(durability).getFirst();
            StageTimes bareTimes = new StageTimes(slices);
            Workload bare = new BareWorkload(means, ring, subject.frameLengthBytes(), 0, 1, bareTimes);
            group.add(stages(bare, single.withSystem(means.title(), true), bareTimes));
        }
        return group;
    }

    /// @param times of the stages, which the workload takes on its way
    private Measurement stages(Workload workload, Subject subject, StageTimes times) {
        List<Measurement.Part> parts = List.of(
                new Measurement.Part(recording(subject.withStage(Stage.RESERVE)), times.reserve),
                new Measurement.Part(recording(subject.withStage(Stage.WRITE)), times.write),
                new Measurement.Part(recording(subject.withStage(Stage.PERSIST)), times.persist),
                new Measurement.Part(recording(subject.withStage(Stage.PUBLISH)), times.publish));
        return new Measurement(
                context, List.of(workload), subject.rate(), plan.batch(), slices, null, null, null, parts);
    }

    private Subject subject(int size, int rate) {
        return new Subject(
                Subject.FENCELINE,
                false,
                Stage.APPEND,
                rate,
                size,
                BenchPlan.frameLength(size, plan.batch()),
                plan.batch(),
                plan.threads(),
                0);
    }

    private Recording recording(Subject subject) {
        return new Recording(subject, log, beginNs);
    }

    private Measurement measurement(
            List<? extends Workload> workloads,
            int rate,
            @Nullable Recording appends,
            @Nullable Reader reader,
            @Nullable Recording arrivals) {
        return new Measurement(context, workloads, rate, plan.batch(), slices, appends, reader, arrivals, List.of());
    }

    /// One workload a thread, over the appender that is right for so many.
    private List<JournalWorkload> appenders(int size) {
        List<JournalWorkload> workloads = new ArrayList<>();
        for (int i = 0; i < plan.threads(); i++) {
            if (plan.threads() > 1 && durability == Durability.DEVICE) {
                workloads.add(new JournalWorkload.Grouped(groupAppender(), size));
            } else if (plan.batch() > 1) {
                workloads.add(new JournalWorkload.Batched(appender(), size, plan.batch()));
            } else {
                workloads.add(new JournalWorkload.Single(appender(), size));
            }
        }
        return workloads;
    }

    private Appender appender() {
        Appender open = appender;
        if (open == null) {
            Journal journal = files.journal();
            open = plan.threads() == 1 ? ExclusiveAppender.open(journal) : ConcurrentAppender.open(journal);
            appender = open;
        }
        return open;
    }

    private GroupCommitAppender groupAppender() {
        GroupCommitAppender open = groupAppender;
        if (open == null) {
            open = GroupCommitAppender.open(files.journal());
            groupAppender = open;
        }
        return open;
    }

    private Reader tailerThread() {
        return new ReaderThread(
                latencies -> new Arrival.ByTailer(files.journal(), latencies),
                slices,
                processor(plan.threads()),
                context.stop());
    }

    private Reader process(String kind, java.nio.file.Path path, double periodNs, int threads) {
        return new ReaderProcess(kind, path, periodNs, slices, processor(threads), context.stop());
    }

    private int processor(int threads) {
        return context.pin().processor(threads, threads + 1);
    }

    /// Closes the appender; the next one opens as the journal says.
    @Override
    public void close() {
        if (appender != null) {
            appender.close();
            appender = null;
        }
        if (groupAppender != null) {
            groupAppender.close();
            groupAppender = null;
        }
    }
}
