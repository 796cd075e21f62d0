package io.fenceline.dax;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.PersistStrategy;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/// One journal, whose entries tell their own sequence. One thread.
final class Load {
    private static final int LONGEST_PAYLOAD_BYTES = 600;

    private final Durability level;
    private final Path path;
    private final Journal journal;
    private final MemorySegment payloads = MemorySegment.ofArray(new long[LONGEST_PAYLOAD_BYTES / 8]);

    private Load(Durability level, Path path, Journal journal) {
        this.level = level;
        this.path = path;
        this.journal = journal;
    }

    /// Creates it, or opens it and so recovers it.
    ///
    /// @param strategy counts for `MEMORY`
    static Load open(Durability level, Path path, PersistStrategy strategy) {
        JournalConfig config = config().withDurability(level).withPersistStrategy(strategy);
        return new Load(level, path, Files.exists(path) ? Journal.open(path, config) : Journal.create(path, config));
    }

    /// A ring so small that the load goes round it.
    static JournalConfig config() {
        return JournalConfig.defaults()
                .withSegmentLengthBytes(2 << 20)
                .withSegmentCount(2)
                .withFullPolicy(FullPolicy.OVERWRITE);
    }

    /// What was read, by [#check].
    private static final class Found {
        long entries;
        long last = -1;
        long wrong;
    }

    /// Reads all that is there, with checksums, and holds each entry against what was appended with its sequence.
    ///
    /// @return one line: what was found
    String check() {
        Found found = new Found();
        try (Tailer tailer = Tailer.open(journal, Start.oldest())) {
            while (tailer.position() < journal.published()) {
                int polled = tailer.poll(
                        entry -> {
                            boolean next = found.last < 0 || entry.sequence() == found.last + 1;
                            boolean same = payload(entry.sequence()).mismatch(entry.payload()) < 0;
                            found.entries++;
                            found.last = entry.sequence();
                            found.wrong += next && same ? 0 : 1;
                        },
                        1000);
                if (polled < 0) {
                    throw new IllegalStateException(level + ": the tailer got " + polled);
                }
            }
        }
        return "FOUND " + level + " last=" + found.last + " wrong=" + found.wrong + " read=" + found.entries
                + " recovered=" + journal.recovery().lastSequence() + " verdict="
                + journal.recovery().verdict();
    }

    /// Appends until the power goes, and tells each entry when it is acknowledged.
    void run(Console console) {
        try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            while (true) {
                long sequence = appender.nextSequence();
                long position = appender.append(payload(sequence));
                if (position < 0) {
                    throw new IllegalStateException(level + ": append returned " + position);
                }
                console.println("ACK " + level + " " + sequence);
            }
        }
    }

    private MemorySegment payload(long sequence) {
        long length = 8 + Long.remainderUnsigned(sequence * 0x9E37_79B9_7F4A_7C15L, LONGEST_PAYLOAD_BYTES - 7);
        MemorySegment bytes = payloads.asSlice(0, length);
        bytes.fill((byte) (sequence * 31 + level.id()));
        bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, sequence);
        return bytes;
    }

    /// What the journal says of itself.
    String describe() {
        return "OPENED " + level + ": " + journal.durability();
    }

    /// Closes in order, then looks at every byte.
    String closeAndVerify() {
        journal.close();
        return "VERIFIED " + level + " whole=" + Journal.verify(path).isWhole();
    }
}
