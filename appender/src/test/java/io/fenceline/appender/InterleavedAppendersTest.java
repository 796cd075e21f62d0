package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.HookedPersister.Step;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.FailedImage;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Several threads append, interleaved by a deterministic scheduler that may switch before each store, before and
/// after each drain, and wherever one waits. At each of these points: what a process crash and power cuts leave is
/// recovered, and judged against what the threads had been told; some of it with its recovery cut, three deep.
class InterleavedAppendersTest {
    private static final String SEED = "fenceline.crash.seed";

    /// An image that is cut inside its recovery yields so many more.
    private static final int NESTED_IMAGES = 60;

    @ParameterizedTest
    @CsvSource({"MEMORY, 3, 3, 40, 20260101", "MEMORY, 2, 2, 60, 7", "PROCESS, 4, 3, 40, 11", "MEMORY, 4, 8, 30, 3"})
    void shouldKeepItsPromisesHoweverThreadsAreInterleaved(
            Durability level, int threads, int segments, int each, long seed) {
        explore(level, threads, segments, each, Long.getLong(SEED, seed), 24, 3);
    }

    @Tag("slow")
    @Timeout(value = 3, unit = TimeUnit.HOURS)
    @ParameterizedTest
    @CsvSource({"MEMORY, 3, 2", "MEMORY, 5, 3", "PROCESS, 3, 3"})
    void shouldKeepItsPromisesHoweverThreadsAreInterleavedAtLength(Durability level, int threads, int segments) {
        for (long seed = 0; seed < 60; seed++) {
            explore(level, threads, segments, 60, Long.getLong(SEED, seed), 256, 8);
        }
    }

    static void explore(Durability level, int threads, int segments, int each, long seed, int few, int samples) {
        SplittableRandom random = new SplittableRandom(seed);
        SimulatedJournal journal = SimulatedJournal.create(level, Geometry.of(4096, segments));
        Acknowledged acknowledged = new Acknowledged();
        Turns turns = new Turns(random.split());
        AtomicInteger images = new AtomicInteger();
        AtomicInteger nested = new AtomicInteger();
        SplittableRandom sampling = random.split();
        HookedPersister.Hook hook = step -> {
            String name = Thread.currentThread().getName();
            if (step == Step.POISON || !name.startsWith("member-") || isWithinMonitor()) {
                return;
            }
            if (step != Step.LOOK) {
                Map<Long, byte[]> told = acknowledged.now();
                CrashChecker.checkPositions(journal, journal.state());
                if (level == Durability.MEMORY) {
                    CrashChecker.checkShownIsDurable(journal);
                }
                Consumer<SimulatedMedium> judge = image -> {
                    images.incrementAndGet();
                    if (sampling.nextInt(level == Durability.MEMORY ? 40 : 4) == 0) {
                        nested.addAndGet(Acknowledged.checkRecoveryCut(journal, image, told, sampling, NESTED_IMAGES));
                    }
                    Acknowledged.checkImage(journal, image.afterProcessCrash(), told);
                };
                judge.accept(journal.medium().afterProcessCrash());
                if (level == Durability.MEMORY) {
                    journal.medium().afterPowerCuts(few, samples, sampling, judge);
                }
            }
            turns.giveAway(Integer.parseInt(name.substring("member-".length())));
        };
        try {
            JournalConfig config = JournalConfig.defaults()
                    .withTimestampMode(TimestampMode.NONE)
                    .withFullPolicy(FullPolicy.OVERWRITE);
            Positions positions = journal.open(medium -> new HookedPersister(medium, hook), config);
            ConcurrentAppender appender = ConcurrentAppender.open(positions);
            SplittableRandom[] lengths = new SplittableRandom[threads];
            for (int i = 0; i < threads; i++) {
                lengths[i] = random.split();
            }
            turns.run(threads, thread -> {
                for (int number = 0; number < each; number++) {
                    byte[] payload = Acknowledged.payload(thread, number, length(lengths[thread]));
                    acknowledged.add(appender.append(MemorySegment.ofArray(payload)), payload);
                }
            });
            appender.close();
            assertTrue(positions.close());
            assertEquals(threads * each, acknowledged.size());
            assertEquals(0, Acknowledged.check(journal.walk(), acknowledged.now()));
            assertTrue(turns.given() > 2L * threads * each, () -> "only " + turns.given() + " turns");
            assertTrue(images.get() > (level == Durability.MEMORY ? 5 : 1) * threads * each, "looked at too little");
            assertTrue(nested.get() > threads * each, () -> "only " + nested + " images inside of recoveries");
            System.out.printf(
                    "%s, %d threads, %d segments: %d images, %d more of cut recoveries; seed %d%n",
                    level, threads, segments, images.get(), nested.get(), seed);
        } catch (RuntimeException | Error e) {
            throw new AssertionError(
                    e.getMessage() + "\n" + level + ", " + threads + " threads, " + segments + " segments; "
                            + FailedImage.leave(
                                    e,
                                    journal.medium(),
                                    Path.of(
                                            "target",
                                            "failures",
                                            "InterleavedAppendersTest-" + level + '-' + threads + '-' + segments,
                                            JournalFiles.LOG))
                            + "\nrepeat:"
                            + " mvn test -pl appender -am -Dtest=InterleavedAppendersTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -D" + SEED + "=" + seed,
                    e);
        }
    }

    /// Nobody else could run while the turn is given away there.
    static boolean isWithinMonitor() {
        return StackWalker.getInstance()
                .walk(frames -> frames.anyMatch(f -> f.getClassName().equals(Positions.class.getName())
                        && !f.getMethodName().equals("checkFault")));
    }

    private static int length(SplittableRandom random) {
        return switch (random.nextInt(6)) {
            case 0 -> 900;
            case 1 -> random.nextInt(900);
            default -> random.nextInt(100);
        };
    }
}
