package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EntryCursorTest {
    private static final int SEGMENT_LENGTH_BYTES = 2 << 20;

    private final HandmadeLog log = new HandmadeLog(Geometry.of(SEGMENT_LENGTH_BYTES, 2));
    private final FrameReader frames = log.frames();
    private final EntryCursor entries = new EntryCursor(frames);

    private void certify(int... lengths) {
        log.data(0, 0, lengths);
        frames.refresh();
        assertEquals(FrameVerdict.DATA, frames.certify(0, 0, HandmadeLog.EPOCH));
    }

    // Each entry at its place, with its bytes, whatever the lengths: longer than a window, empty, many in a window.
    @ParameterizedTest
    @CsvSource({"1, 0", "1, 500000", "3, 150000", "900, 9", "5000, 60", "300, 1500", "40, 9000"})
    void shouldGoThroughEachEntry(int count, int longest) {
        Random random = new Random(count);
        int[] lengths = new int[count];
        for (int i = 0; i < count; i++) {
            lengths[i] = count == 1 ? longest : random.nextInt(longest + 1);
        }
        certify(lengths);
        entries.begin();
        int offset = FrameDescriptor.HEADER_LENGTH_BYTES;
        for (int i = 0; i < count; i++) {
            assertTrue(entries.next(), "entry " + i);
            assertEquals(i, entries.index());
            assertEquals(lengths[i], entries.payloadLength());
            assertEquals(100 + i, entries.type());
            assertEquals(offset + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES, entries.payloadOffset());
            if (lengths[i] > 1) {
                byte[] last = new byte[1];
                entries.read(lengths[i] - 1, MemorySegment.ofArray(last), 1);
                assertEquals((byte) (lengths[i] - 1), last[0]);
            }
            offset += FrameDescriptor.entryLength(lengths[i]);
        }
        assertFalse(entries.next());
        assertFalse(entries.next());
        entries.begin();
        assertTrue(entries.fillsFrame());
    }

    // Windows of 1, 4, 16, 64 KiB where entries are near each other, of 1 KiB where they are far.
    @ParameterizedTest
    @CsvSource({
        // entries, their length, reads, bytes read
        "6000, 56, 9, 384000",
        "3, 150000, 3, 3072",
        "1, 100, 1, 112",
        "16, 56, 1, 1024",
        "17, 56, 2, 1088",
        "5, 60000, 4, 87040"
    })
    void shouldReadNoMoreThanItNeeds(int count, int length, int reads, int bytesRead) {
        int[] lengths = new int[count];
        java.util.Arrays.fill(lengths, length);
        certify(lengths);
        frames.refresh(); // nothing of the frame is in memory
        long bytesBefore = frames.bytesRead();
        long readsBefore = log.reads;
        entries.begin();
        assertTrue(entries.fillsFrame());
        assertEquals(reads, log.reads - readsBefore);
        assertEquals(bytesRead, frames.bytesRead() - bytesBefore);
    }

    // A checksum that matches proves no length: whoever knows the salt may claim any.
    @ParameterizedTest
    @CsvSource({
        // entries in the header, length of the second entry (16 bytes are there), steps, whether they fill the frame
        "2, 16, 2, true",
        "2, 9, 2, true",
        "2, 8, 2, false",
        "2, 17, 1, false",
        "2, 24, 1, false",
        "2, -1, 1, false",
        "2, -2147483648, 1, false",
        "2, 2147483647, 1, false",
        "1, 16, 1, false",
        "3, 16, 2, false",
        "65535, 16, 2, false",
    })
    void shouldEndWhereAnEntryWouldLeaveTheFrame(int count, int secondLength, int steps, boolean fills) {
        log.data(0, 0, 16, 16);
        log.putInt(0, 40 + 24, secondLength);
        log.header(0, 40 + 48, 0, HandmadeLog.EPOCH, FrameDescriptor.KIND_DATA, 0, count);
        assertEquals(FrameVerdict.DATA, frames.certify(0, 0, HandmadeLog.EPOCH));
        entries.begin();
        for (int i = 0; i < steps; i++) {
            assertTrue(entries.next());
        }
        assertFalse(entries.next());
        entries.begin();
        assertEquals(fills, entries.fillsFrame());
    }

    // The rest of a frame that is shorter than an entry's header is none.
    @Test
    void shouldNotTakeTheRestOfAFrameForAHeader() {
        log.data(0, 0, 16, 0);
        for (int rest = 0; rest <= 8; rest++) {
            log.header(0, 40 + 24 + rest, 0, HandmadeLog.EPOCH, FrameDescriptor.KIND_DATA, 0, 2);
            frames.refresh();
            assertEquals(FrameVerdict.DATA, frames.certify(0, 0, HandmadeLog.EPOCH));
            entries.begin();
            assertTrue(entries.next());
            assertEquals(rest == 8, entries.next(), "rest " + rest);
            entries.begin();
            assertEquals(rest == 8, entries.fillsFrame(), "rest " + rest);
        }
    }

    @Test
    void shouldFindNoEntryInAPad() {
        log.pad(0, 4096, 0, 0);
        assertEquals(FrameVerdict.PAD, frames.certify(0, 0, HandmadeLog.EPOCH));
        entries.begin();
        assertFalse(entries.next());
    }
}
