package io.fenceline.journal.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CalibrationRecordTest {
    private static final List<Integer> COSTS = List.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1, Integer.MIN_VALUE);

    private static ByteBuffer encoded(int strategy) {
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(CalibrationRecord.LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        new CalibrationRecord(strategy, -2, -3, COSTS).encode(bytes);
        return bytes;
    }

    @ParameterizedTest
    @CsvSource({"0, false", "1, true", "2, true", "3, true", "4, false", "-1, false"})
    void shouldReadBackARecordOfAKnownStrategyOnly(int strategy, boolean known) {
        CalibrationRecord expected = known ? new CalibrationRecord(strategy, -2, -3, COSTS) : null;
        assertEquals(expected, CalibrationRecord.decode(encoded(strategy)));
    }

    // It is a hint: what is damaged, or of another version, is none.
    @Test
    void shouldNotBelieveAFlippedBit() {
        ByteBuffer bytes = encoded(1);
        for (int bit = 0; bit < 8 * CalibrationRecord.LENGTH_BYTES; bit++) {
            byte whole = bytes.get(bit / 8);
            bytes.put(bit / 8, (byte) (whole ^ 1 << bit % 8));
            assertNull(CalibrationRecord.decode(bytes), "bit " + bit);
            bytes.put(bit / 8, whole);
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "4, 1", "8, 2", "8, 0"})
    void shouldNotBelieveAnotherMagicOrVersionUnderAValidChecksum(int at, int value) {
        ByteBuffer bytes = encoded(1);
        bytes.putInt(at, value);
        int crc = new Crc32c().of(bytes, 0, CalibrationRecord.CRC_OFFSET, 0);
        bytes.clear().putInt(CalibrationRecord.CRC_OFFSET, crc);
        assertNull(CalibrationRecord.decode(bytes));
    }

    @Test
    void shouldTakeTwelveCosts() {
        assertThrows(IllegalArgumentException.class, () -> new CalibrationRecord(1, 0, 0, COSTS.subList(0, 11)));
    }
}
