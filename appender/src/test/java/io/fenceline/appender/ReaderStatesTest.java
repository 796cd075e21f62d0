package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.persist.JournalFiles;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Crashes everywhere, with a cursor that holds the ring: see [ReaderWorkload].
class ReaderStatesTest {
    private static final String SEED = "fenceline.crash.seed";

    @TempDir
    private Path temporary;

    private int places;

    private JournalFiles place() {
        return ReaderWorkload.place(temporary.resolve("journal-" + places++));
    }

    @ParameterizedTest
    @CsvSource({
        "MEMORY,  3, OVERWRITE",
        "MEMORY,  4, RETENTION",
        "MEMORY,  3, TIGHT_RETENTION",
        "DEVICE,  3, OVERWRITE",
        "DEVICE,  3, GATES_ONLY",
        "DEVICE,  4, RETENTION",
        "PROCESS, 3, OVERWRITE",
        "PROCESS, 3, GATES_ONLY"
    })
    void shouldKeepWhatACursorHoldsAndHasSeenWhereverItIsCut(Durability level, int segments, ReaderWorkload.Room room) {
        explore(level, segments, room, 5, 80, new CrashChecker.Budget(8, 1, 64, 2));
    }

    @Tag("slow")
    @Timeout(value = 3, unit = TimeUnit.HOURS)
    @ParameterizedTest
    @CsvSource({
        "MEMORY,  3, OVERWRITE",
        "MEMORY,  4, RETENTION",
        "MEMORY,  3, GATES_ONLY",
        "DEVICE,  3, OVERWRITE",
        "DEVICE,  3, GATES_ONLY",
        "DEVICE,  4, RETENTION",
        "PROCESS, 3, OVERWRITE",
        "DEVICE,  4, TIGHT_RETENTION",
        "PROCESS, 4, RETENTION",
        "PROCESS, 3, TIGHT_RETENTION"
    })
    void shouldKeepWhatACursorHoldsAndHasSeenWhereverItIsCutAtLength(
            Durability level, int segments, ReaderWorkload.Room room) {
        explore(level, segments, room, 120, 100, new CrashChecker.Budget(8, 1, 256, 2));
    }

    private void explore(
            Durability level, int segments, ReaderWorkload.Room room, int lives, int most, CrashChecker.Budget budget) {
        long seed = Long.getLong(SEED, 20260101);
        Path failure = Path.of("target", "failures", "ReaderStatesTest-" + level + '-' + segments + '-' + room);
        try {
            ReaderWorkload all = Steps.run(seed, steps -> {
                ReaderWorkload workload = new ReaderWorkload(level, segments, room, steps, budget, this::place);
                try {
                    workload.run(lives, most);
                } catch (RuntimeException | Error e) {
                    throw workload.failed(e, failure);
                }
                return workload;
            });
            checkEnough(all, level + ", " + segments + " segments, " + room, lives, seed);
            boolean tight = room == ReaderWorkload.Room.TIGHT_RETENTION;
            assertEquals(tight, all.refused() > 0, () -> "how often the retention left no room: " + all.refused());
        } catch (RuntimeException | Error e) {
            throw new AssertionError(
                    e.getMessage() + "\nof " + level + ", " + segments + " segments, " + room
                            + "\nrepeat: mvn -pl appender -am test"
                            + " -Dtest=ReaderStatesTest -Dsurefire.failIfNoSpecifiedTests=false -D" + SEED + "=" + seed,
                    e);
        }
    }

    private static void checkEnough(ReaderWorkload workload, String what, int lives, long seed) {
        System.out.printf(
                "%s: %d pairs of images, held %d times, seed %d%n", what, workload.pairs(), workload.held(), seed);
        assertTrue(workload.pairs() > 40L * lives, () -> "looked at too little: " + workload.pairs());
        assertTrue(workload.held() > 0, "the ring was never held");
    }
}
