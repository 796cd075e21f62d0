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
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Large batches of 1 KiB entries at `MEMORY` (emulated on tmpfs), beside raw NT streaming of as many bytes. A score is
/// the time of a batch of 255 KiB.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class StreamBenchmark {
    private static final int ENTRIES = 255;
    private static final int PAYLOAD_LENGTH_BYTES = 1024 - 8;

    private JournalFixture fixture;
    private RawRing raw;
    private MemorySegment payload;

    @Setup
    public void setUp() {
        Places places = Places.ofProperties();
        fixture = JournalFixture.create(places, Durability.MEMORY);
        raw = new RawRing(places.memory(), places.capacityBytes());
        payload = fixture.payload(PAYLOAD_LENGTH_BYTES);
    }

    @TearDown
    public void tearDown() {
        fixture.close();
        raw.close();
    }

    /// The product.
    @Benchmark
    public long batches() {
        return fixture.appendBatches(payload, ENTRIES, 1);
    }

    /// The limit.
    @Benchmark
    public long raw() {
        return raw.nt((40L + 1024 * ENTRIES + 63) & -64, 1);
    }
}
