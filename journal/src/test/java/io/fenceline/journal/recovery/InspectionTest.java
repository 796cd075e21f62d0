package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.DamagedRange;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.VerifyReport;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.RunFileDescriptor;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.positions.RunFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is said of a journal that is looked at from outside: from where to where, what is whole, what is not.
class InspectionTest {
    private static final int SEGMENT = 4096;
    private static final int BOOT = RunFile.bootHash32();
    private static final JournalConfig CONFIG = JournalConfig.defaults().withDurability(Durability.PROCESS);

    @TempDir
    private Path parent;

    private final HandmadeLog log = new HandmadeLog(Geometry.of(SEGMENT, 4));

    private static StateRecord state(long floor, long sequence, long lease, int flags, Durability level, int boot) {
        return new StateRecord(7, lease, floor, sequence, 0, 0, HandmadeLog.EPOCH, flags, level.id(), boot);
    }

    private static StateRecord crashed(long floor, long sequence, long lease) {
        return state(floor, sequence, lease, 0, Durability.DEVICE, BOOT);
    }

    private Path save(StateRecord state) throws IOException {
        return log.head(state).save(parent.resolve("journal"));
    }

    /// Three entries below 192.
    private void fill() {
        log.data(0, 3, 10);
        log.data(64, 4, 10, 10);
    }

    private static void poke(Path directory, int offset, long value) throws IOException {
        try (FileChannel words = FileChannel.open(directory.resolve("journal.run"), StandardOpenOption.WRITE)) {
            ByteBuffer word = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            words.write(word.putLong(0, value), offset);
        }
    }

    private static long peek(Path directory, int offset) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(directory.resolve("journal.run")))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong(offset);
    }

    @Test
    void shouldCountWhatIsWhole() throws IOException {
        fill();
        log.pad(192, 64, 6, 0);
        Path directory = save(log.state(256, 6));
        VerifyReport report = Journal.verify(directory);
        assertTrue(report.isWhole(), report::toString);
        assertEquals(0, report.from());
        assertEquals(256, report.to());
        assertEquals(3, report.frames());
        assertEquals(3, report.entries());
        assertEquals(3, report.firstSequence());
        assertEquals(5, report.lastSequence());
        assertEquals(List.of(), report.damage());
        assertEquals(0, report.damagedRanges());
        assertEquals(0, report.damagedBytes());
        assertEquals(0, report.overwrittenBytes());
        assertEquals(256, report.unrecoveredEnd());
        assertEquals(0, report.unrecoveredFrames());
        assertFalse(report.writerAlive());
        assertTrue(report.durationNs() >= 0 && report.durationNs() < 600_000_000_000L, report::toString);
        assertEquals(List.of(), report.warnings());
        try (Inspection inspection = Inspection.open(directory)) {
            assertEquals(64, inspection.lastFrame());
            assertEquals(log.superblock, inspection.superblock());
            assertEquals(log.state(256, 6), inspection.state());
            assertEquals(
                    directory.resolve("journal.log").toRealPath(),
                    inspection.logPath().toRealPath());
        }
    }

    // What a crash left between floor and lease is for recovery to judge: counted, never called damaged.
    @Test
    void shouldCountWhatIsNotRecoveredApart() throws IOException {
        fill();
        log.data(256, 6, 10, 10, 10);
        log.pad(384, 64, 9, 0);
        log.data(448, 9, 10);
        VerifyReport report = Journal.verify(save(crashed(192, 6, 1024)));
        assertTrue(report.isWhole(), report::toString);
        assertEquals(192, report.to());
        assertEquals(1024, report.unrecoveredEnd());
        assertEquals(2, report.frames());
        assertEquals(3, report.unrecoveredFrames());
        assertEquals(4, report.unrecoveredEntries());
    }

    @Test
    void shouldAddUpWhatIsDamaged() throws IOException {
        long end = 0;
        for (int i = 0; i < 40; i++) {
            end = log.data(end, i, 10);
        }
        log.flip(64, 50);
        log.flip(512, 50);
        log.flip(576, 50);
        VerifyReport report = Journal.verify(save(log.state(end, 40)));
        assertFalse(report.isWhole());
        assertEquals(2, report.damagedRanges());
        assertEquals(64 + 128, report.damagedBytes());
        assertEquals(37, report.frames());
        assertEquals(37, report.entries());
        assertEquals(
                List.of(64L, 512L),
                report.damage().stream().map(DamagedRange::from).toList());
    }

    // The first thousand are named, all are counted.
    @Test
    void shouldNameAThousandRangesAtMost() throws IOException {
        HandmadeLog large = new HandmadeLog(Geometry.of(1 << 20, 2));
        long end = 0;
        for (int i = 0; i < 2200; i++) {
            end = large.data(end, i, 10);
        }
        for (long at = 0; at < end; at += 128) {
            large.flip(at, 50);
        }
        VerifyReport report = Journal.verify(large.head(large.state(end, 2200)).save(parent.resolve("large")));
        assertEquals(1100, report.damagedRanges());
        assertEquals(1100 * 64, report.damagedBytes());
        assertEquals(VerifyReport.MAXIMUM_RANGES, report.damage().size());
        assertEquals(1100, report.frames());
    }

    @Test
    void shouldTellHowFarItIs() throws IOException {
        HandmadeLog large = new HandmadeLog(Geometry.of(1 << 20, 4));
        for (int segment = 1; segment < 4; segment++) {
            for (int quarter = 0; quarter < 4; quarter++) {
                large.pad((segment << 20) + (quarter << 18), 1 << 18, 0, 0);
            }
        }
        List<Long> told = new ArrayList<>();
        StateRecord clean =
                new StateRecord(7, 4 << 20, 4 << 20, 0, 1 << 20, 0, HandmadeLog.EPOCH, 1, Durability.DEVICE.id(), 0);
        Path directory = large.head(clean).save(parent.resolve("large"));
        Journal.verify(directory, (done, total) -> {
            assertEquals(3 << 20, total);
            told.add(done);
        });
        assertEquals(List.of(1L << 20, 2L << 20, 3L << 20, 3L << 20), told);
    }

    @Test
    void shouldTellAFileOfTheWrongLength() throws IOException {
        fill();
        Path directory = save(log.state(192, 6));
        Path file = directory.resolve("journal.log");
        long length = Files.size(file);
        Files.write(file, new byte[64], StandardOpenOption.APPEND);
        assertWrongLength(directory, length, length + 64, length);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(length - 4096);
        }
        assertWrongLength(directory, length, length - 4096, length - 4096);
    }

    private static void assertWrongLength(Path directory, long expected, long actual, long at) {
        VerifyReport report = Journal.verify(directory);
        assertEquals(1, report.damagedRanges(), report::toString);
        DamagedRange range = report.damage().getFirst();
        assertEquals(at, range.fileOffset());
        assertEquals(192, range.from());
        assertEquals(192, range.to());
        assertTrue(range.reason().contains("expected " + expected + " bytes, actual " + actual), range::reason);
        assertEquals(1, report.warnings().size());
        assertEquals(2, report.frames());
    }

    // A frame of the newest epoch beyond the lease, as far as a first lease or the ring goes: a record was lost.
    @Test
    void shouldTellThatTheNewestRecordWasLost() throws IOException {
        fill();
        log.data(1024 - 64, 7, 10);
        Path directory = save(crashed(192, 6, 1024));
        assertTrue(Journal.verify(directory).isWhole(), "before the lease anything may lie");
        rewrite(directory, 1024, HandmadeLog.EPOCH - 1);
        assertTrue(Journal.verify(directory).isWhole(), "older frames are of an older lap");
        rewrite(directory, 1024, HandmadeLog.EPOCH);
        assertLost(directory, 1024, "lies beyond the lease 1024 of state record 7");
        rewrite(directory, 4 * SEGMENT - 64, HandmadeLog.EPOCH);
        assertLost(directory, 1024, "a newer state record was lost");
        log.flip(1024, 50);
        rewrite(directory, 4 * SEGMENT - 64, HandmadeLog.EPOCH);
        assertLost(directory, 4 * SEGMENT - 64, "a newer state record was lost");
    }

    private void rewrite(Path directory, long position, int epoch) throws IOException {
        log.dataOf(position, 9, epoch, 0, 10);
        Path other = log.save(parent.resolve("other" + position + epoch));
        Files.move(
                other.resolve("journal.log"),
                directory.resolve("journal.log"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Files.delete(other);
    }

    private void assertLost(Path directory, long at, String text) {
        VerifyReport report = Journal.verify(directory);
        assertEquals(1, report.damagedRanges(), report::toString);
        DamagedRange range = report.damage().getFirst();
        assertEquals(at, range.from());
        assertEquals(at, range.to());
        assertEquals(log.geometry.fileOffset(at), range.fileOffset());
        assertTrue(range.reason().contains(text), range::reason);
    }

    @Test
    void shouldWarnOfAPowerCutAtLevelProcess() throws IOException {
        fill();
        Path directory = save(state(192, 6, 1024, 0, Durability.PROCESS, ~BOOT));
        VerifyReport report = Journal.verify(directory);
        assertEquals(1, report.warnings().size());
        assertTrue(report.warnings().getFirst().startsWith("POWER_LOST"), report::toString);
        log.save(parent.resolve("unused"));
        for (StateRecord other : List.of(
                state(192, 6, 1024, 0, Durability.PROCESS, BOOT), state(192, 6, 1024, 0, Durability.DEVICE, ~BOOT))) {
            Path safe = log.head(other).save(parent.resolve("safe" + other.durability()));
            assertEquals(List.of(), Journal.verify(safe).warnings());
        }
    }

    // Beside a writer what it has published must be whole; the words say so, not the record.
    @Test
    void shouldGoByTheWordsOfAWriter() throws IOException {
        fill();
        Path directory = save(crashed(192, 6, 1024));
        try (Journal journal = Journal.open(directory, CONFIG)) {
            VerifyReport report = Journal.verify(directory);
            assertTrue(report.writerAlive());
            assertTrue(report.isWhole(), report::toString);
            assertEquals(journal.published(), report.to());
            assertEquals(journal.published(), report.unrecoveredEnd());
            assertEquals(1024, report.to());
            poke(directory, RunFileDescriptor.PUBLISHED_OFFSET, 192);
            assertEquals(192, Journal.verify(directory).to());
            poke(directory, RunFileDescriptor.PUBLISHED_OFFSET, 2048);
            VerifyReport lost = Journal.verify(directory);
            assertEquals(1, lost.damagedRanges(), lost::toString);
            assertEquals(1024, lost.damage().getFirst().from());
            assertTrue(
                    lost.damage().getFirst().reason().contains("all before 2048 is published, expected at most"),
                    lost::toString);
            poke(directory, RunFileDescriptor.PUBLISHED_OFFSET, 1024);
            // Words that no writer stores are not believed.
            poke(directory, RunFileDescriptor.RETAINED_OFFSET, 64);
            VerifyReport report2 = Journal.verify(directory);
            assertEquals(0, report2.from());
            assertEquals(1024, report2.to());
            poke(directory, RunFileDescriptor.RETAINED_OFFSET, 0);
            // While the end is cut off, only what is below the floor.
            poke(directory, RunFileDescriptor.PUBLISHED_OFFSET, 512);
            long generation = peek(directory, RunFileDescriptor.GENERATION_OFFSET);
            poke(directory, RunFileDescriptor.GENERATION_OFFSET, generation + 1);
            VerifyReport cut = Journal.verify(directory);
            assertEquals(1024, cut.to());
            assertEquals(1024, cut.unrecoveredEnd());
            poke(directory, RunFileDescriptor.GENERATION_OFFSET, generation);
            poke(directory, RunFileDescriptor.PUBLISHED_OFFSET, 1024);
        }
        assertFalse(Journal.verify(directory).writerAlive());
    }

    // Words of a dead writer prove nothing, but more published than was leased is worth a word.
    @Test
    void shouldWarnOfWordsThatKnowMoreThanTheRecord() throws IOException {
        fill();
        Path directory = save(crashed(192, 6, 1024));
        Journal.open(directory, CONFIG).close();
        assertEquals(List.of(), Journal.verify(directory).warnings());
        poke(directory, RunFileDescriptor.PUBLISHED_OFFSET, 2048);
        VerifyReport report = Journal.verify(directory);
        assertTrue(report.isWhole(), report::toString);
        assertEquals(1, report.warnings().size());
        assertTrue(
                report.warnings().getFirst().contains("all before 2048 was published, beyond the lease 1024"),
                report::toString);
        poke(directory, RunFileDescriptor.PUBLISHED_OFFSET, 4 * SEGMENT + 64);
        assertEquals(List.of(), Journal.verify(directory).warnings(), "no writer can have stored that");
    }

    // The ring goes on under an open inspection: what it went past is not damage, and what it cut off neither.
    @Test
    void shouldFollowTheRingThatGoesPast() throws IOException {
        long end = 0;
        for (int i = 0; end < 3 * SEGMENT; i++) {
            end = log.data(end, i, 10);
        }
        Path directory = save(log.state(end, 192));
        try (Journal journal = Journal.open(directory, CONFIG);
                Inspection inspection = Inspection.open(directory)) {
            assertEquals(end, journal.published());
            assertEquals(0, inspection.retained());
            assertEquals(SEGMENT, journal.retain(SEGMENT + 64));
            assertEquals(SEGMENT, inspection.retained());
            assertEquals(0, inspection.from());
            assertEquals(end - 64, inspection.lastFrame());
            long published = RunFileDescriptor.PUBLISHED_OFFSET;
            poke(directory, RunFileDescriptor.RETAINED_OFFSET, SEGMENT + 64);
            assertEquals(0, inspection.retained(), "no writer can have stored that");
            poke(directory, RunFileDescriptor.RETAINED_OFFSET, SEGMENT);
            poke(directory, (int) published, SEGMENT - 64);
            assertEquals(0, inspection.retained(), "no writer can have stored that");
            poke(directory, (int) published, end);
        }
    }
}
