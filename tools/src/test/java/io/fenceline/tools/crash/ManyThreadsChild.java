package io.fenceline.tools.crash;

import io.fenceline.appender.ConcurrentAppender;
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
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.ToLongFunction;

/// The process of [ManyThreadsKillTest]: waits for a line, then many threads append, and report what they are told,
/// until it is killed or standard input ends. A FRAME report holds position, number, epoch, thread.
final class ManyThreadsChild {
    static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED;

    private ManyThreadsChild() {}

    static byte[] payload(long epoch, int thread, int number) {
        byte[] payload = new byte[24 + (number * 37 + thread) % 900];
        Arrays.fill(payload, (byte) (epoch + thread * 31L + number));
        MemorySegment bytes = MemorySegment.ofArray(payload);
        bytes.set(I64, 0, epoch);
        bytes.set(I64, 8, thread);
        bytes.set(I64, 16, number);
        return payload;
    }

    public static void main(String[] args) throws IOException {
        int threads = Integer.parseInt(args[2]);
        if (System.in.read() < 0) {
            return; // a spare that was not needed
        }
        JournalConfig config = JournalConfig.defaults().withFullPolicy(FullPolicy.OVERWRITE);
        Journal journal = Journal.open(Path.of(args[0]), TestLevels.forced(config));
        int epoch = journal.positions().epoch();
        ToLongFunction<MemorySegment> append;
        if (args[1].equals("GROUP")) {
            GroupCommitAppender appender = GroupCommitAppender.open(journal);
            append = payload -> appender.append(payload, 0);
        } else {
            append = ConcurrentAppender.open(journal)::append;
        }
        for (int i = 0; i < threads; i++) {
            int thread = i;
            Thread.ofPlatform().daemon().start(() -> run(append, epoch, thread));
        }
        while (System.in.read() >= 0) {
            // Only its end counts.
        }
        Runtime.getRuntime().halt(10);
    }

    private static void run(ToLongFunction<MemorySegment> append, int epoch, int thread) {
        FileOutputStream out = new FileOutputStream(FileDescriptor.out);
        for (int number = 0; ; number++) {
            long position = append.applyAsLong(MemorySegment.ofArray(payload(epoch, thread, number)));
            try {
                new Report(Report.Kind.FRAME, position, number, epoch, thread).writeTo(out);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
