package io.fenceline.proof.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.persist.FaultyFiles;
import io.fenceline.journal.persist.FaultyFiles.Call;
import io.fenceline.journal.persist.Posix;
import io.fenceline.journal.positions.ShiftedClock;
import io.fenceline.tailer.Cursor;
import io.fenceline.tailer.CursorConfig;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The storage fails under a writer at `DEVICE`: nothing is acknowledged from then on, and the next opening finds
/// everything that was acknowledged before.
class StorageFaultsTest {
    private static final JournalConfig CONFIG = JournalConfig.defaults().withDurability(Durability.DEVICE);
    private static final int APPENDS = 12;

    private Path home = Path.of("");
    private Path directory = Path.of("");

    @BeforeEach
    void create() throws IOException {
        Path target = Path.of(System.getProperty("fenceline.root", "."), "tools/proof/target");
        assumeTrue(
                !List.of("tmpfs", "ramfs").contains(Files.getFileStore(target).type()),
                "the build's directory is on a file system in memory: no DEVICE");
        home = Files.createTempDirectory(target, "faults-");
        directory = home.resolve("journal");
        SmallJournals.create(directory, 64 << 10, 32, CONFIG); // each crash burns a lease of 64 KiB or more
    }

    @AfterEach
    void remove() throws IOException {
        if (!home.toString().isEmpty()) {
            Image.remove(home);
        }
    }

    private static MemorySegment number(long number) {
        return MemorySegment.ofArray(new byte[] {(byte) number, (byte) (number >> 8)});
    }

    private static long number(byte[] bytes) {
        return (bytes[0] & 0xFF) | (bytes[1] & 0xFFL) << 8;
    }

    private List<Long> entries() {
        List<Long> found = new ArrayList<>();
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory);
                Tailer tailer = Tailer.open(journal, Start.oldest())) {
            while (tailer.poll(entry -> found.add(number(entry.toByteArray())), 100) > 0) {}
        }
        return found;
    }

    // I1, I15: each call of each kind that an append makes fails once; the first fault ends it all, also when the call
    // would succeed the next time.
    @ParameterizedTest
    @EnumSource(
            value = Call.class,
            names = {"PWRITE", "FDATASYNC", "STATUS"})
    void shouldAcknowledgeNothingAfterTheFirstFault(Call call) throws Exception {
        long number = 0;
        List<Long> acknowledged = new ArrayList<>();
        for (int n = 1; n <= 8; n++) {
            FaultyFiles files = new FaultyFiles(FaultyFiles.none());
            long before = number;
            boolean failed = false;
            Journal journal = files.in(() -> Journal.open(directory, CONFIG));
            try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                files.plan(FaultyFiles.nth(call, n, n % 2 == 0 ? Posix.EIO : Posix.ENOSPC));
                for (int i = 0; i < APPENDS; i++) {
                    try {
                        assertTrue(appender.append(number(number)) >= 0);
                        assertTrue(!failed, "acknowledged after a fault");
                        acknowledged.add(number);
                    } catch (JournalException e) {
                        assertTrue(
                                failed ? e instanceof JournalException.Poisoned : e instanceof JournalException.Io,
                                e::toString);
                        failed = true;
                    }
                    number++;
                }
            }
            assertTrue(failed, "call " + n + " of " + call + " was not made");
            assertTrue(journal.isPoisoned());
            journal.close();
            try (Journal reopened = Journal.open(directory, CONFIG)) {
                assertEquals(
                        RecoveryReport.Verdict.RECOVERED, reopened.recovery().verdict());
            }
            List<Long> found = entries();
            assertTrue(found.containsAll(acknowledged), () -> "lost: " + acknowledged + " of " + found);
            // What failed may be there, or not: at most the one that was under way.
            long inDoubt = found.stream()
                    .filter(entry -> entry >= before && !acknowledged.contains(entry))
                    .count();
            assertTrue(inDoubt <= 1, () -> found + " beside " + acknowledged);
            acknowledged.clear();
            acknowledged.addAll(found);
        }
    }

    // A poisoned journal is not closed in order, whatever the storage does by then.
    @Test
    void shouldNotCloseInOrderAfterAFault() throws Exception {
        FaultyFiles files = new FaultyFiles(FaultyFiles.none());
        try (Journal journal = files.in(() -> Journal.open(directory, CONFIG));
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appender.append(number(1));
            files.plan(FaultyFiles.nth(Call.FDATASYNC, 1, Posix.EIO));
            assertThrows(JournalException.Io.class, () -> appender.append(number(2)));
        }
        try (Journal journal = Journal.open(directory, CONFIG)) {
            assertEquals(RecoveryReport.Verdict.RECOVERED, journal.recovery().verdict());
        }
    }

    // Reading fails: a refusal that says so, nothing is changed, and the next opening succeeds.
    @Test
    void shouldRefuseToOpenWhereTheLogCannotBeRead() throws Exception {
        try (Journal journal = Journal.open(directory, CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appender.append(number(7));
            Image.copy(directory, home.resolve("crashed"));
        }
        directory = home.resolve("crashed");
        byte[] before = Files.readAllBytes(directory.resolve("journal.log"));
        FaultyFiles files =
                new FaultyFiles((call, what, offset) -> call == Call.PREAD && offset >= 2 << 20 ? Posix.EIO : 0);
        JournalException.Corrupt refusal =
                assertThrows(JournalException.Corrupt.class, () -> files.in(() -> Journal.open(directory, CONFIG)));
        assertTrue(String.valueOf(refusal.getMessage()).contains("cannot read"), refusal::toString);
        org.junit.jupiter.api.Assertions.assertArrayEquals(
                before, Files.readAllBytes(directory.resolve("journal.log")));
        Journal.open(directory, CONFIG).close();
        assertEquals(List.of(7L), entries());
    }

    // The wall clock goes back by hours: positions and sequences know nothing of it, and a timestamp is what it is.
    @ParameterizedTest
    @ValueSource(longs = {-3_600_000_000_000L, 3_600_000_000_000L})
    void shouldAppendAndTailWhenTheClockJumps(long shiftNs) {
        List<Long> times = new ArrayList<>();
        try (Journal journal = Journal.open(directory, CONFIG.withTimestampMode(TimestampMode.PRECISE));
                ExclusiveAppender appender = ExclusiveAppender.open(journal);
                ShiftedClock clock = new ShiftedClock(0)) {
            appender.append(number(1));
            clock.shift(shiftNs);
            appender.append(number(2));
            try (Tailer tailer = Tailer.open(journal, Start.oldest())) {
                tailer.poll(entry -> times.add(entry.timestampNs()), 10);
            }
        }
        assertEquals(2, times.size());
        assertTrue(Math.abs(times.get(1) - times.get(0) - shiftNs) < 60_000_000_000L, times::toString);
        assertTrue(Journal.verify(directory).isWhole());
    }

    // A file system that is really full, really read-only: needs root and a tmpfs or loop device of its own.
    @Test
    void shouldSayWhatIsWrongWhenTheFileSystemIsFullOrReadOnly() throws Exception {
        Path mounted = Files.createDirectory(home.resolve("mounted"));
        Path image = home.resolve("disk.img");
        try (java.io.RandomAccessFile file = new java.io.RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(12 << 20);
        }
        assumeTrue(
                run("mkfs.ext4", "-q", "-F", "-O", "^has_journal", image.toString())
                        && run("mount", "-o", "loop", image.toString(), mounted.toString()),
                "no loop device can be mounted here");
        try {
            Path full = mounted.resolve("full");
            JournalException.Io refusal =
                    assertThrows(JournalException.Io.class, () -> SmallJournals.create(full, 1 << 20, 16, CONFIG));
            assertEquals(Posix.ENOSPC, refusal.errno());
            try (Stream<Path> left = Files.list(mounted)) {
                assertEquals(List.of(mounted.resolve("lost+found")), left.toList(), "nothing is left behind");
            }
            Path small = mounted.resolve("small");
            SmallJournals.create(small, 4096, 4, CONFIG);
            commitTo(small, "early");
            Path unopened = mounted.resolve("unopened");
            SmallJournals.create(unopened, 4096, 4, CONFIG);
            fill(mounted.resolve("filler"));
            // The first opening of all makes readers.run.
            JournalException.Io noRoom = assertThrows(JournalException.Io.class, () -> Journal.open(unopened, CONFIG));
            assertEquals(Posix.ENOSPC, noRoom.errno());
            appendAHundred(small);
            JournalException.Io noCursor = assertThrows(JournalException.Io.class, () -> commitTo(small, "late"));
            assertEquals(Posix.ENOSPC, noCursor.errno());
            commitTo(small, "early");
            try (Stream<Path> cursors = Files.list(small.resolve("cursors"))) {
                assertEquals(List.of(small.resolve("cursors/early")), cursors.toList(), "nothing is left behind");
            }
            remountReadOnly(mounted);
            JournalException.Io readOnly = assertThrows(JournalException.Io.class, () -> Journal.open(small, CONFIG));
            assertEquals(Posix.EROFS, readOnly.errno());
            directory = small;
            assertEquals(100, entries().size());
            assertTrue(Journal.verify(small).isWhole());
            try (ReadOnlyJournal journal = Journal.openReadOnly(small)) {
                assertEquals(100, journal.cursors().getFirst().nextSequence());
            }
            JournalException.Io noCommit = assertThrows(JournalException.Io.class, () -> commitReading(small, "early"));
            assertEquals(Posix.EROFS, noCommit.errno());
        } finally {
            assertTrue(run("umount", "-l", mounted.toString()));
        }
    }

    /// Polls all there is, and says so in a cursor, which is made if there is none.
    private static void commitTo(Path journalDirectory, String name) {
        try (Journal journal = Journal.open(journalDirectory, CONFIG);
                Cursor cursor = Cursor.open(journal, name, CursorConfig.defaults())) {
            while (cursor.poll(entry -> {}, 100) > 0) {}
            cursor.commit();
        }
    }

    private static void commitReading(Path journalDirectory, String name) {
        try (ReadOnlyJournal journal = Journal.openReadOnly(journalDirectory);
                Cursor cursor = Cursor.open(journal, name, CursorConfig.defaults())) {
            cursor.commit();
        }
    }

    /// A method of its own, so that nothing holds the journal afterwards.
    private static void appendAHundred(Path journalDirectory) {
        try (Journal journal = Journal.open(journalDirectory, CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < 100; i++) {
                assertTrue(appender.append(number(i)) >= 0, "all blocks of a journal are there since its creation");
            }
        }
    }

    // The words of readers.run stay mapped until the collector has been, and the file system is busy until then.
    private static void remountReadOnly(Path mounted) throws InterruptedException {
        long deadlineNs = System.nanoTime() + 20_000_000_000L;
        while (!run("mount", "-o", "remount,ro", mounted.toString())) {
            assertTrue(System.nanoTime() < deadlineNs, "still busy");
            System.gc();
        }
    }

    private static void fill(Path file) throws IOException {
        byte[] block = new byte[4096];
        try (java.io.FileOutputStream out = new java.io.FileOutputStream(file.toFile())) {
            while (true) {
                out.write(block);
            }
        } catch (IOException e) {
            return; // full
        }
    }

    private static boolean run(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false; // there is no such command
        }
    }
}
