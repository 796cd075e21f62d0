package io.fenceline.journal.persist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.persist.FaultyFiles.Call;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every call that a creation and an opening make fails once, one after the other.
class FaultyFilesTest {
    @TempDir
    Path directory;

    private static final JournalConfig CONFIG = JournalConfig.defaults().withDurability(Durability.PROCESS);

    /// Goal: a creation that fails, at whatever call, says so, and leaves nothing behind.
    @ParameterizedTest
    @EnumSource(
            value = Call.class,
            names = {"OPEN", "MKDIR", "RENAME", "ALLOCATE", "PWRITE", "FSYNC"})
    void shouldLeaveNothingBehindWhenACallOfACreationFails(Call call) throws Exception {
        Path path = directory.resolve("journal");
        int n = 1;
        for (; ; n++) {
            FaultyFiles files = new FaultyFiles(FaultyFiles.nth(call, n, Posix.ENOSPC));
            try {
                files.in(() -> {
                    SmallJournals.create(path, 4096, 2, CONFIG);
                    return true;
                });
                break; // there is no n-th one
            } catch (JournalException.Io e) {
                assertEquals(Posix.ENOSPC, e.errno());
                // What fails after the rename leaves the whole journal there, and says that it may not be durable.
                assertTrue(names().isEmpty() || names().equals(List.of("journal")), () -> names().toString());
                if (!names().isEmpty()) {
                    assertEquals(Call.FSYNC, call);
                    Journal.open(path).close();
                    remove(path);
                }
            }
        }
        assertTrue(n > 1, "no call of that kind");
        Journal.open(path).close();
    }

    /// Goal: an opening that fails, at whatever call, gives the lock back, and the next one succeeds.
    @ParameterizedTest
    @EnumSource(
            value = Call.class,
            names = {"OPEN", "FSYNC", "STATUS", "MAP", "LOCK"})
    void shouldOpenAfterAnOpeningHasFailed(Call call) throws Exception {
        Path path = directory.resolve("journal");
        SmallJournals.create(path, 4096, 2, CONFIG);
        int failed = 0;
        for (int n = 1; ; n++) {
            FaultyFiles files = new FaultyFiles(FaultyFiles.nth(call, n, Posix.EIO));
            try (Journal journal = files.in(() -> Journal.open(path, CONFIG))) {
                assertFalse(journal.isPoisoned());
                files.plan(FaultyFiles.none());
                if (n > 12) {
                    break;
                }
            } catch (JournalException.Io e) {
                failed++;
            }
            Journal.open(path, CONFIG).close();
        }
        assertTrue(failed > 0, "no call of that kind");
    }

    /// Goal: the real files are used where no layer is bound, and again afterwards.
    @Test
    void shouldBeBoundOnlyWhileItsBodyRuns() throws Exception {
        FaultyFiles files = new FaultyFiles((call, what, fileOffset) -> Posix.EIO);
        Path path = directory.resolve("journal");
        assertThrows(
                JournalException.Io.class,
                () -> files.in(() -> {
                    SmallJournals.create(path, 4096, 2, CONFIG);
                    return true;
                }));
        SmallJournals.create(path, 4096, 2, CONFIG);
        assertTrue(Files.isDirectory(path));
    }

    private List<String> names() {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> String.valueOf(file.getFileName())).toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void remove(Path path) throws IOException {
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }
}
