package io.fenceline.journal.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CursorRecordTest {
    private static final UUID ID = FormatExamples.JOURNAL_ID;

    private final ByteBuffer file = ByteBuffer.allocateDirect(CursorRecord.FILE_LENGTH_BYTES);

    private static CursorRecord record(long version, int userDataLength) {
        byte[] userData = new byte[userDataLength];
        for (int i = 0; i < userDataLength; i++) {
            userData[i] = (byte) (0x80 + i);
        }
        return new CursorRecord(version, ID, 64 * version, 7 + version, 3, 1, userData, -version);
    }

    private void put(CursorRecord record, long offset) {
        ByteBuffer line = ByteBuffer.allocateDirect(CursorRecord.LENGTH_BYTES);
        for (int i = 0; i < line.capacity(); i++) {
            line.put(i, (byte) 0x5A); // a line that is used again
        }
        record.encode(line, new Crc32c());
        file.clear().put((int) offset, line, 0, CursorRecord.LENGTH_BYTES);
    }

    private void put(CursorRecord record) {
        put(record, CursorRecord.fileOffset(record.version()));
    }

    // 64 records lie on 64 lines; a record and the one before it never share a page, which a torn write could take.
    @Test
    void shouldGiveEachRecordALineInTheOtherPage() {
        Set<Long> lines = new HashSet<>();
        for (long version = 1000; version < 1064; version++) {
            long offset = CursorRecord.fileOffset(version);
            assertTrue(lines.add(offset));
            assertEquals(offset, CursorRecord.fileOffset(version + 64));
            assertNotEquals(offset / 4096, CursorRecord.fileOffset(version + 1) / 4096);
            assertEquals(0, offset % CursorRecord.LENGTH_BYTES);
            assertTrue(offset < CursorRecord.FILE_LENGTH_BYTES);
        }
    }

    // Every length of the user's data, over a line full of junk: what does not count is zeros.
    @Test
    void shouldReadBackWhatItWrote() {
        for (int length = 0; length <= CursorRecord.MAXIMUM_USER_DATA_LENGTH_BYTES; length++) {
            CursorRecord record = record(64 + length, length);
            put(record);
            CursorRecord found = CursorRecord.newest(file);
            assertEquals(record, found);
            assertNotNull(found);
            assertArrayEquals(record.userData(), found.userData());
            int at = (int) CursorRecord.fileOffset(record.version());
            for (int i = CursorRecord.USER_DATA_OFFSET + length; i < CursorRecord.TIME_OFFSET; i++) {
                assertEquals(0, file.get(at + i), "byte " + i);
            }
            for (int i = CursorRecord.TIME_OFFSET + 8; i < CursorRecord.CRC_OFFSET; i++) {
                assertEquals(0, file.get(at + i), "byte " + i);
            }
        }
    }

    @Test
    void shouldBelieveARecordOnlyWhereItBelongs() {
        for (long offset = 0; offset < CursorRecord.FILE_LENGTH_BYTES; offset += CursorRecord.LENGTH_BYTES) {
            file.clear().put(0, new byte[CursorRecord.FILE_LENGTH_BYTES]);
            put(record(71, 5), offset);
            assertEquals(offset == CursorRecord.fileOffset(71), CursorRecord.newest(file) != null, "offset " + offset);
        }
    }

    @Test
    void shouldNotBelieveALineWithAFlippedBit() {
        put(record(70, 3));
        put(record(71, 32));
        int at = (int) CursorRecord.fileOffset(71);
        for (int bit = 0; bit < 8 * CursorRecord.LENGTH_BYTES; bit++) {
            byte whole = file.get(at + bit / 8);
            file.put(at + bit / 8, (byte) (whole ^ 1 << bit % 8));
            assertEquals(record(70, 3), CursorRecord.newest(file), "bit " + bit);
            file.put(at + bit / 8, whole);
        }
        assertEquals(record(71, 32), CursorRecord.newest(file));
    }

    @Test
    void shouldFindTheNewestOfAFullFile() {
        for (long version = 100; version < 164; version++) {
            put(record(version, (int) (version % 33)));
            CursorRecord newest = CursorRecord.newest(file);
            assertEquals(record(version, (int) (version % 33)), newest);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -2, Long.MIN_VALUE})
    void shouldNotBelieveAVersionBelowOne(long version) {
        put(record(version, 0), 0);
        assertNull(CursorRecord.newest(file));
    }

    // The length is a byte of the file: whoever repairs the checksum may put any there.
    @ParameterizedTest
    @CsvSource({"32, true", "33, false", "127, false", "128, false", "255, false"})
    void shouldNotBelieveALongerUserDataThanThereIsRoomFor(int length, boolean believed) {
        put(record(64, 32));
        file.put(CursorRecord.USER_DATA_LENGTH_OFFSET, (byte) length);
        int crc = new Crc32c().of(file, 0, CursorRecord.CRC_OFFSET, 0);
        file.clear().order(java.nio.ByteOrder.LITTLE_ENDIAN).putInt(CursorRecord.CRC_OFFSET, crc);
        assertEquals(believed, CursorRecord.newest(file) != null);
    }

    @ParameterizedTest
    @CsvSource({
        // version, position, nextSequence, epoch, flags, problem
        "1, 0, 0, 0, 0, ''",
        "1, 64, 1, 1, 1, ''",
        "9223372034707292158, 64, 1, 1, 1, ''",
        "9223372034707292159, 64, 1, 1, 1, senseless",
        "1, -64, 0, 0, 0, senseless",
        "1, 32, 0, 0, 0, senseless",
        "1, 1, 0, 0, 0, senseless",
        "1, 0, -1, 0, 0, senseless",
        "1, 0, 0, -1, 0, senseless",
        "1, 0, 0, 0, 2, unknown flags 0x2",
        "1, 0, 0, 0, 32769, unknown flags 0x8000",
    })
    void shouldSayWhatIsSenseless(
            long version, long position, long nextSequence, int epoch, int flags, String expected) {
        String problem = new CursorRecord(version, ID, position, nextSequence, epoch, flags, new byte[0], 0).problem();
        assertEquals(expected.isEmpty(), problem == null, problem);
        assertTrue(problem == null || problem.contains(expected), problem);
    }

    @Test
    void shouldTellWhetherItGates() {
        assertTrue(new CursorRecord(1, ID, 0, 0, 0, 1, new byte[0], 0).isGating());
        assertFalse(new CursorRecord(1, ID, 0, 0, 0, 0, new byte[0], 0).isGating());
        assertFalse(new CursorRecord(1, ID, 0, 0, 0, 2, new byte[0], 0).isGating());
    }

    @Test
    void shouldBeEqualOnlyIfEachFieldIs() {
        CursorRecord record = record(9, 2);
        assertEquals(record(9, 2), record);
        assertEquals(record(9, 2).hashCode(), record.hashCode());
        assertNotEquals(record, (Object) "record");
        byte[] data = record.userData();
        assertNotEquals(record, new CursorRecord(8, ID, 576, 16, 3, 1, data, -9));
        assertNotEquals(record, new CursorRecord(9, new UUID(1, 2), 576, 16, 3, 1, data, -9));
        assertNotEquals(record, new CursorRecord(9, ID, 577, 16, 3, 1, data, -9));
        assertNotEquals(record, new CursorRecord(9, ID, 576, 17, 3, 1, data, -9));
        assertNotEquals(record, new CursorRecord(9, ID, 576, 16, 4, 1, data, -9));
        assertNotEquals(record, new CursorRecord(9, ID, 576, 16, 3, 0, data, -9));
        assertNotEquals(record, new CursorRecord(9, ID, 576, 16, 3, 1, new byte[2], -9));
        assertNotEquals(record, new CursorRecord(9, ID, 576, 16, 3, 1, data, -8));
    }

    // A name is a file's name: nothing that leaves the directory, hides, or looks like an option.
    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", ".hidden", "-f", "a/b", "a b", "ä", "a\n", "a\0"})
    void shouldRefuseNamesThatAreNoFileNames(String name) {
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> CursorRecord.checkName(name));
        assertTrue(String.valueOf(refusal.getMessage()).contains("1 to 64"), refusal::toString);
    }

    @Test
    void shouldTakeNamesOfOneToSixtyFourCharacters() {
        for (String name : new String[] {"a", "_", "0", "Orders.v2-b", "x".repeat(64)}) {
            assertEquals(name, CursorRecord.checkName(name));
        }
        assertThrows(IllegalArgumentException.class, () -> CursorRecord.checkName("x".repeat(65)));
    }
}
