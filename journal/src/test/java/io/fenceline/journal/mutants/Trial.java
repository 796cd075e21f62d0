package io.fenceline.journal.mutants;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// One judge at work, in threads of its own. A defect may also show as an endless wait or loop; a machine that is busy
/// with other things, or that stops the process for a while, looks the same to a clock. So what is measured is
/// processor time: a judge that has used much is in a loop, one that uses none, whenever one looks, waits.
final class Trial {
    /// Five times what the longest judge needs.
    private static final long LOOP_NS = 20_000_000_000L;

    private static final long LOOK_MS = 100;

    /// Looks in a row at threads that have not run at all.
    private static final int WAITING_LOOKS = 200;

    /// What a test's own polling takes between two looks, and more.
    private static final long IDLE_NS = 5_000_000;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    /// What may fail.
    @FunctionalInterface
    interface Work {
        void run() throws Throwable;
    }

    private final ThreadGroup group = new ThreadGroup("trial");
    private final CompletableFuture<@Nullable String> verdict = new CompletableFuture<>();

    /// Begins it.
    Trial(Work work) {
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
        while (idleLooks < WAITING_LOOKS && usedNs < LOOP_NS) {
            try {
                return verdict.get(LOOK_MS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                long nowNs = Math.max(usedNs, processorNs());
                idleLooks = nowNs - usedNs < IDLE_NS ? idleLooks + 1 : 0;
                usedNs = nowNs;
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError(e);
            }
        }
        return idleLooks < WAITING_LOOKS
                ? "no end after " + LOOP_NS / 1_000_000_000 + " s of processor time"
                : "no progress in " + WAITING_LOOKS + " looks";
    }

    /// Of the threads that live.
    private long processorNs() {
        Thread[] threads = new Thread[group.activeCount() + 16];
        int n = group.enumerate(threads);
        return Arrays.stream(threads, 0, n)
                .mapToLong(thread -> Math.max(0, THREADS.getThreadCpuTime(thread.threadId())))
                .sum();
    }
}
