package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.RecoveryReport.Verdict;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What recovery says of a log that was made by hand, number by number.
class RecoveryScanTest {
    private static final int EPOCH = HandmadeLog.EPOCH;
    private static final long LEASE = 4096;

    private final HandmadeLog log = new HandmadeLog(Geometry.of(16384, 8));

    private RecoveryReport scan(StateRecord state) {
        return new Recovery(log, new Head(log.superblock, state, List.of("a warning")), 1, "the log").scan();
    }

    private static StateRecord state(long floor, long floorSequence, int flags) {
        return state(floor, floorSequence, 0, flags, Durability.DEVICE, 1);
    }

    private static StateRecord state(
            long floor, long floorSequence, long epochStart, int flags, Durability level, int boot) {
        return new StateRecord(7, LEASE, floor, floorSequence, 0, epochStart, EPOCH, flags, level.id(), boot);
    }

    @Test
    void shouldCountWhatItKeepsAndWhatItSeals() {
        log.data(0, 0, 10);
        log.data(64, 1, 10, 10, 10);
        log.data(256, 4, 10);
        log.pad(320, 128, 5, FrameDescriptor.FLAG_SEAL);
        log.data(448, 7, 10, 10);
        RecoveryReport report = scan(state(64, 1, 0));
        assertEquals(Verdict.RECOVERED, report.verdict());
        assertTrue(report.reason().contains("ended without closing"), report.reason());
        assertEquals(64, report.floor());
        assertEquals(LEASE, report.lease());
        assertEquals(3, report.keptFrames());
        assertEquals(6, report.keptEntries());
        assertEquals(128 + 64 + 128, report.keptBytes());
        assertEquals(1, report.holes());
        assertEquals(64 + 128 + (LEASE - 576), report.sealedBytes());
        assertEquals(0, report.droppedFrames());
        assertEquals(8, report.lastSequence());
        assertEquals(448, report.lastPosition());
        assertEquals(9, report.nextSequence());
        assertEquals(LEASE, report.nextPosition());
        assertTrue(report.scannedBytes() > 0);
        assertTrue(report.durationNs() >= 0 && report.durationNs() < 600_000_000_000L, report::toString);
        assertEquals(List.of("a warning"), report.warnings());
    }

    // From position 0 on: the first slot may be a hole, or hold the very first entry.
    @Test
    void shouldRecoverFromTheFirstSlotOfAll() {
        RecoveryReport nothing = scan(state(0, 0, 0));
        assertEquals(LEASE, nothing.sealedBytes());
        assertEquals(-1, nothing.lastSequence());
        assertEquals(-1, nothing.lastPosition());
        log.data(0, 0, 10);
        RecoveryReport first = scan(state(0, 0, 0));
        assertEquals(0, first.lastSequence());
        assertEquals(0, first.lastPosition());
        assertEquals(LEASE - 64, first.sealedBytes());
    }

    @Test
    void shouldFindTheLastEntryBelowTheFloorWhereNothingIsKept() {
        log.data(0, 0, 10, 10);
        log.data(128, 2, 10);
        log.pad(192, 64, 3, 0);
        for (int flags : new int[] {0, StateRecord.FLAG_TRUNCATING}) {
            RecoveryReport report = scan(state(256, 3, flags));
            assertEquals(2, report.lastSequence());
            assertEquals(128, report.lastPosition());
            assertEquals(3, report.nextSequence());
            assertEquals(LEASE - 256, report.sealedBytes());
        }
    }

    // Told to find nothing, it finds nothing, whatever lies there.
    @Test
    void shouldFindNothingInATruncation() {
        log.data(0, 0, 10);
        log.data(64, 1, 10);
        RecoveryReport report = scan(state(64, 1, StateRecord.FLAG_TRUNCATING));
        assertEquals(0, report.keptFrames());
        assertEquals(LEASE - 64, report.sealedBytes());
        assertEquals(0, report.lastSequence());
        assertTrue(report.reason().contains("truncated the log to position 64"), report.reason());
    }

    @Test
    void shouldScanNothingAfterACleanClose() {
        log.data(0, 0, 10);
        StateRecord clean = log.state(64, 1);
        RecoveryReport report = scan(clean);
        assertEquals(Verdict.CLEAN, report.verdict());
        assertEquals("closed in order", report.reason());
        assertEquals(0, report.keptFrames());
        assertEquals(0, report.sealedBytes());
        assertEquals(0, report.lastSequence());
        assertEquals(0, report.lastPosition());
        assertEquals(64, report.nextPosition());
    }

    // §4 (3): at and beyond epochStart only the record's epoch is right.
    @ParameterizedTest
    @CsvSource({"64, 1", "128, 2", "192, 3", "256, 3"})
    void shouldTakeOlderEpochsOnlyBelowEpochStart(long epochStart, long kept) {
        log.dataOf(0, 0, EPOCH - 1, 0, 10);
        log.dataOf(64, 1, EPOCH - 1, 0, 10);
        log.dataOf(128, 2, EPOCH - 1, 0, 10);
        RecoveryReport report = scan(state(0, 0, epochStart, 0, Durability.DEVICE, 1));
        assertEquals(kept, report.keptFrames());
        assertEquals(kept, report.nextSequence());
    }

    @Test
    void shouldDropWhatLiesBehindAHoleAfterAPowerCutAtLevelProcess() {
        log.data(64, 0, 10);
        log.pad(128, 8192, 1, 0); // across the lease
        RecoveryReport report = scan(state(0, 0, 0, 0, Durability.PROCESS, 2));
        assertEquals(Verdict.POWER_LOST, report.verdict());
        assertEquals(2, report.droppedFrames());
        assertEquals(0, report.keptFrames());
        assertEquals(LEASE, report.sealedBytes());
        assertTrue(report.reason().contains("the machine went down"), report.reason());
        // In the boot that wrote it, it is a process crash, and what straddles the lease shows that a record was lost.
        assertThrows(JournalException.Corrupt.class, () -> scan(state(0, 0, 0, 0, Durability.PROCESS, 1)));
        assertThrows(JournalException.Corrupt.class, () -> scan(state(0, 0, 0, 0, Durability.DEVICE, 2)));
    }

    // Sequences never go back among entries; a PAD says only what comes next.
    @Test
    void shouldRefuseASequenceThatGoesBack() {
        log.data(0, 5, 10);
        log.pad(64, 64, 2, 0);
        assertEquals(2, scan(state(0, 5, 0)).keptFrames());
        log.data(128, 5, 10);
        JournalException.Corrupt refusal = assertThrows(JournalException.Corrupt.class, () -> scan(state(0, 5, 0)));
        String text = String.valueOf(refusal.getMessage());
        assertTrue(text.contains("position 128 has sequence 5, expected 6 or more"), text);
        log.data(128, 6, 10);
        assertEquals(3, scan(state(0, 5, 0)).keptFrames());
    }

    // A first lease beyond the lease is looked at, and no more: the rest of the ring is none of recovery's business.
    @Test
    void shouldLookForALostRecordAsFarAsAFirstLease() {
        log.data(LEASE + Recovery.BEYOND_LENGTH_BYTES, 9, 10);
        assertEquals(0, scan(state(0, 0, 0)).keptFrames());
        log.dataOf(LEASE + Recovery.BEYOND_LENGTH_BYTES - 64, 9, EPOCH - 1, 0, 10);
        assertEquals(0, scan(state(0, 0, 0)).keptFrames());
        log.data(LEASE + Recovery.BEYOND_LENGTH_BYTES - 64, 9, 10);
        JournalException.Corrupt refusal = assertThrows(JournalException.Corrupt.class, () -> scan(state(0, 0, 0)));
        assertTrue(
                String.valueOf(refusal.getMessage()).contains("lies beyond the lease 4096 of state record 7"),
                refusal::toString);
    }

    @Test
    void shouldRefuseAFrameOfANewerVersion() {
        log.header(0, 64, 0, EPOCH, 3, 0, 1);
        JournalException.Unsupported refusal =
                assertThrows(JournalException.Unsupported.class, () -> scan(state(0, 0, 0)));
        assertTrue(String.valueOf(refusal.getMessage()).contains("kind 3 with flags 0"), refusal::toString);
    }

    // Where every line holds a torn record, one is written over; where nothing can be read, too: storing may mend it.
    @Test
    void shouldChooseALineWithoutATornRecordIfThereIsOne() {
        log.head(state(0, 0, 0));
        int salt = log.superblock.salt();
        assertEquals(8, StateLines.freshVersion(log, 7, salt));
        log.junk(StateRecord.fileOffset(8, 1), StateRecord.LENGTH_BYTES);
        assertEquals(10, StateLines.freshVersion(log, 7, salt));
        for (int mirror = 0; mirror < 2; mirror++) {
            log.junk(StateRecord.pageFileOffset(0, mirror), StateRecord.PAGE_LENGTH_BYTES);
        }
        assertEquals(8, StateLines.freshVersion(log, 7, salt));
        log.unreadablePages.add(StateRecord.pageFileOffset(0, 0));
        log.unreadablePages.add(StateRecord.pageFileOffset(0, 1));
        assertEquals(8, StateLines.freshVersion(log, 7, salt));
        HandmadeLog half = new HandmadeLog(log.geometry).head(state(0, 0, 0));
        half.unreadablePages.add(StateRecord.pageFileOffset(0, 0));
        half.junk(StateRecord.fileOffset(8, 1), StateRecord.LENGTH_BYTES);
        assertEquals(10, StateLines.freshVersion(half, 7, salt));
    }

    // A copy of the superblock that cannot be read is like one that rotted.
    @Test
    void shouldUseTheOtherSuperblockWhereOneCannotBeRead() {
        log.head(state(0, 0, 0));
        for (int copy = 0; copy < 2; copy++) {
            log.unreadablePages.add((long) copy << 20);
            Head head = Head.read(log, log.geometry.fileLengthBytes(), "the log");
            assertEquals(log.superblock, head.superblock());
            assertEquals(state(0, 0, 0), head.state());
            assertEquals(1, head.warnings().size());
            assertTrue(head.warnings().getFirst().contains("superblock copy " + copy), head.warnings()::toString);
            assertTrue(head.warnings().getFirst().contains("bad block"), head.warnings()::toString);
            log.unreadablePages.clear();
        }
    }

    // A file that was cut inside of its head: the second copy is there only if all of it is.
    @Test
    void shouldReadASuperblockOnlyWhereAllOfItIs() {
        log.head(state(0, 0, 0));
        long second = 1 << 20;
        assertEquals(
                1, Head.readLenient(log, second + 128, "the log").warnings().size());
        assertEquals(
                2, Head.readLenient(log, second + 127, "the log").warnings().size());
        assertEquals(2, Head.readLenient(log, second, "the log").warnings().size());
        assertEquals(
                0,
                Head.readLenient(log, log.geometry.fileLengthBytes(), "the log")
                        .warnings()
                        .size());
    }
}
