package io.fenceline.perf;

import io.fenceline.bench.limits.RawRing;
import io.fenceline.journal.Durability;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// One durable entry per append at `DEVICE`, beside `pwrite` and `fdatasync` of the frame to a file of the same
/// length. The directory is `-Dfenceline.perf.dir`, by default below `target/`; it must be on a block device. A
/// score is the time of one frame.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class DeviceAppendBenchmark {
    private static final int FRAMES = 16;

    /// Length of a frame; its payload is 48 bytes shorter.
    @Param({"64", "4096"})
    public int frameLengthBytes;

    private JournalFixture fixture;
    private RawRing raw;
    private MemorySegment payload;

    @Setup
    public void setUp() {
        Places places = Places.ofProperties();
        fixture = JournalFixture.create(places, Durability.DEVICE);
        raw = new RawRing(places.device(), places.capacityBytes());
        payload = fixture.payloadOfFrame(frameLengthBytes);
    }

    @TearDown
    public void tearDown() {
        fixture.close();
        raw.close();
    }

    /// The product.
    @Benchmark
    @OperationsPerInvocation(FRAMES)
    public long append() {
        return fixture.append(payload, FRAMES);
    }

    /// The limit.
    @Benchmark
    @OperationsPerInvocation(FRAMES)
    public long sync() {
        return raw.sync(frameLengthBytes, FRAMES);
    }
}
