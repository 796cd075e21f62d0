package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.BelowTarget;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.VerifyReport;
import io.fenceline.journal.persist.DirectFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifyDirectTest {
    @TempDir(factory = BelowTarget.class)
    Path parent;

    @BeforeEach
    void setUp() throws IOException {
        Path probe = Files.write(parent.resolve("probe"), new byte[4096]);
        try (DirectFile _ = new DirectFile(probe)) {
            assertTrue(Files.exists(probe));
        } catch (JournalException.Unsupported e) {
            assumeTrue(false, e.getMessage());
        }
    }

    /// Goal: the same verdict as through the page cache, of a whole journal and of a damaged one.
    @Test
    void shouldJudgeAsThroughThePageCache() throws IOException {
        InspectionFixture journal = new InspectionFixture(parent).fill();
        InspectionFixture.Run whole = journal.run("verify", List.of("--direct"));
        assertEquals(ExitCodes.OK, whole.code(), whole.err());
        assertTrue(whole.out().contains("WHOLE") && whole.out().contains("30 entries"), whole.out());
        try (FileChannel log = FileChannel.open(journal.directory.resolve("journal.log"), StandardOpenOption.WRITE)) {
            log.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), (2 << 20) + 130);
        }
        VerifyReport direct = Journal.verifyDirect(journal.directory, (done, total) -> {});
        assertEquals(Journal.verify(journal.directory).damage(), direct.damage());
        assertEquals(1, direct.damagedRanges());
        assertEquals(
                ExitCodes.CORRUPT, journal.run("verify", List.of("--direct")).code());
    }

    /// Goal: any range of bytes, aligned or not, at the end of the file and across the buffer, is what the file holds.
    @Test
    void shouldReadAnyRange() throws IOException {
        long seed = Long.getLong("fenceline.seed", System.nanoTime());
        Random random = new Random(seed);
        byte[] bytes = new byte[(3 << 20) + 777];
        random.nextBytes(bytes);
        Path path = Files.write(parent.resolve("file"), bytes);
        try (DirectFile file = new DirectFile(path);
                Arena arena = Arena.ofConfined()) {
            MemorySegment destination = arena.allocate(bytes.length);
            for (int i = 0; i < 100; i++) {
                int from = i == 0 ? 0 : random.nextInt(bytes.length);
                int length = i == 0 || i % 3 == 0 ? bytes.length - from : random.nextInt(bytes.length - from);
                file.read(from, destination, 0, length);
                assertArrayEquals(
                        Arrays.copyOfRange(bytes, from, from + length),
                        destination.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE),
                        "-Dfenceline.seed=" + seed);
            }
            assertThrows(JournalException.Io.class, () -> file.read(bytes.length - 10L, destination, 0, 11));
            assertThrows(JournalException.Io.class, () -> file.read(bytes.length + 9000L, destination, 0, 1));
        }
    }

    @Test
    void shouldSayWhyWhenTheFileSystemCannot() throws IOException {
        Path shared = Path.of("/dev/shm");
        assumeTrue(
                Files.isDirectory(shared) && Files.getFileStore(shared).type().equals("tmpfs"), "no tmpfs");
        Path file = Files.createTempFile(shared, "direct", "");
        try (DirectFile _ = new DirectFile(file)) {
            assertTrue(Files.exists(file)); // newer kernels can, on tmpfs, too
        } catch (JournalException.Unsupported e) {
            assertTrue(String.valueOf(e.getMessage()).contains("--direct"), e.getMessage());
        } finally {
            Files.delete(file);
        }
    }
}
