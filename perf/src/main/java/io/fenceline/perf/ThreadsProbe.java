package io.fenceline.perf;

import io.fenceline.appender.ConcurrentAppender;
import io.fenceline.bench.limits.RawLimits;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import org.jspecify.annotations.Nullable;

/// One `ConcurrentAppender` under 1, 2 and 16 threads, beside an `ExclusiveAppender` over a ring of the same length on
/// the same file system. A column's time is the wall time of all its appends, over their number.
///
/// The single-threaded columns run in the caller. Of two threads each is bound to a processor of its own; sixteen go
/// where the kernel puts them.
final class ThreadsProbe implements Probe {
    private static final int MANY = 16;

    private final JournalFixture exclusive;
    private final Path parent;
    private final Journal journal;
    private final ConcurrentAppender appender;
    private final MemorySegment payload;
    private final long appends;
    private final Team pair;
    private final Team many;

    /// Threads that append when they are told to.
    private final class Team {
        private final int threads;
        private final CyclicBarrier begin;
        private final CyclicBarrier end;
        private volatile long each;
        private volatile @Nullable Throwable failure;

        /// @param bound whether each thread gets a processor of its own, as far as there are enough
        Team(int threads, boolean bound) {
            this.threads = threads;
            begin = new CyclicBarrier(threads + 1);
            end = new CyclicBarrier(threads + 1);
            for (int i = 0; i < threads; i++) {
                int processor = bound ? i % Runtime.getRuntime().availableProcessors() : -1;
                Thread.ofPlatform().daemon().name("appender-" + i).start(() -> serve(processor));
            }
        }

        private void serve(int processor) {
            if (processor >= 0) {
                RawLimits.pin(processor);
            }
            while (true) {
                await(begin);
                if (each < 0) {
                    return;
                }
                try {
                    append(each);
                } catch (RuntimeException | Error e) {
                    failure = e;
                }
                await(end);
            }
        }

        /// @return number of appends done
        long appendAll() {
            each = Math.max(1, appends / threads);
            await(begin);
            await(end);
            Throwable failed = failure;
            if (failed != null) {
                throw new IllegalStateException("a thread failed", failed);
            }
            return each * threads;
        }

        void end() {
            each = -1;
            await(begin);
        }
    }

    ThreadsProbe(Places places, Durability durability, int frameLengthBytes) {
        exclusive = JournalFixture.create(places, durability);
        parent = JournalFixture.newDirectory(places.memory());
        journal = Journal.create(
                parent.resolve("journal"),
                JournalFixture.config(durability, places.segmentLengthBytes(), places.segmentCount()));
        appender = ConcurrentAppender.open(journal);
        payload = exclusive.payloadOfFrame(frameLengthBytes);
        appends = places.scaled(durability == Durability.PROCESS ? 400_000 : 160_000);
        pair = new Team(2, true);
        many = new Team(MANY, false);
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new IllegalStateException(e);
        }
    }

    private void append(long n) {
        for (long i = 0; i < n; i++) {
            long result = appender.append(payload);
            if (result < 0) {
                throw new IllegalStateException("append returned " + result);
            }
        }
    }

    @Override
    public List<String> columns() {
        return List.of("1 thread", "exclusive", "2 threads", "16 threads");
    }

    @Override
    public double measure(int column) {
        long startNs = System.nanoTime();
        long n = switch (column) {
            case 0 -> {
                append(appends);
                yield appends;
            }
            case 1 -> {
                exclusive.append(payload, appends);
                yield appends;
            }
            case 2 -> pair.appendAll();
            default -> many.appendAll();
        };
        return (double) (System.nanoTime() - startNs) / n;
    }

    @Override
    public int rounds() {
        return 40;
    }

    @Override
    public long operations() {
        return appends;
    }

    @Override
    public void close() {
        pair.end();
        many.end();
        appender.close();
        journal.close();
        JournalFixture.remove(parent);
        exclusive.close();
    }
}
