package io.fenceline.perf;

import io.fenceline.journal.Durability;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Appends to a journal on which a tailer of another process has slept and will sleep again, but does not now; beside
/// appends to one that no other process knows, and 2 ns.
final class BlockedProbe implements Probe {
    private static final double ALLOWED_NS = 2;

    private final JournalFixture beside;
    private final JournalFixture alone;
    private final MemorySegment payload;
    private final long operations;
    private final Process tailer;

    BlockedProbe(Places places) {
        beside = JournalFixture.create(places, Durability.MEMORY);
        alone = JournalFixture.create(places, Durability.MEMORY);
        payload = beside.payloadOfFrame(64);
        operations = places.scaled(200_000);
        tailer = ChildJvm.start(
                BlockedTailer.class, List.of(), beside.journal().directory().toString());
        BufferedReader output =
                new BufferedReader(new InputStreamReader(tailer.getInputStream(), StandardCharsets.UTF_8));
        try {
            expect(output, BlockedTailer.SLEEPS);
            beside.append(payload, 1); // wakes it
            expect(output, BlockedTailer.WOKEN);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void expect(BufferedReader output, String expected) throws IOException {
        String line = output.readLine();
        if (!expected.equals(line)) {
            throw new IllegalStateException("expected '" + expected + "' of the tailer, found: " + line);
        }
    }

    @Override
    public List<String> columns() {
        return List.of("beside", "alone + 2 ns");
    }

    @Override
    public double measure(int column) {
        JournalFixture fixture = column == 0 ? beside : alone;
        long startNs = System.nanoTime();
        fixture.append(payload, operations);
        return (double) (System.nanoTime() - startNs) / operations + (column == 0 ? 0 : ALLOWED_NS);
    }

    @Override
    public long operations() {
        return operations;
    }

    @Override
    public void close() {
        tailer.destroy();
        tailer.onExit().join();
        beside.close();
        alone.close();
    }
}
