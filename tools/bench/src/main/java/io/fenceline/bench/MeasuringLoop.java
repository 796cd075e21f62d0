package io.fenceline.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.util.Objects;

/// The loops around a [Workload]. Each workload gets a copy of this class, so that the JIT compiles the loops for
/// it alone, whatever else was measured before.
///
/// The clock is [System#nanoTime]; one call of it is inside every latency. Nothing is allocated.
final class MeasuringLoop implements Loop {
    // Not private: `copy` makes an object of another class.
    MeasuringLoop() {}

    /// A fresh copy of the loops.
    static Loop copy() {
        try (InputStream code = Objects.requireNonNull(
                MeasuringLoop.class.getResourceAsStream("MeasuringLoop.class"), "the class file of MeasuringLoop")) {
            MethodHandles.Lookup copy = MethodHandles.lookup().defineHiddenClass(code.readAllBytes(), true);
            return (Loop) copy.lookupClass().getDeclaredConstructor().newInstance();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    @Override
    public void open(Workload workload, Latencies latencies, Tally tally, Times times, double periodNs, Stop stop) {
        long operation = 0;
        long recorded = 0;
        long endNs = times.endNs();
        long recordNs = times.recordNs();
        long dueNs = times.startNs();
        long nowNs = System.nanoTime();
        while (dueNs - endNs < 0) {
            while (nowNs - dueNs < 0) {
                Thread.onSpinWait();
                nowNs = System.nanoTime();
            }
            if (nowNs - endNs >= 0 || stop.isSet()) {
                break;
            }
            boolean record = dueNs - recordNs >= 0;
            workload.run(dueNs << 1 | (record ? 1 : 0));
            nowNs = System.nanoTime();
            if (record) {
                latencies.record(nowNs - dueNs, nowNs);
                recorded++;
            }
            dueNs = times.startNs() + (long) (++operation * periodNs);
        }
        tally.operations += operation;
        tally.recorded += recorded;
        tally.elapsedNs += Math.max(0, nowNs - recordNs);
        // What was due and could not begin has waited until now, at least.
        while (dueNs - endNs < 0 && !stop.isSet()) {
            if (dueNs - recordNs >= 0) {
                latencies.record(nowNs - dueNs, nowNs);
                tally.missed++;
            }
            dueNs = times.startNs() + (long) (++operation * periodNs);
        }
    }

    @Override
    public void saturated(Workload workload, Latencies latencies, Tally tally, Times times, Stop stop) {
        long recordNs = times.recordNs();
        long endNs = times.endNs();
        long beginNs = System.nanoTime();
        // Once at least, however late it is.
        do {
            boolean record = beginNs - recordNs >= 0;
            workload.run(beginNs << 1 | (record ? 1 : 0));
            long nowNs = System.nanoTime();
            if (record) {
                latencies.record(nowNs - beginNs, nowNs);
            }
            tally.operations++;
            beginNs = System.nanoTime();
        } while (beginNs - endNs < 0 && !stop.isSet());
    }

    @Override
    public void untimed(Workload workload, Tally tally, long endNs, int chunk, Stop stop) {
        long startNs = System.nanoTime();
        long nowNs = startNs;
        long operations = 0;
        while (nowNs - endNs < 0 && !stop.isSet()) {
            if (!workload.runAll(chunk)) {
                for (int i = 0; i < chunk; i++) {
                    workload.run(0);
                }
            }
            operations += chunk;
            nowNs = System.nanoTime();
        }
        tally.operations += operations;
        tally.recorded += operations;
        tally.elapsedNs += nowNs - startNs;
    }
}
