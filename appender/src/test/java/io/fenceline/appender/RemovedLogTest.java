package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.BelowTarget;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.persist.Kernel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Somebody removes `journal.log` under its writer, whose mapping and descriptor live on. Real processes and what the
/// tools say: `TruncatedLogTest`.
class RemovedLogTest {
    private static final int SEGMENT_LENGTH_BYTES = 4096;
    private static final int SEGMENT_COUNT = 4;

    @TempDir(factory = BelowTarget.class)
    private Path directory;

    private Journal open(Durability durability) {
        if (durability == Durability.MEMORY) {
            Kernel.assumeAvailable();
        }
        JournalConfig config = JournalConfig.defaults()
                .withDurability(durability)
                .withEmulatePersistentMemory(durability == Durability.MEMORY)
                .withFullPolicy(FullPolicy.OVERWRITE);
        Path path = directory.resolve("journal");
        SmallJournals.create(path, SEGMENT_LENGTH_BYTES, SEGMENT_COUNT, config);
        return Journal.open(path, config);
    }

    /// Goal: no more is acknowledged than the lease that was durable when the file went (here: of a whole ring), at
    /// `DEVICE` nothing; then the fault is told, and sticks.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldAcknowledgeNothingBeyondTheLeaseWhenTheLogIsRemoved(Durability durability) throws IOException {
        Journal journal = open(durability);
        ExclusiveAppender appender = ExclusiveAppender.open(journal);
        MemorySegment payload = MemorySegment.ofArray(new byte[100]);
        long last = appender.append(payload);
        Files.delete(directory.resolve("journal").resolve("journal.log"));
        long end = last + (durability == Durability.DEVICE ? 0 : (long) SEGMENT_LENGTH_BYTES * SEGMENT_COUNT);
        JournalException.Io fault = assertThrows(JournalException.Io.class, () -> {
            long position = last;
            while (position <= end) {
                position = appender.append(payload);
                assertTrue(position >= 0 && position <= end, "acknowledged at " + position + ", behind " + end);
            }
        });
        assertTrue(String.valueOf(fault.getMessage()).contains("was removed under the writer"), fault::getMessage);
        assertThrows(JournalException.Poisoned.class, () -> appender.append(payload));
        appender.close();
        journal.close();
    }

    /// Goal: a close makes no clean record of a file that is gone.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldNotCloseAsCleanWhenTheLogIsRemoved(Durability durability) throws IOException {
        Journal journal = open(durability);
        Files.delete(directory.resolve("journal").resolve("journal.log"));
        JournalException.Io fault = assertThrows(JournalException.Io.class, journal::close);
        assertTrue(String.valueOf(fault.getMessage()).contains("was removed under the writer"), fault::getMessage);
        assertTrue(journal.isPoisoned());
    }
}
