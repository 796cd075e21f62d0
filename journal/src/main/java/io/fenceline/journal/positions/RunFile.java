package io.fenceline.journal.positions;

import static io.fenceline.journal.format.RunFileDescriptor.BOOT_HASH_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.GENERATION_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.JOURNAL_ID_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.KEPT_ENTRIES_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.LAST_FRAME_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.LAST_RESERVED_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.MAGIC;
import static io.fenceline.journal.format.RunFileDescriptor.MAGIC_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.OPENED_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.POISONED_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.PUBLISHED_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.RECLAIMED_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.RECORDING_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.RECORDS_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.REFUSED_FULL_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.REFUSED_HELD_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.RETAINED_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.SEALED_BYTES_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.VERDICT_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.VERSION;
import static io.fenceline.journal.format.RunFileDescriptor.VERSION_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.WAITED_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.WAITS_OFFSET;
import static io.fenceline.journal.format.RunFileDescriptor.WRITER_PID_OFFSET;

import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.RecoveryReport.Verdict;
import io.fenceline.journal.WriterCounters;
import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.Crc32c;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The words of `journal.run`, shared between the writer and all readers of this machine.
///
/// 1. Only the writer process stores. `published` is stored with release after the bytes before it are durable at
///    the journal's level; `retained` is stored before anything that it gives up is overwritten.
/// 2. A reader that loads `published` (acquire) sees every byte before it.
/// 3. The words mean something only in the boot that wrote them: [#isCurrent].
/// 4. `generation` is odd while the end of the log is being cut off, and another even number afterwards: only then
///    has `published` gone back, and may bytes before it have changed. Who copies bytes loads it before and after.
public final class RunFile {
    private static final VarHandle LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private final MemorySegment words;
    private final Sleepers sleepers;

    public RunFile(MemorySegment words) {
        this(words, Sleepers.NOBODY);
    }

    /// @param sleepers are woken by each publication
    public RunFile(MemorySegment words, Sleepers sleepers) {
        this.words = words;
        this.sleepers = sleepers;
    }

    /// Names the boot of this machine: 64 bits of a hash of the kernel's boot id.
    public static long bootHash() {
        return BootHolder.HASH;
    }

    /// The 32 bits of [#bootHash] that go into a state record.
    public static int bootHash32() {
        return (int) BootHolder.HASH;
    }

    /// Whether the words belong to this journal and this boot.
    public boolean isCurrent(UUID journalId) {
        return (long) LONG.getAcquire(words, (long) BOOT_HASH_OFFSET) == bootHash()
                && words.get(Bytes.I64, MAGIC_OFFSET) == MAGIC
                && words.get(Bytes.I32, VERSION_OFFSET) == VERSION
                && words.get(Bytes.I64, JOURNAL_ID_OFFSET) == journalId.getMostSignificantBits()
                && words.get(Bytes.I64, JOURNAL_ID_OFFSET + 8) == journalId.getLeastSignificantBits();
    }

    /// Takes the words over for a new writer, after recovery. They only advance within a boot; the boot hash goes
    /// last, but for the generation, which becomes even where a writer died while it cut the log.
    public void begin(UUID journalId, long published, long retained) {
        if (!isCurrent(journalId)) {
            LONG.setVolatile(words, (long) BOOT_HASH_OFFSET, 0L); // nobody believes words of another boot or journal
            words.set(Bytes.I64, GENERATION_OFFSET, 0);
        }
        words.set(Bytes.I64, MAGIC_OFFSET, MAGIC);
        words.set(Bytes.I32, VERSION_OFFSET, VERSION);
        words.set(Bytes.I64, JOURNAL_ID_OFFSET, journalId.getMostSignificantBits());
        words.set(Bytes.I64, JOURNAL_ID_OFFSET + 8, journalId.getLeastSignificantBits());
        words.set(Bytes.I64, WRITER_PID_OFFSET, ProcessHandle.current().pid());
        words.set(Bytes.I64, POISONED_OFFSET, 0);
        words.asSlice(OPENED_OFFSET, LAST_RESERVED_OFFSET + Bytes.I64.byteSize() - OPENED_OFFSET)
                .fill((byte) 0);
        LONG.setVolatile(words, (long) RETAINED_OFFSET, retained);
        LONG.setVolatile(words, (long) RECLAIMED_OFFSET, retained);
        LONG.setVolatile(words, (long) PUBLISHED_OFFSET, published);
        LONG.setVolatile(words, (long) BOOT_HASH_OFFSET, bootHash());
        if (isCutting(generation())) {
            endCut();
        }
        sleepers.wake(); // recovery may have moved the end
    }

    /// How often the end of the log was cut off, twice; odd while it is (acquire).
    public long generation() {
        return (long) LONG.getAcquire(words, (long) GENERATION_OFFSET);
    }

    /// Whether the end of the log is being cut off, or a writer died at it.
    public boolean isCutting() {
        return isCutting(generation());
    }

    /// Whether that generation is one of a cut under way.
    static boolean isCutting(long generation) {
        return (generation & 1) != 0;
    }

    /// From here on readers believe the floor of the state record and nothing beyond `published` (full fence).
    void beginCut(long published) {
        LONG.setVolatile(words, (long) GENERATION_OFFSET, generation() | 1);
        LONG.setVolatile(words, (long) PUBLISHED_OFFSET, published);
        VarHandle.fullFence();
    }

    /// The same, with everything before a position published.
    void endCut(long published) {
        LONG.setVolatile(words, (long) PUBLISHED_OFFSET, published);
        endCut();
    }

    /// The words hold again.
    void endCut() {
        LONG.setVolatile(words, (long) GENERATION_OFFSET, generation() + 1);
        sleepers.wake();
    }

    /// Everything before it may be read (acquire).
    public long published() {
        return (long) LONG.getAcquire(words, (long) PUBLISHED_OFFSET);
    }

    /// The same, and no earlier volatile store of the caller is behind it (volatile).
    long publishedVolatile() {
        return (long) LONG.getVolatile(words, (long) PUBLISHED_OFFSET);
    }

    /// Shows entries to tailers (release), and wakes those who sleep.
    public void publish(long position) {
        LONG.setRelease(words, (long) PUBLISHED_OFFSET, position);
        sleepers.wake();
    }

    /// Moves `published` on, if it is what the caller believes (full fence), and wakes those who sleep.
    ///
    /// @return what it was: `from` if it was moved
    long advance(long from, long to) {
        long was = (long) LONG.compareAndExchange(words, (long) PUBLISHED_OFFSET, from, to);
        if (was == from) {
            sleepers.wake();
        }
        return was;
    }

    /// The oldest byte still readable (acquire).
    public long retained() {
        return (long) LONG.getAcquire(words, (long) RETAINED_OFFSET);
    }

    /// How far the writer gives up, or is about to if no gate holds it (volatile).
    long reclaimed() {
        return (long) LONG.getVolatile(words, (long) RECLAIMED_OFFSET);
    }

    /// Announces to gates how far bytes will be given up (full fence: no later load of the caller goes ahead
    /// of it).
    void reclaim(long position) {
        LONG.setVolatile(words, (long) RECLAIMED_OFFSET, position);
        VarHandle.fullFence();
    }

    /// Gives bytes up (full fence: no later store of the caller goes ahead of it).
    public void retain(long position) {
        LONG.setVolatile(words, (long) RETAINED_OFFSET, position);
        VarHandle.fullFence();
    }

    public boolean isPoisoned() {
        return (long) LONG.getAcquire(words, (long) POISONED_OFFSET) != 0;
    }

    /// Tells readers that nothing more will come from this writer.
    public void poison() {
        LONG.setVolatile(words, (long) POISONED_OFFSET, 1L);
    }

    /// Where the last entry's frame is, or shortly before it, as the last writer noted: a hint, in any boot.
    public long lastFrameHint() {
        return words.get(Bytes.I64, LAST_FRAME_OFFSET);
    }

    /// Notes a hint for the next opening.
    public void lastFrameHint(long position) {
        words.set(Bytes.I64, LAST_FRAME_OFFSET, position);
    }

    /// Notes what the writer found, for people.
    public void recovered(RecoveryReport report, long nowNs) {
        words.set(Bytes.I64, VERDICT_OFFSET, code(report.verdict()));
        words.set(Bytes.I64, KEPT_ENTRIES_OFFSET, report.keptEntries());
        words.set(Bytes.I64, SEALED_BYTES_OFFSET, report.sealedBytes());
        words.set(Bytes.I64, OPENED_OFFSET, nowNs);
    }

    /// An append waited for room. One thread of the writer at a time, as the other counts.
    void waited(long ns) {
        count(WAITS_OFFSET, 1);
        count(WAITED_OFFSET, ns);
    }

    /// An append was refused, because the ring was full, or held by a gate.
    void refused(boolean held) {
        count(held ? REFUSED_HELD_OFFSET : REFUSED_FULL_OFFSET, 1);
    }

    /// An append waited for a state record.
    void recorded(long ns) {
        count(RECORDS_OFFSET, 1);
        count(RECORDING_OFFSET, ns);
    }

    /// An append asks for space, with so much reserved before it.
    void reserved(long position) {
        LONG.setOpaque(words, (long) LAST_RESERVED_OFFSET, position);
    }

    private void count(int offset, long more) {
        LONG.setOpaque(words, (long) offset, (long) LONG.getOpaque(words, (long) offset) + more);
    }

    /// What the last writer of this boot counted.
    public WriterCounters counters() {
        return new WriterCounters(
                writerPid(),
                isPoisoned(),
                counter(OPENED_OFFSET),
                verdict(counter(VERDICT_OFFSET)),
                counter(KEPT_ENTRIES_OFFSET),
                counter(SEALED_BYTES_OFFSET),
                counter(WAITS_OFFSET),
                counter(WAITED_OFFSET),
                counter(REFUSED_FULL_OFFSET),
                counter(REFUSED_HELD_OFFSET),
                counter(RECORDS_OFFSET),
                counter(RECORDING_OFFSET),
                Math.max(published(), counter(LAST_RESERVED_OFFSET)));
    }

    private static long code(Verdict verdict) {
        return switch (verdict) {
            case CLEAN -> 1;
            case RECOVERED -> 2;
            case POWER_LOST -> 3;
        };
    }

    private static @Nullable Verdict verdict(long code) {
        for (Verdict verdict : Verdict.values()) {
            if (code(verdict) == code) {
                return verdict;
            }
        }
        return null;
    }

    private long counter(int offset) {
        return (long) LONG.getOpaque(words, (long) offset);
    }

    /// Process id of the last writer, in its own namespace; for people.
    public long writerPid() {
        return words.get(Bytes.I64, WRITER_PID_OFFSET);
    }

    private static final class BootHolder {
        static final long HASH = read();

        private static long read() {
            byte[] id;
            try {
                id = Files.readString(Path.of("/proc/sys/kernel/random/boot_id"))
                        .strip()
                        .getBytes(StandardCharsets.US_ASCII);
            } catch (IOException e) {
                // Unknown boot: nothing from before this process counts as of this boot.
                id = UUID.randomUUID().toString().getBytes(StandardCharsets.US_ASCII);
            }
            ByteBuffer bytes = ByteBuffer.allocateDirect(id.length).put(id);
            Crc32c crc = new Crc32c();
            long low = crc.of(bytes, 0, id.length, 0) & 0xFFFF_FFFFL;
            long high = crc.of(bytes, id.length / 2, id.length, 0);
            return high << 32 | low;
        }
    }
}
