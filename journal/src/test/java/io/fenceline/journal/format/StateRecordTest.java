package io.fenceline.journal.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StateRecordTest {
    private static final int SALT = FormatExamples.SALT;

    /// 128 successive records lie on 256 lines, none twice; neighbours never share a page; record v + 128 is where v
    /// was.
    @Test
    void shouldGiveEachOfOneHundredTwentyEightRecordsItsOwnTwoLines() {
        Map<Long, Long> lines = new HashMap<>();
        for (long version = 1000; version < 1128; version++) {
            Set<Long> pages = new HashSet<>();
            for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
                long offset = StateRecord.fileOffset(version, mirror);
                assertNull(lines.put(offset, version), "line at " + offset + " used twice");
                assertEquals(0, offset % StateRecord.LENGTH_BYTES);
                assertEquals(offset, StateRecord.fileOffset(version + 128, mirror));
                pages.add(offset / 4096);
                assertTrue(
                        offset / 4096 != StateRecord.fileOffset(version + 1, 0) / 4096
                                && offset / 4096 != StateRecord.fileOffset(version + 1, 1) / 4096,
                        "the next record must lie on other pages");
            }
            assertEquals(2, pages.size());
            assertEquals(1L << 20, StateRecord.fileOffset(version, 1) - StateRecord.fileOffset(version, 0));
        }
        assertEquals(256, lines.size());
        assertEquals(
                Set.of(1L, 2L, 257L, 258L),
                new HashSet<>(
                        lines.keySet().stream().map(offset -> offset / 4096).toList()));
    }

    @Test
    void shouldDecodeARecordOnlyWhereItBelongs() {
        byte[] bytes = FormatExamples.state();
        for (int pair = 0; pair < StateRecord.PAIRS; pair++) {
            for (int line = 0; line < StateRecord.LINES; line++) {
                ByteBuffer page = ByteBuffer.allocateDirect(StateRecord.PAGE_LENGTH_BYTES);
                page.put(line * StateRecord.LENGTH_BYTES, bytes);
                StateRecord found = StateRecord.decode(page, pair, line, SALT);
                if (pair == 1 && line == 1) {
                    assertEquals(FormatExamples.STATE, found);
                } else {
                    assertNull(found, "record 3 was believed at line " + line + " of pair " + pair);
                }
            }
        }
    }

    @Test
    void shouldNotBelieveALineWithAFlippedBit() {
        byte[] bytes = FormatExamples.state();
        for (int bit = 0; bit < 8 * StateRecord.LENGTH_BYTES; bit++) {
            ByteBuffer page = ByteBuffer.allocateDirect(StateRecord.PAGE_LENGTH_BYTES);
            page.put(StateRecord.LENGTH_BYTES, bytes);
            int at = StateRecord.LENGTH_BYTES + bit / 8;
            page.put(at, (byte) (page.get(at) ^ 1 << bit % 8));
            assertNull(StateRecord.decode(page, 1, 1, SALT), "bit " + bit);
        }
    }

    @Test
    void shouldNotBelieveTheRecordOfAnotherSaltNorZeros() {
        ByteBuffer page = ByteBuffer.allocateDirect(StateRecord.PAGE_LENGTH_BYTES);
        assertNull(StateRecord.decode(page, 0, 0, SALT));
        page.put(StateRecord.LENGTH_BYTES, FormatExamples.state());
        assertNull(StateRecord.decode(page, 1, 1, SALT + 1));
    }

    @Test
    void shouldNotBelieveAVersionBelowOne() {
        for (long version : new long[] {0, -2, Long.MIN_VALUE}) {
            ByteBuffer line = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES);
            new StateRecord(version, 0, 0, 0, 0, 0, 0, 1, 3, 0).encode(line, SALT);
            ByteBuffer page = ByteBuffer.allocateDirect(StateRecord.PAGE_LENGTH_BYTES);
            page.put(0, line, 0, StateRecord.LENGTH_BYTES);
            assertNull(StateRecord.decode(page, 0, 0, SALT), "version " + version);
        }
    }

    @Test
    void shouldFindNothingWrongWithTheRecordsOfAHealthyJournal() {
        assertNull(FormatExamples.STATE.problem(FormatExamples.GEOMETRY));
        assertNull(new StateRecord(1, 0, 0, 0, 0, 0, 0, 1, 1, 0).problem(FormatExamples.GEOMETRY));
        assertNotNull(new StateRecord(Long.MAX_VALUE, 0, 0, 0, 0, 0, 0, 1, 1, 0).problem(FormatExamples.GEOMETRY));
        assertNull(new StateRecord(9, 24576, 12288, 7, 8192, 64, 5, 4, 2, -1).problem(FormatExamples.GEOMETRY));
        // The largest that there may be, and the next ones.
        assertNull(of(StateRecord.LARGEST, 8192, 4096, 4096).problem(FormatExamples.GEOMETRY));
        assertNotNull(of(StateRecord.LARGEST + 1, 8192, 4096, 4096).problem(FormatExamples.GEOMETRY));
        long lease = StateRecord.LARGEST & -64;
        long retained = StateRecord.LARGEST & -4096;
        assertNull(of(2, lease, retained, retained).problem(FormatExamples.GEOMETRY));
        assertNotNull(of(2, lease + 64, retained, retained).problem(FormatExamples.GEOMETRY));
    }

    private static StateRecord of(long version, long lease, long floor, long retained) {
        return new StateRecord(version, lease, floor, 0, retained, 0, 1, 0, 3, 0);
    }

    @Test
    void shouldTellItsFlagsApart() {
        for (int flags = 0; flags < 8; flags++) {
            StateRecord record = new StateRecord(1, 0, 0, 0, 0, 0, 0, flags, 1, 0);
            assertEquals((flags & 1) != 0, record.isClean());
            assertEquals((flags & 2) != 0, record.isTruncating());
            assertEquals((flags & 4) != 0, record.isEmulated());
        }
    }

    // Every bit of every field survives, on the last line of a page, also through a big-endian view of a line that
    // holds another record.
    @Test
    void shouldReadBackEveryField() {
        StateRecord old = new StateRecord(253, 1, 2, 3, 4, 5, 6, 7, 3, 9);
        StateRecord record = new StateRecord(255, -2, -3, -4, -5, -6, -7, 0xFEDC, 0xBA, -8);
        ByteBuffer line = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES);
        old.encode(line, SALT);
        record.encode(line, SALT);
        ByteBuffer page = ByteBuffer.allocateDirect(StateRecord.PAGE_LENGTH_BYTES);
        page.put(63 * StateRecord.LENGTH_BYTES, line, 0, StateRecord.LENGTH_BYTES);
        assertEquals(record, StateRecord.decode(page, 1, 63, SALT));
    }

    /// The geometry is 4 segments of 4096 bytes. Each line breaks one rule of `docs/FORMAT.md`, section 5.
    @ParameterizedTest
    @CsvSource({
        // lease, floor, floorSequence, retained, epochStart, epoch, flags, durability, text
        "8192, 8192, 0, 4096, 0, 1, 3, 3, senseless positions",
        "8192, 4096, 0, 4096, 0, 1, 8, 3, unknown flags 0x8",
        "8192, 4096, 0, 4096, 0, 1, 32769, 3, unknown flags 0x8000",
        "8192, 4096, 0, 4096, 0, 1, 0, 0, unknown durability 0",
        "8192, 4096, 0, 4096, 0, 1, 0, 4, unknown durability 4",
        "8192, 4096, 0, 4096, 0, 1, 0, 255, unknown durability 255",
        "8192, 4096, 0, -4096, 0, 1, 0, 3, senseless",
        "8192, 4096, 0, 64, 0, 1, 0, 3, senseless",
        "8192, 4096, 0, 8192, 0, 1, 0, 3, senseless",
        "4096, 8192, 0, 4096, 0, 1, 0, 3, senseless",
        "20544, 4096, 0, 4096, 0, 1, 0, 3, senseless",
        "8192, 4096, 0, 4096, -64, 1, 0, 3, senseless",
        "8192, 4096, 0, 4096, 8256, 1, 0, 3, senseless",
        "8192, 4096, -1, 4096, 0, 1, 0, 3, senseless",
        "8192, 4096, 0, 4096, 0, -1, 0, 3, senseless",
        "8193, 4096, 0, 4096, 0, 1, 0, 3, senseless",
        "8192, 4104, 0, 4096, 0, 1, 0, 3, senseless",
        "8192, 4096, 0, 4096, 32, 1, 0, 3, senseless",
        "8192, 4096, 0, 4096, 0, 1, 1, 3, senseless",
        "9223372036854775744, 9223372036854771712, 0, 9223372036854771712, 0, 1, 0, 3, senseless",
        "-64, -64, 0, -4096, 0, 1, 0, 3, senseless",
        "8192, 4096, 0, 4096, 0, 2147483647, 0, 3, senseless",
        "8192, 4096, 9223372034707292160, 4096, 0, 1, 0, 3, senseless",
    })
    void shouldRefuseSenselessFields(
            long lease,
            long floor,
            long floorSequence,
            long retained,
            long epochStart,
            int epoch,
            int flags,
            int durability,
            String text) {
        StateRecord record =
                new StateRecord(3, lease, floor, floorSequence, retained, epochStart, epoch, flags, durability, 0);
        String problem = record.problem(FormatExamples.GEOMETRY);
        assertNotNull(problem);
        assertTrue(problem.contains(text), problem);
    }
}
