package io.fenceline.journal.positions;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.CursorRecord;
import io.fenceline.journal.persist.FailedImage;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Commits of a cursor over the simulated medium, cut before every operation by a process crash, in the middle of
/// a store, and by a power cut. What is found is always a value that was committed, whole: the last one that was
/// acknowledged or shown, or the one under way; never an older one, never anything else.
class CursorCrashTest {
    private static final String SEED = "fenceline.crash.seed";
    private static final UUID ID = new UUID(0x0123_4567_89AB_CDEFL, 0x1122_3344_5566_7788L);

    private long images;
    private SimulatedMedium last = new SimulatedMedium(Durability.DEVICE, CursorRecord.FILE_LENGTH_BYTES);

    @ParameterizedTest
    @CsvSource({"MEMORY,  false, 400", "DEVICE,  false, 40", "DEVICE,  true,  40", "PROCESS, false, 40"})
    void shouldFindThePreviousOrTheNewValueWhereverItIsCut(Durability level, boolean garbage, int lives) {
        explore(level, garbage, lives);
    }

    @Tag("slow")
    @ParameterizedTest
    @CsvSource({"MEMORY, false, 2000", "DEVICE, false, 2000", "DEVICE, true, 2000", "PROCESS, false, 2000"})
    void shouldFindThePreviousOrTheNewValueWhereverItIsCutAtLength(Durability level, boolean garbage, int lives) {
        explore(level, garbage, lives);
    }

    private void explore(Durability level, boolean garbage, int lives) {
        long seed = Long.getLong(SEED, 20260101);
        try {
            live(level, garbage, lives, new SplittableRandom(seed));
        } catch (RuntimeException | Error e) {
            throw new AssertionError(
                    e.getMessage() + "\n"
                            + FailedImage.leave(
                                    e,
                                    last,
                                    Path.of("target", "failures", "CursorCrashTest-" + level, "cursors", "cursor"))
                            + "\nrepeat: mvn -pl journal -am test -Dtest=CursorCrashTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -D" + SEED + "=" + seed,
                    e);
        }
        assertTrue(images > 20L * lives, "looked at too little: " + images);
    }

    /// What may be found: the value that was acknowledged, or shown by an opening, and the one under way.
    private static final class Promise {
        long acknowledged;
        long attempted;
    }

    private void live(Durability level, boolean garbage, int lives, SplittableRandom random) {
        SimulatedMedium medium = new SimulatedMedium(level, CursorRecord.FILE_LENGTH_BYTES);
        medium.garbageSectors(garbage);
        Promise promise = new Promise();
        ByteBuffer first = ByteBuffer.allocateDirect(CursorRecord.LENGTH_BYTES);
        new CursorRecord(1, ID, 0, 0, 0, 0, new byte[0], 0).encode(first, new Crc32c());
        medium.overwrite(CursorRecord.fileOffset(1), MemorySegment.ofBuffer(first.clear()));
        long next = 0;
        for (int life = 0; life < lives; life++) {
            boolean power = level == Durability.PROCESS ? false : random.nextBoolean();
            List<SimulatedMedium> found = new ArrayList<>();
            int cutAt = 1 + random.nextInt(30);
            int[] operations = new int[1];
            last = medium;
            medium.observe((m, operation) -> {
                operations[0]++;
                check(m.afterProcessCrash(), promise, level, true, random);
                if (operation.kind() == Kind.STORE) {
                    long done = 8 * random.nextLong(operation.lengthBytes() / 8 + 1);
                    check(m.afterProcessCrash(operation, done), promise, level, true, random);
                }
                if (level != Durability.PROCESS) {
                    m.afterPowerCuts(64, 8, random, image -> check(image, promise, level, false, random));
                }
                if (operations[0] == cutAt) {
                    if (power) {
                        m.afterPowerCuts(16, 2, random, found::add);
                        found.subList(0, random.nextInt(found.size())).clear();
                    } else {
                        found.add(
                                operation.kind() == Kind.STORE
                                        ? m.afterProcessCrash(
                                                operation, 8 * random.nextLong(operation.lengthBytes() / 8 + 1))
                                        : m.afterProcessCrash());
                    }
                    throw new CrashException();
                }
            });
            try {
                CursorLog log = new CursorLog(medium, "cursor");
                promise.acknowledged = value(log.found());
                promise.attempted = promise.acknowledged;
                while (true) {
                    promise.attempted =
                            ++next; // each value is attempted once, so that no other attempt can pass for it
                    commit(log, next);
                    promise.acknowledged = next;
                }
            } catch (CrashException e) {
                medium.observe((m, operation) -> {});
                medium = found.getFirst();
            }
        }
    }

    private static final class CrashException extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private static void commit(CursorLog log, long value) {
        byte[] userData = new byte[(int) (value % 33)];
        for (int i = 0; i < userData.length; i++) {
            userData[i] = (byte) (value * 31 + i);
        }
        log.commit(64 * value, value, (int) value, 1, userData, 0, userData.length, -value);
    }

    /// The one number that all fields of a record follow from.
    private static long value(CursorRecord record) {
        long value = record.nextSequence();
        if (value > 0) {
            assertEquals(64 * value, record.position());
            assertEquals((int) value, record.epoch());
            assertEquals(-value, record.timeNs());
            assertEquals(value % 33, record.userData().length);
            for (int i = 0; i < record.userData().length; i++) {
                assertEquals((byte) (value * 31 + i), record.userData()[i]);
            }
        }
        return value;
    }

    private void check(
            SimulatedMedium image, Promise promise, Durability level, boolean processCrash, SplittableRandom random) {
        images++;
        long[] found = new long[1];
        FailedImage.check(image, () -> {
            long value = value(new CursorLog(image, "cursor").found());
            assertTrue(
                    value == promise.acknowledged || value == promise.attempted,
                    () -> "found " + value + ", acknowledged " + promise.acknowledged + ", under way "
                            + promise.attempted);
            found[0] = value;
        });
        long value = found[0];
        // What an opening has shown stays, also through a power cut.
        if (level != Durability.PROCESS && random.nextInt(processCrash ? 4 : 8) == 0) {
            image.afterPowerCuts(8, 2, random, again -> {
                images++;
                assertEquals(value, value(new CursorLog(again, "cursor").found()), "shown, then lost");
            });
        }
    }

    /// Goal: after a fault nothing more is committed, and what is found later is the previous or the new value.
    @ParameterizedTest
    @CsvSource({"MEMORY, STORE", "DEVICE, STORE", "DEVICE, DRAIN", "PROCESS, STORE"})
    void shouldCommitNothingAfterAFault(Durability level, Kind kind) {
        SimulatedMedium medium = new SimulatedMedium(level, CursorRecord.FILE_LENGTH_BYTES);
        ByteBuffer first = ByteBuffer.allocateDirect(CursorRecord.LENGTH_BYTES);
        new CursorRecord(1, ID, 0, 0, 0, 0, new byte[0], 0).encode(first, new Crc32c());
        medium.overwrite(CursorRecord.fileOffset(1), MemorySegment.ofBuffer(first.clear()));
        CursorLog log = new CursorLog(medium, "cursor");
        commit(log, 1);
        medium.failAt(kind, 1);
        assertThrows(JournalException.Io.class, () -> commit(log, 2));
        long count = medium.count();
        assertThrows(JournalException.Poisoned.class, () -> commit(log, 3));
        assertEquals(count, medium.count());
        long found = value(new CursorLog(medium.afterProcessCrash(), "cursor").found());
        assertTrue(found == 1 || found == 2, "found " + found);
        assertEquals(
                1,
                value(new CursorLog(medium.afterPowerCut(), "cursor").found()) | (level == Durability.PROCESS ? 1 : 0));
    }
}
