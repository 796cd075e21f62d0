package io.fenceline.perf;

import com.sun.management.ThreadMXBean;
import io.fenceline.bench.limits.Processors;
import io.fenceline.bench.limits.RawLimits;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// One fork of a probe: warms up, then measures the columns round by round, first to last in even rounds and last
/// to first in odd ones. Writes to standard output `columns NAME|NAME…`, one line per round `round
/// NS-OF-EACH-COLUMN…`, and at the end `allocated BYTES` per operation of the product, NaN where that is not told.
///
///     java … io.fenceline.perf.LimitFork PROBE
final class LimitFork {
    private LimitFork() {}

    /// What a fork found.
    ///
    /// @param columns        names of what was measured
    /// @param rounds         nanoseconds per operation, round by round, of each column
    /// @param allocatedBytes per operation of the product; NaN if not told
    record Result(List<String> columns, List<double[]> rounds, double allocatedBytes) {}

    public static void main(String[] arguments) {
        Probe.Factory factory = Figure.PROBES.get(arguments[0]);
        if (factory == null) {
            throw new IllegalArgumentException("no probe '" + arguments[0] + "'; there are " + Figure.PROBES.keySet());
        }
        try (Probe probe = factory.open(Places.ofProperties())) {
            // Bound only now: the journal's own threads, started before, stay free to run elsewhere.
            RawLimits.pin(Processors.lastAllowed());
            Result result = run(probe, probe.warmUpRounds(), probe.rounds());
            System.out.println("columns " + String.join("|", result.columns));
            for (double[] round : result.rounds) {
                StringBuilder line = new StringBuilder("round");
                for (double ns : round) {
                    line.append(String.format(Locale.ROOT, " %.3f", ns));
                }
                System.out.println(line);
            }
            System.out.printf(Locale.ROOT, "allocated %.4f%n", result.allocatedBytes);
        }
    }

    static Result run(Probe probe, int warmUpRounds, int rounds) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int columns = probe.columns().size();
        List<double[]> counted = new ArrayList<>();
        long leastAllocated = Long.MAX_VALUE;
        for (int round = -warmUpRounds; round < rounds; round++) {
            double[] ns = new double[columns];
            for (int i = 0; i < columns; i++) {
                int column = (round & 1) == 0 ? i : columns - 1 - i;
                long before = threads.getCurrentThreadAllocatedBytes();
                ns[column] = probe.measure(column);
                long allocated = threads.getCurrentThreadAllocatedBytes() - before;
                if (column == 0 && round >= 0) {
                    leastAllocated = Math.min(leastAllocated, allocated);
                }
            }
            if (round >= 0) {
                counted.add(ns);
            }
        }
        long operations = probe.operations();
        return new Result(
                probe.columns(), counted, operations == 0 ? Double.NaN : (double) leastAllocated / operations);
    }
}
