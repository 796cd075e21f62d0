package io.fenceline.journal.mutants;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// One judge at work, in threads of its own. A defect may also show as an endless wait or loop; a machine that is busy
/// with other things, or that stops the process for a while, looks the same to a clock. So what is measured is
/// processor time: a judge that has used much is in a loop. One that uses none waits, if it could have had some: a
/// witness beside it, of the same priority, computes meanwhile, and the look is over when that has had so much. Where
/// it waits is part of the verdict.
///
/// A look says nothing while a thread of the process waits for a device (state D), for which it uses no processor.
final class Trial {
    /// Five times what the longest judge needs.
    private static final long LOOP_NS = 20_000_000_000L;

    private static final long LOOK_MS = 100;

    /// Looks in a row at threads that have not run at all.
    private static final int WAITING_LOOKS = 200;

    /// What the witness computes in each of these; in all of them, several times what a child process needs to start.
    private static final long WITNESS_NS = 20_000_000;

    /// What a test's own polling takes between two looks, and more.
    private static final long IDLE_NS = 5_000_000;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private static final Path TASKS = Path.of("/proc/self/task");

    /// What may fail.
    @FunctionalInterface
    interface Work {
        void run() throws Throwable;
    }

    private final ThreadGroup group = new ThreadGroup("trial");
    private final CompletableFuture<@Nullable String> verdict = new CompletableFuture<>();

    private final int waitingLooks;

    /// Begins it.
    Trial(Work work) {
        this(work, WAITING_LOOKS);
    }

    Trial(Work work, int waitingLooks) {
        this.waitingLooks = waitingLooks;
        Thread thread = new Thread(group, () -> {
            try {
                work.run();
                verdict.complete(null);
            } catch (Throwable e) {
                verdict.complete(String.valueOf(e.getMessage() == null ? e : e.getMessage())
                        .strip());
            }
        });
        thread.setName("mutant");
        thread.setDaemon(true);
        thread.start();
    }

    /// Waits for its end, or until it is clear that there is none.
    ///
    /// @return what it found; null: nothing
    @Nullable
    String verdict() {
        long usedNs = 0;
        int idleLooks = 0;
        while (idleLooks < waitingLooks && usedNs < LOOP_NS) {
            try {
                return verdict.get(LOOK_MS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                long nowNs = Math.max(usedNs, processorNs());
                if (nowNs - usedNs < IDLE_NS && !isAnyAtADevice()) {
                    compute();
                    long afterNs = Math.max(nowNs, processorNs());
                    idleLooks = afterNs - usedNs < IDLE_NS ? idleLooks + 1 : 0;
                    nowNs = afterNs;
                } else {
                    idleLooks = 0;
                }
                usedNs = nowNs;
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError(e);
            }
        }
        return idleLooks < waitingLooks
                ? "no end after " + LOOP_NS / 1_000_000_000 + " s of processor time"
                : "no progress in " + waitingLooks + " looks: " + places();
    }

    /// Threads that live.
    private Stream<Thread> threads() {
        Thread[] threads = new Thread[group.activeCount() + 16];
        int n = group.enumerate(threads);
        return Arrays.stream(threads, 0, n);
    }

    private long processorNs() {
        return threads()
                .mapToLong(thread -> Math.max(0, THREADS.getThreadCpuTime(thread.threadId())))
                .sum();
    }

    /// The witness: ends when this thread has had so much of a processor.
    private static void compute() {
        long endNs = THREADS.getCurrentThreadCpuTime() + WITNESS_NS;
        while (THREADS.getCurrentThreadCpuTime() < endNs) {
            Thread.onSpinWait();
        }
    }

    private static boolean isAnyAtADevice() {
        try (Stream<Path> tasks = Files.list(TASKS)) {
            return tasks.anyMatch(Trial::isAtADevice);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isAtADevice(Path task) {
        try {
            String stat = Files.readString(task.resolve("stat"));
            return stat.startsWith(" D ", stat.lastIndexOf(')') + 1);
        } catch (IOException e) {
            return false; // the thread has ended
        }
    }

    /// The innermost place in the product or its tests where each thread is.
    private String places() {
        return threads()
                .map(thread -> Arrays.stream(thread.getStackTrace())
                        .filter(frame -> frame.getClassName().startsWith("io.fenceline."))
                        .findFirst()
                        .map(frame -> thread.getName() + " at " + frame)
                        .orElse(thread.getName()))
                .collect(Collectors.joining("; "));
    }
}
