package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.FailedImage;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A power cut between the stores and the fence of one append, and every image that it may leave: see [EveryImage].
/// Single frames and batches of one line to three, in the first lap and over an older one, and behind a PAD.
class EveryImageTest {
    private static final String SEED = "fenceline.crash.seed";
    private static final int SEGMENT = 4096;
    private static final int TYPE = 7;

    private static final String MINUTES = "fenceline.crash.minutes";

    private long covered;
    private @Nullable SimulatedMedium medium;
    private long collisions;
    private long executed;
    private long whole;
    private long wholeNs;
    private int classes;
    private final Set<Long> states = new HashSet<>();
    private int crashPoints;
    private long deadlineNs;
    private boolean late;

    @Test
    void shouldRecoverFromEveryImageOfFramesOfUpToThreeLines() {
        assertTrue(explore(3, 60), "not all");
        assertTrue(covered > 100_000_000L, () -> "covered " + covered);
    }

    /// 2^32 images for each kind of frame, an hour or more in all: as many of them as the bound lets, and it says how
    /// many. `-Dfenceline.crash.minutes=N` moves the bound.
    @Tag("slow")
    @Timeout(value = 24, unit = TimeUnit.HOURS)
    @Test
    void shouldRecoverFromEveryImageOfFramesOfFourLines() {
        int minutes = Integer.getInteger(MINUTES, 120);
        if (!explore(4, minutes)) {
            System.out.println("not all: the bound was " + minutes + " minutes");
        }
        assertTrue(covered > 100_000_000L, () -> "covered " + covered);
    }

    /// @return whether it was all
    private boolean explore(int lines, int minutes) {
        long seed = Long.getLong(SEED, 20260101);
        long startNs = System.nanoTime();
        deadlineNs = startNs + TimeUnit.MINUTES.toNanos(minutes);
        try {
            for (int round = 0; round < 4 && !late; round++) {
                int lap = round % 2;
                for (int entries = 1; entries <= 3; entries++) {
                    for (int n = lines == 4 ? 4 : 1; n <= lines; n++) {
                        explore(lap, n, entries, 0, seed + round);
                    }
                    explore(lap, lines - 1, entries, 1, seed + round);
                }
            }
        } catch (RuntimeException | Error e) {
            throw new AssertionError(
                    e.getMessage() + "\n"
                            + FailedImage.leave(
                                    e,
                                    Objects.requireNonNull(medium),
                                    Path.of("target", "failures", "EveryImageTest", JournalFiles.LOG))
                            + "\nrepeat: mvn -pl appender -am test -Dtest=EveryImageTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -D" + SEED + "=" + seed,
                    e);
        }
        double seconds = (System.nanoTime() - startNs) / 1e9;
        System.out.printf(
                "every image of %d crash points: %,d covered (%.1f M/s on one core), each judged slot by slot; %,d"
                        + " recoveries executed, %.0f a second of those that were not cut themselves; %d classes, %d"
                        + " distinct recovered states; %.0f s; seed %d%n",
                crashPoints,
                covered,
                covered / seconds / 1e6,
                executed,
                whole * 1e9 / wholeNs,
                classes,
                states.size(),
                seconds,
                seed);
        double expected = covered / (double) (1L << 32);
        System.out.printf("torn frames whose checksum is right by chance: %d, expected %.2f%n", collisions, expected);
        assertTrue(collisions <= 3 + 3 * expected, () -> collisions + " torn frames certified, expected " + expected);
        return !late;
    }

    /// @param room lines left in the segment; 0: enough
    private void explore(int lap, int lines, int entries, int room, long seed) {
        int payloadBytes = ((64 * lines - 40) / entries - 8) & -8;
        if (payloadBytes < 0 || late) {
            return;
        }
        SplittableRandom random = new SplittableRandom(seed);
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(SEGMENT, 2));
        medium = journal.medium();
        History history = new History();
        CrashChecker checker = new CrashChecker(
                journal, Durability.MEMORY, history, random.split(), new CrashChecker.Budget(8, 1, 1, 3));
        Positions positions = journal.open(
                JournalConfig.defaults().withFullPolicy(FullPolicy.OVERWRITE).withTimestampMode(TimestampMode.NONE));
        List<SimulatedMedium> cut = new ArrayList<>();
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            // Near the end of a segment, so that what is read ahead is short; of whole lines, with nothing zero.
            long start = lap * 2L * SEGMENT + SEGMENT - 64L * (room == 0 ? lines + 1 : room);
            while (appender.position() < start) {
                append(appender, history, positions, 1, start - appender.position() >= 192 ? 136 : 8, random);
            }
            journal.medium().observe((medium, operation) -> {
                boolean inRing =
                        medium.undecided().stream().allMatch(word -> word.fileOffset() >= Geometry.HEAD_LENGTH_BYTES);
                if (operation.kind() == Kind.DRAIN && inRing && cut.isEmpty()) {
                    crashPoints++;
                    EveryImage images = new EveryImage(medium.afterProcessCrash(), journal.superblock(), checker);
                    late = !images.explore(deadlineNs);
                    covered += images.covered();
                    collisions += images.collisions();
                    executed += images.executed();
                    whole += images.whole();
                    wholeNs += images.wholeNs();
                    classes += images.classes();
                    states.addAll(images.states());
                    cut.add(medium);
                }
            });
            append(appender, history, positions, entries, payloadBytes, random);
            journal.medium().observe((medium, operation) -> {});
        }
        assertTrue(positions.close());
        assertTrue(!cut.isEmpty(), "no crash point");
    }

    private static void append(
            ExclusiveAppender appender,
            History history,
            Positions positions,
            int entries,
            int length,
            SplittableRandom random) {
        List<byte[]> payloads = new ArrayList<>();
        Batch batch = appender.batch();
        for (int i = 0; i < entries; i++) {
            byte[] payload = new byte[length];
            random.nextBytes(payload);
            payloads.add(payload);
            assertTrue(batch.add(MemorySegment.ofArray(payload), TYPE));
        }
        history.attempt(positions.epoch(), positions.nextSequence(), payloads, TYPE);
        history.returned(batch.commit(random.nextLong()));
    }
}
