package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.DamagedRange;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.VerifyReport;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.recovery.Head;
import io.fenceline.journal.recovery.LogReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifyTest {
    private static final int STATE_START = 4096;
    private static final int STATE_LENGTH = 8192;
    private static final int MIRROR = 1 << 20;

    @TempDir
    Path parent;

    private final Random random = new Random(Long.getLong("fenceline.seed", 1));

    @Test
    void shouldBeWholeWhenClosed() {
        InspectionFixture journal = new InspectionFixture(parent).fill();
        VerifyReport report = Journal.verify(journal.directory);
        assertTrue(report.isWhole(), report::toString);
        assertEquals(30, report.entries());
        assertEquals(0, report.firstSequence());
        assertEquals(29, report.lastSequence());
        assertEquals(report.to(), report.unrecoveredEnd());
        InspectionFixture.Run run = journal.run("verify", List.of());
        assertEquals(ExitCodes.OK, run.code(), run.err());
        assertTrue(run.out().contains("WHOLE"), run.out());
        assertTrue(journal.run("verify", List.of("--json")).out().startsWith("{\"whole\":true,"));
    }

    // Goal: a bit that a checksum covers names exactly its frame; one that nothing covers harms nothing.
    // Method: each byte of the log below the floor, one random bit in it.
    @Test
    void shouldNameExactlyTheFrameWhenOneBitFlips() throws IOException {
        InspectionFixture journal = new InspectionFixture(parent).fill();
        byte[] log = journal.readLog();
        VerifyReport whole = Journal.verify(journal.directory);
        ByteBuffer frames = ByteBuffer.wrap(log).order(ByteOrder.LITTLE_ENDIAN);
        for (long position = whole.from(); position < whole.to(); ) {
            int at = journal.fileOffset(position);
            boolean pad = log[at + FrameDescriptor.KIND_OFFSET] == FrameDescriptor.KIND_PAD;
            int length = frames.getInt(at + FrameDescriptor.LENGTH_OFFSET);
            int covered = pad ? FrameDescriptor.SLOT_LENGTH_BYTES : length;
            int aligned = FrameDescriptor.slotAlignedLength(length);
            for (int i = 0; i < aligned; i += 1 + random.nextInt(3)) {
                int bit = 1 << random.nextInt(8);
                flip(journal, at + i, (byte) bit);
                VerifyReport report = Journal.verify(journal.directory);
                flip(journal, at + i, (byte) bit);
                String what = "byte " + i + ", bit " + bit + " of the frame at " + position + ": " + report;
                assertEquals(i >= covered, report.isWhole(), what);
                if (i < covered) {
                    assertEquals(1, report.damagedRanges(), what);
                    DamagedRange range = report.damage().getFirst();
                    assertEquals(position, range.from(), what);
                    assertEquals(position + aligned, range.to(), what);
                    assertEquals(at, range.fileOffset(), what);
                    assertEquals(whole.frames() - 1, report.frames(), what);
                }
            }
            position += aligned;
        }
    }

    // Goal: no older state is believed. A record has two mirrors, so one flipped bit changes nothing at all.
    @Test
    void shouldAnswerTheSameWhenOneBitOfHeadFlips() throws IOException {
        InspectionFixture journal = new InspectionFixture(parent).fill();
        VerifyReport whole = Journal.verify(journal.directory);
        for (int copy = 0; copy < 2; copy++) {
            for (int i = 0; i < 128 + STATE_LENGTH; i += 1 + random.nextInt(5)) {
                int at = copy * MIRROR + (i < 128 ? i : STATE_START + i - 128);
                byte bit = (byte) (1 << random.nextInt(8));
                flip(journal, at, bit);
                VerifyReport report = Journal.verify(journal.directory);
                assertTrue(report.isWhole(), report::toString);
                assertEquals(whole.to(), report.to(), "byte " + at);
                assertEquals(whole.from(), report.from(), "byte " + at);
                assertEquals(whole.entries(), report.entries(), "byte " + at);
                if (i < 128) {
                    assertEquals(1, report.warnings().size(), "byte " + at);
                }
                flip(journal, at, bit);
            }
        }
    }

    // Both mirrors of the newest record lost: what was written under it shows that there was one.
    @Test
    void shouldSayCorruptWhenNewestStateRecordsAreLost() throws IOException {
        InspectionFixture journal = new InspectionFixture(parent).fill();
        byte[] closed = journal.readLog();
        try (Journal open = Journal.open(journal.directory, InspectionFixture.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(open)) {
            journal.append(appender, "one more");
        }
        byte[] log = journal.readLog();
        // The head as it was before: an older state, with frames of a newer epoch beyond it.
        System.arraycopy(closed, 0, log, 0, 2 << 20);
        journal.writeLog(log);
        InspectionFixture.Run run = journal.run("verify", List.of());
        assertEquals(ExitCodes.CORRUPT, run.code(), run.out());
        assertTrue(run.out().contains("state record was lost"), run.out());
    }

    // The image of a journal that was open, under a record of another boot: what a power cut leaves at level PROCESS.
    @Test
    void shouldSayPowerLostWhenAProcessJournalWasOpenInAnotherBoot() throws IOException {
        InspectionFixture journal = new InspectionFixture(parent).fill();
        byte[] log;
        try (Journal open = Journal.open(journal.directory, InspectionFixture.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(open)) {
            journal.append(appender, "not synced");
            log = journal.readLog();
        }
        journal.writeLog(log);
        assertFalse(journal.run("verify", List.of()).out().contains("POWER_LOST"), "a crash in this boot is none");
        LogReader reader = (offset, destination, destinationOffset, length) ->
                MemorySegment.copy(MemorySegment.ofArray(log), offset, destination, destinationOffset, length);
        Head head = Head.read(reader, log.length, "journal.log");
        StateRecord now = head.state();
        StateRecord elsewhere = new StateRecord(
                now.version() + 1,
                now.lease(),
                now.floor(),
                now.floorSequence(),
                now.retained(),
                now.epochStart(),
                now.epoch(),
                now.flags(),
                now.durability(),
                now.bootHash() + 1);
        ByteBuffer line = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        elsewhere.encode(line, head.superblock().salt());
        for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
            line.clear().get(log, (int) StateRecord.fileOffset(elsewhere.version(), mirror), StateRecord.LENGTH_BYTES);
        }
        journal.writeLog(log);
        InspectionFixture.Run run = journal.run("verify", List.of());
        assertEquals(ExitCodes.OK, run.code(), run.err());
        assertTrue(run.out().contains("POWER_LOST"), run.out());
    }

    @Test
    void shouldNeverAcceptFramesOfOtherPlacesOrLaps() throws IOException {
        InspectionFixture journal = new InspectionFixture(parent).fill();
        byte[] firstLap = journal.readLog();
        List<Long> positions = journal.positions;
        // Two frames of the same length change places: both are named, nothing else.
        long a = positions.get(0);
        long b = positions.get(14);
        byte[] swapped = firstLap.clone();
        System.arraycopy(firstLap, journal.fileOffset(a), swapped, journal.fileOffset(b), 64);
        System.arraycopy(firstLap, journal.fileOffset(b), swapped, journal.fileOffset(a), 64);
        journal.writeLog(swapped);
        VerifyReport report = Journal.verify(journal.directory);
        assertEquals(
                List.of(a, b), report.damage().stream().map(DamagedRange::from).toList());
        assertEquals("BAD_POSITION", report.damage().getFirst().verdict());
        // A whole segment of the lap before lies where a newer one was.
        journal.writeLog(firstLap);
        JournalConfig overwrite = InspectionFixture.CONFIG.withFullPolicy(FullPolicy.OVERWRITE);
        try (Journal open = Journal.open(journal.directory, overwrite);
                ExclusiveAppender appender = ExclusiveAppender.open(open)) {
            for (int i = 0; i < 60; i++) {
                journal.append(appender, "second lap ".repeat(20));
            }
        }
        VerifyReport whole = Journal.verify(journal.directory);
        assertTrue(whole.isWhole(), whole::toString);
        byte[] stale = journal.readLog();
        int at = journal.fileOffset(whole.from());
        System.arraycopy(firstLap, at, stale, at, InspectionFixture.SEGMENT_LENGTH_BYTES);
        journal.writeLog(stale);
        report = Journal.verify(journal.directory);
        assertFalse(report.isWhole());
        assertEquals(whole.from(), report.damage().getFirst().from());
        assertEquals(
                whole.from() + InspectionFixture.SEGMENT_LENGTH_BYTES,
                report.damage().getFirst().to());
    }

    // A payload that holds the perfect image of a frame for its own place, but for the salt, which is secret.
    @Test
    void shouldNotAcceptImageOfFrameInPayloadWhenItsFrameIsDamaged() throws IOException {
        InspectionFixture journal = new InspectionFixture(parent);
        long position;
        try (Journal open = Journal.open(journal.directory, InspectionFixture.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(open)) {
            byte[] payload = new byte[512];
            long next = appender.position();
            for (int at = 16; at + 64 <= payload.length; at += 64) {
                imageOfFrame(payload, at, next + 48 + at, open.positions().epoch());
            }
            position = appender.append(MemorySegment.ofArray(payload));
            journal.append(appender, "behind");
        }
        flip(journal, journal.fileOffset(position) + 48, (byte) 1);
        VerifyReport report = Journal.verify(journal.directory);
        assertEquals(1, report.damagedRanges(), report::toString);
        assertEquals(position, report.damage().getFirst().from());
        assertEquals(journal.positions.getFirst(), report.damage().getFirst().to());
        assertEquals(1, report.entries());
    }

    private static void imageOfFrame(byte[] bytes, int at, long position, int epoch) {
        ByteBuffer frame = ByteBuffer.allocateDirect(64);
        MemorySegment segment = MemorySegment.ofBuffer(frame);
        FrameDescriptor.writeHeader(segment, 0, 64, position, 1, 0, epoch, FrameDescriptor.KIND_DATA, 0, 1);
        FrameDescriptor.entryHeader(segment, 40, 16, 0);
        FrameDescriptor.checksum(segment, 0, new io.fenceline.journal.format.Crc32c().of(frame, 4, 64, 0));
        frame.clear().get(bytes, at, 64);
    }

    @Test
    void shouldSayCorruptAndNameTheRestWhenFileIsTruncated() throws IOException {
        InspectionFixture journal = new InspectionFixture(parent).fill();
        byte[] log = journal.readLog();
        journal.writeLog(Arrays.copyOf(log, journal.fileOffset(6000)));
        VerifyReport report = Journal.verify(journal.directory);
        assertFalse(report.isWhole());
        assertTrue(report.entries() > 10, report::toString);
        assertTrue(report.damage().getFirst().to() > 6000, report::toString);
        InspectionFixture.Run dump = journal.run("dump", List.of());
        assertTrue(dump.out().contains("entry 0.3"), dump.out());
        assertTrue(dump.err().contains("truncated"), dump.err());
    }

    @Test
    void shouldRefuseWithCode3WhenItIsNoJournal() throws IOException {
        Files.write(Files.createDirectory(parent.resolve("other")).resolve("journal.log"), new byte[5000]);
        for (String command : List.of("verify", "dump")) {
            for (String path : List.of("other", "missing", "other/journal.log")) {
                InspectionFixture.Run run =
                        InspectionFixture.run(command, parent.resolve(path).toString());
                assertEquals(ExitCodes.UNREADABLE, run.code(), run.err());
                assertEquals(1, run.err().lines().count(), run.err());
            }
        }
    }

    // Goal: a healthy live journal is never called corrupt, however fast its ring turns.
    @Test
    void shouldNeverCallLiveJournalCorruptWhenWriterOverwritesAtFullSpeed() throws Exception {
        InspectionFixture journal = new InspectionFixture(parent);
        AtomicBoolean stop = new AtomicBoolean();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        JournalConfig config = InspectionFixture.CONFIG.withFullPolicy(FullPolicy.OVERWRITE);
        try (Journal open = Journal.open(journal.directory, config)) {
            Thread writer = Thread.ofPlatform().start(() -> {
                try (ExclusiveAppender appender = ExclusiveAppender.open(open)) {
                    byte[] payload = new byte[900];
                    for (int i = 0; !stop.get(); i++) {
                        appender.append(MemorySegment.ofArray(payload).asSlice(0, i * 37 % 900));
                    }
                } catch (RuntimeException | Error e) {
                    failure.set(e);
                }
            });
            long endNs = System.nanoTime() + Duration.ofSeconds(2).toNanos();
            int runs = 0;
            while (System.nanoTime() < endNs) {
                VerifyReport report = Journal.verify(journal.directory);
                assertTrue(report.isWhole(), report::toString);
                assertTrue(report.writerAlive());
                InspectionFixture.Run dump = journal.run("dump", List.of("--format", "json"));
                assertEquals(ExitCodes.OK, dump.code(), () -> dump.out() + dump.err());
                runs++;
            }
            stop.set(true);
            writer.join();
            assertTrue(runs > 0);
        }
        assertEquals(null, failure.get());
    }

    // Goal: no file makes a reader fail in another way than documented, hang, or allocate by what it reads.
    // Method: random mutations of a whole file, through verify, dump, info, and open on it.
    @Test
    void shouldOnlyFailAsDocumentedWhenFileIsMutated() throws IOException {
        // In memory, if there is such a place: the disk's fsync would take most of the time.
        Path memory = Path.of("/dev/shm");
        Path place = Files.isWritable(memory) ? Files.createTempDirectory(memory, "fenceline-verify") : parent;
        try {
            mutateAndInspect(new InspectionFixture(place).fill());
        } finally {
            delete(place.resolve("journal"));
            if (!place.equals(parent)) {
                Files.delete(place);
            }
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }

    private static void mutateAndInspect(InspectionFixture journal) throws IOException {
        byte[] log = journal.readLog();
        byte[] runFile = Files.readAllBytes(journal.directory.resolve("journal.run"));
        long seed = Long.getLong("fenceline.seed", System.nanoTime());
        String repeat = "seed " + seed + ": mvn -pl tools -am test -Dtest=VerifyTest -Dfenceline.seed=" + seed
                + " -Dsurefire.failIfNoSpecifiedTests=false";
        Random mutations = new Random(seed);
        for (int i = 0; i < Integer.getInteger("fenceline.rounds", 300); i++) {
            byte[] mutated = mutate(log, mutations);
            journal.writeLog(mutated);
            byte[] words = runFile.clone();
            if (mutations.nextInt(4) == 0) {
                words[mutations.nextInt(300)] = (byte) mutations.nextInt();
            }
            Files.write(journal.directory.resolve("journal.run"), words);
            int round = i;
            assertTimeoutPreemptively(
                    Duration.ofSeconds(60), () -> inspect(journal, repeat + ", round " + round), repeat);
        }
    }

    private static void inspect(InspectionFixture journal, String repeat) {
        for (String command : List.of("verify", "dump", "info")) {
            InspectionFixture.Run run = journal.run(command, List.of());
            assertTrue(run.code() <= ExitCodes.UNREADABLE, () -> repeat + ": " + command + ": " + run);
        }
        for (String format : List.of("json", "hex", "raw")) {
            InspectionFixture.Run run = journal.run("dump", List.of("--format", format, "--from", "seq:20"));
            assertTrue(run.code() <= ExitCodes.UNREADABLE, () -> repeat + ": dump " + format + ": " + run);
        }
        try (Journal open = Journal.open(journal.directory, InspectionFixture.CONFIG)) {
            assertTrue(open.published() >= 0, repeat);
        } catch (JournalException e) {
            assertTrue(e.getMessage() != null, repeat);
        } catch (RuntimeException | Error e) {
            throw new AssertionError(repeat + ": open: " + e, e);
        }
    }

    /// A few bytes, a copied range, zeros, or a shorter file; mostly where something is.
    private static byte[] mutate(byte[] log, Random random) {
        byte[] mutated = log.clone();
        for (int n = 1 + random.nextInt(6); n > 0; n--) {
            int at = place(random);
            switch (random.nextInt(5)) {
                case 0, 1 -> mutated[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> {
                    int length = Math.min(1 + random.nextInt(300), log.length - at);
                    System.arraycopy(log, place(random) / 64 * 64 % (log.length - length), mutated, at, length);
                }
                case 3 -> Arrays.fill(mutated, at, Math.min(log.length, at + random.nextInt(200)), (byte) 0);
                default -> {
                    byte[] junk = new byte[Math.min(8, log.length - at)];
                    random.nextBytes(junk);
                    System.arraycopy(junk, 0, mutated, at, junk.length);
                }
            }
        }
        return random.nextInt(20) == 0 ? Arrays.copyOf(mutated, random.nextInt(log.length)) : mutated;
    }

    private static int place(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(2) * MIRROR + random.nextInt(128);
            case 1 -> random.nextInt(2) * MIRROR + STATE_START + random.nextInt(2) * 4096 + random.nextInt(640);
            default -> (2 << 20) + random.nextInt(4 * InspectionFixture.SEGMENT_LENGTH_BYTES);
        };
    }

    private static void flip(InspectionFixture journal, int at, byte bit) throws IOException {
        try (var file = new java.io.RandomAccessFile(journal.log.toFile(), "rw")) {
            file.seek(at);
            int value = file.read();
            file.seek(at);
            file.write(value ^ bit);
        }
    }
}
