package io.fenceline.journal.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.format.Superblock.Problem;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SuperblockTest {
    @Test
    void shouldDecodeWhatItEncoded() {
        Superblock.Decoded decoded = Superblock.decode(copy(bytes -> {}));
        assertEquals(FormatExamples.SUPERBLOCK, decoded.superblock());
        assertEquals(Problem.NONE, decoded.kind());
    }

    @Test
    void shouldDecodeTheFeaturesOfAnArchive() {
        Superblock archive = new Superblock(
                FormatExamples.JOURNAL_ID, -1, Geometry.of(8192, 3), Superblock.READ_ONLY_ARCHIVE | 4, -5);
        ByteBuffer bytes = ByteBuffer.allocateDirect(Superblock.LENGTH_BYTES);
        archive.encode(bytes);
        assertEquals(archive, Superblock.decode(bytes).superblock());
        assertTrue(archive.isArchive());
        assertFalse(new Superblock(FormatExamples.JOURNAL_ID, -1, Geometry.of(8192, 3), 6, 0).isArchive());
        assertFalse(new Superblock(FormatExamples.JOURNAL_ID, -1, Geometry.of(8192, 3), 0, 0).isArchive());
    }

    @Test
    void shouldCallBytesWithoutTheMagicForeign() {
        assertProblem(Problem.FOREIGN, "expected magic 0x46454e43454c494e", copy(bytes -> bytes.put(7, (byte) 'X')));
        assertProblem(Problem.FOREIGN, "actual 0x0000000000000000", ByteBuffer.allocateDirect(128));
    }

    @Test
    void shouldSayBothChecksumsWhenABitIsFlipped() {
        byte[] whole = FormatExamples.superblock();
        for (int bit = 64; bit < 8 * Superblock.LENGTH_BYTES; bit++) {
            ByteBuffer bytes = ByteBuffer.allocateDirect(whole.length).put(whole);
            bytes.put(bit / 8, (byte) (whole[bit / 8] ^ 1 << bit % 8));
            assertProblem(Problem.DAMAGED, "expected checksum 0x", bytes);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "8, 2, version 2",
        "8, 0, version 0",
        "8, -1, version -1",
        "12, 128, slot length 128",
        "36, 2, checksum id 2",
        "72, 1, incompatible features 0x1,",
        "76, -2147483648, incompatible features 0x8000000000000000",
    })
    void shouldSayWhatItDoesNotKnow(int at, int value, String text) {
        assertProblem(Problem.UNSUPPORTED, text, resealed(bytes -> bytes.putInt(at, value)));
    }

    /// A valid checksum does not make the numbers sane: the file may have been made by somebody hostile.
    @ParameterizedTest
    @CsvSource({
        "40, 4097",
        "40, 0",
        "44, 1",
        "44, -1",
        "48, 0",
        "48, 1",
        "48, -1",
        "48, 65537",
        "52, 0",
        "52, -64",
        "52, 63",
        "52, 4160",
        "52, 2147483647",
    })
    void shouldRefuseSenselessGeometryUnderAValidChecksum(int at, int value) {
        assertProblem(Problem.DAMAGED, "senseless geometry", resealed(bytes -> bytes.putInt(at, value)));
    }

    @Test
    void shouldIgnoreUnknownCompatibleFeatures() {
        Superblock.Decoded decoded = Superblock.decode(resealed(bytes -> bytes.putLong(56, -1)));
        assertEquals(FormatExamples.SUPERBLOCK, decoded.superblock());
    }

    @Test
    void shouldReportUnknownReadOnlyFeatures() {
        Superblock superblock =
                Superblock.decode(resealed(bytes -> bytes.putLong(64, 4))).superblock();
        assertNotNull(superblock);
        assertEquals(4, superblock.readOnlyCompatible());
    }

    /// Whatever the bytes are, the answer is one of the kinds, never an exception.
    @Test
    void shouldSurviveRandomBytesUnderMagicAndChecksum() {
        long seed = Long.getLong("fenceline.seed", System.nanoTime());
        String repeat =
                "repeat: mvn -q -pl journal -am test -Dtest=SuperblockTest -Dsurefire.failIfNoSpecifiedTests=false"
                        + " -Dfenceline.seed="
                        + seed;
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            ByteBuffer hostile = resealed(bytes -> {
                for (int n = 1 + random.nextInt(6); n > 0; n--) {
                    bytes.put(8 + random.nextInt(80), (byte) random.nextInt());
                }
            });
            Superblock.Decoded decoded = Superblock.decode(hostile);
            assertEquals(decoded.kind() == Problem.NONE, decoded.superblock() != null, repeat);
        }
    }

    @Test
    void shouldKeepTheSaltOutOfItsText() {
        String text = FormatExamples.SUPERBLOCK.toString();
        assertTrue(text.contains(FormatExamples.JOURNAL_ID.toString()), text);
        assertFalse(text.contains(Integer.toString(FormatExamples.SALT)), text);
        assertFalse(text.contains(Integer.toHexString(FormatExamples.SALT)), text);
    }

    private static void assertProblem(Problem kind, String text, ByteBuffer copy) {
        Superblock.Decoded decoded = Superblock.decode(copy);
        assertNull(decoded.superblock(), decoded.problem());
        assertEquals(kind, decoded.kind(), decoded.problem());
        assertTrue(decoded.problem().contains(text), decoded.problem());
    }

    private static ByteBuffer copy(Consumer<ByteBuffer> change) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(Superblock.LENGTH_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(FormatExamples.superblock());
        change.accept(bytes);
        return bytes;
    }

    private static ByteBuffer resealed(Consumer<ByteBuffer> change) {
        ByteBuffer bytes = copy(change);
        int crc = new Crc32c().of(bytes, 0, Superblock.CRC_OFFSET, 0);
        bytes.clear().putInt(Superblock.CRC_OFFSET, crc);
        return bytes;
    }
}
