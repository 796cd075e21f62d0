package io.fenceline.bench;

/// Hears how far a run is. Called between rounds, when nothing is measured, on the thread that runs it.
@FunctionalInterface
public interface BenchWatcher {
    /// @param what        is done next
    /// @param done        of 1
    /// @param remainingNs until the end, about; -1: not known yet
    void progress(String what, double done, long remainingNs);
}
