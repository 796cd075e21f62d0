package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Who may read a journal's files, and what must not lie in their place.
final class JournalFilesTest {
    private static final JournalConfig CONFIG = JournalConfig.defaults()
            .withDurability(Durability.PROCESS)
            .withSegmentLengthBytes(2 << 20)
            .withSegmentCount(2);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    private Path parent;

    private Path directory;

    @BeforeEach
    void name() {
        directory = parent.resolve("journal");
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    @Test
    void shouldBeForItsOwnerOnlyWhenNothingElseIsAskedFor() throws IOException {
        Journal.create(directory, CONFIG).close();
        assertEquals("rwx------", mode(directory));
        assertEquals("rw-------", mode(directory.resolve("journal.log")));
        assertEquals("rw-------", mode(directory.resolve("journal.run")));
    }

    @Test
    void shouldBeReadableByTheGroupWhenThatIsAskedFor() throws IOException {
        Journal.create(directory, CONFIG.withGroupReadable(true)).close();
        assertEquals("rwxr-x---", mode(directory));
        assertEquals("rw-r-----", mode(directory.resolve("journal.log")));
        assertEquals("rw-r-----", mode(directory.resolve("journal.run")));
    }

    /// Both kinds of opening refuse, in time, with a message that names the path.
    private void expectRefusal(Path opened, Path named) {
        for (boolean write : new boolean[] {true, false}) {
            JournalException refusal = assertTimeoutPreemptively(
                    PATIENCE,
                    () -> assertThrows(
                            JournalException.class,
                            () -> (write ? Journal.open(opened) : Journal.openReadOnly(opened)).close()));
            assertTrue(String.valueOf(refusal.getMessage()).contains(named.toString()), refusal::getMessage);
        }
    }

    @Test
    void shouldRefuseWhenTheDirectoryIsASymbolicLink() throws IOException {
        Journal.create(directory, CONFIG).close();
        Path link = Files.createSymbolicLink(parent.resolve("link"), directory);
        expectRefusal(link, link);
        assertThrows(JournalException.AlreadyExists.class, () -> Journal.create(link, CONFIG));
        Path dangling = Files.createSymbolicLink(parent.resolve("dangling"), parent.resolve("nowhere"));
        assertThrows(JournalException.AlreadyExists.class, () -> Journal.create(dangling, CONFIG));
        assertTrue(Files.notExists(parent.resolve("nowhere")));
    }

    // Each file in turn: a link to the real one, a FIFO (opening which would block), a directory. Put back, all is
    // well.
    @ParameterizedTest
    @ValueSource(strings = {"journal.log", "journal.run"})
    void shouldRefuseWithoutHangingWhenAFileIsSomethingElse(String name) throws IOException, InterruptedException {
        Journal.create(directory, CONFIG).close();
        Path file = directory.resolve(name);
        Path aside = Files.move(file, parent.resolve("aside"));

        Files.createSymbolicLink(file, aside);
        expectRefusal(directory, file);
        Files.delete(file);

        assertEquals(
                0,
                new ProcessBuilder("mkfifo", file.toString())
                        .inheritIO()
                        .start()
                        .waitFor());
        expectRefusal(directory, file);
        Files.delete(file);

        Files.createDirectory(file);
        expectRefusal(directory, file);
        Files.delete(file);

        Files.move(aside, file);
        Journal.open(directory).close();
    }
}
