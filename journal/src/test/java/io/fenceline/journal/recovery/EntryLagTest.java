package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fenceline.journal.Durability;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.positions.LogView;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/// A floor at 64 with sequence 3, and frames behind it up to what is published: 3, 4 to 6, a PAD, 9.
class EntryLagTest {
    private final HandmadeLog log = new HandmadeLog(Geometry.of(4096, 3));

    EntryLagTest() {
        log.data(0, 2, 10);
        log.data(64, 3, 10);
        log.data(128, 4, 10, 10, 10);
        log.pad(256, 64, 7, 0);
        log.data(320, 9, 10);
        log.head(state(64, 3));
    }

    private static StateRecord state(long floor, long floorSequence) {
        return new StateRecord(3, 4096, floor, floorSequence, 0, 0, HandmadeLog.EPOCH, 0, Durability.DEVICE.id(), 0);
    }

    private EntryLag lag(long published) {
        return EntryLag.of(new LogView(
                log.superblock, MemorySegment.NULL, log, null, () -> null, state(published, 0), -1, "the log"));
    }

    @Test
    void shouldCountTheEntriesUpToWhatIsPublished() {
        EntryLag lag = lag(384);
        assertEquals(384, lag.published());
        assertEquals(10, lag.nextSequence());
        assertEquals(0, lag.fromSequence(10));
        assertEquals(0, lag.fromSequence(11));
        assertEquals(1, lag.fromSequence(9));
        assertEquals(10, lag.fromSequence(0));
        assertEquals(8, lag.fromPosition(0));
        assertEquals(7, lag.fromPosition(64));
        assertEquals(6, lag.fromPosition(128));
        assertEquals(3, lag.fromPosition(256));
        assertEquals(1, lag.fromPosition(320));
        assertEquals(0, lag.fromPosition(384));
        assertEquals(0, lag.fromPosition(448));
        assertEquals(EntryLag.UNKNOWN, lag.fromPosition(192));
    }

    // The floor's own sequence where nothing is published behind it; a PAD at the end takes no number.
    @Test
    void shouldGoByTheFloorWhereNothingIsPublishedBehindIt() {
        assertEquals(3, lag(64).nextSequence());
        assertEquals(4, lag(128).nextSequence());
        assertEquals(7, lag(320).nextSequence());
    }

    // Headers must lead exactly to what is published: else somebody is cutting the log, or the place was reused.
    @Test
    void shouldNotKnowWhereHeadersDoNotLeadToTheEnd() {
        EntryLag lag = lag(448);
        assertEquals(EntryLag.UNKNOWN, lag.nextSequence());
        assertEquals(EntryLag.UNKNOWN, lag.fromSequence(0));
        assertEquals(EntryLag.UNKNOWN, lag.fromPosition(0));
        assertEquals(0, lag.fromPosition(448));
        assertEquals(EntryLag.UNKNOWN, lag(192).nextSequence());
    }
}
