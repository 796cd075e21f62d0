package io.fenceline.journal;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// Threads of a test, which begin together, and end within a bound, or are shown.
public final class Team {
    private static final long BOUND_S = 60;

    private final List<Thread> threads = new ArrayList<>();
    private final CountDownLatch start = new CountDownLatch(1);
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    /// Starts n threads that wait for [#begin].
    public static Team of(int n, IntConsumer member) {
        Team team = new Team();
        for (int i = 0; i < n; i++) {
            int number = i;
            team.threads.add(Thread.ofPlatform().daemon().name("member-" + i).start(() -> team.run(member, number)));
        }
        return team;
    }

    private void run(IntConsumer member, int number) {
        try {
            start.await();
            running.incrementAndGet();
            member.accept(number);
        } catch (Throwable e) {
            failure.compareAndSet(null, e);
        }
    }

    public Team begin() {
        start.countDown();
        await("all have begun", () -> running.get() == threads.size());
        return this;
    }

    /// Interrupts all.
    public void interrupt() {
        threads.forEach(Thread::interrupt);
    }

    /// Waits until all have ended; the first exception of any of them is thrown here.
    public void join() {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(BOUND_S);
        for (Thread thread : threads) {
            try {
                if (!thread.join(java.time.Duration.ofNanos(Math.max(1, deadlineNs - System.nanoTime())))) {
                    throw new AssertionError(thread.getName() + " does not end:\n" + dump(), failure.get());
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
        Throwable first = failure.get();
        if (first != null) {
            throw new AssertionError(first.toString(), first);
        }
    }

    /// Waits for a condition, within the bound.
    public static void await(String what, BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(BOUND_S);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadlineNs) {
                throw new AssertionError("not within " + BOUND_S + " s: " + what + "\n" + dump());
            }
            Thread.yield();
        }
    }

    /// Whether n threads of the team wait.
    public boolean isWaiting(int n) {
        return threads.stream()
                        .filter(thread -> thread.getState() == Thread.State.WAITING
                                || thread.getState() == Thread.State.TIMED_WAITING)
                        .count()
                >= n;
    }

    private static String dump() {
        StringBuilder text = new StringBuilder();
        for (Map.Entry<Thread, StackTraceElement[]> entry :
                Thread.getAllStackTraces().entrySet()) {
            text.append(entry.getKey()).append('\n');
            for (StackTraceElement element : entry.getValue()) {
                text.append("    at ").append(element).append('\n');
            }
        }
        return text.toString();
    }
}
