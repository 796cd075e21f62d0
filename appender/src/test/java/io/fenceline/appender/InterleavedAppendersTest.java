package io.fenceline.appender;

import io.fenceline.journal.Durability;
import io.fenceline.journal.persist.FailedImage;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.persist.SimulatedMedium;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Several threads append at once, and the world is stopped at each of their steps: see [Interleaving].
class InterleavedAppendersTest {
    private static final String SEED = "fenceline.crash.seed";

    @ParameterizedTest
    @CsvSource({"MEMORY, 3, 3, 40, 20260101", "MEMORY, 2, 2, 60, 7", "PROCESS, 4, 3, 40, 11", "MEMORY, 4, 8, 30, 3"})
    void shouldKeepItsPromisesHoweverThreadsAreInterleaved(
            Durability level, int threads, int segments, int each, long seed) {
        explore(level, threads, segments, each, seed, 24, 3, false);
    }

    @ParameterizedTest
    @CsvSource({"DEVICE, 3, 3, 120, 20260101", "DEVICE, 5, 2, 90, 7", "MEMORY, 3, 3, 90, 11", "PROCESS, 4, 3, 90, 3"})
    void shouldKeepItsPromisesHoweverProducersOfAGroupAreInterleaved(
            Durability level, int threads, int segments, int each, long seed) {
        explore(level, threads, segments, each, seed, 24, 3, true);
    }

    @Tag("slow")
    @Timeout(value = 3, unit = TimeUnit.HOURS)
    @ParameterizedTest
    @CsvSource({
        "MEMORY, 3, 2, false",
        "MEMORY, 5, 3, false",
        "PROCESS, 3, 3, false",
        "DEVICE, 3, 2, true",
        "DEVICE, 6, 4, true",
        "MEMORY, 4, 3, true",
        "PROCESS, 4, 3, true"
    })
    void shouldKeepItsPromisesHoweverThreadsAreInterleavedAtLength(
            Durability level, int threads, int segments, boolean groups) {
        for (long seed = 0; seed < 60; seed++) {
            explore(level, threads, segments, 60, seed, 256, 8, groups);
        }
    }

    private static void explore(
            Durability level,
            int threads,
            int segments,
            int each,
            long defaultSeed,
            int few,
            int samples,
            boolean groups) {
        long seed = Long.getLong(SEED, defaultSeed);
        String what =
                level + ", " + threads + (groups ? " producers of a group, " : " threads, ") + segments + " segments";
        try {
            Interleaving all = Steps.run(seed, steps -> {
                Interleaving run = new Interleaving(level, threads, segments, each, few, samples, steps);
                if (groups) {
                    run.inGroups();
                } else {
                    run.concurrently();
                }
                return run;
            });
            System.out.printf(
                    "%s: %d images, %d more of cut recoveries; seed %d%n", what, all.images(), all.nested(), seed);
            all.checkEnough();
        } catch (RuntimeException | Error e) {
            Path failure = Path.of("target", "failures", "InterleavedAppendersTest-" + what.replaceAll(",? ", "-"));
            throw new AssertionError(
                    e.getMessage() + "\n" + what + "; "
                            + FailedImage.leave(e, new SimulatedMedium(level, 0), failure.resolve(JournalFiles.LOG))
                            + "\nrepeat: mvn test -pl appender -am -Dtest=InterleavedAppendersTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -D" + SEED + "=" + seed,
                    e);
        }
    }
}
