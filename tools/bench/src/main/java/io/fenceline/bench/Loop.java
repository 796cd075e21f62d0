package io.fenceline.bench;

/// How an operation is repeated and timed.
interface Loop {
    /// At a fixed rate: latency counts from the moment at which an operation was due, whether or not the one
    /// before had returned.
    ///
    /// @param periodNs between two operations
    void open(Workload workload, Latencies latencies, Tally tally, Times times, double periodNs, Stop stop);

    /// One after the other, each timed from its beginning.
    void saturated(Workload workload, Latencies latencies, Tally tally, Times times, Stop stop);

    /// One after the other until `endNs`, with no clock between; looks at it after each `chunk`.
    void untimed(Workload workload, Tally tally, long endNs, int chunk, Stop stop);

    /// When a round begins, from when on it counts, and when it ends: in terms of [System#nanoTime].
    record Times(long startNs, long recordNs, long endNs) {
        static Times of(long delayNs, long warmUpNs, long lengthNs) {
            long startNs = System.nanoTime() + delayNs;
            return new Times(startNs, startNs + warmUpNs, startNs + warmUpNs + lengthNs);
        }
    }

    /// What one thread counted in a round.
    final class Tally {
        /// All, warming up included.
        long operations;

        /// Those that were recorded, and for how long.
        long recorded;

        long elapsedNs;

        /// By the thread, warming up included (not when saturated).
        long allocatedBytes;

        /// Due, and never begun.
        long missed;
    }

    /// Ends every loop early.
    final class Stop {
        private volatile boolean set;

        void set() {
            set = true;
        }

        boolean isSet() {
            return set;
        }
    }
}
