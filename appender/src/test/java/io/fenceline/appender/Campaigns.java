package io.fenceline.appender;

import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.format.Geometry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;

/// Short runs of the crash checker, for [Judge]: each looks at some thousand images, in a second or less, and finds a
/// defect by its invariant.
final class Campaigns {
    private static final long SEED = 20260101;
    private static final CrashChecker.Budget BUDGET = new CrashChecker.Budget(64, 4, 24, 2);

    private Campaigns() {}

    private static void run(Durability level, int segments, FullPolicy policy, int granularity, boolean garbage) {
        CrashWorkload workload = new CrashWorkload(
                level, Geometry.of(4096, segments), policy, granularity, garbage, Steps.all(SEED), BUDGET);
        finish(workload, 6, 32);
    }

    private static void finish(CrashWorkload workload, int lives, int steps) {
        CrashChecker checker = workload.run(lives, steps);
        Assertions.assertTrue(checker.images() > 5 * checker.crashPoints(), "looked at too little");
    }

    static void memory() {
        run(Durability.MEMORY, 3, FullPolicy.OVERWRITE, 64, false);
    }

    static void memoryLaps() {
        CrashWorkload workload = new CrashWorkload(
                Durability.MEMORY,
                Geometry.of(4096, 48),
                FullPolicy.OVERWRITE,
                64,
                false,
                Steps.all(SEED),
                new CrashChecker.Budget(4, 1, 128, 1));
        finish(workload, 3, 150);
    }

    static void device() {
        run(Durability.DEVICE, 2, FullPolicy.FAIL, 64, false);
    }

    static void deviceGarbage() {
        run(Durability.DEVICE, 3, FullPolicy.OVERWRITE, 512, true);
    }

    static void process() {
        run(Durability.PROCESS, 3, FullPolicy.OVERWRITE, 64, false);
    }

    static void cuts() {
        CrashWorkload workload = new CrashWorkload(
                Durability.MEMORY, Geometry.of(4096, 3), FullPolicy.OVERWRITE, 64, false, Steps.all(SEED), BUDGET);
        finish(workload.cuttingOften(), 5, 24);
    }

    static void threads() {
        interleaved(Durability.MEMORY, 3, 3, 90, SEED, Interleaving::concurrently);
        interleaved(Durability.MEMORY, 2, 2, 60, 7, Interleaving::concurrently);
    }

    static void groups() {
        interleaved(Durability.MEMORY, 3, 3, 60, SEED, Interleaving::inGroups);
        interleaved(Durability.DEVICE, 3, 3, 60, SEED, Interleaving::inGroups);
    }

    private static void interleaved(
            Durability level, int threads, int segments, int each, long seed, Consumer<Interleaving> appending) {
        Interleaving run = new Interleaving(level, threads, segments, each, 8, 2, Steps.all(seed));
        appending.accept(run);
        run.checkEnough();
    }

    static void readers() throws IOException {
        readers(Durability.MEMORY, ReaderWorkload.Room.OVERWRITE);
    }

    static void retention() throws IOException {
        readers(Durability.PROCESS, ReaderWorkload.Room.TIGHT_RETENTION);
    }

    private static void readers(Durability level, ReaderWorkload.Room room) throws IOException {
        Path directory = Files.createTempDirectory("fenceline-campaign");
        CrashChecker.Budget budget = new CrashChecker.Budget(4, 1, 16, 2);
        int[] places = {0};
        try {
            ReaderWorkload workload = new ReaderWorkload(
                    level,
                    3,
                    room,
                    Steps.all(SEED),
                    budget,
                    () -> ReaderWorkload.place(directory.resolve("journal-" + places[0]++)));
            workload.run(4, 160);
            Assertions.assertTrue(workload.held() + workload.refused() > 0, "the ring was never held");
        } finally {
            try (Stream<Path> paths = Files.walk(directory)) {
                paths.sorted(Comparator.reverseOrder())
                        .forEach(path -> path.toFile().delete());
            }
        }
    }
}
