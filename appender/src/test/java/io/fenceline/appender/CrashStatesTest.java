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
import java.util.function.Function;
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
        explore(Durability.MEMORY, 48, FullPolicy.OVERWRITE, 64, false, 3, 150, new CrashChecker.Budget(16, 2, 64, 2));
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
        CrashChecker.Budget budget = new CrashChecker.Budget(64, 4, 32, 3);
        explore(
                Durability.MEMORY,
                3,
                FullPolicy.OVERWRITE,
                steps -> new CrashWorkload(
                                Durability.MEMORY, Geometry.of(4096, 3), FullPolicy.OVERWRITE, 64, false, steps, budget)
                        .persistingBy(strategy, cachesPersist),
                6,
                40);
    }

    private static void exploreCuts(
            Durability level, int segments, FullPolicy policy, int lives, CrashChecker.Budget budget) {
        Geometry geometry = Geometry.of(4096, segments);
        explore(
                level,
                segments,
                policy,
                steps -> new CrashWorkload(level, geometry, policy, 64, false, steps, budget).cuttingOften(),
                lives,
                24);
    }

    private static void explore(
            Durability level,
            int segments,
            FullPolicy policy,
            int granularity,
            boolean garbage,
            int lives,
            int most,
            CrashChecker.Budget budget) {
        Geometry geometry = Geometry.of(4096, segments);
        explore(
                level,
                segments,
                policy,
                steps -> new CrashWorkload(level, geometry, policy, granularity, garbage, steps, budget),
                lives,
                most);
    }

    private static void explore(
            Durability level,
            int segments,
            FullPolicy policy,
            Function<Steps, CrashWorkload> workloads,
            int lives,
            int most) {
        long seed = Long.getLong(SEED, DEFAULT_SEED);
        try {
            CrashWorkload all = Steps.run(seed, steps -> {
                CrashWorkload workload = workloads.apply(steps);
                try {
                    workload.run(lives, most);
                } catch (RuntimeException | Error e) {
                    throw workload.checker().failed(e, failure(level, segments, policy));
                }
                return workload;
            });
            checkEnough(all, level + ", " + segments + " segments, " + policy, lives, seed);
        } catch (RuntimeException | Error e) {
            throw new AssertionError(
                    e.getMessage() + "\nof " + level + ", " + segments + " segments, " + policy
                            + "\nrepeat: mvn -pl appender -am test -Dtest=CrashStatesTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -D" + SEED + "=" + seed,
                    e);
        }
    }

    private static void checkEnough(CrashWorkload workload, String what, int lives, long seed) {
        CrashChecker checker = workload.checker();
        System.out.printf(
                "%s: %d images of %d crash points, %d distinct states, seed %d%n",
                what, checker.images(), checker.crashPoints(), checker.states(), seed);
        assertTrue(checker.images() > 10 * checker.crashPoints(), "looked at too little");
        assertTrue(checker.states() > lives, "looked at too few states");
        assertTrue(workload.runs() > 0, "no run of several frames");
    }
}
