package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.Kernel;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every bad input gets one clear line and its exit code, and nothing is lost.
final class BadInputTest {
    private static final int SEGMENT_LENGTH_BYTES = 4096;
    private static final int LARGEST_ENTRY_LENGTH_BYTES = SEGMENT_LENGTH_BYTES / 4;

    @TempDir
    private Path directory;

    private Path path;
    private String journal;

    @BeforeEach
    void create() {
        path = directory.resolve("journal");
        journal = path.toString();
        SmallJournals.create(
                path, SEGMENT_LENGTH_BYTES, 4, JournalConfig.defaults().withDurability(Durability.PROCESS));
    }

    @ParameterizedTest
    @ValueSource(strings = {"append", "tail", "info", "recover"})
    void shouldRefuseWhatIsNoJournal(String command) throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "text");
        Path empty = Files.createDirectory(directory.resolve("empty"));
        Path foreign = Files.createDirectory(directory.resolve("foreign"));
        Files.write(foreign.resolve("journal.log"), new byte[3 << 20]);
        CommandRun.of(command, directory.resolve("missing").toString())
                .refused(ExitCodes.UNREADABLE, "no journal at", "missing");
        CommandRun.of(command, file.toString()).refused(ExitCodes.UNREADABLE, "is not a journal");
        CommandRun.of(command, empty.toString()).refused(ExitCodes.UNREADABLE, "it holds no journal.log");
        CommandRun.of(command, foreign.toString()).refused(ExitCodes.UNREADABLE, "is not a journal", "magic");
    }

    @ParameterizedTest
    @ValueSource(strings = {"append", "tail", "info", "recover"})
    void shouldRefuseNewerVersionAndUnknownFeature(String command) throws IOException {
        patchSuperblocks(Superblock.VERSION_OFFSET, 2);
        CommandRun.of(command, journal).refused(ExitCodes.UNREADABLE, "version 2", "newer");
        patchSuperblocks(Superblock.VERSION_OFFSET, 1);
        CommandRun.of("info", journal).good();
        patchSuperblocks(Superblock.INCOMPATIBLE_OFFSET, 4);
        CommandRun.of(command, journal).refused(ExitCodes.UNREADABLE, "incompatible features 0x4");
    }

    @ParameterizedTest
    @ValueSource(strings = {"append", "tail", "info", "recover"})
    void shouldRefuseTruncatedFile(String command) throws IOException {
        try (FileChannel log = log()) {
            log.truncate(log.size() - 4096);
        }
        CommandRun.of(command, journal).refused(ExitCodes.UNREADABLE, "truncated", "expected", "actual");
    }

    /// Goal: where even the newest state record may be gone with the end of the file, no command takes an older one for
    /// the newest, or calls the head damaged.
    @ParameterizedTest
    @ValueSource(strings = {"append", "tail", "info", "recover", "verify", "dump"})
    void shouldRefuseAFileThatEndsInItsHead(String command) throws IOException {
        for (int length : new int[] {8192, 4096}) {
            try (FileChannel log = log()) {
                log.truncate(length);
            }
            CommandRun.of(command, journal).refused(ExitCodes.UNREADABLE, "truncated", "actual " + length);
        }
    }

    @Test
    void shouldUseTheOtherSuperblockAndSaySoWhenOneIsDamaged() throws IOException {
        damage(Superblock.fileOffset(0) + 40);
        CommandRun append = CommandRun.fed("a\n", "append", journal);
        assertEquals(ExitCodes.OK, append.code());
        assertTrue(append.err().contains("superblock copy 0"), append::err);
        assertTrue(CommandRun.of("info", journal).good().out().contains("superblock copy 0"));
        CommandRun tail = CommandRun.of("tail", journal);
        assertEquals("a\n", tail.out());
        assertTrue(tail.err().contains("superblock copy 0"), tail::err);
        damage(Superblock.fileOffset(1) + 40);
        CommandRun.of("info", journal).refused(ExitCodes.CORRUPT, "both superblock copies are damaged");
    }

    @Test
    void shouldShowWhatIsBeforeCorruptFrameAndNameIt() throws IOException {
        CommandRun.fed("one\ntwo\nthree\n", "append", journal).good();
        damage((2 << 20) + 64 + 49);
        CommandRun run =
                CommandRun.of("tail", journal).refused(ExitCodes.CORRUPT, "position 64", "file offset 2097216");
        assertEquals("one\n", run.out());
    }

    @Test
    void shouldRefuseSymbolicLinks() throws IOException {
        Path link = Files.createSymbolicLink(directory.resolve("link"), path);
        CommandRun.of("info", link.toString()).refused(ExitCodes.UNREADABLE, "symbolic link");
        CommandRun.of("create", link.toString()).refused(ExitCodes.USAGE, "something is there already");
        Path log = path.resolve("journal.log");
        Files.move(log, directory.resolve("elsewhere"));
        Files.createSymbolicLink(log, directory.resolve("elsewhere"));
        CommandRun.fed("a\n", "append", journal).refused(ExitCodes.UNREADABLE, "journal.log");
    }

    @Test
    void shouldRefuseToCreateWhereSomethingIs() throws IOException {
        CommandRun.of("create", journal).refused(ExitCodes.USAGE, "something is there already");
        CommandRun.of("create", directory.resolve("no/parent").toString())
                .refused(ExitCodes.UNREADABLE, "there is no directory");
        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(Set.of(path), Set.copyOf(left.toList()));
        }
    }

    @Test
    void shouldRefuseSecondWriterAndLetReadersIn() {
        try (Journal writer = Journal.open(path)) {
            CommandRun.fed("a\n", "append", journal).refused(ExitCodes.LOCKED, "open for writing already");
            CommandRun.of("recover", journal).refused(ExitCodes.LOCKED, "open for writing already");
            assertTrue(
                    CommandRun.of("recover", "--dry-run", journal).good().out().contains("IN_USE"));
            assertTrue(CommandRun.of("info", "--json", journal).good().out().contains("\"writerAlive\":true"));
            assertEquals(0, writer.published());
        }
    }

    @Test
    void shouldRefuseDirectoryWithoutPermission() throws IOException {
        assumeFalse(Files.isReadable(Path.of("/proc/1/mem")), "skipped: root may read everything");
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("---------"));
        CommandRun.of("info", journal).refused(ExitCodes.UNREADABLE, "ermission denied");
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
    }

    /// A line of 100 MB: refused with its number and the limit, what came before is kept, and most of it is not
    /// read.
    @ParameterizedTest
    @ValueSource(strings = {"1", "10"})
    void shouldKeepWhatCameBeforeLineThatIsTooLong(String batch) {
        LongLine in = new LongLine("first\nsecond\n", 100_000_000);
        CommandRun.fed(in, false, "append", journal, "--batch", batch)
                .refused(ExitCodes.USAGE, "line 3 ", "at most " + LARGEST_ENTRY_LENGTH_BYTES + " bytes", "2 lines");
        assertTrue(in.read < 1 << 20, () -> in.read + " bytes were read");
        assertEquals("first\nsecond\n", CommandRun.of("tail", journal).good().out());
        String largest = "x".repeat(LARGEST_ENTRY_LENGTH_BYTES) + "\n";
        CommandRun.fed(largest, "append", journal, "--batch", batch).good();
        CommandRun.fed("x" + largest, "append", journal).refused(ExitCodes.USAGE, "line 1 ", "no line was appended");
        assertEquals(
                largest,
                CommandRun.of("tail", journal, "--from", "seq:2").good().out());
    }

    /// The reader of the acks goes after the first one; the input is kept all the same, and the journal is closed.
    @Test
    void shouldLoseNothingWhenTheReaderOfAcksGoes() throws IOException {
        String input = "a\nb\nc\nd\n";
        InputStream in = new java.io.ByteArrayInputStream(input.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        CommandRun run = CommandRun.to(in, new ClosingPipe(1), false, "append", journal, "--ack");
        assertEquals(ExitCodes.CLOSED_OUTPUT, run.code());
        assertEquals("", run.err());
        assertEquals(input, CommandRun.of("tail", journal).good().out());
        assertTrue(CommandRun.of("info", "--json", journal).good().out().contains("\"clean\":true"));
        for (String[] command :
                new String[][] {{"tail", journal}, {"info", journal}, {"--help"}, {"recover", journal}}) {
            CommandRun closed = CommandRun.to(InputStream.nullInputStream(), new ClosingPipe(0), false, command);
            assertEquals(ExitCodes.CLOSED_OUTPUT, closed.code(), Arrays.toString(command));
            assertEquals("", closed.err());
        }
    }

    @Test
    void shouldStopOrOverwriteWhenTheRingIsFull() {
        String input = "x\n".repeat(1000);
        CommandRun.fed(input, "append", journal)
                .refused(ExitCodes.FULL, "is full", "256 lines were appended", "--when-full overwrite");
        assertEquals(512, CommandRun.of("tail", journal).good().out().length());
        CommandRun.fed("new\n", "append", journal, "--when-full", "overwrite", "--ack")
                .good();
        assertTrue(CommandRun.of("tail", journal).good().out().endsWith("x\nnew\n"));
    }

    @Test
    void shouldRefuseWrongUsage() {
        CommandRun.of().refused(ExitCodes.USAGE, "--help");
        CommandRun.of("nonsense").refused(ExitCodes.USAGE, "no such command: nonsense");
        CommandRun.of("create").refused(ExitCodes.USAGE, "DIR");
        CommandRun.of("create", "x", "--segments", "1").refused(ExitCodes.USAGE, "expected 2 to 65536");
        CommandRun.of("create", "x", "--segment-size", "3MiB").refused(ExitCodes.USAGE, "power of two");
        CommandRun.of("create", "x", "--segment-size", "many").refused(ExitCodes.USAGE, "not a size");
        CommandRun.of("create", "x", "--segment-size", "1TiB")
                .refused(ExitCodes.USAGE, "1099511627776", "power of two");
        CommandRun.of("create", "x", "--segment-size", "99999999999999999999GiB")
                .refused(ExitCodes.USAGE, "too large a size");
        CommandRun.of("create", "x", "--segments", "99999999999").refused(ExitCodes.USAGE, "a whole number up to 2147");
        CommandRun.of("dump", journal, "--limit", "x").refused(ExitCodes.USAGE, "'x': expected a whole number");
        CommandRun.of("create", "x", "--durability", "eternal").refused(ExitCodes.USAGE, "--durability");
        CommandRun.of("append", journal, "--batch", "0").refused(ExitCodes.USAGE, "1 to 65535");
        CommandRun.of("tail", journal, "--from", "64").refused(ExitCodes.USAGE, "position 64");
        CommandRun.of("tail", journal, "--from", "seq:9").refused(ExitCodes.USAGE, "sequence 9");
        CommandRun.of("tail", journal, "--from", "-1").refused(ExitCodes.USAGE);
        CommandRun.of("tail", journal, "--limit", "-1").refused(ExitCodes.USAGE, "0 or more");
        CommandRun.of("demo", "/no/such/file").refused(ExitCodes.UNREADABLE, "no such file");
        CommandRun.of("demo", directory.toString()).refused(ExitCodes.UNREADABLE, directory.toString());
    }

    @Test
    void shouldEscapeRawPayloadsOnTerminalOnly() {
        CommandRun.fed("a\u001b[31m\n", "append", journal).good();
        assertEquals(
                "a\\x1b[31m",
                CommandRun.onTerminal("dump", journal, "--format", "raw").good().out());
        assertEquals(
                "a\u001b[31m",
                CommandRun.of("dump", journal, "--format", "raw").good().out());
    }

    @Test
    void shouldNameStandardInputWhenItCannotBeRead() {
        InputStream broken = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("Is a directory");
            }

            @Override
            public int read(byte[] bytes, int offset, int count) throws IOException {
                throw new IOException("Is a directory");
            }
        };
        CommandRun.fed(broken, false, "append", journal)
                .refused(ExitCodes.STORAGE, "cannot read standard input: Is a directory");
    }

    @Test
    void shouldSayThatDumpHasNothingToShowBeyondTheLastEntry() {
        CommandRun.of("dump", journal, "--from", "seq:9").refused(ExitCodes.OK, "warning", "sequence 9", "nothing");
    }

    /// The JVM has put U+FFFD for what it could not decode; without care another directory would be made or read.
    @Test
    void shouldRefuseNameThatIsNotUtf8() {
        CommandRun.of("info", "/tmp/\uFFFD").refused(ExitCodes.USAGE, "expected UTF-8");
    }

    @Test
    void shouldNotPassControlCharactersOfNamesOn() {
        CommandRun run = CommandRun.of("info", "/tmp/\u001b[31mred\n\u009b0m");
        run.refused(ExitCodes.UNREADABLE, "\\x1b[31mred\\n\\u{9b}0m");
        CommandRun.of("cursor", "set", journal, "two\nlines", "0")
                .refused(ExitCodes.USAGE, "cursor name 'two\\nlines': expected 1 to 64", "--help");
    }

    @Test
    void shouldGiveMemoryOnlyWhereThereIsOrWhenEmulated() {
        Kernel.assumeAvailable();
        String memory = directory.resolve("memory").toString();
        CommandRun run =
                CommandRun.of("create", memory, "--segment-size", "2MiB", "--segments", "2", "--durability", "memory");
        if (run.code() != ExitCodes.OK) { // else this storage is persistent memory
            run.refused(ExitCodes.STORAGE, "MEMORY durability is not to be had");
            assertFalse(Files.exists(Path.of(memory)));
        }
        CommandRun.of("create", journal, "--durability", "process", "--emulate-persistent-memory")
                .refused(ExitCodes.USAGE, "--emulate-persistent-memory");
    }

    private FileChannel log() throws IOException {
        return FileChannel.open(path.resolve("journal.log"), StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private void damage(long offset) throws IOException {
        try (FileChannel log = log()) {
            ByteBuffer one = ByteBuffer.allocate(1);
            log.read(one, offset);
            one.put(0, (byte) (one.get(0) ^ 0x55));
            log.write(one.flip(), offset);
        }
    }

    private void patchSuperblocks(int fieldOffset, int value) throws IOException {
        try (FileChannel log = log()) {
            for (int copy = 0; copy < Superblock.COPIES; copy++) {
                ByteBuffer bytes =
                        ByteBuffer.allocateDirect(Superblock.LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
                log.read(bytes, Superblock.fileOffset(copy));
                bytes.putInt(fieldOffset, value);
                int crc = new Crc32c().of(bytes, 0, Superblock.CRC_OFFSET, 0);
                bytes.clear().putInt(Superblock.CRC_OFFSET, crc);
                log.write(bytes, Superblock.fileOffset(copy));
            }
        }
    }

    /// Some text, then one line without end.
    private static final class LongLine extends InputStream {
        private final String head;
        private final long length;
        long read;

        LongLine(String head, long length) {
            this.head = head;
            this.length = length;
        }

        @Override
        public int read() {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0];
        }

        @Override
        public int read(byte[] bytes, int offset, int count) {
            int n = (int) Math.min(count, head.length() + length - read);
            for (int i = 0; i < n; i++, read++) {
                bytes[offset + i] = (byte) (read < head.length() ? head.charAt((int) read) : 'x');
            }
            return n == 0 ? -1 : n;
        }

        @Override
        public int available() {
            return 1;
        }
    }

    /// Breaks after some writes.
    private static final class ClosingPipe extends OutputStream {
        private int left;

        ClosingPipe(int writes) {
            left = writes;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            left--;
            if (left < 0) {
                throw new IOException("Broken pipe");
            }
        }
    }
}
