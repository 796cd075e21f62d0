package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.format.Geometry;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class PrefixChecksumsTest {
    private static final Geometry GEOMETRY = Geometry.of(1 << 20, 3);

    private final byte[] file = new byte[(int) GEOMETRY.fileLengthBytes()];
    private final LogReader reader = (fileOffset, destination, destinationOffset, length) ->
            MemorySegment.copy(MemorySegment.ofArray(file), fileOffset, destination, destinationOffset, length);

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

    // Goal: a walk whose every slot claims a long frame reads each byte a constant number of times.
    @Test
    void shouldReadEachByteOnceWhenRangesOverlap() {
        PrefixChecksums checksums = new PrefixChecksums(reader, GEOMETRY);
        int length = 256 << 10;
        for (long position = 0; position + length <= 1 << 20; position += 64) {
            combined(checksums, position + 4, position + length);
        }
        assertTrue(checksums.bytesRead() <= 2 << 20, () -> "bytes read: " + checksums.bytesRead());
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
