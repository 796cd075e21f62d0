package io.fenceline.journal.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GeometryTest {
    private static final long HEAD = Geometry.HEAD_LENGTH_BYTES;

    /// Counts that are no power of two too: walk three laps segment by segment, with a counter instead of arithmetic.
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 7, 1000})
    void shouldGoRoundTheRingWhateverTheNumberOfSegments(int segmentCount) {
        Geometry geometry = Geometry.of(4096, segmentCount);
        int place = 0;
        for (int segment = 0; segment < 3 * segmentCount; segment++) {
            long start = segment * 4096L;
            long expected = HEAD + place * 4096L;
            assertEquals(expected, geometry.fileOffset(start));
            assertEquals(expected + 4095, geometry.fileOffset(start + 4095));
            assertEquals(start, geometry.segmentStart(start));
            assertEquals(start, geometry.segmentStart(start + 4095));
            assertEquals(start + 4096, geometry.segmentEnd(start));
            assertEquals(start + 4096, geometry.segmentEnd(start + 4095));
            place = place + 1 == segmentCount ? 0 : place + 1;
        }
    }

    @Test
    void shouldStayInsideTheFileForEveryPosition() {
        long seed = Long.getLong("fenceline.seed", System.nanoTime());
        String repeat =
                "repeat: mvn -q -pl journal -am test -Dtest=GeometryTest -Dsurefire.failIfNoSpecifiedTests=false"
                        + " -Dfenceline.seed="
                        + seed;
        Random random = new Random(seed);
        for (int i = 0; i < 10_000; i++) {
            Geometry geometry = Geometry.of(1 << (12 + random.nextInt(19)), 2 + random.nextInt(65535));
            long position = random.nextLong() & Long.MAX_VALUE;
            long offset = geometry.fileOffset(position);
            assertTrue(offset >= HEAD && offset < geometry.fileLengthBytes(), repeat);
            assertEquals(
                    (position - geometry.segmentStart(position)),
                    (offset - HEAD) % geometry.segmentLengthBytes(),
                    repeat);
            if (position < Long.MAX_VALUE - geometry.capacityBytes()) {
                assertEquals(offset, geometry.fileOffset(position + geometry.capacityBytes()), repeat);
            }
        }
    }

    @Test
    void shouldComputeLengthsInLongs() {
        Geometry largest = Geometry.of(1 << 30, 65536);
        assertEquals(1L << 46, largest.capacityBytes());
        assertEquals(HEAD + (1L << 46), largest.fileLengthBytes());
        assertEquals(HEAD + 65535L * (1 << 30) + 5, largest.fileOffset((1L << 46) - (1 << 30) + 5));
    }

    @ParameterizedTest
    @CsvSource({
        "4096, 1088, 1024",
        "2097152, 524352, 524288",
        "67108864, 16777280, 16777216",
        "536870912, 134217792, 134217728",
        "1073741824, 268435392, 268435344",
    })
    void shouldTakePayloadsUpToAQuarterOfASegment(int segmentLength, int maximumFrame, int maximumPayload) {
        Geometry geometry = Geometry.of(segmentLength, 2);
        assertEquals(maximumFrame, geometry.maximumFrameLengthBytes());
        assertEquals(maximumPayload, geometry.maximumPayloadLengthBytes());
        assertTrue(FrameDescriptor.frameLength(maximumPayload) <= maximumFrame);
    }

    // The shortest frame, and one that fills its segment.
    @ParameterizedTest
    @CsvSource({"4096, 2, 64, 16", "4096, 65536, 4096, 1024", "1073741824, 2, 268435392, 268435344", "8192, 3, 128, 80"
    })
    void shouldTakeNumbersAtTheirBounds(int segmentLength, int segmentCount, int maximumFrame, int maximumPayload) {
        assertTrue(Geometry.isValid(segmentLength, segmentCount, maximumFrame));
        Geometry geometry = new Geometry(segmentLength, segmentCount, maximumFrame);
        assertEquals(maximumPayload, geometry.maximumPayloadLengthBytes());
    }

    @ParameterizedTest
    @CsvSource({
        "0, 4, 1088",
        "-4096, 4, 1088",
        "2048, 4, 1088",
        "4095, 4, 1088",
        "6144, 4, 1088",
        "2147483648, 4, 1088",
        "-9223372036854775808, 4, 1088",
        "4096, 1, 1088",
        "4096, 0, 1088",
        "4096, -2, 1088",
        "4096, 65537, 1088",
        "4096, 4, 0",
        "4096, 4, -64",
        "4096, 4, 63",
        "4096, 4, 1089",
        "4096, 4, 4160",
        "1073741824, 4, 268435456",
    })
    void shouldRefuseNumbersThatAreNoGeometry(long segmentLength, long segmentCount, long maximumFrame) {
        assertFalse(Geometry.isValid(segmentLength, segmentCount, maximumFrame));
        if (segmentLength == (int) segmentLength) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new Geometry((int) segmentLength, (int) segmentCount, (int) maximumFrame));
        }
    }
}
