package io.fenceline.bench.report;

/// What there is to say of a series beside its latencies.
///
/// @param elapsedSeconds         for which it was measured; NaN: not known
/// @param entriesPerSecond       throughput
/// @param nsPerEntry             of each round of a saturated loop that times nothing inside; empty in an open
///                               loop
/// @param rateReached            false: it did not keep up with the rate asked for
/// @param lost                   entries that a reader was too slow to see
/// @param allocatedBytesPerEntry by the appending threads; NaN: not known
/// @param gcPauses               collections meanwhile; negative: not known
/// @param gcPauseMs              their time; negative: not known
/// @param machinePauseMaxNs      the longest pause of the machine meanwhile; negative: not known
public record Outcome(
        double elapsedSeconds,
        double entriesPerSecond,
        Rounds nsPerEntry,
        boolean rateReached,
        long lost,
        double allocatedBytesPerEntry,
        long gcPauses,
        long gcPauseMs,
        long machinePauseMaxNs) {}
