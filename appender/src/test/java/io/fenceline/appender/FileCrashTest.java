package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.DurabilityReport;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.format.CursorRecord;
import io.fenceline.journal.persist.CursorFiles;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.persist.SimulatedFiles;
import io.fenceline.journal.positions.CursorLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Files that are made: cut before every call that changes something. A power cut leaves any combination of names,
/// lengths and sectors that were not synced; a process crash leaves everything, for another process to go on with,
/// until the power is cut. What is found is whole, or it is not there and can be made again; what was promised is
/// found.
class FileCrashTest {
    private static final Path BASE = Path.of("/simulated");
    private static final Path PATH = BASE.resolve("journal");
    private static final String CURSOR = "reader";
    private static final UUID ID = new UUID(1, 2);
    private static final int FEW = 512;
    private static final JournalConfig CONFIG = JournalConfig.defaults().withDurability(Durability.DEVICE);

    private final long seed = Long.getLong("fenceline.crash.seed", 20260101);
    private final SplittableRandom random = new SplittableRandom(seed);
    private int crashPoints;
    private long images;
    private boolean made;

    @AfterEach
    void print() {
        System.out.printf("files: %d images of %d crash points, seed %d%n", images, crashPoints, seed);
        assertTrue(images > 5L * crashPoints, "looked at too little");
        assertTrue(crashPoints > 5, "cut too seldom");
    }

    private static <T> T in(SimulatedFiles files, Callable<T> body) {
        try {
            return files.in(body);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /// Judges what is found in an image; a failure leaves the image, as it was found.
    private <T> void judge(SimulatedFiles image, Callable<T> body) {
        SimulatedFiles untouched = image.afterProcessCrash();
        try {
            in(image, body);
        } catch (RuntimeException | Error e) {
            throw new AssertionError(
                    e.getMessage() + "\n" + leave(untouched)
                            + "\nrepeat: mvn -pl appender -am test -Dtest=FileCrashTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -Dfenceline.crash.seed=" + seed,
                    e);
        }
    }

    private static String leave(SimulatedFiles image) {
        Path directory = Path.of("target", "failures", "FileCrashTest").toAbsolutePath();
        try {
            image.writeTo(directory);
            return "look: fenceline dump " + directory.resolve("journal");
        } catch (IOException e) {
            return "no image could be left: " + e;
        }
    }

    private static boolean create() {
        SmallJournals.create(PATH, 4096, 2, CONFIG);
        return true;
    }

    /// Goal: a journal is there wholly, or not at all; once created it stays, and so does what the next process
    /// acknowledges, even if the one that created it died before it had synced the last directory.
    @Test
    void shouldFindAWholeJournalOrNoneWhereverItsCreationIsCut() {
        SimulatedFiles files = new SimulatedFiles(BASE);
        files.observe((f, operation) -> cutCreation(f, operation));
        in(files, FileCrashTest::create);
        made = true;
        cutCreation(files, "the end");
    }

    private void cutCreation(SimulatedFiles files, String operation) {
        crashPoints++;
        images += files.afterPowerCuts(FEW, random, image -> judge(image, () -> open(made, 0, operation)));
        SimulatedFiles found = files.afterProcessCrash();
        in(found, () -> {
            open(made, 0, operation);
            try (Journal journal = Journal.open(PATH, CONFIG);
                    ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                assertEquals(0, appender.append(MemorySegment.ofArray(new byte[] {42})));
                images += found.afterPowerCuts(
                        64, random, image -> judge(image, () -> open(true, 1, operation + ", then an append")));
            }
            return true;
        });
    }

    private static boolean open(boolean made, int entries, String operation) {
        try (Journal journal = Journal.open(PATH, CONFIG)) {
            assertEquals(entries, journal.recovery().nextSequence(), operation);
        } catch (JournalException.NotAJournal e) {
            assertTrue(!made, () -> "I1: the journal is gone; cut before " + operation);
            create();
            Journal.open(PATH, CONFIG).close();
        }
        return true;
    }

    /// The same of a cursor: also where its directory was made by a process that died.
    @Test
    void shouldFindAWholeCursorOrNoneWhereverItsCreationIsCut() {
        SimulatedFiles files = new SimulatedFiles(BASE);
        in(files, FileCrashTest::create);
        in(files, () -> {
            Journal.open(PATH, CONFIG).close();
            files.observe((f, operation) -> cutCursor(f, operation));
            try (JournalFiles journal = JournalFiles.open(PATH, true)) {
                createCursor(journal.cursors());
            }
            return true;
        });
        made = true;
        cutCursor(files, "the end");
    }

    private static void createCursor(CursorFiles cursors) {
        cursors.create(CURSOR, new CursorRecord(1, ID, 0, 0, 0, 0, new byte[0], 0));
    }

    private void cutCursor(SimulatedFiles files, String operation) {
        crashPoints++;
        images += files.afterPowerCuts(FEW, random, image -> judge(image, () -> find(made, 0, operation)));
        SimulatedFiles found = files.afterProcessCrash();
        in(found, () -> {
            find(made, 0, operation);
            try (JournalFiles journal = JournalFiles.open(PATH, true);
                    CursorFiles.Open cursor =
                            Objects.requireNonNull(journal.cursors().open(CURSOR))) {
                DurabilityReport level = journal.probe(Durability.DEVICE, false, null);
                new CursorLog(cursor.persister(level), CURSOR).commit(64, 1, 1, 0, new byte[0], 0, 0, 0);
                images += found.afterPowerCuts(
                        64, random, image -> judge(image, () -> find(true, 64, operation + ", then a commit")));
            }
            return true;
        });
    }

    private static boolean find(boolean made, long position, String operation) {
        try (JournalFiles journal = JournalFiles.open(PATH, true)) {
            CursorFiles cursors = journal.cursors();
            CursorRecord found = cursors.read(CURSOR);
            assertTrue(found != null || !made, () -> "I1: the cursor is gone; cut before " + operation);
            if (found == null) {
                createCursor(cursors);
            } else {
                assertEquals(position, found.position(), operation);
            }
        }
        return true;
    }
}
