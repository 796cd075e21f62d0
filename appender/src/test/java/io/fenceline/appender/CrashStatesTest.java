package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.PersistStrategy;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.recovery.FrameWalk;
import io.fenceline.journal.recovery.Inspection;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Crashes everywhere: see [CrashChecker]. A failure prints the seed and the command that repeats it.
class CrashStatesTest {
    private static final String SEED = "fenceline.crash.seed";
    private static final long DEFAULT_SEED = 20260101;

    @ParameterizedTest
    @CsvSource({
        "MEMORY,  2, FAIL,      64, false, 32",
        "MEMORY,  3, OVERWRITE, 64, false, 32",
        "DEVICE,  2, OVERWRITE, 64, false, 2",
        "DEVICE,  3, FAIL,      64, false, 2",
        "DEVICE,  3, OVERWRITE, 512, true, 2",
        "PROCESS, 3, OVERWRITE, 64, false, 32",
        "PROCESS, 2, FAIL,      64, false, 32"
    })
    void shouldKeepItsPromisesWhereverItIsCut(
            Durability level, int segments, FullPolicy policy, int granularity, boolean garbage, int nested) {
        explore(level, segments, policy, granularity, garbage, 8, 40, new CrashChecker.Budget(256, 6, nested, 3));
    }

    @Tag("slow")
    @Timeout(value = 3, unit = TimeUnit.HOURS)
    @ParameterizedTest
    @CsvSource({
        "MEMORY,  2, FAIL,      64, false, 32",
        "MEMORY,  3, OVERWRITE, 64, false, 32",
        "DEVICE,  2, OVERWRITE, 64, false, 2",
        "DEVICE,  3, OVERWRITE, 512, true, 2",
        "PROCESS, 3, OVERWRITE, 64, false, 32"
    })
    void shouldKeepItsPromisesWhereverItIsCutAtLength(
            Durability level, int segments, FullPolicy policy, int granularity, boolean garbage, int nested) {
        explore(level, segments, policy, granularity, garbage, 60, 60, new CrashChecker.Budget(4096, 32, nested, 3));
    }

    /// Segments so many that the lease grows step by step and does not span the ring at once.
    @Test
    void shouldKeepItsPromisesWhileTheLeaseGrows() {
        explore(Durability.MEMORY, 48, FullPolicy.OVERWRITE, 64, false, 4, 150, new CrashChecker.Budget(16, 2, 64, 2));
    }

    /// Suffix truncation and reset, cut at every operation, recoveries three deep.
    @ParameterizedTest
    @CsvSource({"MEMORY, 3, OVERWRITE, 24", "DEVICE, 3, FAIL, 2", "PROCESS, 3, OVERWRITE, 24"})
    void shouldKeepItsPromisesWhereverATruncationIsCut(Durability level, int segments, FullPolicy policy, int nested) {
        exploreCuts(level, segments, policy, 6, new CrashChecker.Budget(128, 6, nested, 3));
    }

    @Tag("slow")
    @Timeout(value = 3, unit = TimeUnit.HOURS)
    @ParameterizedTest
    @CsvSource({
        "MEMORY, 2, FAIL, 32",
        "MEMORY, 4, OVERWRITE, 32",
        "DEVICE, 3, FAIL, 2",
        "DEVICE, 4, OVERWRITE, 2",
        "PROCESS, 3, OVERWRITE, 32"
    })
    void shouldKeepItsPromisesWhereverATruncationIsCutAtLength(
            Durability level, int segments, FullPolicy policy, int nested) {
        exploreCuts(level, segments, policy, 60, new CrashChecker.Budget(512, 16, nested, 3));
    }

    /// The same for each way into persistent memory; the run above is that of non-temporal stores.
    @ParameterizedTest
    @CsvSource({"WRITE_BACK, false", "FENCE_ONLY, true"})
    void shouldKeepItsPromisesWhicheverWayBytesPersist(PersistStrategy strategy, boolean cachesPersist) {
        explore(strategy, cachesPersist);
    }

    /// The graders of that: a strategy that leaves the write-back out, on a medium whose caches are lost. The failure
    /// leaves an image, which the tools read.
    @Test
    void shouldFindThatTheWriteBackIsMissing() {
        AssertionError found = assertThrows(AssertionError.class, () -> explore(PersistStrategy.FENCE_ONLY, false));
        assertTrue(String.valueOf(found.getMessage()).startsWith("I"), found::getMessage);
        Path image = failure(Durability.MEMORY, 3, FullPolicy.OVERWRITE);
        assertTrue(String.valueOf(found.getMessage()).contains(image.toString()), found::getMessage);
        try (Inspection inspection = Inspection.open(image)) {
            assertEquals(Geometry.of(4096, 3), inspection.superblock().geometry());
            FrameWalk walk = inspection.walkUnrecovered(inspection.retained());
            long walked = inspection.retained();
            while (walk.next() != FrameWalk.Step.END) {
                walked = walk.stepEnd();
            }
            assertEquals(inspection.state().lease(), walked);
        }
    }

    private static Path failure(Durability level, int segments, FullPolicy policy) {
        return Path.of("target", "failures", "CrashStatesTest-" + level + '-' + segments + '-' + policy);
    }

    private static void explore(PersistStrategy strategy, boolean cachesPersist) {
        long seed = Long.getLong(SEED, DEFAULT_SEED);
        CrashWorkload workload = new CrashWorkload(
                Durability.MEMORY,
                Geometry.of(4096, 3),
                FullPolicy.OVERWRITE,
                64,
                false,
                seed,
                new CrashChecker.Budget(64, 4, 32, 3));
        workload.persistingBy(strategy, cachesPersist);
        explore(workload, Durability.MEMORY, 3, FullPolicy.OVERWRITE, 64, 6, 40, seed);
    }

    private static void exploreCuts(
            Durability level, int segments, FullPolicy policy, int lives, CrashChecker.Budget budget) {
        long seed = Long.getLong(SEED, DEFAULT_SEED);
        Geometry geometry = Geometry.of(4096, segments);
        CrashWorkload workload = new CrashWorkload(level, geometry, policy, 64, false, seed, budget);
        explore(workload.cuttingOften(), level, segments, policy, 64, lives, 24, seed);
    }

    private static void explore(
            Durability level,
            int segments,
            FullPolicy policy,
            int granularity,
            boolean garbage,
            int lives,
            int steps,
            CrashChecker.Budget budget) {
        long seed = Long.getLong(SEED, DEFAULT_SEED);
        CrashWorkload workload =
                new CrashWorkload(level, Geometry.of(4096, segments), policy, granularity, garbage, seed, budget);
        explore(workload, level, segments, policy, granularity, lives, steps, seed);
    }

    private static void explore(
            CrashWorkload workload,
            Durability level,
            int segments,
            FullPolicy policy,
            int granularity,
            int lives,
            int steps,
            long seed) {
        try {
            CrashChecker checker = workload.run(lives, steps);
            System.out.printf(
                    "%s, %d segments, %s: %d images of %d crash points, %d distinct states, seed %d%n",
                    level, segments, policy, checker.images(), checker.crashPoints(), checker.states(), seed);
            assertTrue(checker.images() > 10 * checker.crashPoints(), "looked at too little");
            assertTrue(checker.states() > lives, "looked at too few states");
            assertTrue(workload.runs() > 0, "no run of several frames");
        } catch (RuntimeException | Error e) {
            throw new AssertionError(
                    e.getMessage() + "\nat crash point " + workload.checker().crashPoints() + " of " + level + ", "
                            + segments + " segments, " + policy + ", " + granularity + "; last operations: "
                            + workload.checker().trace() + "\n"
                            + workload.checker().leaveFailure(e, failure(level, segments, policy))
                            + "\nrepeat: mvn -pl appender -am test -Dtest=CrashStatesTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -D" + SEED + "=" + seed,
                    e);
        }
    }
}
