package io.fenceline.tailer;

import static io.fenceline.tailer.Journals.append;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.Batch;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.Superblock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TailerDamageTest {
    private static final int BATCH_AT = 20;
    private static final int BATCH_SIZE = 5;

    @TempDir
    Path temporary;

    private final List<Long> positions = new ArrayList<>();
    private Path directory = Path.of("");
    private Superblock superblock = new Superblock(new java.util.UUID(0, 0), 0, Geometry.of(4096, 2), 0, 0);

    /// 40 frames, closed; frame 20 is a batch.
    private void write(String name) {
        directory = temporary.resolve(name);
        positions.clear();
        try (Journal journal = Journals.open(directory, 64 << 10, 2);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            superblock = journal.view().superblock();
            for (int i = 0; i < 40; i++) {
                if (i == BATCH_AT) {
                    Batch batch = appender.batch();
                    for (int k = 0; k < BATCH_SIZE; k++) {
                        assertTrue(batch.add(MemorySegment.ofArray(Journals.payload(i + k, 50)), (i + k) * 7));
                    }
                    positions.add(batch.commit());
                } else {
                    positions.add(append(appender, 100 + i));
                }
            }
        }
    }

    private FileChannel log() throws IOException {
        return FileChannel.open(directory.resolve("journal.log"), StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private void flipBit(long position, int bit) throws IOException {
        try (FileChannel log = log()) {
            long at = superblock.geometry().fileOffset(position) + bit / 8;
            ByteBuffer octet = ByteBuffer.allocate(1);
            assertEquals(1, log.read(octet, at));
            octet.put(0, (byte) (octet.get(0) ^ 1 << bit % 8));
            assertEquals(1, log.write(octet.flip(), at));
        }
    }

    private static int poll(Tailer tailer, List<Long> seen) {
        return tailer.poll(
                entry -> {
                    Journals.check(entry);
                    seen.add(entry.sequence());
                },
                1000);
    }

    /// The frame is refused, poll after poll, what is before it is delivered, and the message names it.
    private Throwable refuses(int frame, boolean verifyChecksums, Class<? extends JournalException> type) {
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            Tailer tailer =
                    Tailer.open(journal, Start.oldest(), TailerConfig.defaults().withVerifyChecksums(verifyChecksums));
            List<Long> seen = new ArrayList<>();
            if (frame > 0) {
                assertEquals(frame <= BATCH_AT ? frame : frame + BATCH_SIZE - 1, poll(tailer, seen));
            }
            long position = positions.get(frame);
            JournalException refusal = assertThrows(type, () -> poll(tailer, seen));
            assertEquals(
                    refusal.getMessage(),
                    assertThrows(type, () -> poll(tailer, seen)).getMessage());
            assertEquals(position, tailer.position());
            String where = "%s, position %d (file offset %d): "
                    .formatted(
                            directory.resolve("journal.log"),
                            position,
                            superblock.geometry().fileOffset(position));
            assertTrue(refusal.toString().contains(where), refusal::toString);
            return refusal;
        }
    }

    @Test
    void shouldNameTheFrameWhenAnyBitOfItIsDamaged() throws IOException {
        write("journal");
        for (int frame : new int[] {0, 7, BATCH_AT, 39}) {
            int length = 8 * (FrameDescriptor.HEADER_LENGTH_BYTES + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES + 20);
            for (int bit = 0; bit < length; bit += 5) {
                flipBit(positions.get(frame), bit);
                refuses(frame, true, JournalException.Corrupt.class);
                flipBit(positions.get(frame), bit);
            }
        }
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            assertEquals(40 + BATCH_SIZE - 1, poll(Tailer.open(journal, Start.oldest()), new ArrayList<>()));
        }
    }

    @Test
    void shouldSayWhatWasExpectedWhenAFrameIsDamaged() throws IOException {
        write("journal");
        String[][] cases = {
            {"" + 8 * FrameDescriptor.CHECKSUM_OFFSET, "expected checksum 0x"},
            {"" + (8 * FrameDescriptor.LENGTH_OFFSET + 31), "that ends before position"},
            {"" + (8 * FrameDescriptor.POSITION_OFFSET + 20), "expected a frame with this position, found one with"},
            {"" + 8 * FrameDescriptor.EPOCH_OFFSET, "expected a frame of epoch 1 or greater, found epoch 0"},
            {"" + 8 * FrameDescriptor.HEADER_LENGTH_BYTES, "expected checksum 0x"},
        };
        for (String[] damage : cases) {
            flipBit(positions.get(9), Integer.parseInt(damage[0]));
            Throwable refusal = refuses(9, true, JournalException.Corrupt.class);
            assertTrue(refusal.toString().contains(damage[1]), refusal::toString);
            flipBit(positions.get(9), Integer.parseInt(damage[0]));
        }
    }

    @Test
    void shouldCheckLengthsButNoPayloadsWhenChecksumsAreOff() throws IOException {
        write("journal");
        long payload = 8L * (FrameDescriptor.HEADER_LENGTH_BYTES + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES);
        flipBit(positions.get(5), (int) payload);
        List<Long> seen = new ArrayList<>();
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            Tailer tailer =
                    Tailer.open(journal, Start.oldest(), TailerConfig.defaults().withVerifyChecksums(false));
            assertEquals(40 + BATCH_SIZE - 1, tailer.poll(entry -> seen.add(entry.sequence()), 1000));
        }
        refuses(5, true, JournalException.Corrupt.class);
        flipBit(positions.get(5), (int) payload);
        for (int bit : new int[] {3, 9, 17, 30, 31}) {
            flipBit(positions.get(9), 8 * FrameDescriptor.HEADER_LENGTH_BYTES + bit);
            Throwable refusal = refuses(9, false, JournalException.Corrupt.class);
            assertTrue(refusal.toString().contains("that fill a frame"), refusal::toString);
            flipBit(positions.get(9), 8 * FrameDescriptor.HEADER_LENGTH_BYTES + bit);
        }
        // A batch whose second entry ends elsewhere: no part of it is delivered.
        int second = FrameDescriptor.HEADER_LENGTH_BYTES + FrameDescriptor.entryLength(50);
        flipBit(positions.get(BATCH_AT), 8 * second + 4);
        refuses(BATCH_AT, false, JournalException.Corrupt.class);
    }

    /// Writes a frame's header anew, with a checksum that is right.
    private void rewrite(long position, int kind, int flags, int entries, long sequence) throws IOException {
        try (FileChannel log = log();
                Arena arena = Arena.ofConfined()) {
            long at = superblock.geometry().fileOffset(position);
            ByteBuffer bytes = arena.allocate(4096).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            log.read(bytes, at);
            MemorySegment frame = MemorySegment.ofBuffer(bytes.clear());
            int length = FrameDescriptor.length(frame, 0);
            FrameDescriptor.writeHeader(
                    frame, 0, length, position, sequence, 0, FrameDescriptor.epoch(frame, 0), kind, flags, entries);
            ByteBuffer copy = ByteBuffer.allocateDirect(4096);
            MemorySegment.ofBuffer(copy).copyFrom(frame);
            int checksum = new Crc32c().of(copy, FrameDescriptor.CHECKSUM_START, length, superblock.salt());
            FrameDescriptor.checksum(MemorySegment.ofBuffer(copy.clear()), 0, checksum);
            assertEquals(length, log.write(copy.clear().limit(length), at));
        }
    }

    @Test
    void shouldSkipAnUnknownKindWhenItMayBeSkippedAndRefuseItElse() throws IOException {
        write("journal");
        rewrite(positions.get(9), FrameDescriptor.KIND_SKIPPABLE_BIT | 5, 0, 1, 9);
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            List<Long> seen = new ArrayList<>();
            assertEquals(40 + BATCH_SIZE - 2, poll(Tailer.open(journal, Start.oldest()), seen));
            assertEquals(List.of(8L, 10L), seen.subList(8, 10));
        }
        rewrite(positions.get(9), 5, 0, 1, 9);
        Throwable kind = refuses(9, true, JournalException.Unsupported.class);
        assertTrue(kind.toString().contains("kind 5"), kind::toString);
        rewrite(positions.get(9), FrameDescriptor.KIND_DATA, 4, 1, 9);
        Throwable flags = refuses(9, true, JournalException.Unsupported.class);
        assertTrue(flags.toString().contains("flags 0x4"), flags::toString);
        rewrite(positions.get(9), FrameDescriptor.KIND_DATA, 0, 1, 8);
        Throwable sequence = refuses(9, true, JournalException.Corrupt.class);
        assertTrue(sequence.toString().contains("sequence 9 or greater, found sequence 8"), sequence::toString);
        rewrite(positions.get(9), FrameDescriptor.KIND_DATA, 0, 2, 9);
        refuses(9, true, JournalException.Corrupt.class);
        rewrite(positions.get(9), FrameDescriptor.KIND_DATA, 0, 0, 9);
        refuses(9, true, JournalException.Corrupt.class);
    }

    /// Goal: a file that is truncated under a live mapping is an exception that names it, also in compiled code,
    /// where HotSpot delivers the fault late; nothing that was not read is delivered, and the JVM lives.
    @Test
    void shouldThrowIoWhenTheFileIsTruncatedUnderTheMapping() throws IOException {
        directory = temporary.resolve("journal");
        int count = 30_000;
        try (Journal journal = Journals.open(directory, 1 << 20, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            superblock = journal.view().superblock();
            for (int i = 0; i < count; i++) {
                positions.add(append(appender, 30));
            }
        }
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            List<Long> seen = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                assertEquals(count, drain(Tailer.open(journal, Start.oldest()), seen));
            }
            for (int round = 0; round < 10; round++) {
                int cut = count - 2000 - 777 * round;
                try (FileChannel log = log()) {
                    log.truncate(superblock.geometry().fileOffset(positions.get(cut)) & -4096);
                }
                Tailer tailer = Tailer.open(journal, Start.oldest());
                seen.clear();
                JournalException.Io io = assertThrows(JournalException.Io.class, () -> drain(tailer, seen));
                assertTrue(io.toString().contains(directory.resolve("journal.log") + ""), io::toString);
                assertTrue(seen.size() <= cut, () -> seen.size() + " entries of " + cut);
                assertThrows(JournalException.Io.class, () -> drain(tailer, seen));
            }
        }
    }

    private static int drain(Tailer tailer, List<Long> seen) {
        seen.clear();
        int delivered = 0;
        for (int n = poll(tailer, seen); n > 0; n = poll(tailer, seen)) {
            delivered += n;
        }
        return delivered;
    }
}
