package io.fenceline.perf;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Polling all entries of a ring but for its last segment (192 MiB by default), payloads read, beside a walk in C over
/// the same bytes. A score is the time of the whole ring; `perf/bin/limits tail` gives entries a second.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class TailBenchmark {
    /// Length of a frame; its payload is 48 bytes shorter.
    @Param({"64", "1024"})
    public int frameLengthBytes;

    /// Whether checksums are computed.
    @Param({"true", "false"})
    public boolean verify;

    private TailProbe probe;

    @Setup
    public void setUp() {
        probe = new TailProbe(Places.ofProperties(), frameLengthBytes);
    }

    @TearDown
    public void tearDown() {
        probe.close();
    }

    /// The product.
    @Benchmark
    public long poll() {
        return probe.poll(verify);
    }

    /// The limit.
    @Benchmark
    public long walk() {
        return probe.walk(verify);
    }
}
