package io.fenceline.perf;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Opening a journal (emulated `MEMORY` on tmpfs): recovery after its writer's death in another JVM, at the default
/// lease, and reopening after a clean close.
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3)
@Measurement(iterations = 10)
@Fork(2)
public class OpenBenchmark {
    /// Length of the ring.
    @Param({"256", "1024"})
    public int ringMebibytes;

    /// What ended the last writer.
    @Param({"crash", "close"})
    public String end;

    private OpenProbe probe;

    @Setup
    public void setUp() {
        probe = new OpenProbe(Places.ofProperties(), (long) ringMebibytes << 20, end.equals("crash"));
    }

    @Setup(Level.Invocation)
    public void end() {
        probe.prepare();
    }

    @TearDown(Level.Invocation)
    public void closeJournal() {
        probe.closeJournal();
    }

    @TearDown
    public void tearDown() {
        probe.close();
    }

    @Benchmark
    public Object open() {
        return probe.open();
    }
}
