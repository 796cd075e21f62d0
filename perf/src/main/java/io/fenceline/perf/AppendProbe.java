package io.fenceline.perf;

import io.fenceline.bench.limits.RawRing;
import io.fenceline.journal.Durability;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Appends of the product beside the raw loops, over a ring of the same length on the same file system.
final class AppendProbe implements Probe {
    private interface Loop {
        /// @return nanoseconds that so many operations took
        long run(long operations);
    }

    private record Column(String name, long operations, Loop loop) {}

    private final JournalFixture fixture;
    private final RawRing raw;
    private final List<Column> columns;

    private AppendProbe(JournalFixture fixture, RawRing raw, List<Column> columns) {
        this.fixture = fixture;
        this.raw = raw;
        this.columns = columns;
    }

    private static Loop appends(JournalFixture fixture, MemorySegment payload) {
        return n -> {
            long startNs = System.nanoTime();
            fixture.append(payload, n);
            return System.nanoTime() - startNs;
        };
    }

    private static Loop batches(JournalFixture fixture, MemorySegment payload, int entries) {
        return n -> {
            long startNs = System.nanoTime();
            fixture.appendBatches(payload, entries, n);
            return System.nanoTime() - startNs;
        };
    }

    /// `MEMORY`, one entry a frame: append, the raw loop, the framed loop.
    static Probe memory(Places places, int frameLengthBytes) {
        JournalFixture fixture = JournalFixture.create(places, Durability.MEMORY);
        RawRing raw = new RawRing(places.memory(), places.capacityBytes());
        long n = places.scaled(frameLengthBytes > 1024 ? 30_000 : 100_000);
        return new AppendProbe(
                fixture,
                raw,
                List.of(
                        new Column("append", n, appends(fixture, fixture.payloadOfFrame(frameLengthBytes))),
                        new Column("raw", n, operations -> raw.nt(frameLengthBytes, operations)),
                        new Column("framed", n, operations -> raw.framed(frameLengthBytes, operations))));
    }

    /// `MEMORY`, 16 entries a frame: one batch, 16 single appends, 16 raw frames under one fence.
    static Probe batch(Places places, int payloadLengthBytes) {
        JournalFixture fixture = JournalFixture.create(places, Durability.MEMORY);
        RawRing raw = new RawRing(places.memory(), places.capacityBytes());
        MemorySegment payload = fixture.payload(payloadLengthBytes);
        int frameLength = (JournalFixture.FRAME_OVERHEAD_BYTES + payloadLengthBytes + 63) & -64;
        long n = places.scaled(10_000);
        return new AppendProbe(
                fixture,
                raw,
                List.of(
                        new Column("batch of 16", n, batches(fixture, payload, 16)),
                        new Column(
                                "16 appends",
                                n,
                                operations -> appends(fixture, payload).run(16 * operations)),
                        new Column("raw, 16 a fence", n, operations -> raw.nt(frameLength, 16, 16 * operations))));
    }

    /// `MEMORY`, batches of 1 KiB entries whose frames are as long as the chunk of the raw stream.
    static Probe stream(Places places, int chunkLengthBytes) {
        JournalFixture fixture = JournalFixture.create(places, Durability.MEMORY);
        RawRing raw = new RawRing(places.memory(), places.capacityBytes());
        int payloadLength = 1024 - 8;
        int entries = (chunkLengthBytes - 40) / 1024;
        long frameLength = (40 + 1024L * entries + 63) & -64;
        long n = places.scaled((64L << 20) / chunkLengthBytes);
        return new AppendProbe(
                fixture,
                raw,
                List.of(
                        new Column("batches", n, batches(fixture, fixture.payload(payloadLength), entries)),
                        new Column("raw NT stream", n, operations -> raw.nt(frameLength, operations))));
    }

    /// `PROCESS`, one entry a frame: append, `memcpy` of the frame.
    static Probe process(Places places, int frameLengthBytes) {
        JournalFixture fixture = JournalFixture.create(places, Durability.PROCESS);
        RawRing raw = new RawRing(places.memory(), places.capacityBytes());
        long n = places.scaled(300_000);
        return new AppendProbe(
                fixture,
                raw,
                List.of(
                        new Column("append", n, appends(fixture, fixture.payloadOfFrame(frameLengthBytes))),
                        new Column("memcpy", n, operations -> raw.memcpy(frameLengthBytes, operations))));
    }

    /// `DEVICE`, one entry a frame: append, `pwrite` and `fdatasync`.
    static Probe device(Places places, int frameLengthBytes) {
        JournalFixture fixture = JournalFixture.create(places, Durability.DEVICE);
        RawRing raw = new RawRing(places.device(), places.capacityBytes());
        long n = places.scaled(150);
        return new AppendProbe(
                fixture,
                raw,
                List.of(
                        new Column("append", n, appends(fixture, fixture.payloadOfFrame(frameLengthBytes))),
                        new Column("pwrite+fdatasync", n, operations -> raw.sync(frameLengthBytes, operations))));
    }

    @Override
    public List<String> columns() {
        return columns.stream().map(Column::name).toList();
    }

    @Override
    public double measure(int column) {
        Column chosen = columns.get(column);
        return (double) chosen.loop.run(chosen.operations) / chosen.operations;
    }

    @Override
    public long operations() {
        return columns.getFirst().operations;
    }

    @Override
    public void close() {
        fixture.close();
        raw.close();
    }
}
