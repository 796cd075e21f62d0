package io.fenceline.perf;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/// A journal in a directory of its own that is removed afterwards, with its appender and a payload: default checksums
/// and timestamps, the ring overwritten lap after lap, `MEMORY` emulated where the storage does not give it.
final class JournalFixture implements AutoCloseable {
    /// Length of a frame's header and its one entry's.
    static final int FRAME_OVERHEAD_BYTES = 48;

    private final Path parent;
    private final Journal journal;
    private final ExclusiveAppender appender;
    private final MemorySegment payloads = Arena.ofAuto().allocate(1 << 20, 64);

    private JournalFixture(Path parent, Durability durability, int segmentLengthBytes, int segmentCount) {
        this.parent = parent;
        journal = Journal.create(parent.resolve("journal"), config(durability, segmentLengthBytes, segmentCount));
        appender = ExclusiveAppender.open(journal);
        for (long i = 0; i < payloads.byteSize(); i++) {
            payloads.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31));
        }
    }

    /// As large as all benchmarks have it, in the directory of the level.
    static JournalFixture create(Places places, Durability durability) {
        return create(
                durability == Durability.DEVICE ? places.device() : places.memory(),
                durability,
                places.segmentLengthBytes(),
                places.segmentCount());
    }

    static JournalFixture create(Path directory, Durability durability, int segmentLengthBytes, int segmentCount) {
        return new JournalFixture(newDirectory(directory), durability, segmentLengthBytes, segmentCount);
    }

    /// What the benchmarks configure: all defaults but the policy of a full ring and the emulation.
    static JournalConfig config(Durability durability, int segmentLengthBytes, int segmentCount) {
        return JournalConfig.defaults()
                .withDurability(durability)
                .withEmulatePersistentMemory(durability == Durability.MEMORY)
                .withFullPolicy(FullPolicy.OVERWRITE)
                .withSegmentLengthBytes(segmentLengthBytes)
                .withSegmentCount(segmentCount);
    }

    static Path newDirectory(Path directory) {
        try {
            return Files.createTempDirectory(Files.createDirectories(directory), "fenceline-perf");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void remove(Path directory) {
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Journal journal() {
        return journal;
    }

    ExclusiveAppender appender() {
        return appender;
    }

    /// That many bytes to append.
    MemorySegment payload(int lengthBytes) {
        return payloads.asSlice(0, lengthBytes);
    }

    /// The payload of a frame of that length with one entry.
    MemorySegment payloadOfFrame(int frameLengthBytes) {
        return payload(frameLengthBytes - FRAME_OVERHEAD_BYTES);
    }

    /// Appends n times.
    ///
    /// @return the last position
    long append(MemorySegment payload, long n) {
        long position = 0;
        for (long i = 0; i < n; i++) {
            position = appended(appender.append(payload));
        }
        return position;
    }

    /// Commits n batches of that many entries each.
    ///
    /// @return the last position
    long appendBatches(MemorySegment payload, int entries, long n) {
        long position = 0;
        for (long i = 0; i < n; i++) {
            var batch = appender.batch();
            for (int entry = 0; entry < entries; entry++) {
                if (!batch.add(payload)) {
                    throw new IllegalStateException("a batch takes no " + entries + " entries");
                }
            }
            position = appended(batch.commit());
        }
        return position;
    }

    private static long appended(long result) {
        if (result < 0) {
            throw new IllegalStateException("append returned " + result);
        }
        return result;
    }

    @Override
    public void close() {
        appender.close();
        journal.close();
        remove(parent);
    }
}
