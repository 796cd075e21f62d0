package io.fenceline.perf;

import io.fenceline.bench.limits.RawLimits;
import io.fenceline.journal.Durability;
import io.fenceline.journal.format.Geometry;
import io.fenceline.tailer.Entry;
import io.fenceline.tailer.EntryHandler;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import io.fenceline.tailer.TailerConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;

/// Polling entries that are there already, from the oldest to the newest, each payload read; beside a walk in C
/// over the same bytes, with and without checksums.
final class TailProbe implements Probe {
    private static final int POLL_LIMIT = 1024;

    private final JournalFixture fixture;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment frames;
    private final long entries;
    private final Sum sum = new Sum();

    /// Looks at the sequence and at the first eight bytes of each payload, as one who dispatches by them.
    private static final class Sum implements EntryHandler {
        long value;

        @Override
        public void onEntry(Entry entry) {
            value += entry.sequence() + entry.buffer().get(ValueLayout.JAVA_LONG_UNALIGNED, entry.offset());
        }
    }

    /// Fills all segments but the last.
    TailProbe(Places places, int frameLengthBytes) {
        fixture = JournalFixture.create(places, Durability.MEMORY);
        long lengthBytes = places.capacityBytes() - places.segmentLengthBytes();
        entries = lengthBytes / frameLengthBytes;
        fixture.append(fixture.payloadOfFrame(frameLengthBytes), entries);
        Path log = fixture.journal().directory().resolve("journal.log");
        try (FileChannel channel = FileChannel.open(log)) {
            frames = channel.map(FileChannel.MapMode.READ_ONLY, Geometry.HEAD_LENGTH_BYTES, lengthBytes, arena);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Polls all entries.
    ///
    /// @return how many there were
    long poll(boolean verify) {
        long polled = 0;
        try (Tailer tailer = Tailer.open(
                fixture.journal(), Start.oldest(), TailerConfig.defaults().withVerifyChecksums(verify))) {
            while (true) {
                int count = tailer.poll(sum, POLL_LIMIT);
                if (count <= 0) {
                    break;
                }
                polled += count;
            }
        }
        if (polled != entries) {
            throw new IllegalStateException("polled " + polled + " entries of " + entries);
        }
        return sum.value;
    }

    /// Walks all frames in C.
    ///
    /// @return nanoseconds
    long walk(boolean verify) {
        return RawLimits.scan(frames, verify);
    }

    @Override
    public List<String> columns() {
        return List.of("unverified", "C walk", "verified", "C walk, CRC32C");
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
        boolean verify = column >= 2;
        if (column % 2 == 1) {
            return (double) walk(verify) / entries;
        }
        long startNs = System.nanoTime();
        poll(verify);
        return (double) (System.nanoTime() - startNs) / entries;
    }

    @Override
    public long operations() {
        return entries;
    }

    @Override
    public void close() {
        arena.close();
        fixture.close();
    }
}
