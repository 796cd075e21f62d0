package io.fenceline.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.persist.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the storage truly gives, and what is said of it.
class DurabilityTest {
    private static final Path SHM = Path.of("/dev/shm");
    private static final JournalConfig SMALL =
            JournalConfig.defaults().withSegmentLengthBytes(2 << 20).withSegmentCount(2);

    @TempDir
    Path directory;

    @Test
    void shouldRefuseMemoryWhereTheFileSystemHasNoMapSync() throws IOException {
        Path path = directory.resolve("journal");
        JournalException.DurabilityUnavailable refused = assertThrows(
                JournalException.DurabilityUnavailable.class,
                () -> Journal.create(path, SMALL.withDurability(Durability.MEMORY)));
        assertTrue(String.valueOf(refused.getMessage()).contains("MEMORY"), refused::getMessage);
        assertFalse(Files.exists(path));
        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void shouldRefuseDeviceOnStorageThatLivesInMemory() throws IOException {
        assumeTrue(Files.isWritable(SHM), "there is no /dev/shm");
        Path parent = Files.createTempDirectory(SHM, "fenceline");
        try {
            assertThrows(
                    JournalException.DurabilityUnavailable.class,
                    () -> Journal.create(parent.resolve("journal"), SMALL.withDurability(Durability.DEVICE)));
            try (Journal journal = Journal.create(parent.resolve("journal"), SMALL)) {
                assertEquals(Durability.PROCESS, journal.durability().durability());
                assertFalse(journal.durability().survivesPowerCut());
            }
        } finally {
            delete(parent);
        }
    }

    @Test
    void shouldSayEmulatedWhereverPersistentMemoryIsEmulated() {
        Kernel.assumeAvailable();
        Path path = directory.resolve("journal");
        JournalConfig emulated = SMALL.withDurability(Durability.MEMORY).withEmulatePersistentMemory(true);
        try (Journal journal = Journal.create(path, emulated)) {
            assertTrue(journal.durability().emulated());
            assertFalse(journal.durability().survivesPowerCut());
        }
        try (Journal journal = Journal.open(path)) {
            assertEquals(Durability.MEMORY, journal.durability().durability());
            assertTrue(journal.durability().emulated());
        }
        try (ReadOnlyJournal reader = Journal.openReadOnly(path)) {
            assertTrue(reader.durability().emulated());
        }
    }

    /// Goal: a copy of a journal can be read wherever it lies, and nobody says of it what is not true there. A
    /// `DEVICE` journal is copied to memory.
    @Test
    void shouldReadACopyWhoseStorageCannotGiveItsLevel() throws IOException {
        assumeTrue(Files.isWritable(SHM), "there is no /dev/shm");
        Path root = Files.createDirectories(Path.of("target"));
        Path disk = Files.createTempDirectory(root, "durability");
        Path parent = Files.createTempDirectory(SHM, "fenceline");
        try {
            Journal created;
            try {
                created = Journal.create(disk.resolve("journal"), SMALL.withDurability(Durability.DEVICE));
            } catch (JournalException.DurabilityUnavailable e) {
                assumeTrue(false, "the build directory is not on a device: " + e.getMessage());
                return;
            }
            created.close();
            Path copy = Files.createDirectory(parent.resolve("journal"));
            try (Stream<Path> files = Files.list(disk.resolve("journal"))) {
                for (Path file : files.toList()) {
                    Files.copy(file, copy.resolve(file.getFileName()));
                }
            }
            try (ReadOnlyJournal reader = Journal.openReadOnly(copy)) {
                assertEquals(Durability.DEVICE, reader.durability().durability());
                assertFalse(reader.durability().survivesPowerCut());
            }
            assertThrows(JournalException.DurabilityUnavailable.class, () -> Journal.open(copy));
            try (Journal journal = Journal.open(copy, SMALL.withDurability(Durability.PROCESS))) {
                assertEquals(Durability.PROCESS, journal.durability().durability());
            }
        } finally {
            delete(parent);
            delete(disk);
        }
    }

    private static void delete(Path path) throws IOException {
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }
}
