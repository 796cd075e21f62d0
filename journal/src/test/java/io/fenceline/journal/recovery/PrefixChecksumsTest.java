package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Geometry;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class PrefixChecksumsTest {
    private static final Geometry GEOMETRY = Geometry.of(1 << 20, 3);
    private static final long MIB = 1 << 20;

    private final byte[] file = new byte[(int) GEOMETRY.fileLengthBytes()];
    private long bytesRead;
    private final LogReader reader = (fileOffset, destination, destinationOffset, length) -> {
        MemorySegment.copy(MemorySegment.ofArray(file), fileOffset, destination, destinationOffset, length);
        bytesRead += length;
    };

    // Goal: the combined checksum is that of java.util.zip.CRC32C, for any range, whatever was asked before.
    // Method: random ranges of a random log: walking on, going back, jumping, over segments and laps.
    @Test
    void shouldEqualPlainChecksumWhenRangesAreRandom() {
        long seed = Long.getLong("fenceline.seed", System.nanoTime());
        String repeat = "seed " + seed + ": mvn -pl journal -am test -Dtest=PrefixChecksumsTest -Dfenceline.seed="
                + seed + " -Dsurefire.failIfNoSpecifiedTests=false";
        Random random = new Random(seed);
        random.nextBytes(file);
        PrefixChecksums checksums = new PrefixChecksums(reader, GEOMETRY);
        long position = 0;
        for (int i = 0; i < 20_000; i++) {
            position = random.nextInt(100) == 0
                    ? random.nextInt(1 << 17) * 64L
                    : Math.max(0, position + (random.nextInt(40) - 5) * 64L);
            long from = position + 4;
            long room = GEOMETRY.segmentEnd(position) - position;
            if (room < 4096) {
                continue;
            }
            long to = position + 4096 + random.nextLong(room - 4096 + 1);
            assertEquals(plain(from, to), combined(checksums, from, to), repeat + ", range " + from + " to " + to);
        }
    }

    // Goal: the same in a segment of which not all running checksums can be kept, whose older ones are overwritten
    // then,
    // also by what was read before a bad block. Method: a file of 1 GiB whose bytes come again and again.
    @Test
    void shouldEqualPlainChecksumWhenASegmentIsLongerThanWhatIsKept() {
        new Random(1).nextBytes(file);
        Geometry large = Geometry.of(1 << 30, 2);
        boolean[] bad = {false};
        LogReader repeating = (fileOffset, destination, destinationOffset, length) -> {
            if (bad[0] && fileOffset + length > large.fileOffset(480 * MIB)) {
                throw new JournalException.Io("bad block", 5);
            }
            repeat(
                    fileOffset,
                    length,
                    (at, part, done) -> MemorySegment.copy(
                            MemorySegment.ofArray(file), at, destination, destinationOffset + done, part));
        };
        PrefixChecksums checksums = new PrefixChecksums(repeating, large);
        for (int pass = 0; pass < 2; pass++) {
            assertRange(checksums, large, 0, 255 * MIB);
            assertRange(checksums, large, 200 * MIB, 455 * MIB);
            assertRange(checksums, large, 100 * MIB, 300 * MIB);
            bad[0] = true;
            assertThrows(JournalException.Io.class, () -> assertRange(checksums, large, 250 * MIB, 500 * MIB));
            bad[0] = false;
            assertRange(checksums, large, 150 * MIB, 151 * MIB);
        }
    }

    // Goal: a walk whose every slot claims a long frame reads each byte a constant number of times.
    @Test
    void shouldReadEachByteOnceWhenRangesOverlap() {
        PrefixChecksums checksums = new PrefixChecksums(reader, GEOMETRY);
        int length = 256 << 10;
        for (long position = 0; position + length <= 1 << 20; position += 64) {
            combined(checksums, position + 4, position + length);
        }
        assertTrue(checksums.bytesRead() <= 2 << 20, () -> "bytes read: " + checksums.bytesRead());
        assertEquals(bytesRead, checksums.bytesRead());
    }

    /// Of the file that repeats this one, from behind the head of a frame.
    private void assertRange(PrefixChecksums checksums, Geometry geometry, long position, long to) {
        long from = position + 4;
        int headLength = (int) (PrefixChecksums.firstBoundary(from) - from);
        ByteBuffer head = ByteBuffer.allocateDirect(headLength);
        repeat(geometry.fileOffset(from), headLength, (at, part, done) -> head.put((int) done, file, at, part));
        CRC32C crc = new CRC32C();
        repeat(geometry.fileOffset(from), to - from, (at, part, done) -> crc.update(file, at, part));
        assertEquals((int) crc.getValue(), checksums.of(from, to, head, 0), "from " + from + " to " + to);
    }

    @FunctionalInterface
    private interface Part {
        void accept(int at, int length, long done);
    }

    private void repeat(long fileOffset, long length, Part use) {
        for (long done = 0; done < length; ) {
            int at = (int) ((fileOffset + done) % file.length);
            int part = (int) Math.min(file.length - at, length - done);
            use.accept(at, part, done);
            done += part;
        }
    }

    private int combined(PrefixChecksums checksums, long from, long to) {
        int length = (int) (PrefixChecksums.firstBoundary(from) - from);
        ByteBuffer head = ByteBuffer.allocateDirect(length + 7);
        head.put(7, file, (int) GEOMETRY.fileOffset(from), length);
        return checksums.of(from, to, head, 7);
    }

    private int plain(long from, long to) {
        CRC32C crc = new CRC32C();
        crc.update(file, (int) GEOMETRY.fileOffset(from), (int) (to - from));
        return (int) crc.getValue();
    }
}
