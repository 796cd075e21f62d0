package io.fenceline.bench;

import java.util.List;
import org.HdrHistogram.Histogram;

/// Reads what a [Workload] stamps, in another thread or in another process, and records how long after it was due
/// it arrived.
///
/// Threads: [#begin] and [#end] of one.
interface Reader extends AutoCloseable {
    /// Returns when nothing that is written from now on escapes.
    void begin(Loop.Times times);

    /// Waits until [Workload#END] has arrived.
    ///
    /// @throws IllegalStateException if it does not
    Arrivals end();

    @Override
    void close();

    /// What arrived in one round.
    ///
    /// @param slices of its time, one after the other
    /// @param lost   entries that were overwritten before they were read
    record Arrivals(List<Histogram> slices, long lost) {}
}
