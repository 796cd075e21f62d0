package io.fenceline.bench;

import io.fenceline.bench.limits.RawLimits;
import io.fenceline.bench.limits.RawRing;
import io.fenceline.journal.DurabilityReport;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Objects;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The directory of one run: a journal, a file of the same length for the raw limits, a cache line in a file.
/// Removed by [#close].
final class BenchFiles implements AutoCloseable {
    private final Path directory;
    private final JournalConfig config;
    private final Journal journal;
    private final @Nullable RawRing ring;
    private final MemorySegment line;

    private BenchFiles(Path directory, JournalConfig config, Journal journal, @Nullable RawRing ring) {
        this.directory = directory;
        this.config = config;
        this.journal = journal;
        this.ring = ring;
        this.line = ArrivalProcess.mapLine(linePath());
    }

    /// @param progress hears while the journal is created
    static BenchFiles create(BenchPlan plan, LongConsumer progress) {
        Path directory;
        try {
            directory = Files.createTempDirectory(plan.directory(), "fenceline-bench-");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make a directory in " + plan.directory() + ": " + reason(e), e);
        }
        Journal journal = null;
        RawRing ring = null;
        boolean done = false;
        try {
            JournalConfig config =
                    plan.config().withFullPolicy(FullPolicy.OVERWRITE).withCreationProgress(progress);
            journal = Journal.create(directory.resolve("journal"), config);
            ring = RawLimits.isAvailable() ? new RawRing(directory, journal.capacityBytes()) : null;
            BenchFiles files = new BenchFiles(directory, config, journal, ring);
            done = true;
            return files;
        } catch (UncheckedIOException e) {
            IOException cause = Objects.requireNonNull(e.getCause());
            throw new UncheckedIOException(
                    "cannot write the files of the raw limits in " + directory + ": " + reason(cause), cause);
        } finally {
            if (!done) {
                if (ring != null) {
                    ring.close();
                }
                if (journal != null) {
                    journal.close();
                }
                remove(directory);
            }
        }
    }

    private static String reason(IOException e) {
        return switch (e) {
            case java.nio.file.AccessDeniedException denied -> "no permission";
            case java.nio.file.NoSuchFileException none -> "there is no such directory";
            case java.nio.file.FileSystemException other when other.getReason() != null -> other.getReason();
            default -> String.valueOf(e.getMessage());
        };
    }

    Journal journal() {
        return journal;
    }

    DurabilityReport durability() {
        return journal.durability();
    }

    /// Null: this build has no raw limits.
    @Nullable
    RawRing ring() {
        return ring;
    }

    MemorySegment line() {
        return line;
    }

    Path linePath() {
        return directory.resolve("line");
    }

    String describeRing() {
        return "%d segments of %d MiB, overwritten".formatted(config.segmentCount(), config.segmentLengthBytes() >> 20);
    }

    @Override
    public void close() {
        try {
            if (ring != null) {
                ring.close();
            }
            journal.close();
        } finally {
            remove(directory);
        }
    }

    /// Removes a directory with all that is in it, as far as that goes.
    static void remove(Path directory) {
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException | UncheckedIOException e) {
            // Nothing more can be done about it here; the directory's name says whose it is.
        }
    }
}
