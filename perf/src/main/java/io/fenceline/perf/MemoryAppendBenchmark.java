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

/// One entry per append at `MEMORY` (emulated on tmpfs), beside NT stores and a fence over the same bytes, bare and
/// framed, on a mapping of the same length. A score is the time of one frame.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class MemoryAppendBenchmark {
    private static final int FRAMES = 8192;

    /// Length of a frame; its payload is 48 bytes shorter.
    @Param({"64", "128", "256", "1024", "4096"})
    public int frameLengthBytes;

    private JournalFixture fixture;
    private RawRing raw;
    private MemorySegment payload;

    @Setup
    public void setUp() {
        Places places = Places.ofProperties();
        fixture = JournalFixture.create(places, Durability.MEMORY);
        raw = new RawRing(places.memory(), places.capacityBytes());
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

    /// The limit: NT stores and a fence.
    @Benchmark
    @OperationsPerInvocation(FRAMES)
    public long raw() {
        return raw.nt(frameLengthBytes, FRAMES);
    }

    /// The limit with header, checksum and padding.
    @Benchmark
    @OperationsPerInvocation(FRAMES)
    public long framed() {
        return raw.framed(frameLengthBytes, FRAMES);
    }
}
