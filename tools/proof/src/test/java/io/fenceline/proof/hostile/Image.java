package io.fenceline.proof.hostile;

import io.fenceline.appender.Batch;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.SmallJournals;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;

/// Real journals to be damaged: frames of every length, batches, PADs, seals of a crash, more than a lap.
public final class Image {
    public static final int SEGMENT_LENGTH_BYTES = 4096;
    public static final JournalConfig CONFIG =
            JournalConfig.defaults().withDurability(Durability.PROCESS).withFullPolicy(FullPolicy.OVERWRITE);

    private Image() {}

    /// Writes a lap and a half, crashes, is recovered, goes on for half a lap, and is closed.
    ///
    /// @return its directory
    public static Path closed(Path parent, int segments, long seed) throws IOException {
        Path crashed = crashed(parent, segments, seed);
        try (Journal journal = Journal.open(crashed, CONFIG)) {
            append(journal, new Random(seed + 1), journal.published() + journal.capacityBytes() / 2);
        }
        return crashed;
    }

    /// Writes a lap and a half, and is copied while its writer is alive.
    public static Path crashed(Path parent, int segments, long seed) throws IOException {
        Path live = parent.resolve("live");
        Path crashed = parent.resolve("journal");
        SmallJournals.create(live, SEGMENT_LENGTH_BYTES, segments, CONFIG);
        try (Journal journal = Journal.open(live, CONFIG)) {
            append(journal, new Random(seed), journal.capacityBytes() * 3 / 2);
            copy(live, crashed);
        }
        remove(live);
        return crashed;
    }

    /// Appends entries and batches of any length up to a position.
    public static void append(Journal journal, Random random, long end) {
        try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            while (journal.published() < end) {
                byte[] payload = new byte[random.nextInt(random.nextInt(journal.maximumPayloadLengthBytes()) + 1)];
                random.nextBytes(payload);
                if (random.nextInt(4) != 0) {
                    appender.append(MemorySegment.ofArray(payload), random.nextInt(), random.nextLong());
                    continue;
                }
                Batch batch = appender.batch();
                for (int i = random.nextInt(5); i >= 0; i--) {
                    batch.add(MemorySegment.ofArray(payload).asSlice(0, payload.length / 8), i);
                }
                batch.commit(random.nextLong());
            }
        }
    }

    public static void copy(Path from, Path to) throws IOException {
        Files.createDirectory(to);
        for (String name : new String[] {"journal.log", "journal.run"}) {
            Files.copy(from.resolve(name), to.resolve(name));
        }
    }

    public static void remove(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }
}
