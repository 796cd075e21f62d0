package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameReaderTest {
    private static final int WINDOW_LENGTH_BYTES = 256 << 10;

    private final HandmadeLog log = new HandmadeLog(Geometry.of(2 << 20, 2));
    private final FrameReader frames = log.frames();

    private FrameVerdict certify(long position) {
        return frames.certify(position, 0, HandmadeLog.EPOCH);
    }

    // Frames of each length about the bounds of the window and of what is checksummed another way.
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4000, 4047, 4048, 4049, 8000, (256 << 10) - 48, (256 << 10) - 47, 300_000, 500_000})
    void shouldCertifyAFrameOfAnyLengthAndNoFlippedByteOfIt(int payload) {
        log.data(64, 7, payload);
        int length = 48 + (payload + 7) / 8 * 8;
        for (int damaged : new int[] {4, 39, 40, length / 2, length - 1}) {
            frames.refresh();
            assertEquals(FrameVerdict.DATA, certify(64));
            assertEquals(frames.checksum(), frames.computedChecksum());
            assertEquals(length, frames.length());
            assertEquals(64 + (length + 63) / 64 * 64, frames.nextPosition());
            log.flip(64, damaged);
            frames.refresh();
            assertFalse(certify(64).isValid(), "byte " + damaged);
            // Once more: the checksums of long frames are computed in another way from now on.
            frames.refresh();
            assertFalse(certify(64).isValid(), "byte " + damaged);
            log.flip(64, damaged);
        }
        frames.refresh();
        assertEquals(FrameVerdict.DATA, certify(64));
    }

    @Test
    void shouldTellTheHeaderOfWhatItJudged() {
        log.header(128, 64, 9, 3, 0x93, 1, 17);
        assertEquals(FrameVerdict.SKIPPABLE, certify(128));
        assertEquals(128, frames.position());
        assertEquals(128, frames.framePosition());
        assertEquals(64, frames.length());
        assertEquals(9, frames.sequence());
        assertEquals(77, frames.timestamp());
        assertEquals(3, frames.epoch());
        assertEquals(0x93, frames.kind());
        assertEquals(1, frames.flags());
        assertEquals(17, frames.entries());
        log.pad(192, 4096, 10, 0);
        frames.refresh();
        assertEquals(FrameVerdict.PAD, certify(192));
        assertEquals(192 + 4096, frames.nextPosition());
        assertEquals(FrameVerdict.BAD_EPOCH, frames.certify(192, 6, 9));
        assertEquals(0, frames.computedChecksum(), "not computed");
        assertEquals(FrameVerdict.BAD_EPOCH, frames.certify(192, 0, 4));
    }

    // Forwards a window is read once for all the frames in it; backwards, too.
    @Test
    void shouldReadEachByteOnceInEitherDirection() {
        long end = 0;
        while (end < WINDOW_LENGTH_BYTES * 2) {
            end = log.data(end, end / 64, 10);
        }
        for (long position = 0; position < end; position += 64) {
            assertEquals(FrameVerdict.DATA, certify(position));
        }
        assertEquals(2 * WINDOW_LENGTH_BYTES, frames.bytesRead());
        assertEquals(2, log.reads);
        frames.refresh();
        for (long position = end - 64; position >= 0; position -= 64) {
            assertEquals(FrameVerdict.DATA, certify(position));
        }
        // The first slot on the way back is read as if the way went forwards.
        assertTrue(log.reads <= 2 + 1 + 3, "reads " + log.reads);
    }

    @Test
    void shouldSeeNewBytesOnlyAfterARefresh() {
        assertEquals(FrameVerdict.EMPTY, certify(0));
        log.data(64, 0, 10);
        assertEquals(FrameVerdict.EMPTY, certify(64));
        frames.refresh();
        assertEquals(FrameVerdict.DATA, certify(64));
    }

    // A bad block costs the frames on its page, and no other, wherever the reader comes from.
    @Test
    void shouldReadWhatLiesAroundABadBlock() {
        for (long at = 0; at < 16384; at += 64) {
            log.data(at, at / 64, 10);
        }
        log.unreadablePages.add(log.geometry.fileOffset(8192));
        for (int pass = 0; pass < 2; pass++) {
            for (long at = 0; at < 16384; at += 64) {
                long position = pass == 0 ? at : 16384 - 64 - at;
                boolean bad = position >= 8192 && position < 12288;
                assertEquals(bad ? FrameVerdict.UNREADABLE : FrameVerdict.DATA, certify(position), "at " + position);
            }
            frames.refresh();
        }
    }

    // The accessors tell nothing of the frame before when a slot cannot be read.
    @Test
    void shouldForgetTheFrameBeforeWhereNothingCanBeRead() {
        log.data(0, 7, 10);
        assertEquals(FrameVerdict.DATA, certify(0));
        log.unreadablePages.add(log.geometry.fileOffset(1 << 20));
        assertEquals(FrameVerdict.UNREADABLE, certify(1 << 20));
        assertEquals(0, frames.sequence());
        assertEquals(0, frames.length());
        assertEquals(1 << 20, frames.position());
        assertEquals(FrameVerdict.DATA, certify(0));
    }

    // A long frame with a bad block inside cannot be judged, whichever way its checksum is computed.
    @Test
    void shouldNotJudgeAFrameThatCannotBeReadWhole() {
        long second = log.data(0, 0, 400_000);
        log.data(second, 1, 400_000);
        log.unreadablePages.add(log.geometry.fileOffset(389_120));
        assertEquals(FrameVerdict.UNREADABLE, certify(0));
        log.flip(second, 1000);
        assertEquals(FrameVerdict.BAD_CHECKSUM, certify(second));
        assertEquals(FrameVerdict.UNREADABLE, certify(0));
        log.unreadablePages.clear();
        assertEquals(FrameVerdict.DATA, certify(0));
    }

    // Nor does a block that cannot be read cost the long frame in front of it: neither what is read ahead for its
    // header, nor for the rest of it, reaches farther than it may, whichever way its checksum is computed.
    @ParameterizedTest
    @ValueSource(longs = {272 << 10, 400 << 10})
    void shouldJudgeALongFrameThatEndsInFrontOfABadBlock(long badBlock) {
        log.data(64, 0, 5000);
        log.flip(64, 1000);
        long position = 256 << 10; // the last slot in the window of the first
        log.data(position, 1, (int) ((272 << 10) - 2112 - position));
        assertEquals(FrameVerdict.DATA, certify(position));
        frames.refresh();
        assertEquals(FrameVerdict.BAD_CHECKSUM, certify(64));
        log.unreadablePages.add(log.geometry.fileOffset(badBlock));
        assertEquals(FrameVerdict.DATA, certify(position));
        frames.refresh();
        assertEquals(FrameVerdict.DATA, certify(position));
    }

    // What is in memory is what was judged, also where a frame fills what was read, and the file changes meanwhile.
    @Test
    void shouldGiveTheBytesThatItJudgedWhereAFrameIsInMemory() {
        byte[] expected = new byte[WINDOW_LENGTH_BYTES];
        log.data(0, 0, WINDOW_LENGTH_BYTES - 48);
        log.read(log.geometry.fileOffset(0), MemorySegment.ofArray(expected), 0, expected.length);
        assertEquals(FrameVerdict.DATA, certify(0));
        assertEquals(expected.length, frames.length());
        assertTrue(frames.isInMemory());
        log.flip(0, 1);
        log.flip(0, 100);
        byte[] bytes = new byte[expected.length];
        frames.readFrame(0, MemorySegment.ofArray(bytes), bytes.length);
        assertArrayEquals(expected, bytes);
    }

    @Test
    void shouldGiveTheBytesOfAFrameFromMemoryOrFromTheFile() {
        log.data(0, 0, 1000);
        long second = 1088;
        log.data(second, 1, 400_000);
        assertEquals(FrameVerdict.DATA, certify(0));
        assertTrue(frames.isInMemory());
        assertPayload(0, 1000);
        assertEquals(FrameVerdict.DATA, certify(second));
        assertFalse(frames.isInMemory());
        assertPayload(390_000, 10_000);
        assertPayload(0, 100);
        long before = log.reads;
        frames.refresh();
        assertPayload(0, 100);
        assertNotEquals(before, log.reads);
    }

    private void assertPayload(int from, int length) {
        byte[] bytes = new byte[length];
        frames.readFrame(48L + from, MemorySegment.ofArray(bytes), length);
        byte[] expected = new byte[length];
        for (int i = 0; i < length; i++) {
            expected[i] = (byte) (from + i);
        }
        assertArrayEquals(expected, bytes);
    }

    @Test
    void shouldCountTheBytesThatItReads() {
        log.data(0, 0, 10);
        assertEquals(0, frames.bytesRead());
        certify(0);
        assertEquals(WINDOW_LENGTH_BYTES, frames.bytesRead());
        byte[] far = new byte[100];
        frames.readFrame(1 << 20, MemorySegment.ofArray(far), 100);
        assertEquals(WINDOW_LENGTH_BYTES + 100, frames.bytesRead());
        // A long frame that is damaged, and again: its checksum is computed in another way then.
        log.data(64, 1, 400_000);
        log.flip(64, 1000);
        for (int pass = 0; pass < 2; pass++) {
            frames.refresh();
            assertEquals(FrameVerdict.BAD_CHECKSUM, certify(64));
            assertEquals(log.bytesRead, frames.bytesRead());
        }
    }

    // At the end of a segment the window is cut: what follows in the stream lies elsewhere in the file.
    @Test
    void shouldNotReadAcrossTheEndOfASegment() {
        long last = (2 << 20) - 128;
        log.data(last, 3, 70);
        log.data(2 << 20, 4, 10);
        assertEquals(FrameVerdict.DATA, certify(last));
        assertEquals(128, frames.bytesRead());
        assertEquals(2 << 20, frames.nextPosition());
        assertEquals(FrameVerdict.DATA, certify(2 << 20));
        assertEquals(FrameVerdict.DATA, certify(last));
        assertEquals(FrameDescriptor.KIND_DATA, frames.kind());
    }
}
