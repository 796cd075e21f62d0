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

/// Batches of 16 entries at `MEMORY` (emulated on tmpfs), beside 16 single appends and 16 raw frames under one fence. A
/// score is the time of all 16.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class BatchBenchmark {
    private static final int ENTRIES = 16;
    private static final int BATCHES = 512;

    /// Length of each payload.
    @Param({"16", "64"})
    public int payloadLengthBytes;

    private JournalFixture fixture;
    private RawRing raw;
    private MemorySegment payload;

    @Setup
    public void setUp() {
        Places places = Places.ofProperties();
        fixture = JournalFixture.create(places, Durability.MEMORY);
        raw = new RawRing(places.memory(), places.capacityBytes());
        payload = fixture.payload(payloadLengthBytes);
    }

    @TearDown
    public void tearDown() {
        fixture.close();
        raw.close();
    }

    /// The product: one frame, one fence.
    @Benchmark
    @OperationsPerInvocation(BATCHES)
    public long batch() {
        return fixture.appendBatches(payload, ENTRIES, BATCHES);
    }

    /// 16 frames, 16 fences.
    @Benchmark
    @OperationsPerInvocation(BATCHES)
    public long singles() {
        return fixture.append(payload, (long) BATCHES * ENTRIES);
    }

    /// The limit: 16 raw frames, one fence.
    @Benchmark
    @OperationsPerInvocation(BATCHES)
    public long raw() {
        return raw.nt(
                (payloadLengthBytes + JournalFixture.FRAME_OVERHEAD_BYTES + 63) & -64, ENTRIES, BATCHES * ENTRIES);
    }
}
