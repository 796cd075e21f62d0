package io.fenceline.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.FailedImage;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.recovery.FrameWriter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// An archive over the simulated medium, cut before every operation by a process crash, in the middle of a store, and
/// by a power cut, also while it is opened. What is found holds everything that was confirmed, byte for byte, and ends
/// where something was confirmed or under way.
class ArchiveCrashTest {
    private static final String SEED = "fenceline.crash.seed";
    private static final UUID ID = new UUID(0x0123_4567_89AB_CDEFL, 0x1122_3344_5566_7788L);
    private static final int SALT = 0x5EED_CAFE;
    private static final int SEGMENT = 4096;
    private static final int SEGMENTS = 12;
    private static final Path NAME = Path.of("simulated archive");

    private final Superblock ring = new Superblock(ID, SALT, Geometry.of(SEGMENT, SEGMENTS), 0, 0);
    private final SimulatedMedium log =
            new SimulatedMedium(Durability.PROCESS, ring.geometry().fileLengthBytes());
    private LogView view;
    private SimulatedMedium medium;
    private long images;

    /// Where an archive may end: where its user was told last, and where the call under way would take it.
    private long confirmed;

    private long underWay;

    ArchiveCrashTest() {
        SplittableRandom random = new SplittableRandom(1);
        FrameWriter writer = new FrameWriter(log, ring);
        long position = 0;
        long sequence = 0;
        while (position < (long) SEGMENT * SEGMENTS) {
            int room = (int) (SEGMENT - position % SEGMENT);
            String payload = "x".repeat(random.nextInt(900));
            if (48 + payload.length() > room) {
                position = writer.pad(position, room, sequence, 1, 0);
            } else {
                position = writer.data(position, sequence++, 1, 0, payload);
            }
        }
        StateRecord end = new StateRecord(
                1, position, position, sequence, 0, position, 1, StateRecord.FLAG_CLEAN, Durability.PROCESS.id(), 0);
        view = new LogView(ring, MemorySegment.NULL, log::read, null, () -> null, end, -1, NAME);
        Superblock superblock = new Superblock(ID, SALT, ring.geometry(), Superblock.READ_ONLY_ARCHIVE, 0);
        medium = new SimulatedMedium(Durability.DEVICE, superblock.geometry().fileLengthBytes());
        ByteBuffer copy = ByteBuffer.allocateDirect(Superblock.LENGTH_BYTES);
        superblock.encode(copy);
        for (int i = 0; i < Superblock.COPIES; i++) {
            medium.overwrite(Superblock.fileOffset(i), MemorySegment.ofBuffer(copy.clear()));
        }
        new FrameWriter(medium, superblock)
                .state(new StateRecord(1, 0, 0, 0, 0, 0, 0, StateRecord.FLAG_CLEAN, Durability.DEVICE.id(), 0));
    }

    @ParameterizedTest
    @CsvSource({"false, 12", "true, 12"})
    void shouldHoldWhatItConfirmedWhereverItIsCut(boolean garbage, int lives) {
        explore(garbage, lives);
    }

    @Tag("slow")
    @ParameterizedTest
    @CsvSource({"false, 1000", "true, 1000"})
    void shouldHoldWhatItConfirmedWhereverItIsCutAtLength(boolean garbage, int lives) {
        explore(garbage, lives);
    }

    private void explore(boolean garbage, int lives) {
        long seed = Long.getLong(SEED, 20260101);
        medium.garbageSectors(garbage);
        try {
            live(lives, new SplittableRandom(seed));
        } catch (RuntimeException | Error e) {
            throw new AssertionError(
                    e.getMessage() + "\n"
                            + FailedImage.leave(
                                    e,
                                    medium,
                                    Path.of("target", "failures", "ArchiveCrashTest-" + garbage, JournalFiles.LOG))
                            + "\nrepeat: mvn -pl journal -am test -Dtest=ArchiveCrashTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -D" + SEED + "=" + seed,
                    e);
        }
        assertTrue(images > 20L * lives, "looked at too little: " + images);
    }

    private void live(int lives, SplittableRandom random) {
        for (int life = 0; life < lives; life++) {
            List<SimulatedMedium> found = new ArrayList<>();
            int[] left = {random.nextInt(40)};
            boolean power = random.nextBoolean();
            medium.observe((m, operation) -> {
                check(m.afterProcessCrash());
                SimulatedMedium torn = null;
                if (operation.kind() == Kind.STORE) {
                    torn = m.afterProcessCrash(operation, 8 * random.nextLong(operation.lengthBytes() / 8 + 1));
                    check(torn.afterProcessCrash());
                }
                m.afterPowerCuts(8, 3, random, this::check);
                if (left[0]-- == 0) {
                    cut(m, torn, power, random, found);
                    throw new Crash();
                }
            });
            try (Archive archive = open(medium)) {
                underWay = archive.end();
                confirmed = archive.end(); // it was shown
                work(archive, random);
            } catch (Crash e) {
                medium.observe((m, operation) -> {});
                medium = found.getFirst();
            }
        }
    }

    private static void cut(
            SimulatedMedium medium,
            @Nullable SimulatedMedium torn,
            boolean power,
            SplittableRandom random,
            List<SimulatedMedium> found) {
        if (power) {
            medium.afterPowerCuts(8, 3, random, found::add);
            found.subList(0, random.nextInt(found.size())).clear();
        } else {
            found.add(torn == null || random.nextBoolean() ? medium.afterProcessCrash() : torn);
        }
    }

    /// Until the medium is cut.
    private void work(Archive archive, SplittableRandom random) {
        while (true) {
            if (confirmed == (long) SEGMENT * SEGMENTS || (confirmed > 0 && random.nextInt(6) == 0)) {
                long to = SEGMENT * random.nextLong(confirmed / SEGMENT);
                underWay = to;
                archive.truncate(to);
            } else {
                underWay = confirmed + SEGMENT;
                archive.accept(new SealedSegment(view, confirmed));
            }
            assertEquals(underWay, archive.end());
            confirmed = underWay;
        }
    }

    private static Archive open(SimulatedMedium medium) {
        return new Archive(medium, medium.lengthBytes(), NAME, () -> {});
    }

    private void check(SimulatedMedium image) {
        images++;
        FailedImage.check(image, () -> judge(image));
    }

    private void judge(SimulatedMedium image) {
        long end;
        try (Archive archive = open(image)) {
            end = archive.end();
        }
        assertTrue(
                end == confirmed || end == underWay,
                () -> "ends at " + end + ", confirmed " + confirmed + ", under way " + underWay);
        long from = ring.geometry().fileOffset(0);
        byte[] expected = new byte[(int) end];
        byte[] actual = new byte[(int) end];
        log.read(from, MemorySegment.ofArray(expected), 0, end);
        image.read(from, MemorySegment.ofArray(actual), 0, end);
        long at = MemorySegment.ofArray(expected).mismatch(MemorySegment.ofArray(actual));
        assertEquals(-1, at, "content");
    }

    private static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1;
    }
}
