package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.Positions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Where a cut of the end of the log begins: five segments, each of a frame with one entry, a batch of three, a frame
/// with one, and a PAD; so segment n begins with sequence 5 n.
class CutSeekTest {
    private static final int SEGMENT = 4096;
    private static final long END = 5 * SEGMENT;

    private final HandmadeLog log = new HandmadeLog(Geometry.of(SEGMENT, 5));
    private final CutSeek seek = new CutSeek(log, log.superblock);

    @BeforeEach
    void fill() {
        for (int segment = 0; segment < 5; segment++) {
            long start = (long) segment * SEGMENT;
            log.data(start, 5L * segment, 10);
            log.data(start + 64, 5L * segment + 1, 10, 10, 10);
            log.data(start + 192, 5L * segment + 4, 10);
            log.pad(start + 256, SEGMENT - 256, 5L * segment + 5, 0);
        }
    }

    private static long at(long sequence) {
        return sequence / 5 * SEGMENT + (sequence % 5 == 0 ? 0 : sequence % 5 == 1 ? 64 : 192);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 4, 5, 6, 9, 10, 11, 14, 15, 16, 19, 20, 21, 24})
    void shouldFindTheFrameThatBeginsWithAnEntry(long sequence) {
        for (long retained = 0; retained <= at(sequence); retained += SEGMENT) {
            assertEquals(new Positions.Cut(at(sequence), sequence), seek.sequence(sequence, retained, END, 25));
        }
        assertEquals(new Positions.Cut(at(sequence), sequence), seek.position(at(sequence), 0, END, 25));
    }

    @Test
    void shouldTakeTheEndForTheNextEntry() {
        assertEquals(new Positions.Cut(END, 25), seek.sequence(25, 0, END, 25));
        assertEquals(new Positions.Cut(END, 25), seek.position(END, 0, END, 25));
        assertEquals(new Positions.Cut(0, 0), seek.sequence(0, 0, 0, 0));
    }

    @ParameterizedTest
    @CsvSource({"2, 1 to 3 at position 64", "3, 1 to 3 at position 64", "23, 21 to 23 at position 16448"})
    void shouldRefuseToCutABatch(long sequence, String place) {
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> seek.sequence(sequence, 0, END, 25));
        assertTrue(
                String.valueOf(refusal.getMessage()).contains("inside the batch of sequences " + place),
                refusal::toString);
    }

    @ParameterizedTest
    @CsvSource({"-1, 0", "26, 0", "4, 4096", "9223372036854775807, 0"})
    void shouldRefuseAnEntryThatIsNotThere(long sequence, long retained) {
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> seek.sequence(sequence, retained, END, 25));
        assertTrue(String.valueOf(refusal.getMessage()).contains("there is no such entry"), refusal::toString);
    }

    // Numbers that a crash left out are no entries.
    @Test
    void shouldRefuseANumberThatWasLeftOut() {
        log.data(192, 9, 10);
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> seek.sequence(4, 0, SEGMENT, 10));
        assertTrue(String.valueOf(refusal.getMessage()).contains("there is no such entry"), refusal::toString);
        assertEquals(new Positions.Cut(192, 9), seek.sequence(9, 0, SEGMENT, 10));
    }

    @ParameterizedTest
    @CsvSource({"-64, 0", "0, 4096", "63, 0", "32, 0", "20544, 0"})
    void shouldRefuseAPositionOutsideOrBetweenSlots(long position, long retained) {
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> seek.position(position, retained, END, 25));
        assertTrue(String.valueOf(refusal.getMessage()).contains("expected a multiple of 64"), refusal::toString);
    }

    @Test
    void shouldCutAtAPadButNotWhereNoFrameBegins() {
        assertEquals(new Positions.Cut(256, 5), seek.position(256, 0, END, 25));
        IllegalArgumentException refusal =
                assertThrows(IllegalArgumentException.class, () -> seek.position(128, 0, END, 25));
        assertTrue(String.valueOf(refusal.getMessage()).contains("no frame begins there"), refusal::toString);
        log.header(192, 64, 0, HandmadeLog.EPOCH, 0x80, 0, 0);
        CutSeek again = new CutSeek(log, log.superblock);
        assertThrows(IllegalArgumentException.class, () -> again.position(192, 0, END, 25));
    }

    // Damage on the way is named; damage elsewhere is none of its business.
    @Test
    void shouldNameDamageOnItsWayOnly() {
        log.flip(2 * SEGMENT + 64, 50);
        JournalException.Corrupt refusal =
                assertThrows(JournalException.Corrupt.class, () -> seek.sequence(14, 0, END, 25));
        String text = String.valueOf(refusal.getMessage());
        assertTrue(text.contains("position 8256"), text);
        assertTrue(text.contains("file offset " + log.geometry.fileOffset(8256)), text);
        assertTrue(text.contains("(4) checksum does not match"), text);
        assertEquals(new Positions.Cut(at(9), 9), seek.sequence(9, 0, END, 25));
        assertEquals(new Positions.Cut(at(16), 16), seek.sequence(16, 0, END, 25));
    }
}
