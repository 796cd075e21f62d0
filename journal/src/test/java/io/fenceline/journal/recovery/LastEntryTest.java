package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import org.junit.jupiter.api.Test;

/// The frame of the last entry: by a hint, backwards, or through whole segments, always the same one.
class LastEntryTest {
    private final HandmadeLog log = new HandmadeLog(Geometry.of(16384, 4));

    private long find(long end, long retained, long sequence, long hint) {
        return new LastEntry(log.frames(), log.geometry, end, retained, sequence).find(hint);
    }

    @Test
    void shouldFindTheLastFrameWithEntriesBehindWhichOnlyPadsLie() {
        log.data(0, 0, 10);
        log.data(64, 1, 100, 100);
        log.pad(384, 64, 3, FrameDescriptor.FLAG_SEAL);
        long end = log.pad(448, 640, 3, 0);
        for (long hint : new long[] {-1, 0, 64, 384, 448, end, 65}) {
            assertEquals(64, find(end, 0, 2, hint), "hint " + hint);
            assertEquals(64, find(end, 0, -1, hint), "hint " + hint);
        }
        assertEquals(0, find(64, 0, 0, -1));
        assertEquals(0, find(64, 0, 0, 0));
    }

    // It must be the entry of that number: another one is not the last.
    @Test
    void shouldFindNothingWhereTheLastEntryHasAnotherNumber() {
        log.data(0, 0, 10);
        long end = log.data(64, 1, 10);
        assertEquals(-1, find(end, 0, 2, -1));
        assertEquals(-1, find(end, 0, 0, -1));
        assertEquals(-1, find(end, 0, 2, 0));
        assertEquals(-1, find(end, 0, 0, 0));
    }

    // After a power cut under PROCESS positions are used again; what the lost writer left there may lie under a PAD.
    @Test
    void shouldNotTakeAFrameUnderAPadForTheLast() {
        log.data(0, 0, 10);
        long last = 64;
        log.data(last, 1, 10);
        log.data(128 + 640, 7, 10);
        log.data(16384 + 1280, 9, 10, 10);
        log.pad(128, 16256, 2, FrameDescriptor.FLAG_SEAL);
        long end = log.pad(16384, 16384, 2, FrameDescriptor.FLAG_SEAL);
        assertEquals(last, find(end, 0, 1, -1));
        assertEquals(-1, find(end, 0, 0, -1));
        assertEquals(-1, find(end, 16384, 1, -1));
    }

    @Test
    void shouldNotLookBelowWhatIsRetained() {
        log.data(0, 0, 10);
        log.pad(64, 16320, 1, 0);
        log.pad(16384, 64, 1, 0);
        assertEquals(0, find(16448, 0, 0, -1));
        assertEquals(-1, find(16448, 16384, 0, -1));
        assertEquals(-1, find(16448, 16384, 0, 0));
        log.data(16384, 1, 10);
        assertEquals(16384, find(16448, 16384, 1, -1));
        assertEquals(16384, find(16448, 16384, 1, 16384));
        assertEquals(-1, find(0, 0, 0, 0));
    }

    // A hint is believed only if a chain of headers leads from it to the end exactly.
    @Test
    void shouldNotBelieveAHintThatDoesNotLeadToTheEnd() {
        log.data(0, 0, 200);
        // The image of a header inside the payload of the first: its chain leads past the end.
        log.header(128, 300, 2, HandmadeLog.EPOCH, FrameDescriptor.KIND_DATA, 0, 1);
        log.seal(0, 248);
        log.data(256, 1, 10);
        long end = log.data(320, 2, 10);
        assertEquals(320, find(end, 0, 2, 128));
        assertEquals(320, find(end, 0, 2, 192));
        // The chain goes on only by whole headers: this one is of another position.
        log.flip(256, FrameDescriptor.POSITION_OFFSET);
        long before = log.reads;
        assertEquals(320, find(end, 0, 2, 0));
        assertTrue(log.reads > before);
    }

    // More headers than a hint is followed over: backwards then.
    @Test
    void shouldGiveUpAHintThatIsTooFarBehind() {
        HandmadeLog wide = new HandmadeLog(Geometry.of(1 << 20, 2));
        long end = 0;
        for (int i = 0; i < 4200; i++) {
            end = wide.data(end, i, 10);
        }
        long last = end - 64;
        for (long hint : new long[] {0, 64 * 103, 64 * 104, 64 * 105, last}) {
            LastEntry entry = new LastEntry(wide.frames(), wide.geometry, end, 0, 4199);
            assertEquals(last, entry.find(hint), "hint " + hint);
        }
    }

    // 17 images of headers in a payload, and the way back gives up; the segment is walked forwards, then the one
    // before.
    @Test
    void shouldWalkSegmentsForwardsWhereTooMuchLooksLikeAFrame() {
        for (int images : new int[] {15, 16, 17, 18, 40}) {
            HandmadeLog full = new HandmadeLog(Geometry.of(16384, 4));
            full.data(0, 0, 10);
            full.data(64, 1, 10);
            full.pad(128, 16256, 2, 0);
            for (int i = 0; i < images; i++) {
                long at = 16384 + 128 + 64L * i;
                full.data(at, 2, 10);
                full.flip(at, 63); // the checksum does not match
            }
            long end = full.header(16384, 4000, 2, HandmadeLog.EPOCH, FrameDescriptor.KIND_DATA, 0, 1);
            LastEntry last = new LastEntry(full.frames(), full.geometry, end, 0, 2);
            assertEquals(16384, last.find(-1), images + " images");
            // Only a PAD instead of that frame: the entry before is in the segment before.
            full.pad(16384, 4032, 2, 0);
            last = new LastEntry(full.frames(), full.geometry, end, 0, 1);
            assertEquals(64, last.find(-1), images + " images");
            last = new LastEntry(full.frames(), full.geometry, end, 16384, 1);
            assertEquals(-1, last.find(-1), images + " images");
        }
    }

    // The hint leads by headers alone: it finds a frame that does not certify any more, which no search does. So it is
    // seen which hints are believed: those from what is retained to before the end, on a slot.
    @Test
    void shouldFollowAHintByHeadersAlone() {
        log.data(0, 0, 10);
        log.data(64, 1, 10);
        long end = log.data(128, 2, 10);
        log.flip(128, 50);
        for (long hint : new long[] {0, 64, 128}) {
            assertEquals(128, find(end, 0, 2, hint), "hint " + hint);
        }
        for (long hint : new long[] {-64, 32, 65, end, end + 64}) {
            assertEquals(-1, find(end, 0, 2, hint), "hint " + hint);
            assertEquals(64, find(end, 0, -1, hint), "hint " + hint);
        }
        log.data(0, 0, 10);
        log.flip(0, 50);
        assertEquals(0, find(64, 0, 0, 0));
        HandmadeLog later = new HandmadeLog(Geometry.of(16384, 4));
        later.pad(0, 16384, 0, 0);
        later.data(16384, 0, 10);
        later.flip(16384, 50);
        LastEntry last = new LastEntry(later.frames(), later.geometry, 16448, 16384, 0);
        assertEquals(-1, last.find(0), "below what is retained");
        assertEquals(16384, last.find(16384));
    }

    @Test
    void shouldFollowAHintOver4096Headers() {
        HandmadeLog wide = new HandmadeLog(Geometry.of(1 << 20, 2));
        long end = 0;
        for (int i = 0; i < 4200; i++) {
            end = wide.data(end, i, 10);
        }
        wide.flip(end - 64, 50);
        LastEntry last = new LastEntry(wide.frames(), wide.geometry, end, 0, 4199);
        assertEquals(end - 64, last.find(end - 4096 * 64));
        assertEquals(-1, last.find(end - 4097 * 64));
    }

    // A frame in the payload that certifies (which takes the salt) is met on the way back, if not too many before it
    // fail; forwards it is not.
    @Test
    void shouldNotTakeAFrameInsideAPayloadForTheLast() {
        for (int images = 14; images < 20; images++) {
            HandmadeLog full = new HandmadeLog(Geometry.of(16384, 4));
            full.pad(0, 16384, 0, 0);
            long inside = 16384 + 128;
            full.data(inside, 9, 10);
            for (int i = 1; i <= images; i++) {
                full.data(inside + 64L * i, 2, 10);
                full.flip(inside + 64L * i, 63);
            }
            long end = full.header(16384, 4000, 2, HandmadeLog.EPOCH, FrameDescriptor.KIND_DATA, 0, 1);
            for (long retained : new long[] {0, 16384}) {
                LastEntry last = new LastEntry(full.frames(), full.geometry, end, retained, 2);
                assertEquals(16384, last.find(-1), images + " images");
            }
        }
    }

    // On the way forwards, too, what does not certify is stepped over slot by slot.
    @Test
    void shouldStepOverDamageOnTheWayForwards() {
        HandmadeLog full = new HandmadeLog(Geometry.of(16384, 4));
        full.data(0, 0, 10);
        full.flip(0, 50);
        for (int i = 0; i < 20; i++) {
            full.data(64 + 128 + 64L * i, 2, 10);
            full.flip(64 + 128 + 64L * i, 63);
        }
        long end = full.header(64, 4000, 1, HandmadeLog.EPOCH, FrameDescriptor.KIND_DATA, 0, 1);
        assertEquals(64, new LastEntry(full.frames(), full.geometry, end, 0, 1).find(-1));
    }
}
