package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FormatExamples;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Which superblock copy and which state record is believed, over the head of a file in memory.
class HeadTest {
    private static final long LENGTH = FormatExamples.GEOMETRY.fileLengthBytes();
    private static final Superblock SUPERBLOCK = FormatExamples.SUPERBLOCK;

    private final ByteBuffer file =
            ByteBuffer.allocateDirect(Geometry.HEAD_LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final Set<Long> unreadablePages = new HashSet<>();
    private long length = LENGTH;

    HeadTest() {
        file.put(0, FormatExamples.superblock());
        file.put(1 << 20, FormatExamples.superblock());
    }

    @Test
    void shouldBelieveTheNewestRecord() {
        for (int version = 1; version <= 300; version++) {
            write(record(version));
            assertEquals(record(version), read().state());
        }
        assertEquals(List.of(), read().warnings());
    }

    @Test
    void shouldBelieveTheRecordBeforeWhenTheNewestIsTornInBothMirrors() {
        write(record(6));
        write(record(7));
        flip(StateRecord.fileOffset(7, 0) + 8);
        flip(StateRecord.fileOffset(7, 1) + 60);
        assertEquals(record(6), read().state());
    }

    @Test
    void shouldUseTheMirrorWhenALineHasRotted() {
        write(record(6));
        write(record(7));
        for (int mirror = 0; mirror < 2; mirror++) {
            long at = StateRecord.fileOffset(7, mirror) + 16;
            flip(at);
            assertEquals(record(7), read().state());
            flip(at);
        }
    }

    @Test
    void shouldUseTheMirrorAndSayWhereWhenAPageIsUnreadable() {
        write(record(6));
        write(record(7));
        unreadablePages.add(StateRecord.pageFileOffset(1, 0));
        Head head = read();
        assertEquals(record(7), head.state());
        assertEquals(1, head.warnings().size());
        assertTrue(head.warnings().get(0).contains("state page at offset 8192"), head.warnings()::toString);
    }

    @Test
    void shouldRefuseMirrorsThatDiffer() {
        write(record(6));
        write(record(7));
        StateRecord other = new StateRecord(7, 16384, 0, 0, 0, 0, 2, 0, 3, 0x1a2b3c4d);
        write(other, 1);
        JournalException.Corrupt e = assertThrows(JournalException.Corrupt.class, this::read);
        assertMessage(e, "two valid state records of version 7 differ");
    }

    /// The newest record wins even if it cannot be used: an older promise must not be believed instead.
    @Test
    void shouldRefuseAnUnknownFlagOfTheNewestRecord() {
        write(record(6));
        write(new StateRecord(7, 16384, 0, 0, 0, 0, 1, 64, 3, 0));
        JournalException e = assertThrows(JournalException.class, this::read);
        assertMessage(e, "state record 7 cannot be used: unknown flags 0x40");
    }

    @Test
    void shouldNotCareAboutAnUnknownFlagOfAnOlderRecord() {
        write(new StateRecord(6, 16384, 0, 0, 0, 0, 1, 64, 3, 0));
        write(record(7));
        assertEquals(record(7), read().state());
    }

    @Test
    void shouldRefuseSenselessPositionsOfTheNewestRecord() {
        write(record(6));
        write(new StateRecord(7, Long.MAX_VALUE & -64, 0, 0, 0, 0, 1, 0, 3, 0));
        JournalException e = assertThrows(JournalException.class, this::read);
        assertMessage(e, "state record 7 cannot be used: senseless positions");
    }

    @Test
    void shouldIgnoreAMisplacedRecord() {
        write(record(6));
        write(record(7));
        ByteBuffer line = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES);
        record(9).encode(line, SUPERBLOCK.salt());
        file.put((int) StateRecord.fileOffset(7 + 4, 0), line, 0, StateRecord.LENGTH_BYTES);
        file.put((int) StateRecord.fileOffset(6, 1) + 128, line, 0, StateRecord.LENGTH_BYTES);
        assertEquals(record(7), read().state());
    }

    @Test
    void shouldRefuseAHeadWithoutARecord() {
        JournalException.Corrupt e = assertThrows(JournalException.Corrupt.class, this::read);
        assertMessage(e, "no valid state record");
    }

    @Test
    void shouldUseEitherSuperblockAndReportTheOther() {
        write(record(1));
        for (int copy = 0; copy < 2; copy++) {
            long at = Superblock.fileOffset(copy) + 40;
            flip(at);
            Head head = read();
            assertEquals(SUPERBLOCK, head.superblock());
            assertEquals(1, head.warnings().size());
            assertTrue(head.warnings().get(0).contains("superblock copy " + copy), head.warnings()::toString);
            flip(at);
        }
    }

    @Test
    void shouldRefuseTwoDamagedSuperblocks() {
        write(record(1));
        flip(40);
        flip((1 << 20) + 40);
        JournalException.Corrupt e = assertThrows(JournalException.Corrupt.class, this::read);
        assertMessage(e, "both superblock copies are damaged");
    }

    @Test
    void shouldRefuseTwoWholeSuperblocksThatDiffer() {
        write(record(1));
        putSuperblock(1, 80, 1);
        JournalException.Corrupt e = assertThrows(JournalException.Corrupt.class, this::read);
        assertMessage(e, "both whole but differ");
    }

    @Test
    void shouldRefuseANewerVersionWhateverTheOtherCopySays() {
        write(record(1));
        for (int copy = 0; copy < 2; copy++) {
            putSuperblock(copy, Superblock.VERSION_OFFSET, 2);
            JournalException.Unsupported e = assertThrows(JournalException.Unsupported.class, this::read);
            assertMessage(e, "format version 2");
            putSuperblock(copy, Superblock.VERSION_OFFSET, 1);
        }
    }

    @Test
    void shouldSayThatAForeignFileIsNoJournal() {
        file.put(0, new byte[128]).put(1 << 20, new byte[128]);
        assertMessage(assertThrows(JournalException.NotAJournal.class, this::read), "is not a journal");
        length = 0;
        assertMessage(assertThrows(JournalException.NotAJournal.class, this::read), "the file ends before it");
    }

    @Test
    void shouldSayBothLengthsWhenTheFileWasTruncatedOrExtended() {
        write(record(1));
        for (long wrong : new long[] {LENGTH - 1, LENGTH + 1, 2 << 20, (1 << 20) + 128}) {
            length = wrong;
            JournalException.Corrupt e = assertThrows(JournalException.Corrupt.class, this::read);
            assertMessage(e, "expected " + LENGTH + " bytes");
            assertMessage(e, "actual " + wrong);
        }
    }

    private static StateRecord record(long version) {
        return new StateRecord(version, 16384, 0, 0, 0, 0, 1, 0, 3, 0x1a2b3c4d);
    }

    private void write(StateRecord record) {
        write(record, 0);
        write(record, 1);
    }

    private void write(StateRecord record, int mirror) {
        ByteBuffer line = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES);
        record.encode(line, SUPERBLOCK.salt());
        file.put((int) StateRecord.fileOffset(record.version(), mirror), line, 0, StateRecord.LENGTH_BYTES);
    }

    private void flip(long at) {
        file.put((int) at, (byte) (file.get((int) at) ^ 0x10));
    }

    /// Changes a field of one copy under a checksum that matches again.
    private void putSuperblock(int copy, int fieldOffset, int value) {
        int at = (int) Superblock.fileOffset(copy);
        file.putInt(at + fieldOffset, value);
        int crc = new Crc32c().of(file.duplicate(), at, at + Superblock.CRC_OFFSET, 0);
        file.putInt(at + Superblock.CRC_OFFSET, crc);
    }

    private Head read() {
        return Head.read(this::pread, length, "journal.log");
    }

    private void pread(long fileOffset, MemorySegment destination, long destinationOffset, long lengthBytes) {
        if (unreadablePages.contains(fileOffset)) {
            throw new JournalException.Io("cannot read 4096 bytes at offset " + fileOffset + ": I/O error", 5);
        }
        MemorySegment.copy(
                MemorySegment.ofBuffer(file.clear()), fileOffset, destination, destinationOffset, lengthBytes);
    }

    private static void assertMessage(JournalException e, String text) {
        assertTrue(String.valueOf(e.getMessage()).contains(text), e.getMessage());
    }
}
