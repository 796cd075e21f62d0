package io.fenceline.bench;

import io.fenceline.bench.report.Quantile;
import io.fenceline.bench.report.Results;
import java.lang.invoke.VarHandle;

/// What the tool itself costs.
final class OwnCost {
    private static final long WARM_UP_NS = 100_000_000;
    private static final long LENGTH_NS = 100_000_000;
    private static final int CALLS = 200_000;
    private static final int ROUNDS = 15;

    private OwnCost() {}

    static Results.Cost measure(Loop.Stop stop) {
        Workload nothing = new Workload() {
            @Override
            void run(long stamp) {}
        };
        Latencies latencies = new Latencies(1);
        Loop.Times times = Loop.Times.of(0, WARM_UP_NS, LENGTH_NS);
        latencies.begin(times);
        MeasuringLoop.copy().saturated(nothing, latencies, new Loop.Tally(), times, stop);
        return new Results.Cost(timerNs(), Quantile.P50.of(latencies.slice(0)), fullFenceNs());
    }

    private static double timerNs() {
        double least = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            long sum = 0;
            long startNs = System.nanoTime();
            for (int i = 0; i < CALLS; i++) {
                sum += System.nanoTime();
            }
            long endNs = System.nanoTime();
            if (sum != 0) { // so that the calls are not for nothing
                least = Math.min(least, (double) (endNs - startNs) / CALLS);
            }
        }
        return least;
    }

    private static double fullFenceNs() {
        double least = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            long startNs = System.nanoTime();
            for (int i = 0; i < CALLS; i++) {
                VarHandle.fullFence();
            }
            least = Math.min(least, (double) (System.nanoTime() - startNs) / CALLS);
        }
        return least;
    }
}
