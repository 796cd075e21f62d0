package io.fenceline.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.format.CalibrationRecord;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.persist.Kernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Strategies are measured at creation, recorded, and used at opening, unless the configuration says otherwise.
class PersistCalibrationTest {
    private static final List<Integer> WRITE_BACK_WINS = List.of(90, 90, 90, 90, 50, 50, 50, 50, 10, 10, 10, 10);
    private static final JournalConfig MEMORY = JournalConfig.defaults()
            .withSegmentLengthBytes(2 << 20)
            .withSegmentCount(2)
            .withDurability(Durability.MEMORY)
            .withEmulatePersistentMemory(true);

    @TempDir
    Path parent;

    private Path path = Path.of("");

    @BeforeEach
    void setPath() {
        Kernel.assumeAvailable();
        path = parent.resolve("journal");
    }

    private static PersistReport persist(JournalSource journal) {
        return Objects.requireNonNull(journal.durability().persist());
    }

    private static PersistCalibration calibration(JournalSource journal) {
        return Objects.requireNonNull(persist(journal).calibration());
    }

    /// Replaces the record by one that says something else, of this processor.
    private void record(int strategy, List<Integer> costsPs, int processorChange) throws IOException {
        try (FileChannel log =
                FileChannel.open(path.resolve(JournalFiles.LOG), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(CalibrationRecord.LENGTH_BYTES);
            log.read(buffer, CalibrationRecord.fileOffset());
            CalibrationRecord measured = Objects.requireNonNull(CalibrationRecord.decode(buffer));
            ByteBuffer changed = ByteBuffer.allocateDirect(CalibrationRecord.LENGTH_BYTES);
            new CalibrationRecord(strategy, measured.timeNs(), measured.processor() + processorChange, costsPs)
                    .encode(changed);
            log.write(changed, CalibrationRecord.fileOffset());
        }
    }

    @Test
    void shouldMeasureAtCreationAndUseTheResultAtOpening() throws IOException {
        PersistCalibration created;
        try (Journal journal = Journal.create(path, MEMORY)) {
            created = calibration(journal);
            assertTrue(created.ofThisProcessor());
            assertEquals(persist(journal).strategy(), created.fastest());
            assertEquals(
                    8, created.costs().size(), "NT and WRITE_BACK, four lengths; FENCE_ONLY is not to be had here");
            assertTrue(created.costs().stream()
                    .allMatch(cost -> cost.nsPerFrame() > 0 && cost.strategy() != PersistStrategy.FENCE_ONLY));
            assertTrue(journal.durability().toString().contains("persists by " + created.fastest()));
        }
        record(PersistStrategy.WRITE_BACK.id(), WRITE_BACK_WINS, 0);
        try (Journal journal = Journal.open(path)) {
            assertEquals(PersistStrategy.WRITE_BACK, persist(journal).strategy());
            assertTrue(persist(journal).reason().startsWith("measured"), persist(journal)::reason);
            try (ReadOnlyJournal reader = Journal.openReadOnly(path)) {
                assertEquals(persist(journal), persist(reader));
            }
        }
        assertTrue(Journal.verify(path).isWhole());
    }

    @Test
    void shouldPersistAsConfiguredWhateverWasMeasured() throws IOException {
        Journal.create(path, MEMORY).close();
        record(PersistStrategy.WRITE_BACK.id(), WRITE_BACK_WINS, 0);
        for (PersistStrategy strategy : PersistStrategy.values()) {
            try (Journal journal = Journal.open(path, JournalConfig.defaults().withPersistStrategy(strategy))) {
                assertEquals(strategy, persist(journal).strategy());
                assertTrue(persist(journal).reason().startsWith("as configured"), persist(journal)::reason);
                assertEquals(
                        strategy == PersistStrategy.FENCE_ONLY,
                        persist(journal).reason().contains("the platform does not say"));
            }
        }
    }

    /// Caches that persisted on the machine that measured need not do so on this one.
    @Test
    void shouldNotTakeFenceOnlyFromARecordWhereThePlatformDoesNotSaySo() throws IOException {
        Journal.create(path, MEMORY).close();
        record(PersistStrategy.FENCE_ONLY.id(), WRITE_BACK_WINS, 0);
        try (Journal journal = Journal.open(path)) {
            assertEquals(PersistStrategy.WRITE_BACK, persist(journal).strategy(), "the fastest of the others");
        }
    }

    @Test
    void shouldTakeTheDefaultWhenAnotherProcessorMeasuredOrNothingIsRecorded() throws IOException {
        Journal.create(path, MEMORY).close();
        record(PersistStrategy.WRITE_BACK.id(), WRITE_BACK_WINS, 1);
        try (Journal journal = Journal.open(path)) {
            assertEquals(PersistStrategy.NT, persist(journal).strategy());
            assertTrue(persist(journal).reason().contains("another processor"), persist(journal)::reason);
        }
        try (FileChannel log = FileChannel.open(path.resolve(JournalFiles.LOG), StandardOpenOption.WRITE)) {
            log.write(ByteBuffer.wrap(new byte[] {1}), CalibrationRecord.fileOffset() + 77);
        }
        try (Journal journal = Journal.open(path)) {
            assertEquals(PersistStrategy.NT, persist(journal).strategy());
            assertNull(persist(journal).calibration());
        }
        assertTrue(Journal.verify(path).isWhole(), "a damaged hint is no damage");
    }

    @Test
    void shouldMeasureAnewWhenAskedTo() throws IOException {
        try (Journal journal = Journal.create(path, MEMORY)) {
            assertEquals(0, journal.published());
            assertThrows(JournalException.Locked.class, () -> Journal.calibrate(path));
        }
        record(PersistStrategy.WRITE_BACK.id(), WRITE_BACK_WINS, 1);
        PersistCalibration measured = Journal.calibrate(path);
        assertTrue(measured.ofThisProcessor());
        try (Journal journal = Journal.open(path)) {
            assertEquals(measured, calibration(journal));
            assertEquals(measured.fastest(), persist(journal).strategy());
        }
    }

    @Test
    void shouldMeasureNothingWhereNoStrategyMatters() {
        try (Journal journal = Journal.create(path, MEMORY.withDurability(Durability.PROCESS))) {
            assertNull(journal.durability().persist());
        }
        JournalException refused =
                assertThrows(JournalException.DurabilityUnavailable.class, () -> Journal.calibrate(path));
        assertTrue(String.valueOf(refused.getMessage()).contains("PROCESS"));
        assertThrows(JournalException.NotAJournal.class, () -> Journal.calibrate(parent));
    }
}
