package io.fenceline.bench;

import io.fenceline.journal.JournalSource;
import io.fenceline.tailer.Entry;
import io.fenceline.tailer.EntryHandler;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.function.BooleanSupplier;

/// How stamps arrive: by a tailer, or by one cache line, the least that two processors can do.
///
/// Threads: one, which does nothing else; it spins, and allocates nothing.
abstract class Arrival implements AutoCloseable {
    private static final int POLL_LIMIT = 64;

    private final Latencies latencies;
    long lost;

    private Arrival(Latencies latencies) {
        this.latencies = latencies;
    }

    /// Returns when [Workload#END] has come, or somebody has given up.
    abstract void run(BooleanSupplier givenUp);

    @Override
    public void close() {}

    final void record(long stamp, long nowNs) {
        if ((stamp & 1) != 0) {
            latencies.record(nowNs - (stamp >> 1), nowNs);
        }
    }

    /// By a tailer of a journal.
    static final class ByTailer extends Arrival implements EntryHandler {
        private final Tailer tailer;
        private boolean ended;

        /// Sees everything from now on.
        ByTailer(JournalSource journal, Latencies latencies) {
            super(latencies);
            tailer = Tailer.open(journal, Start.newest());
        }

        @Override
        void run(BooleanSupplier givenUp) {
            while (!ended) {
                int polled = tailer.poll(this, POLL_LIMIT);
                if (polled == Tailer.OVERRUN) {
                    lost += tailer.missedEntries();
                } else if (polled == 0) {
                    if (givenUp.getAsBoolean()) {
                        return;
                    }
                    Thread.onSpinWait();
                } else if (polled < 0) {
                    throw new IllegalStateException("the tailer ended with " + polled);
                }
            }
        }

        @Override
        public void onEntry(Entry entry) {
            if (entry.length() < Long.BYTES || entry.index() != 0) {
                return;
            }
            long stamp = entry.buffer().get(ValueLayout.JAVA_LONG_UNALIGNED, entry.offset());
            if (stamp == Workload.END) {
                ended = true;
            } else {
                record(stamp, System.nanoTime());
            }
        }

        @Override
        public void close() {
            tailer.close();
        }
    }

    /// By a word on a cache line of its own. Stamps that came and went unseen arrived with the next one.
    static final class ByLine extends Arrival {
        private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

        private final MemorySegment line;
        private final double periodNs;

        ByLine(MemorySegment line, double periodNs, Latencies latencies) {
            super(latencies);
            this.line = line;
            this.periodNs = periodNs;
            put(line, 0);
        }

        private static void put(MemorySegment line, long stamp) {
            LONG.setRelease(line, 0L, stamp);
        }

        /// The writer's side.
        static Workload writer(MemorySegment line) {
            return new Workload() {
                @Override
                void run(long stamp) {
                    put(line, stamp);
                }
            };
        }

        @Override
        void run(BooleanSupplier givenUp) {
            long last = 0;
            while (true) {
                long stamp = (long) LONG.getAcquire(line, 0L);
                if (stamp == last || stamp == 0) {
                    if (givenUp.getAsBoolean()) {
                        return;
                    }
                    Thread.onSpinWait();
                    continue;
                }
                if (stamp == Workload.END) {
                    return;
                }
                long nowNs = System.nanoTime();
                recordSkipped(last, stamp, nowNs);
                record(stamp, nowNs);
                last = stamp;
            }
        }

        private void recordSkipped(long last, long stamp, long nowNs) {
            if ((last & 1) == 0 || periodNs == 0) {
                return;
            }
            long skipped = Math.round(((stamp >> 1) - (last >> 1)) / periodNs) - 1;
            for (long i = 1; i <= skipped; i++) {
                record(Workload.stamp((last >> 1) + (long) (i * periodNs), true), nowNs);
            }
        }
    }
}
