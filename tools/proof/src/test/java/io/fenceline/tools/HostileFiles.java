package io.fenceline.tools;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.VerifyReport;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.proof.hostile.Image;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import io.fenceline.tailer.TailerConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// Damages the files of a real journal as a string of bytes says, then does everything with it that reads files:
/// open read-only, foretell recovery, tail both ways, seek, verify, dump, open for writing, append.
///
/// The bytes are a list of edits that know the format: they also repair checksums, salt and all, so that what is behind
/// them is reached. Any bytes mean something. An edit that only a holder of the salt can make may make a journal say
/// wrong things, but never crash, hang, or allocate by what it says.
///
/// Allowed are a [JournalException], or an answer. Each run is held to [#MAXIMUM_NS] and [#MAXIMUM_ALLOCATED_BYTES].
public final class HostileFiles implements AutoCloseable {
    /// Of one run: processor time of its thread, and what the thread waits, sleeps, or is blocked. So a machine that is
    /// busy, or stands still, counts for nothing.
    static final long MAXIMUM_NS = 1_000_000_000L;

    /// Of one run, on the heap, by all threads; direct memory is bounded by the JVM's own option.
    static final long MAXIMUM_ALLOCATED_BYTES = 48 << 20;

    /// What a run does.
    @FunctionalInterface
    interface Action {
        void run() throws IOException;
    }

    private static final int SEGMENTS = 4;
    private static final Geometry GEOMETRY = Geometry.of(Image.SEGMENT_LENGTH_BYTES, SEGMENTS);
    private static final int LARGEST_EDITS = 48;

    /// From, to: what a journal of this size has ever written of its file. All else is zeros.
    private static final int[][] WRITTEN = {
        {0, 20 << 10}, {1 << 20, (1 << 20) + (12 << 10)}, {Geometry.HEAD_LENGTH_BYTES, (int) GEOMETRY.fileLengthBytes()}
    };

    private static final int MAXIMUM_POLLS = 4096;
    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Path home;
    private final Path directory;
    private final byte[][] logs = new byte[2][];
    private final byte[][] runs = new byte[2][];
    private final int salt;
    private final ByteBuffer log;
    private final ByteBuffer run;
    private final ByteBuffer direct = ByteBuffer.allocateDirect(64 << 10);

    private long opened;
    private long refused;
    private long delivered;

    /// @param parent where the files go; memory is fastest
    public HostileFiles(Path parent) throws IOException {
        home = Files.createTempDirectory(parent, "fenceline-hostile-");
        Path closed = Image.closed(Files.createDirectory(home.resolve("closed")), SEGMENTS, 5);
        Path crashed = Image.crashed(Files.createDirectory(home.resolve("crashed")), SEGMENTS, 6);
        for (int i = 0; i < 2; i++) {
            Path image = i == 0 ? closed : crashed;
            logs[i] = Files.readAllBytes(image.resolve("journal.log"));
            runs[i] = Files.readAllBytes(image.resolve("journal.run"));
        }
        requireZerosBetween(logs[0]);
        requireZerosBetween(logs[1]);
        directory = closed;
        log = ByteBuffer.allocate(logs[0].length).order(ByteOrder.LITTLE_ENDIAN);
        run = ByteBuffer.allocate(runs[0].length).order(ByteOrder.LITTLE_ENDIAN);
        log.put(0, logs[1]);
        int crashedSalt = log.getInt(Superblock.SALT_OFFSET);
        log.put(0, logs[0]);
        salt = log.getInt(Superblock.SALT_OFFSET);
        reseal(crashedSalt);
    }

    private static void requireZerosBetween(byte[] image) {
        for (int i = 1; i < WRITTEN.length; i++) {
            for (int at = WRITTEN[i - 1][1]; at < WRITTEN[i][0]; at++) {
                if (image[at] != 0) {
                    throw new AssertionError("the log is written at offset " + at + ", too");
                }
            }
        }
    }

    /// One salt for both images, so that an edit can be the same.
    private void reseal(int crashedSalt) {
        log.put(0, logs[1]);
        for (int copy = 0; copy < Superblock.COPIES; copy++) {
            log.putInt((int) Superblock.fileOffset(copy) + Superblock.SALT_OFFSET, salt);
            sealSuperblock(copy);
        }
        for (int line = 0; line < 4 * StateRecord.LINES; line++) {
            int at = lineOffset(line);
            log.putInt(at + StateRecord.CRC_OFFSET, log.getInt(at + StateRecord.CRC_OFFSET) ^ crashedSalt ^ salt);
        }
        for (int slot = 0; slot < slots(); slot++) {
            int at = slotOffset(slot);
            log.putInt(at, log.getInt(at) ^ crashedSalt ^ salt);
        }
        log.get(0, logs[1]);
    }

    private static int slots() {
        return (int) (GEOMETRY.capacityBytes() / FrameDescriptor.SLOT_LENGTH_BYTES);
    }

    private static int slotOffset(int slot) {
        return Geometry.HEAD_LENGTH_BYTES + slot * FrameDescriptor.SLOT_LENGTH_BYTES;
    }

    private static int lineOffset(int line) {
        return (int) StateRecord.pageFileOffset(line / StateRecord.LINES % 2, line / (2 * StateRecord.LINES))
                + line % StateRecord.LINES * StateRecord.LENGTH_BYTES;
    }

    /// Does it all. What takes too much is done again, because a class may have been loaded, and be instrumented.
    ///
    /// @throws AssertionError if it took or allocated too much, three times
    public void run(byte[] program) throws IOException {
        String problem = "";
        for (int i = 0; i < 3; i++) {
            problem = runOnce(program);
            if (problem.isEmpty()) {
                return;
            }
        }
        throw new AssertionError(problem);
    }

    private String runOnce(byte[] program) throws IOException {
        ByteBuffer input = ByteBuffer.wrap(program).order(ByteOrder.LITTLE_ENDIAN);
        int mode = input.hasRemaining() ? input.get() & 0xFF : 0;
        for (int[] part : WRITTEN) {
            log.put(part[0], logs[mode & 1], part[0], part[1] - part[0]);
        }
        run.put(0, runs[mode & 1]);
        int length = log.capacity();
        for (int i = 0; i < LARGEST_EDITS && input.remaining() >= 2; i++) {
            length = edit(input, length);
        }
        write("journal.log", log.array(), length, WRITTEN);
        int runLength = (mode & 2) != 0 ? run.capacity() : Math.min(run.capacity(), input.remaining() * 64);
        write("journal.run", run.array(), runLength, new int[][] {{0, run.capacity()}});
        return excess(() -> {
            read();
            if ((mode & 12) == 12) {
                command((mode & 16) != 0 ? "info" : "dump");
            }
            write();
        });
    }

    /// Does something.
    ///
    /// @return what it took too much of; empty: nothing
    static String excess(Action action) throws IOException {
        THREADS.setThreadContentionMonitoringEnabled(true); // else no thread knows how long it has waited
        long allocated = THREADS.getTotalThreadAllocatedBytes();
        long waitedMs = waitedMs();
        long cpuNs = THREADS.getCurrentThreadCpuTime();
        action.run();
        long tookNs = THREADS.getCurrentThreadCpuTime() - cpuNs + (waitedMs() - waitedMs) * 1_000_000;
        long took = THREADS.getTotalThreadAllocatedBytes() - allocated;
        return tookNs > MAXIMUM_NS || took > MAXIMUM_ALLOCATED_BYTES
                ? "took " + tookNs + " ns and " + took + " bytes"
                : "";
    }

    private static long waitedMs() {
        ThreadInfo info = THREADS.getThreadInfo(Thread.currentThread().threadId());
        return info.getWaitedTime() + info.getBlockedTime();
    }

    private int edit(ByteBuffer input, int length) {
        int op = input.get() & 0xFF;
        switch (op % 10) {
            case 0 -> log.put(at(input), (byte) value(input, 0));
            case 1 -> {
                int at = at(input);
                log.put(at, (byte) (log.get(at) ^ (1 << (op >>> 5))));
            }
            case 2 -> field(input, slotOffset(number(input, slots())), new int[] {4, 8, 16, 24, 32, 36, 40, 44});
            case 3 -> {
                int from = number(input, slots());
                int to = number(input, slots());
                int count = 1 + number(input, Math.min(32, slots() - Math.max(from, to)));
                log.put(slotOffset(to), log.array(), slotOffset(from), count * FrameDescriptor.SLOT_LENGTH_BYTES);
            }
            case 4, 5 -> sealFrame(number(input, slots()));
            case 6 -> {
                int line = number(input, 4 * StateRecord.LINES);
                field(input, lineOffset(line), new int[] {0, 8, 16, 24, 32, 40, 48, 52, 54, 56});
                sealLine(line);
                if ((op & 0x80) == 0) {
                    log.put(lineOffset(line ^ 128), log.array(), lineOffset(line), StateRecord.LENGTH_BYTES);
                }
            }
            case 7 -> {
                field(input, 0, new int[] {0, 8, 12, 16, 32, 36, 40, 48, 52, 56, 64, 72, 80});
                sealSuperblock(0);
                if ((op & 0x80) == 0) {
                    log.put((int) Superblock.fileOffset(1), log.array(), 0, Superblock.LENGTH_BYTES);
                }
            }
            case 8 -> run.putLong(number(input, run.capacity() / 8) * 8, value(input, 0));
            default -> {
                return Math.min(log.capacity(), number(input, log.capacity() / 32) * 32);
            }
        }
        return length;
    }

    /// A place in what anybody reads.
    private static int at(ByteBuffer input) {
        int region = number(input, 8);
        return switch (region) {
            case 0 -> number(input, Superblock.LENGTH_BYTES);
            case 1 -> (int) Superblock.fileOffset(1) + number(input, Superblock.LENGTH_BYTES);
            case 2, 3 -> lineOffset(number(input, 4 * StateRecord.LINES)) + number(input, StateRecord.LENGTH_BYTES);
            default -> slotOffset(number(input, slots())) + number(input, FrameDescriptor.SLOT_LENGTH_BYTES);
        };
    }

    private static int number(ByteBuffer input, int below) {
        int bits = input.remaining() >= 2 ? input.getShort() & 0xFFFF : 0;
        return below <= 1 ? 0 : below <= 1 << 16 ? bits % below : (int) (((long) bits * below) >>> 16);
    }

    private void field(ByteBuffer input, int at, int[] offsets) {
        int offset = at + offsets[number(input, offsets.length)];
        long value = value(input, log.getLong(offset));
        if (input.hasRemaining() && (input.get() & 1) == 0) {
            log.putLong(offset, value);
        } else {
            log.putInt(offset, (int) value);
        }
    }

    /// The old one and a little, or one of those that break things, or any.
    private static long value(ByteBuffer input, long old) {
        int how = input.hasRemaining() ? input.get() & 0xFF : 0;
        return switch (how % 9) {
            case 0 -> old + (how >> 4) - 8;
            case 1 -> old + ((how >> 4) - 8) * 64L;
            case 2 -> old + ((how >> 4) - 8) * (long) Image.SEGMENT_LENGTH_BYTES;
            case 3 -> 1L << (how / 4);
            case 4 -> -(1L << (how / 4));
            case 5 -> (1L << (how / 4)) - 1;
            case 6 -> Long.MAX_VALUE - how;
            case 7 -> how;
            default -> input.remaining() >= 8 ? input.getLong() : Integer.MAX_VALUE;
        };
    }

    private void sealFrame(int slot) {
        int at = slotOffset(slot);
        int length = log.getInt(at + FrameDescriptor.LENGTH_OFFSET);
        int covered = log.get(at + FrameDescriptor.KIND_OFFSET) == FrameDescriptor.KIND_PAD ? 64 : length;
        if (covered >= 40 && covered <= Math.min(direct.capacity(), log.capacity() - at)) {
            log.putInt(at, crc(at + FrameDescriptor.CHECKSUM_START, at + covered) ^ salt);
        }
    }

    private void sealLine(int line) {
        int at = lineOffset(line);
        log.putInt(at + StateRecord.CRC_OFFSET, crc(at, at + StateRecord.CRC_OFFSET) ^ salt);
    }

    private void sealSuperblock(int copy) {
        int at = (int) Superblock.fileOffset(copy);
        log.putInt(at + Superblock.CRC_OFFSET, crc(at, at + Superblock.CRC_OFFSET));
    }

    private int crc(int from, int to) {
        direct.clear().put(log.array(), from, to - from);
        return new Crc32c().of(direct, 0, to - from, 0);
    }

    /// Writes the parts as far as they lie below the length; what lies between them is zeros already, or a hole.
    private void write(String name, byte[] bytes, int length, int[][] parts) throws IOException {
        try (FileChannel channel =
                FileChannel.open(directory.resolve(name), StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            channel.truncate(length);
            for (int[] part : parts) {
                int end = Math.min(part[1], length);
                if (part[0] < end) {
                    channel.write(ByteBuffer.wrap(bytes, part[0], end - part[0]), part[0]);
                }
            }
            if (channel.size() < length) {
                channel.write(ByteBuffer.allocate(1), length - 1L); // it ends between two parts
            }
        }
    }

    private void read() {
        try {
            VerifyReport report = Journal.verify(directory);
            if (report.toString().isEmpty() || report.toJson().isEmpty()) {
                throw new AssertionError(report);
            }
        } catch (JournalException e) {
            refused++;
        }
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            foretell(journal);
            tail(journal, Start.oldest());
            tail(journal, Start.newest());
            tail(journal, Start.sequence(delivered & 255));
            tail(journal, Start.time(Instant.EPOCH));
            backwards(journal);
        } catch (JournalException e) {
            refused++;
        }
    }

    private void foretell(ReadOnlyJournal journal) {
        try {
            RecoveryReport report = journal.inspectRecovery();
            if (report.toString().isEmpty()) {
                throw new AssertionError(report);
            }
        } catch (JournalException e) {
            refused++;
        }
    }

    private void tail(ReadOnlyJournal journal, Start start) {
        try (Tailer tailer =
                Tailer.open(journal, start, TailerConfig.defaults().withSkipDamage(range -> delivered++))) {
            for (int i = 0; i < MAXIMUM_POLLS; i++) {
                if (tailer.poll(entry -> delivered += entry.toByteArray().length & 1, 64) <= 0) {
                    return;
                }
            }
            throw new AssertionError("a tailer without a writer does not end");
        } catch (JournalException | IllegalArgumentException e) {
            refused++;
        }
    }

    private void backwards(ReadOnlyJournal journal) {
        try (Tailer tailer = Tailer.open(journal, Start.newest())) {
            for (int i = 0; i < MAXIMUM_POLLS; i++) {
                if (tailer.pollBackwards(entry -> delivered += entry.toByteArray().length & 1, 64) <= 0) {
                    return;
                }
            }
            throw new AssertionError("a tailer without a writer does not end");
        } catch (JournalException e) {
            refused++;
        }
    }

    private void command(String command) {
        PrintStream nothing = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        Console console =
                new Console(InputStream.nullInputStream(), OutputStream.nullOutputStream(), nothing, false, false);
        int code = Fenceline.run(console, command, directory.toString());
        if (code == ExitCodes.BUG) {
            throw new AssertionError(command + " ended with an internal error");
        }
    }

    /// What was opened can be appended to, read, and closed.
    private void write() {
        @Nullable Journal journal = null;
        try {
            journal = Journal.open(directory, Image.CONFIG);
            opened++;
            try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                int length = Math.min(100, journal.maximumPayloadLengthBytes());
                long position = appender.append(MemorySegment.ofArray(new byte[length]));
                if (position >= 0) {
                    delivered += position & 1;
                }
            }
        } catch (JournalException e) {
            refused++;
        } finally {
            if (journal != null) {
                close(journal);
            }
        }
    }

    private void close(Journal journal) {
        try {
            journal.close();
        } catch (JournalException e) {
            refused++;
        }
    }

    /// What happened, in a line.
    @Override
    public String toString() {
        return "opened for writing " + opened + ", refused " + refused;
    }

    @Override
    public void close() throws IOException {
        Image.remove(home);
    }
}
