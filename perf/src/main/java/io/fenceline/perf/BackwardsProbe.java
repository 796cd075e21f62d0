package io.fenceline.perf;

import io.fenceline.journal.Durability;
import io.fenceline.tailer.EntryHandler;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import io.fenceline.tailer.TailerConfig;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// Polling all entries of a ring from the newest to the oldest, beside polling them in order.
final class BackwardsProbe implements Probe {
    private static final int POLL_LIMIT = 1024;

    private final JournalFixture fixture;
    private final long entries;
    private long sum;

    /// Fills all segments but the last.
    BackwardsProbe(Places places, int frameLengthBytes) {
        fixture = JournalFixture.create(places, Durability.MEMORY);
        entries = (places.capacityBytes() - places.segmentLengthBytes()) / frameLengthBytes;
        fixture.append(fixture.payloadOfFrame(frameLengthBytes), entries);
    }

    @Override
    public List<String> columns() {
        return List.of("backwards", "forwards", "backwards, unverified", "forwards, unverified");
    }

    @Override
    public int rounds() {
        return 20;
    }

    @Override
    public int warmUpRounds() {
        return 5;
    }

    @Override
    public double measure(int column) {
        boolean backwards = column % 2 == 0;
        EntryHandler handler =
                entry -> sum += entry.sequence() + entry.buffer().get(ValueLayout.JAVA_LONG_UNALIGNED, entry.offset());
        TailerConfig config = TailerConfig.defaults().withVerifyChecksums(column < 2);
        long startNs = System.nanoTime();
        long polled = 0;
        try (Tailer tailer = Tailer.open(fixture.journal(), backwards ? Start.newest() : Start.oldest(), config)) {
            int count;
            do {
                count = backwards ? tailer.pollBackwards(handler, POLL_LIMIT) : tailer.poll(handler, POLL_LIMIT);
                polled += count;
            } while (count > 0);
        }
        if (polled != entries) {
            throw new IllegalStateException("polled " + polled + " entries of " + entries);
        }
        return (double) (System.nanoTime() - startNs) / entries;
    }

    @Override
    public long operations() {
        return entries;
    }

    @Override
    public void close() {
        fixture.close();
    }
}
