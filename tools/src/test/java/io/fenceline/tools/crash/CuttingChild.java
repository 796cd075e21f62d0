package io.fenceline.tools.crash;

import io.fenceline.appender.ConcurrentAppender;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.appender.GroupCommitAppender;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.TestLevels;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.ToLongFunction;

/// The process of [CutKillTest]: waits for a line, then threads append and report what they are told, while another
/// one cuts the end of the log off, or resets the log, again and again; until it is killed or standard input ends.
final class CuttingChild {
    private final Journal journal;
    private final ToLongFunction<MemorySegment> append;
    private final AtomicLongArray last;
    private final int epoch;
    private final FileOutputStream out = new FileOutputStream(FileDescriptor.out);

    private CuttingChild(Journal journal, ToLongFunction<MemorySegment> append, int threads) {
        this.journal = journal;
        this.append = append;
        this.last = new AtomicLongArray(threads);
        this.epoch = journal.positions().epoch();
    }

    /// @param args directory, appender, number of threads
    public static void main(String[] args) throws IOException {
        if (System.in.read() < 0) {
            return; // a spare that was not needed
        }
        int threads = Integer.parseInt(args[2]);
        JournalConfig config = JournalConfig.defaults().withFullPolicy(FullPolicy.OVERWRITE);
        Journal journal = Journal.open(Path.of(args[0]), TestLevels.forced(config));
        CuttingChild child = new CuttingChild(journal, appender(journal, args[1]), threads);
        for (int i = 0; i < threads; i++) {
            int thread = i;
            Thread.ofPlatform().daemon().start(() -> child.append(thread));
        }
        Thread.ofPlatform().daemon().start(child::cut);
        while (System.in.read() >= 0) {
            // Only its end counts.
        }
        Runtime.getRuntime().halt(10);
    }

    private static ToLongFunction<MemorySegment> appender(Journal journal, String kind) {
        return switch (kind) {
            case "GROUP" -> {
                GroupCommitAppender appender = GroupCommitAppender.open(journal);
                yield payload -> appender.append(payload, 0);
            }
            case "CONCURRENT" -> ConcurrentAppender.open(journal)::append;
            default -> ExclusiveAppender.open(journal)::append;
        };
    }

    private void append(int thread) {
        for (int number = 0; ; number++) {
            byte[] payload = ManyThreadsChild.payload(epoch, thread, number);
            long position = append.applyAsLong(MemorySegment.ofArray(payload));
            report(new Report(Report.Kind.FRAME, position, number, epoch, thread));
            last.set(thread, position);
        }
    }

    /// Cuts at a frame that one of the threads has just been told of.
    private void cut() {
        SplittableRandom random = new SplittableRandom(epoch);
        long end = 0;
        while (true) {
            long from = last.get(random.nextInt(last.length()));
            if (from <= end) {
                Thread.onSpinWait();
                continue;
            }
            boolean reset = random.nextInt(3) == 0;
            report(new Report(Report.Kind.CUTTING, reset ? 0 : from, 0, 0, 0));
            try {
                end = reset ? journal.reset(random.nextInt(1000)) : journal.truncate(from);
                report(new Report(Report.Kind.CUT, end, reset ? 0 : from, 0, 0));
            } catch (IllegalArgumentException e) {
                report(new Report(Report.Kind.CUT, 0, 0, 0, 0)); // the ring has gone past it: nothing was cut
            }
        }
    }

    private void report(Report report) {
        try {
            report.writeTo(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
