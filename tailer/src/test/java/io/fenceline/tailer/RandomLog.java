package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.Batch;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// A journal of random content, made from a seed: sizes from 0 to the largest, batches, several writers that
/// crash and leave holes and seals, ends that are cut off, laps, timestamps that repeat, go backwards, or are missing.
/// What is in it is known from a linear scan, which [TailerTest] and others hold against what was appended.
final class RandomLog {
    /// Timestamps stray from order by at most this.
    static final long SKEW_NS = 50;

    private final SplittableRandom random;
    private final List<Entry> entries = new ArrayList<>();
    private Path directory;
    private long clock = 1_000_000;
    private int crashes;

    /// What is there.
    record Entry(long position, int index, long sequence, int type, long timestampNs, int length) {
        static Entry of(io.fenceline.tailer.Entry entry) {
            Journals.check(entry);
            return new Entry(
                    entry.position(),
                    entry.index(),
                    entry.sequence(),
                    entry.type(),
                    entry.timestampNs(),
                    entry.length());
        }
    }

    /// @param directory for the copies that crashes leave
    RandomLog(Path directory, long seed) {
        this.directory = directory.resolve("log-" + seed);
        this.random = new SplittableRandom(seed);
        boolean large = random.nextInt(8) == 0;
        int segmentLength = large ? 4 << 20 : 4096 << random.nextInt(6);
        int segments = 2 + random.nextInt(large ? 3 : 12);
        Journals.open(this.directory, segmentLength, segments).close();
        long bytes = random.nextLong(1, 2L * segmentLength * segments);
        int rounds = 1 + random.nextInt(4);
        for (int round = 0; round < rounds; round++) {
            write(bytes / rounds, round + 1 < rounds);
        }
        try (Journal journal = open();
                Tailer tailer = Tailer.open(journal, Start.oldest())) {
            while (tailer.poll(entry -> entries.add(Entry.of(entry)), 100) > 0) {
                // on
            }
            assertTrue(tailer.position() == journal.published());
        }
    }

    Journal open() {
        return Journal.open(directory, Journals.CONFIG);
    }

    Path directory() {
        return directory;
    }

    /// By a linear scan, in order.
    List<Entry> entries() {
        return entries;
    }

    private void write(long bytes, boolean crash) {
        try (Journal journal = open();
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            List<Long> positions = new ArrayList<>();
            long end = journal.published() + bytes;
            int usual = 1 << random.nextInt(1, 12);
            boolean untimed = random.nextInt(6) == 0;
            boolean cutting = random.nextInt(4) == 0;
            while (journal.published() < end) {
                if (cutting && !positions.isEmpty() && random.nextInt(30) == 0) {
                    cut(journal, positions);
                }
                int largest = random.nextInt(20) == 0 ? journal.maximumPayloadLengthBytes() : usual;
                int length = random.nextInt(Math.min(largest, journal.maximumPayloadLengthBytes()) + 1);
                long timestamp = untimed && random.nextInt(3) > 0 ? 0 : nextTimestamp();
                positions.add(
                        random.nextInt(5) == 0 ? batch(appender, length, timestamp) : one(appender, length, timestamp));
            }
            if (crash && random.nextInt(3) > 0) {
                crash(journal, positions);
            }
        }
    }

    /// The entries that come next get sequences, and perhaps lengths, of those that were cut.
    private void cut(Journal journal, List<Long> positions) {
        int first = Math.max(0, positions.size() - 1 - random.nextInt(20));
        if (positions.get(first) >= journal.retained()) {
            journal.truncate(positions.get(first));
            positions.subList(first, positions.size()).clear();
        }
    }

    private long nextTimestamp() {
        clock += random.nextInt(3) == 0 ? random.nextInt(200) : 0;
        return clock - random.nextLong(SKEW_NS + 1);
    }

    private static long one(ExclusiveAppender appender, int length, long timestamp) {
        long sequence = appender.nextSequence();
        long position = appender.append(
                MemorySegment.ofArray(Journals.payload(sequence, length)), (int) sequence * 7, timestamp);
        assertTrue(position >= 0);
        return position;
    }

    private long batch(ExclusiveAppender appender, int length, long timestamp) {
        long sequence = appender.nextSequence();
        Batch batch = appender.batch();
        int count = 1 + random.nextInt(random.nextInt(10) == 0 ? 300 : 6);
        for (int i = 0; i < count; i++) {
            int part = length / count;
            if (!batch.add(MemorySegment.ofArray(Journals.payload(sequence + i, part)), (int) (sequence + i) * 7)) {
                break;
            }
        }
        long position = batch.commit(timestamp);
        assertTrue(position >= 0);
        return position;
    }

    /// The journal goes on from a copy of what lies there now, with some of the last frames torn.
    private void crash(Journal journal, List<Long> positions) {
        Path copy = directory.resolveSibling(directory.getFileName() + "-" + ++crashes);
        try {
            Files.createDirectory(copy);
            for (String name : List.of("journal.log", "journal.run")) {
                Files.copy(directory.resolve(name), copy.resolve(name));
            }
            byte[] log = Files.readAllBytes(copy.resolve("journal.log"));
            long floor = journal.view().newestState().floor();
            for (long position : positions) {
                if (position >= floor && random.nextInt(4) == 0) {
                    log[(int) journal.view().superblock().geometry().fileOffset(position) + 5] ^= 1;
                }
            }
            Files.write(copy.resolve("journal.log"), log);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        directory = copy;
    }
}
