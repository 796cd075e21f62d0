package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.BelowTarget;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.PersistStrategy;
import io.fenceline.journal.RecoveryReport.Verdict;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.Kernel;
import io.fenceline.journal.recovery.Head;
import io.fenceline.journal.recovery.LogReader;
import io.fenceline.journal.recovery.LogWalk;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// What goes in comes out, on real files, read by a reader of its own ([LogWalk]), before and after each kind of
/// restart.
class RoundTripTest {
    private static final String SEED = "fenceline.roundtrip.seed";

    /// How bytes get to the file.
    enum Way {
        NT(Durability.MEMORY, PersistStrategy.NT),
        WRITE_BACK(Durability.MEMORY, PersistStrategy.WRITE_BACK),
        FENCE_ONLY(Durability.MEMORY, PersistStrategy.FENCE_ONLY),
        DEVICE(Durability.DEVICE, null),
        PROCESS(Durability.PROCESS, null);

        private final Durability durability;
        private final @Nullable PersistStrategy strategy;

        Way(Durability durability, @Nullable PersistStrategy strategy) {
            this.durability = durability;
            this.strategy = strategy;
        }
    }

    /// How a writer ends.
    enum Restart {
        CLEAN,
        KILLED,
        POISONED
    }

    private final long seed = Long.getLong(SEED, 1);
    private final SplittableRandom random = new SplittableRandom(seed);

    @TempDir(factory = BelowTarget.class)
    private Path directory;

    private static JournalConfig config(Way way) {
        JournalConfig config = JournalConfig.defaults()
                .withDurability(way.durability)
                .withEmulatePersistentMemory(true)
                .withFullPolicy(FullPolicy.OVERWRITE);
        if (way.strategy == null) {
            return config;
        }
        Kernel.assumeAvailable();
        return config.withPersistStrategy(way.strategy);
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static LogWalk walk(Journal journal) {
        LogReader file = journal.view().reader();
        LogReader reader = (offset, destination, at, length) -> {
            MemorySegment bytes = Arena.ofAuto().allocate(length); // a system call needs native memory
            file.read(offset, bytes, 0, length);
            MemorySegment.copy(bytes, 0, destination, at, length);
        };
        Superblock superblock = journal.view().superblock();
        StateRecord state = Head.readState(reader, superblock, journal.directory(), new ArrayList<>());
        return LogWalk.of(reader, superblock, state);
    }

    private String repeat() {
        return "seed " + seed + "; repeat: mvn -pl appender -am test -Dtest=RoundTripTest"
                + " -Dsurefire.failIfNoSpecifiedTests=false -D" + SEED + "=" + seed;
    }

    private void assertHolds(Journal journal, List<byte[]> expected) {
        List<byte[]> actual = walk(journal).payloads();
        assertEquals(expected.size(), actual.size(), this::repeat);
        for (int i = 0; i < expected.size(); i++) {
            int at = i;
            assertArrayEquals(expected.get(i), actual.get(i), () -> "entry " + at + "; " + repeat());
        }
    }

    /// Every size from 0 to 4 KiB (`DEVICE`: every 37th), by both kinds of memory and by claims.
    @ParameterizedTest
    @EnumSource(Way.class)
    void shouldGiveBackEverySize(Way way) {
        Path path = directory.resolve("sizes");
        SmallJournals.create(path, 8 << 20, 2, config(way));
        List<byte[]> expected = new ArrayList<>();
        try (Journal journal = Journal.open(path, config(way));
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int length = 0; length <= 4096; length += way == Way.DEVICE ? 37 : 1) {
                byte[] payload = bytes(length);
                expected.add(payload);
                assertTrue(append(appender, payload, length % 3) >= 0);
            }
        }
        try (Journal journal = Journal.open(path)) {
            assertEquals(Verdict.CLEAN, journal.recovery().verdict());
            assertEquals(expected.size() - 1, journal.recovery().lastSequence());
            assertHolds(journal, expected);
        }
    }

    private static long append(ExclusiveAppender appender, byte[] payload, int how) {
        return switch (how) {
            case 0 -> appender.append(MemorySegment.ofArray(payload));
            case 1 -> appender.append(new UnsafeBuffer(payload), 0, payload.length);
            default -> {
                Claim claim = appender.claim(payload.length);
                MemorySegment.copy(MemorySegment.ofArray(payload), 0, claim.buffer(), claim.offset(), payload.length);
                yield claim.commit();
            }
        };
    }

    /// Random sizes up to the maximum, over several writers, each of which ends in its way.
    @ParameterizedTest
    @CsvSource({
        "NT, CLEAN", "NT, KILLED", "NT, POISONED",
        "WRITE_BACK, CLEAN", "WRITE_BACK, KILLED", "FENCE_ONLY, KILLED",
        "DEVICE, CLEAN", "DEVICE, KILLED", "DEVICE, POISONED",
        "PROCESS, CLEAN", "PROCESS, KILLED", "PROCESS, POISONED"
    })
    void shouldGiveBackRandomSizesAfterEachKindOfRestart(Way way, Restart restart) throws IOException {
        Path path = directory.resolve("random");
        SmallJournals.create(path, 1 << 20, 16, config(way));
        List<byte[]> expected = new ArrayList<>();
        for (int writer = 0; writer < 3; writer++) {
            Journal journal = Journal.open(path, config(way));
            assertHolds(journal, expected);
            int maximum = journal.maximumPayloadLengthBytes();
            try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                for (int i = 0; i < 12; i++) {
                    byte[] payload = bytes(i == 0 ? maximum : random.nextInt(1 << random.nextInt(19)) % (maximum + 1));
                    expected.add(payload);
                    assertTrue(append(appender, payload, random.nextInt(3)) >= 0);
                }
                Batch batch = appender.batch();
                for (int i = 0; i < 20; i++) {
                    byte[] payload = bytes(random.nextInt(500));
                    expected.add(payload);
                    assertTrue(batch.add(MemorySegment.ofArray(payload)));
                }
                assertTrue(batch.commit() >= 0);
            }
            path = end(journal, path, restart, writer);
        }
        try (Journal journal = Journal.open(path)) {
            assertEquals(
                    restart == Restart.CLEAN ? Verdict.CLEAN : Verdict.RECOVERED,
                    journal.recovery().verdict());
            assertEquals(expected.size() - 1, journal.recovery().lastSequence());
            assertHolds(journal, expected);
        }
    }

    /// A killed writer leaves its files as they are at that moment: a copy of them.
    private Path end(Journal journal, Path path, Restart restart, int writer) throws IOException {
        Path next = path;
        switch (restart) {
            case KILLED -> {
                next = Files.createDirectory(directory.resolve("killed-" + writer));
                try (Stream<Path> files = Files.list(path)) {
                    for (Path file : files.toList()) {
                        Files.copy(file, next.resolve(file.getFileName()));
                    }
                }
            }
            case POISONED -> {
                journal.positions().poison(new IllegalStateException("as after a fault"));
                assertTrue(journal.isPoisoned());
            }
            case CLEAN -> assertFalse(journal.isPoisoned());
        }
        journal.close();
        return next;
    }

    /// DESIGN §5, failure, in the real persisters, whose ways are others than the simulated medium's: nothing is
    /// acknowledged or shown after the first fault, whichever way an entry takes to the file.
    @ParameterizedTest
    @EnumSource(Way.class)
    void shouldAcknowledgeNothingOnRealFilesAfterAFault(Way way) {
        Path path = directory.resolve("poisoned");
        Journal journal = Journal.create(path, config(way).withSegmentLengthBytes(2 << 20));
        try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            assertTrue(appender.append(MemorySegment.ofArray(bytes(10))) >= 0);
            long published = journal.published();
            journal.positions().poison(new IllegalStateException("as after a fault"));
            Claim claim = appender.claim(10);
            assertThrows(JournalException.Poisoned.class, claim::commit);
            claim.abort();
            Batch batch = appender.batch();
            assertTrue(batch.add(MemorySegment.ofArray(bytes(10))));
            assertThrows(JournalException.Poisoned.class, batch::commit);
            batch.abort();
            for (int length : new int[] {0, 10, 5000, 100_000, 500_000}) {
                MemorySegment payload = MemorySegment.ofArray(bytes(length));
                assertThrows(JournalException.Poisoned.class, () -> appender.append(payload), () -> length + " bytes");
            }
            assertEquals(published, journal.published());
        }
        journal.close();
        try (Journal again = Journal.open(path, config(way))) {
            assertEquals(Verdict.RECOVERED, again.recovery().verdict());
            assertEquals(0, again.recovery().lastSequence());
        }
    }

    /// Many laps of a tiny ring: at any time it holds the newest entries, in order, without a gap.
    @ParameterizedTest
    @EnumSource(Way.class)
    void shouldHoldTheNewestEntriesAfterManyLaps(Way way) {
        Path path = directory.resolve("laps");
        SmallJournals.create(path, 4096, 3, config(way));
        int laps = way == Way.DEVICE ? 10 : 200;
        List<byte[]> all = new ArrayList<>();
        try (Journal journal = Journal.open(path, config(way));
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            while (journal.published() < laps * journal.capacityBytes()) {
                byte[] payload = bytes(random.nextInt(journal.maximumPayloadLengthBytes() + 1));
                all.add(payload);
                assertTrue(appender.append(MemorySegment.ofArray(payload)) >= 0);
            }
            assertTrue(journal.retained() >= journal.published() - journal.capacityBytes());
        }
        try (Journal journal = Journal.open(path)) {
            LogWalk walk = walk(journal);
            assertTrue(walk.invalidSlots().isEmpty());
            List<byte[]> held = walk.payloads();
            assertTrue(held.size() > 3, "holds too little");
            assertEquals(all.size() - 1, walk.data().getLast().sequence());
            assertHolds(journal, all.subList(all.size() - held.size(), all.size()));
        }
    }
}
