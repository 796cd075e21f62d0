package io.fenceline.tools.crash;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.appender.GroupCommitAppender;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/// The process of [InjectedFaultsTest]: threads append and report what they are told, and go on when that was a fault.
/// Each ends when it was refused so often that it would have been told otherwise; then the journal is closed.
///
/// Exit codes as of [Child].
final class StubbornChild {
    /// How often each thread tries after the first fault.
    static final int ATTEMPTS = 20;

    private static final int MAXIMUM_FRAMES = 100_000;

    private StubbornChild() {}

    /// @param args directory, appender, number of threads
    public static void main(String[] args) throws InterruptedException {
        int exit = Child.WRONG;
        try {
            Journal journal =
                    Journal.open(Path.of(args[0]), JournalConfig.defaults().withFullPolicy(FullPolicy.OVERWRITE));
            int epoch = journal.positions().epoch();
            ToLongFunction<MemorySegment> append;
            if (args[1].equals("GROUP")) {
                GroupCommitAppender appender = GroupCommitAppender.open(journal);
                append = payload -> appender.append(payload, 0);
            } else {
                append = ExclusiveAppender.open(journal)::append;
            }
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < Integer.parseInt(args[2]); i++) {
                int thread = i;
                threads.add(Thread.ofPlatform().start(() -> run(append, epoch, thread)));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            journal.close();
            exit = 0;
        } catch (JournalException e) {
            System.err.println(e);
            exit = Child.REFUSED;
        } finally {
            Runtime.getRuntime().halt(exit);
        }
    }

    /// Of the fault that poisoned the journal, 0 if it is not told.
    private static int errno(Throwable problem) {
        for (Throwable cause = problem.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof JournalException.Io io) {
                return io.errno();
            }
        }
        return 0;
    }

    private static void run(ToLongFunction<MemorySegment> append, int epoch, int thread) {
        FileOutputStream out = new FileOutputStream(FileDescriptor.out);
        int failures = 0;
        for (int number = 0; failures < ATTEMPTS && number < MAXIMUM_FRAMES; number++) {
            Report report;
            try {
                long position =
                        append.applyAsLong(MemorySegment.ofArray(ManyThreadsChild.payload(epoch, thread, number)));
                report = new Report(Report.Kind.FRAME, position, number, epoch, thread);
            } catch (JournalException.Poisoned e) {
                report = new Report(Report.Kind.FAILED, thread, number, errno(e), 1);
                failures++;
            } catch (JournalException.Io e) {
                report = new Report(Report.Kind.FAILED, thread, number, e.errno(), 0);
                failures++;
            }
            try {
                report.writeTo(out);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
