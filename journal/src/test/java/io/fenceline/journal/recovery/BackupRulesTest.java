package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.BackupReport;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.VerifyReport;
import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.RunFileDescriptor;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.positions.RunFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A writer goes on while its journal is copied: what it does is done between two reads of the copy, so that each
/// moment is looked at. Four segments of 4 KiB, frames of one slot, with the slot's number as sequence.
class BackupRulesTest {
    private static final int SEGMENT = 4096;

    @TempDir
    private Path parent;

    private final HandmadeLog log = new HandmadeLog(Geometry.of(SEGMENT, 4));
    private final MemorySegment words = Arena.ofAuto().allocate(RunFileDescriptor.LENGTH_BYTES, 64);
    private long copyingFrom = -1;
    private Runnable meanwhile = () -> {};

    private void fill(long from, long to) {
        for (long at = from; at < to; at += FrameDescriptor.SLOT_LENGTH_BYTES) {
            log.data(at, at / FrameDescriptor.SLOT_LENGTH_BYTES, 10);
        }
    }

    private void set(int offset, long value) {
        words.set(Bytes.I64, offset, value);
    }

    private BackupReport backup(long published) {
        StateRecord state = new StateRecord(
                3, 4 * SEGMENT, 0, 0, 0, 0, HandmadeLog.EPOCH, 0, Durability.DEVICE.id(), RunFile.bootHash32());
        log.head(state);
        RunFile run = new RunFile(words);
        run.begin(log.superblock.journalId(), published, 0);
        // The pieces that are copied begin at a segment and are whole ones, or the rest of one.
        LogReader reader = (fileOffset, destination, destinationOffset, length) -> {
            log.read(fileOffset, destination, destinationOffset, length);
            if (fileOffset == log.geometry.fileOffset(copyingFrom)) {
                copyingFrom = -1;
                meanwhile.run();
            }
        };
        LogView view = new LogView(log.superblock, MemorySegment.NULL, reader, run, () -> run, state, -1, "the log");
        return new Backup(view).to(parent.resolve("copy"));
    }

    private void whenCopying(long position, Runnable action) {
        copyingFrom = position;
        meanwhile = action;
    }

    private void assertCopy(long from, long to, long firstSequence, long lastSequence) {
        VerifyReport report = Journal.verify(parent.resolve("copy"));
        assertTrue(report.isWhole(), report::toString);
        assertEquals(from, report.from());
        assertEquals(to, report.to());
        assertEquals(firstSequence, report.firstSequence());
        assertEquals(lastSequence, report.lastSequence());
    }

    @Test
    void shouldCopyWhatIsPublished() {
        fill(0, 3 * SEGMENT);
        assertEquals(new BackupReport(0, 2 * SEGMENT + 640, 138, 2 * SEGMENT + 640), backup(2 * SEGMENT + 640));
        assertCopy(0, 2 * SEGMENT + 640, 0, 137);
    }

    @Test
    void shouldCopyASingleFrame() {
        fill(0, 64);
        assertEquals(new BackupReport(0, 64, 1, 64), backup(64));
        assertCopy(0, 64, 0, 0);
    }

    @Test
    void shouldCopyAnEmptyJournal() {
        assertEquals(new BackupReport(0, 0, 0, 0), backup(0));
        assertTrue(Journal.verify(parent.resolve("copy")).isWhole());
    }

    // What comes after a batch is what it says, and so after a PAD.
    @Test
    void shouldTellTheNextSequenceBehindABatch() {
        log.data(0, 0, 10, 10, 10);
        assertEquals(3, backup(128).nextSequence());
    }

    @Test
    void shouldTellTheNextSequenceBehindAPad() {
        log.data(0, 0, 10);
        log.pad(64, 64, 5, FrameDescriptor.FLAG_SEAL);
        assertEquals(5, backup(128).nextSequence());
    }

    // The ring went past the piece that was being read: the copy begins behind what was given up.
    @Test
    void shouldBeginLaterWhereTheRingWentPast() {
        fill(0, 3 * SEGMENT);
        whenCopying(SEGMENT, () -> set(RunFileDescriptor.RETAINED_OFFSET, 2 * SEGMENT));
        assertEquals(new BackupReport(2 * SEGMENT, 3 * SEGMENT, 192, 3 * SEGMENT), backup(3 * SEGMENT));
        assertCopy(2 * SEGMENT, 3 * SEGMENT, 128, 191);
    }

    @Test
    void shouldKeepAPieceThatWasReadBeforeTheRingWentOn() {
        fill(0, 3 * SEGMENT);
        whenCopying(SEGMENT, () -> set(RunFileDescriptor.RETAINED_OFFSET, SEGMENT));
        // Only what was copied of the first segment is given up by now: the copy still begins where it began.
        assertEquals(new BackupReport(0, 3 * SEGMENT, 192, 3 * SEGMENT), backup(3 * SEGMENT));
        assertCopy(0, 3 * SEGMENT, 0, 191);
    }

    // The ring went past everything: from the beginning once more, with what is published by then.
    @Test
    void shouldBeginAnewWhereTheRingWentPastAll() {
        fill(0, 2 * SEGMENT);
        whenCopying(SEGMENT, () -> {
            fill(2 * SEGMENT, 3 * SEGMENT);
            set(RunFileDescriptor.RETAINED_OFFSET, 2 * SEGMENT);
            set(RunFileDescriptor.PUBLISHED_OFFSET, 3 * SEGMENT);
        });
        assertEquals(new BackupReport(2 * SEGMENT, 3 * SEGMENT, 192, 3 * SEGMENT), backup(2 * SEGMENT));
        assertCopy(2 * SEGMENT, 3 * SEGMENT, 128, 191);
    }

    // The end was cut off and written anew while it was copied: what was read before is forgotten.
    @Test
    void shouldBeginAnewWhereTheEndWasCutOff() {
        fill(0, 256);
        whenCopying(0, () -> {
            log.data(128, 9, 10);
            set(RunFileDescriptor.GENERATION_OFFSET, 2);
            set(RunFileDescriptor.PUBLISHED_OFFSET, 192);
        });
        BackupReport report = backup(256);
        assertEquals(192, report.published());
        assertEquals(10, report.nextSequence());
    }

    @Test
    void shouldGiveUpAWriterThatIsAlwaysFaster() {
        fill(0, SEGMENT);
        whenCopying(0, () -> set(RunFileDescriptor.RETAINED_OFFSET, SEGMENT));
        JournalException refusal = assertThrows(JournalException.class, () -> backup(SEGMENT));
        assertTrue(String.valueOf(refusal.getMessage()).contains("went past the backup 100 times"), refusal::toString);
        assertFalse(Files.exists(parent.resolve("copy")));
    }
}
