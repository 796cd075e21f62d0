package io.fenceline.perf;

import io.fenceline.journal.Durability;
import io.fenceline.journal.format.RunFileDescriptor;
import io.fenceline.journal.positions.RunFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.List;

/// What it costs the appender to publish, with the look for who sleeps, while nobody does; beside the bare store.
final class PublishProbe implements Probe {
    private static final VarHandle LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private static final double ALLOWED_NS = 2;

    private final JournalFixture fixture;
    private final RunFile run;
    private final MemorySegment words = Arena.ofShared().allocate(RunFileDescriptor.LENGTH_BYTES, 4096);
    private final long operations;

    PublishProbe(Places places) {
        fixture = JournalFixture.create(places, Durability.MEMORY);
        run = fixture.journal().positions().run();
        operations = places.scaled(5_000_000);
    }

    @Override
    public List<String> columns() {
        return List.of("publish", "store + 2 ns");
    }

    @Override
    public double measure(int column) {
        return column == 0 ? publish() : store() + ALLOWED_NS;
    }

    /// Publishes what is published already.
    private double publish() {
        long published = run.published();
        long startNs = System.nanoTime();
        for (long i = 0; i < operations; i++) {
            run.publish(published);
        }
        return (double) (System.nanoTime() - startNs) / operations;
    }

    private double store() {
        long startNs = System.nanoTime();
        for (long i = 0; i < operations; i++) {
            LONG.setRelease(words, (long) RunFileDescriptor.PUBLISHED_OFFSET, i);
        }
        return (double) (System.nanoTime() - startNs) / operations;
    }

    @Override
    public long operations() {
        return operations;
    }

    @Override
    public void close() {
        fixture.close();
    }
}
