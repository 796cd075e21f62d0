package io.fenceline.tools.crash;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.TestLevels;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// A journal in a directory of its own, on storage that can give its durability, with what its writers append.
///
/// @param directory          of the journal
/// @param seed               of the workload
/// @param maximumLengthBytes of its payloads
record JournalUnderTest(Path directory, long seed, int maximumLengthBytes) {
    private static final Path SHM = Path.of("/dev/shm");
    private static final Path ROOT = Path.of(System.getProperty("fenceline.root", "."));
    private static final int SMALLEST_API_SEGMENT_LENGTH_BYTES = 2 << 20;

    static JournalUnderTest create(
            Durability durability, int segmentLengthBytes, int segmentCount, long seed, String name) {
        JournalConfig config = TestLevels.at(durability, JournalConfig.defaults());
        Path directory;
        try {
            directory = Files.createTempDirectory(place(durability), "fenceline-" + name + "-")
                    .resolve("journal");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        if (segmentLengthBytes < SMALLEST_API_SEGMENT_LENGTH_BYTES) {
            SmallJournals.create(directory, segmentLengthBytes, segmentCount, config);
        } else {
            Journal.create(
                            directory,
                            config.withSegmentLengthBytes(segmentLengthBytes).withSegmentCount(segmentCount))
                    .close();
        }
        return new JournalUnderTest(directory, seed, Math.min(100_000, segmentLengthBytes / 5));
    }

    /// `MEMORY` is emulated where memory is, if it can be; the others lie below target.
    private static Path place(Durability durability) throws IOException {
        if (durability == Durability.MEMORY && Files.isWritable(SHM)) {
            return SHM;
        }
        return Files.createDirectories(target().resolve("journals"));
    }

    static Path target() {
        return ROOT.resolve("tools").resolve("target");
    }

    /// Whether the build's own directory is on a device, so that `DEVICE` can be had.
    static boolean isDeviceThere() {
        try {
            FileStore store = Files.getFileStore(ROOT);
            return !List.of("tmpfs", "ramfs").contains(store.type());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    Workload workload() {
        return new Workload(seed, maximumLengthBytes);
    }

    Path log() {
        return directory.resolve("journal.log");
    }

    /// Runs a test and deletes the journal; if the test fails, its files are kept and the message tells where.
    <T> T keepIfFailing(Supplier<T> test) {
        try {
            return test.get();
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError(e.getMessage() + "; the journal's files are kept in " + keep(), e);
        } finally {
            delete();
        }
    }

    void keepIfFailing(Runnable test) {
        keepIfFailing(() -> {
            test.run();
            return "";
        });
    }

    /// The directory made for it, which holds nothing else.
    private Path home() {
        return Objects.requireNonNull(directory.getParent());
    }

    private Path keep() {
        try {
            Path kept = Files.createDirectories(target().resolve("failures")).resolve(home().getFileName());
            try (Stream<Path> files = Files.walk(home())) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    Files.copy(file, kept.resolve(home().relativize(file)));
                }
            }
            return kept;
        } catch (IOException e) {
            throw new AssertionError("cannot keep " + directory, e);
        }
    }

    private void delete() {
        try (Stream<Path> files = Files.walk(home())) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
