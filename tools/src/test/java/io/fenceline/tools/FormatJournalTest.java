package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.appender.Batch;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.format.FormatExamples;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Proves `docs/FORMAT.md` on whole journals: appender, rotation and recovery write the bytes of its examples, and the
/// reader in Python, written from the text alone, lists what was appended.
class FormatJournalTest {
    private static final Path ROOT = Path.of(System.getProperty("fenceline.root", ".."));
    private static final JournalConfig CONFIG = JournalConfig.defaults().withDurability(Durability.PROCESS);
    private static final String FILLER = "f".repeat(FormatExamples.FILLER_LENGTH_BYTES);

    @TempDir
    private Path directory;

    /// The journal of the examples has a fixed id and salt: a new one is given them before it is opened first.
    private Path exampleJournal() throws IOException {
        Path path = directory.resolve("example");
        SmallJournals.create(path, 4096, 4, CONFIG);
        ByteBuffer first = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES);
        new StateRecord(1, 0, 0, 0, 0, 0, 0, StateRecord.FLAG_CLEAN, 3, 0).encode(first, FormatExamples.SALT);
        byte[] line = new byte[StateRecord.LENGTH_BYTES];
        first.clear().get(line);
        try (RandomAccessFile log =
                new RandomAccessFile(path.resolve("journal.log").toFile(), "rw")) {
            for (int copy = 0; copy < 2; copy++) {
                log.seek(Superblock.fileOffset(copy));
                log.write(FormatExamples.superblock());
                log.seek(StateRecord.fileOffset(1, copy));
                log.write(line);
            }
        }
        return path;
    }

    private static void appendExamples(Journal journal) {
        try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            assertEquals(
                    FormatExamples.FRAME_POSITION,
                    appender.append(
                            text(FormatExamples.FRAME_PAYLOAD),
                            FormatExamples.FRAME_TYPE,
                            FormatExamples.FRAME_TIMESTAMP_NS));
            Batch batch = appender.batch();
            assertTrue(batch.add(text(FormatExamples.BATCH_PAYLOADS.get(0)), 1));
            assertTrue(batch.add(text(FormatExamples.BATCH_PAYLOADS.get(1)), 2));
            assertEquals(FormatExamples.BATCH_POSITION, batch.commit(FormatExamples.BATCH_TIMESTAMP_NS));
            for (long position : new long[] {192, 1280, 2368, 4096}) {
                assertEquals(position, appender.append(text(FILLER), 0, 0));
            }
        }
    }

    @Test
    void shouldWriteAndRecoverTheBytesOfTheExamples() throws IOException {
        Path crashed = directory.resolve("crashed");
        try (Journal journal = Journal.open(exampleJournal())) {
            appendExamples(journal);
            copy(journal.directory(), crashed, "journal.log", "journal.run");
        }
        assertExample(crashed, "frame", FormatExamples.FRAME_POSITION);
        assertExample(crashed, "batch", FormatExamples.BATCH_POSITION);
        assertExample(crashed, "pad", FormatExamples.PAD_POSITION);
        for (int mirror = 0; mirror < 2; mirror++) {
            byte[] line = read(crashed, StateRecord.fileOffset(3, mirror), StateRecord.BOOT_HASH_OFFSET);
            assertArrayEquals(Arrays.copyOf(FormatExamples.state(), StateRecord.BOOT_HASH_OFFSET), line);
        }

        try (Journal journal = Journal.open(crashed)) {
            assertEquals(RecoveryReport.Verdict.RECOVERED, journal.recovery().verdict());
            assertEquals(7, journal.recovery().nextSequence());
            assertEquals(16384, journal.recovery().nextPosition());
        }
        assertExample(crashed, "seal", FormatExamples.SEAL_POSITION);
        assertEquals(0x02, read(crashed, FormatExamples.GEOMETRY.fileOffset(12288) + 37, 1)[0], "SEAL at 12288");
    }

    @Test
    void shouldBeReadFromTheTextAloneWhenCrashedRecoveredAndClosed() throws Exception {
        requirePython();
        List<String> all = new ArrayList<>();
        all.add("0 0 1700000001000000000 7 " + FormatExamples.FRAME_PAYLOAD);
        all.add("64 1 1700000002000000000 1 one");
        all.add("64 2 1700000002000000000 2 two words");
        for (int i = 0; i < 4; i++) {
            all.add((i < 3 ? 192 + i * 1088 : 4096) + " " + (3 + i) + " 0 0 " + FILLER);
        }
        Path crashed = directory.resolve("crashed");
        Path withoutWords = directory.resolve("without-words");
        try (Journal journal = Journal.open(exampleJournal())) {
            appendExamples(journal);
            assertEquals(all, list(journal.directory()), "beside a writer");
            copy(journal.directory(), crashed, "journal.log", "journal.run");
            copy(journal.directory(), withoutWords, "journal.log");
        }
        assertEquals(all, list(directory.resolve("example")), "closed");
        assertEquals(all, list(crashed), "crashed, words of this boot");
        assertEquals(all, list(crashed, "--scan"), "crashed, words of this boot, scanned");
        assertEquals(List.of(), list(withoutWords), "crashed, no words: up to the floor");
        assertEquals(all, list(withoutWords, "--scan"), "crashed, no words, scanned");

        Journal.open(crashed).close();
        assertEquals(all, list(crashed), "recovered");
        Files.delete(crashed.resolve("journal.run"));
        assertEquals(all, list(crashed), "recovered and closed, no words");
        try (Journal journal = Journal.open(crashed, CONFIG.withFullPolicy(FullPolicy.OVERWRITE));
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            assertEquals(16384, appender.append(text("next"), 0, 5));
        }
        assertEquals(List.of(all.get(6), "16384 7 5 0 next"), list(crashed), "the next lap, another epoch");
    }

    /// Goal: the text alone tells what a cut left, beside the writer and after it.
    @Test
    void shouldBeReadFromTheTextAloneWhenItsEndWasCutOff() throws Exception {
        requirePython();
        Path crashed = directory.resolve("crashed");
        List<String> kept = List.of("0 0 1700000001000000000 7 " + FormatExamples.FRAME_PAYLOAD);
        List<String> next = List.of(kept.get(0), "5184 1 5 0 again");
        try (Journal journal = Journal.open(exampleJournal())) {
            appendExamples(journal);
            assertEquals(5184, journal.truncateFromSequence(1));
            assertEquals(kept, list(journal.directory()), "beside a writer");
            try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                assertEquals(5184, appender.append(text("again"), 0, 5));
            }
            assertEquals(next, list(journal.directory()), "beside a writer that went on");
            copy(journal.directory(), crashed, "journal.log");
        }
        assertEquals(next, list(directory.resolve("example")), "closed");
        assertEquals(next, list(crashed, "--scan"), "crashed, no words, scanned");
        assertTrue(Journal.verify(directory.resolve("example")).isWhole());
    }

    /// A torn frame is no entry of the text's reader, and damage below the floor is no silence.
    @Test
    void shouldBeReadFromTheTextAloneWhenTornOrDamaged() throws Exception {
        requirePython();
        Path crashed = directory.resolve("crashed");
        Path closed;
        try (Journal journal = Journal.open(exampleJournal())) {
            closed = journal.directory();
            appendExamples(journal);
            copy(closed, crashed, "journal.log");
        }
        flip(crashed, FormatExamples.GEOMETRY.fileOffset(64) + 100);
        assertEquals(7, list(crashed, "--scan").size(), "bytes behind the frame do not count");
        flip(crashed, FormatExamples.GEOMETRY.fileOffset(64) + 70);
        assertEquals(5, list(crashed, "--scan").size(), "the batch is torn: none of it");
        flip(closed, FormatExamples.GEOMETRY.fileOffset(192) + 500);
        Result result = run(closed);
        assertEquals(1, result.exitCode, result.errors);
        assertTrue(result.errors.contains("corrupt at position 192: BAD_CHECKSUM"), result.errors);
        Files.write(closed.resolve("journal.log"), new byte[4096]);
        assertEquals(3, run(closed).exitCode);
    }

    /// A writer goes round a small ring while the reader lists it again and again: each list is a run of sequences with
    /// the payloads they had, with holes only where it says so.
    @Test
    void shouldBeReadFromTheTextAloneWhileAWriterOverwrites() throws Exception {
        requirePython();
        Path path = directory.resolve("live");
        SmallJournals.create(path, 4096, 64, CONFIG);
        AtomicBoolean stop = new AtomicBoolean();
        List<Throwable> problems = Collections.synchronizedList(new ArrayList<>());
        try (Journal journal = Journal.open(path, CONFIG.withFullPolicy(FullPolicy.OVERWRITE));
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            Thread writer = Thread.ofPlatform().start(() -> {
                try {
                    while (!stop.get()) {
                        // The pace of a slow producer, so that a slow reader sees more than overruns.
                        appender.append(text("entry " + appender.nextSequence()), 3, 4);
                        LockSupport.parkNanos(50_000);
                    }
                } catch (RuntimeException | Error e) {
                    problems.add(e);
                }
            });
            try {
                int seen = 0;
                for (int run = 0; run < 40 && (seen < 2000 || journal.retained() == 0); run++) {
                    Result result = run(path);
                    assertEquals(0, result.exitCode, result.errors);
                    seen += assertRun(result.output);
                }
                assertTrue(seen >= 2000 && journal.retained() > 0, seen + " entries seen");
            } finally {
                stop.set(true);
                writer.join();
            }
        }
        assertEquals(List.of(), problems);
    }

    private static int assertRun(String output) {
        long next = -1;
        int seen = 0;
        for (String line : output.lines().toList()) {
            if (line.startsWith("{\"missed\"")) {
                next = -1;
                continue;
            }
            String[] fields = parse(line).split(" ", 5);
            long sequence = Long.parseLong(fields[1]);
            assertTrue(next < 0 || sequence == next, "sequence " + sequence + ", expected " + next);
            assertEquals("4 3 entry " + sequence, fields[2] + ' ' + fields[3] + ' ' + fields[4]);
            next = sequence + 1;
            seen++;
        }
        return seen;
    }

    private static MemorySegment text(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static void copy(Path from, Path to, String... files) throws IOException {
        Files.createDirectory(to);
        for (String file : files) {
            Files.copy(from.resolve(file), to.resolve(file));
        }
    }

    private static void assertExample(Path journal, String name, long position) throws IOException {
        byte[] example = Objects.requireNonNull(FormatExamples.all().get(name));
        assertEquals(
                HexFormat.of().formatHex(example),
                HexFormat.of().formatHex(read(journal, FormatExamples.GEOMETRY.fileOffset(position), example.length)),
                name);
    }

    private static byte[] read(Path journal, long fileOffset, int length) throws IOException {
        try (RandomAccessFile log =
                new RandomAccessFile(journal.resolve("journal.log").toFile(), "r")) {
            byte[] bytes = new byte[length];
            log.seek(fileOffset);
            log.readFully(bytes);
            return bytes;
        }
    }

    private static void flip(Path journal, long fileOffset) throws IOException {
        try (RandomAccessFile log =
                new RandomAccessFile(journal.resolve("journal.log").toFile(), "rw")) {
            log.seek(fileOffset);
            int was = log.read();
            log.seek(fileOffset);
            log.write(was ^ 1);
        }
    }

    private record Result(int exitCode, String output, String errors) {}

    /// "position sequence timestamp type payload" of each entry.
    private List<String> list(Path journal, String... options) throws Exception {
        Result result = run(journal, options);
        assertEquals(0, result.exitCode, result.errors);
        return result.output.lines().map(FormatJournalTest::parse).toList();
    }

    private static String parse(String json) {
        Matcher entry = Pattern.compile("\\{\"position\": (\\d+), \"sequence\": (\\d+), \"index\": \\d+, \"timestamp\":"
                        + " (-?\\d+), \"epoch\": \\d+, \"type\": (-?\\d+), \"payload\": \"(\\w*)\".*}")
                .matcher(json);
        assertTrue(entry.matches(), json);
        String payload = new String(HexFormat.of().parseHex(entry.group(5)), StandardCharsets.US_ASCII);
        return String.join(" ", entry.group(1), entry.group(2), entry.group(3), entry.group(4), payload);
    }

    private Result run(Path journal, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("python3", "-B"));
        command.add(ROOT.resolve("docs/reader/fenceline_reader.py").toString());
        command.addAll(List.of(options));
        command.add(journal.toString());
        Path errors = directory.resolve("errors");
        Process process =
                new ProcessBuilder(command).redirectError(errors.toFile()).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output, Files.readString(errors));
    }

    private static void requirePython() throws InterruptedException {
        boolean found;
        try {
            Process process = new ProcessBuilder("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 6))")
                    .redirectErrorStream(true)
                    .start();
            found = process.waitFor() == 0;
        } catch (IOException e) {
            found = false;
        }
        assumeTrue(found, "skipped: the reader of docs/reader needs python3 (3.6 or newer), and there is none");
    }
}
