package io.fenceline.bench;

/// One operation that is measured, of one thread: an append of the journal, a raw limit, nothing.
///
/// Allocates nothing in steady state.
abstract class Workload {
    /// Says to a reader that a round is over.
    static final long END = -1;

    /// Does it once.
    ///
    /// @param stamp for a reader to time its arrival: twice the time at which it was due (ns), plus 1 if that is
    ///              to be recorded; 0: not to be timed; [#END]
    abstract void run(long stamp);

    /// Does it n times, without stamps, if that is quicker than [#run] again and again.
    ///
    /// @return whether it was done
    boolean runAll(long n) {
        return false;
    }

    static long stamp(long dueNs, boolean recorded) {
        return dueNs << 1 | (recorded ? 1 : 0);
    }
}
