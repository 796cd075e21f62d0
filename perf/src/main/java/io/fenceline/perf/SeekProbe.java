package io.fenceline.perf;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;

/// Seeking random sequences and times in a ring that is full but for its last segment; every entry has a
/// timestamp of its own.
final class SeekProbe implements Probe {
    private static final long FIRST_NS = 1_000_000_000_000L;
    private static final long STEP_NS = 10_000;

    private final JournalFixture fixture;
    private final SplittableRandom random = new SplittableRandom(1);
    private final long entries;
    private final long seeks;
    private final Tailer tailer;

    SeekProbe(Places places, int frameLengthBytes, int segmentCount) {
        fixture = JournalFixture.create(places.memory(), Durability.MEMORY, places.segmentLengthBytes(), segmentCount);
        entries = (long) places.segmentLengthBytes() * (segmentCount - 1) / frameLengthBytes;
        seeks = places.scaled(1000);
        MemorySegment payload = fixture.payloadOfFrame(frameLengthBytes);
        for (long i = 0; i < entries; i++) {
            if (fixture.appender().append(payload, 0, FIRST_NS + i * STEP_NS) < 0) {
                throw new IllegalStateException("the ring is full");
            }
        }
        Journal journal = fixture.journal();
        tailer = Tailer.open(journal, Start.oldest());
    }

    @Override
    public List<String> columns() {
        return List.of("by sequence", "by time");
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
        long startNs = System.nanoTime();
        for (long i = 0; i < seeks; i++) {
            long sequence = random.nextLong(entries);
            tailer.skipTo(
                    column == 0
                            ? Start.sequence(sequence)
                            : Start.time(Instant.ofEpochSecond(0, FIRST_NS + sequence * STEP_NS)));
            if (tailer.nextSequence() != sequence) {
                throw new IllegalStateException("found " + tailer.nextSequence() + ", not " + sequence);
            }
        }
        return (double) (System.nanoTime() - startNs) / seeks;
    }

    @Override
    public long operations() {
        return 0;
    }

    @Override
    public void close() {
        tailer.close();
        fixture.close();
    }
}
