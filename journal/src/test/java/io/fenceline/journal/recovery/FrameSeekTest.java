package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fenceline.journal.Durability;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Finds frames in a log of five segments with five entries each, whatever of it is damaged: segment n begins with
/// sequence 5 n, has a batch of three, one entry more, and a PAD; behind the floor, in the sixth, one that is not
/// recovered yet.
class FrameSeekTest {
    private static final int SEGMENT = 4096;
    private static final int SEGMENTS = 5;
    private static final long FLOOR = SEGMENTS * SEGMENT;

    @TempDir
    private Path parent;

    private int saved;

    private HandmadeLog log() {
        HandmadeLog log = new HandmadeLog(Geometry.of(SEGMENT, SEGMENTS + 1));
        for (int segment = 0; segment < SEGMENTS; segment++) {
            long start = (long) segment * SEGMENT;
            log.data(start, 5L * segment, 10);
            log.data(start + 64, 5L * segment + 1, 10, 10, 10);
            log.data(start + 192, 5L * segment + 4, 10);
            log.pad(start + 256, SEGMENT - 256, 5L * segment + 5, 0);
        }
        log.data(FLOOR + 128, 25, 10, 10);
        return log.head(
                new StateRecord(3, FLOOR + 1024, FLOOR, 25, 0, 0, HandmadeLog.EPOCH, 0, Durability.DEVICE.id(), 0));
    }

    private Inspection open(HandmadeLog log) throws IOException {
        return Inspection.open(log.save(parent.resolve("log" + saved++)));
    }

    /// Where the frame with an entry begins, or the first one behind it, if the heads of these segments are damaged.
    private static long expected(long sequence, int damagedHeads) {
        for (long at = sequence; at < 25; at++) {
            if (at % 5 != 0 || (damagedHeads & (1 << (at / 5))) == 0) {
                return at / 5 * SEGMENT + (at % 5 == 0 ? 0 : at % 5 <= 3 ? 64 : 192);
            }
        }
        return sequence < 27 ? FLOOR + 128 : FLOOR + 1024;
    }

    // Each entry, for each choice of segments whose first frame is damaged: the search by halves must not trust them.
    @Test
    void shouldFindEachEntryWhicheverSegmentsBeginDamaged() throws IOException {
        for (int damaged = 0; damaged < 1 << SEGMENTS; damaged++) {
            HandmadeLog log = log();
            for (int segment = 0; segment < SEGMENTS; segment++) {
                if ((damaged & (1 << segment)) != 0) {
                    log.flip((long) segment * SEGMENT, 50);
                }
            }
            try (Inspection inspection = open(log)) {
                for (long sequence = 0; sequence < 29; sequence++) {
                    assertEquals(
                            expected(sequence, damaged),
                            new FrameSeek(inspection).sequence(sequence),
                            "sequence " + sequence + ", damaged " + Integer.toBinaryString(damaged));
                }
            }
        }
    }

    // Not only their heads: what is left of the log is found behind whole segments of junk.
    @Test
    void shouldFindEntriesBehindSegmentsOfJunk() throws IOException {
        HandmadeLog log = log();
        log.junk(log.geometry.fileOffset(SEGMENT), 3 * SEGMENT);
        try (Inspection inspection = open(log)) {
            FrameSeek seek = new FrameSeek(inspection);
            assertEquals(192, seek.sequence(4));
            for (long sequence = 5; sequence <= 20; sequence++) {
                assertEquals(4 * SEGMENT, seek.sequence(sequence));
            }
            assertEquals(4 * SEGMENT + 64, seek.sequence(21));
        }
    }

    @Test
    void shouldFindTheFirstFrameAtOrAfterAPosition() throws IOException {
        try (Inspection inspection = open(log())) {
            FrameSeek seek = new FrameSeek(inspection);
            assertEquals(0, seek.atOrAfter(-5));
            assertEquals(0, seek.atOrAfter(0));
            assertEquals(64, seek.atOrAfter(1));
            assertEquals(64, seek.atOrAfter(64));
            assertEquals(192, seek.atOrAfter(65));
            assertEquals(SEGMENT, seek.atOrAfter(257));
            assertEquals(FLOOR + 128, seek.atOrAfter(FLOOR));
            assertEquals(FLOOR + 1024, seek.atOrAfter(FLOOR + 129));
            assertEquals(FLOOR + 1024, seek.atOrAfter(FLOOR + 9999));
        }
    }

    // It walks from the last segment that begins with the entry or one before it, and from no earlier one: in each lies
    // a frame with a number that is too great, which a walk would meet first. No segment's first frame is damaged, or
    // one: then it begins one segment earlier.
    @Test
    void shouldBeginAtTheLastSegmentThatCanHoldTheEntry() throws IOException {
        for (int damaged = -1; damaged < SEGMENTS; damaged++) {
            HandmadeLog log = log();
            for (int segment = 0; segment < SEGMENTS; segment++) {
                log.data((long) segment * SEGMENT + 192, 1000, 10);
            }
            if (damaged >= 0) {
                log.flip((long) damaged * SEGMENT, 50);
            }
            try (Inspection inspection = open(log)) {
                FrameSeek seek = new FrameSeek(inspection);
                for (int segment = 0; segment < SEGMENTS; segment++) {
                    if (segment == damaged) {
                        continue;
                    }
                    long start = (long) segment * SEGMENT;
                    assertEquals(start, seek.sequence(5L * segment), "segment " + segment + ", damaged " + damaged);
                    assertEquals(start + 64, seek.sequence(5L * segment + 1));
                    assertEquals(start + 64, seek.sequence(5L * segment + 3));
                    assertEquals(start + 192, seek.sequence(5L * segment + 4));
                }
            }
        }
    }
}
