package io.fenceline.tools.threads;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.Batch;
import io.fenceline.appender.Claim;
import io.fenceline.appender.ConcurrentAppender;
import io.fenceline.appender.GroupCommitAppender;
import io.fenceline.appender.GroupCommitConfig;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.Team;
import io.fenceline.journal.persist.Kernel;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// 16 threads through a ring of two small segments, for many laps, with a tailer that follows: positions and
/// sequences are one order, without overlap or gap, each thread's order is kept, and every byte is the one
/// appended.
class ManyThreadsTest {
    private static final int THREADS = 16;
    private static final int HEADER_LENGTH_BYTES = 16;
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED;

    @TempDir(factory = BelowTarget.class)
    private Path directory;

    /// `DEVICE` is refused where the temporary directory is a tmpfs.
    static final class BelowTarget implements TempDirFactory {
        @Override
        public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext context) throws IOException {
            return Files.createTempDirectory(Files.createDirectories(Path.of("target", "threads")), "t");
        }
    }

    /// What a thread was told of the first entry of each frame: where it is, by (thread, number).
    private final ConcurrentMap<Long, Long> acknowledged = new ConcurrentHashMap<>();

    private static byte[] payload(int thread, int number, int lengthBytes) {
        byte[] payload = new byte[HEADER_LENGTH_BYTES + lengthBytes];
        Arrays.fill(payload, (byte) (thread * 31L + number));
        MemorySegment.ofArray(payload).set(I64, 0, thread);
        MemorySegment.ofArray(payload).set(I64, 8, number);
        return payload;
    }

    private static long key(long thread, long number) {
        return thread << 32 | number;
    }

    /// Mostly small, at times as large as it gets.
    private static int length(SplittableRandom random, int maximum) {
        return switch (random.nextInt(16)) {
            case 0 -> maximum - HEADER_LENGTH_BYTES;
            case 1, 2, 3 -> random.nextInt(maximum - HEADER_LENGTH_BYTES);
            default -> random.nextInt(Math.min(200, maximum - HEADER_LENGTH_BYTES));
        };
    }

    private void told(int thread, int number, long position) {
        assertTrue(position >= 0, () -> "append: " + position);
        assertNull(acknowledged.put(key(thread, number), position));
    }

    /// Each thread appends, claims, and commits batches.
    private void produce(ConcurrentAppender appender, int thread, int entries, int maximum) {
        SplittableRandom random = new SplittableRandom(thread);
        for (int number = 0; number < entries; ) {
            byte[] payload = payload(thread, number, length(random, maximum));
            switch (random.nextInt(4)) {
                case 0 -> {
                    Claim claim = appender.claim(payload.length);
                    MemorySegment.copy(
                            MemorySegment.ofArray(payload), 0, claim.buffer(), claim.offset(), payload.length);
                    told(thread, number++, claim.commit());
                }
                case 1 -> {
                    Batch batch = appender.batch();
                    int first = number;
                    while (number < entries
                            && number < first + 5
                            && batch.add(MemorySegment.ofArray(
                                    number == first ? payload : payload(thread, number, random.nextInt(50))))) {
                        number++;
                    }
                    long position = batch.commit();
                    for (int i = first; i < number; i++) {
                        told(thread, i, position);
                    }
                }
                default -> told(thread, number++, appender.append(MemorySegment.ofArray(payload)));
            }
        }
    }

    /// Follows, checks, and under BLOCK makes room.
    private final class Follower {
        private final long[] numbers = new long[THREADS];
        private long position = -1;
        private long sequence = -1;
        private long seen;
        private boolean overrun;

        Follower() {
            Arrays.fill(numbers, -1);
        }

        void follow(Journal journal, Tailer tailer, boolean gapless, int entries) {
            Team.await("the tailer has seen the last entry", () -> {
                int polled = tailer.poll(
                        entry -> {
                            boolean follows = entry.sequence() == sequence + 1;
                            assertTrue(follows || overrun, () -> "sequence " + entry.sequence() + " after " + sequence);
                            assertTrue(
                                    entry.position() > position || entry.index() > 0,
                                    () -> "position " + entry.position() + " after " + position);
                            overrun = false;
                            position = entry.position();
                            sequence = entry.sequence();
                            check(entry.toByteArray(), gapless);
                        },
                        256);
                if (polled == Tailer.OVERRUN) {
                    assertTrue(!gapless, "overrun without OVERWRITE");
                    overrun = true;
                } else if (gapless && polled > 0) {
                    journal.retain(position);
                }
                return sequence == entries - 1L;
            });
            assertTrue(!gapless || seen == entries, () -> "saw " + seen);
        }

        private void check(byte[] bytes, boolean gapless) {
            int thread = Math.toIntExact(MemorySegment.ofArray(bytes).get(I64, 0));
            int number = Math.toIntExact(MemorySegment.ofArray(bytes).get(I64, 8));
            assertTrue(
                    Arrays.equals(payload(thread, number, bytes.length - HEADER_LENGTH_BYTES), bytes),
                    () -> "content at " + position);
            boolean inOrder = gapless ? number == numbers[thread] + 1 : number > numbers[thread];
            assertTrue(inOrder, () -> "thread " + thread + ": " + number + " after " + numbers[thread]);
            numbers[thread] = number;
            seen++;
            Long told = acknowledged.get(key(thread, number));
            assertTrue(told == null || told == position, () -> "acknowledged at " + told + ", found at " + position);
        }
    }

    private Journal open(Durability durability, int segmentLengthBytes, FullPolicy policy) {
        if (durability == Durability.MEMORY) {
            Kernel.assumeAvailable();
        }
        JournalConfig config = JournalConfig.defaults()
                .withDurability(durability)
                .withEmulatePersistentMemory(durability == Durability.MEMORY)
                .withFullPolicy(policy);
        Path path = directory.resolve("journal");
        SmallJournals.create(path, segmentLengthBytes, 2, config);
        return Journal.open(path, config);
    }

    private void checkAfterwards(int entries) {
        assertEquals(entries, acknowledged.size());
        try (Journal journal = Journal.open(directory.resolve("journal"))) {
            assertEquals(entries - 1L, journal.recovery().lastSequence());
        }
        assertTrue(Journal.verify(directory.resolve("journal")).isWhole());
    }

    @ParameterizedTest
    @CsvSource({
        "PROCESS, 4096, BLOCK, 1500",
        "PROCESS, 4096, OVERWRITE, 1500",
        "MEMORY, 4096, BLOCK, 1500",
        "MEMORY, 4096, OVERWRITE, 1500",
        "MEMORY, 2097152, BLOCK, 120",
        "PROCESS, 2097152, OVERWRITE, 120"
    })
    void shouldKeepOneOrderThroughManyLaps(Durability durability, int segmentLengthBytes, FullPolicy policy, int each) {
        try (Journal journal = open(durability, segmentLengthBytes, policy);
                ConcurrentAppender appender = ConcurrentAppender.open(journal);
                Tailer tailer = Tailer.open(journal, Start.oldest())) {
            int maximum = journal.maximumPayloadLengthBytes();
            Team team = Team.of(THREADS, thread -> produce(appender, thread, each, maximum))
                    .begin();
            new Follower().follow(journal, tailer, policy == FullPolicy.BLOCK, THREADS * each);
            team.join();
        }
        checkAfterwards(THREADS * each);
    }

    @ParameterizedTest
    @CsvSource({
        "PROCESS, 4096, BLOCK, 800",
        "MEMORY, 4096, OVERWRITE, 800",
        "MEMORY, 2097152, BLOCK, 100",
        "DEVICE, 4096, BLOCK, 40"
    })
    void shouldKeepOneOrderInGroups(Durability durability, int segmentLengthBytes, FullPolicy policy, int each) {
        GroupCommitConfig config =
                GroupCommitConfig.DEFAULTS.withLaneLengthBytes(1024).withMaximumBatch(20);
        try (Journal journal = open(durability, segmentLengthBytes, policy);
                GroupCommitAppender appender = GroupCommitAppender.open(journal, config, error -> {});
                Tailer tailer = Tailer.open(journal, Start.oldest())) {
            int maximum = journal.maximumPayloadLengthBytes();
            Team team = Team.of(THREADS, thread -> {
                        SplittableRandom random = new SplittableRandom(thread);
                        for (int number = 0; number < each; number++) {
                            byte[] payload = payload(thread, number, length(random, maximum));
                            told(thread, number, appender.append(MemorySegment.ofArray(payload), number));
                        }
                    })
                    .begin();
            new Follower().follow(journal, tailer, policy == FullPolicy.BLOCK, THREADS * each);
            team.join();
        }
        checkAfterwards(THREADS * each);
    }
}
