package io.fenceline.tools.threads;

import static io.fenceline.tools.threads.Follower.HEADER_LENGTH_BYTES;
import static io.fenceline.tools.threads.Follower.payload;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.Batch;
import io.fenceline.appender.Claim;
import io.fenceline.appender.ConcurrentAppender;
import io.fenceline.appender.GroupCommitAppender;
import io.fenceline.appender.GroupCommitConfig;
import io.fenceline.journal.BelowTarget;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.Team;
import io.fenceline.journal.TestLevels;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// 16 threads through a ring of two small segments, for many laps, with tailers that follow, in this process and in
/// another one: positions and sequences are one order, without overlap or gap, each thread's order is kept, and
/// every byte is the one appended.
class ManyThreadsTest {
    private static final int THREADS = 16;

    @TempDir(factory = BelowTarget.class)
    private Path directory;

    /// What a thread was told of the first entry of each frame: where it is, by (thread, number).
    private final ConcurrentMap<Long, Long> acknowledged = new ConcurrentHashMap<>();

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

    /// What a tailer has found right: is it where the thread was told?
    private void found(int thread, int number, long position) {
        Long told = acknowledged.get(key(thread, number));
        assertTrue(told == null || told == position, () -> "acknowledged at " + told + ", found at " + position);
    }

    /// Follows in this process, and in another one where the ring is tiny; under BLOCK this one makes room, as far
    /// as the other one has come.
    private void follow(Journal journal, FullPolicy policy, int entries, Team team) {
        boolean gapless = policy == FullPolicy.BLOCK;
        boolean isTiny = journal.capacityBytes() < 1 << 20;
        Follower follower = new Follower(THREADS, gapless);
        try (OtherProcess other = isTiny ? OtherProcess.follow(journal.directory(), THREADS, entries, gapless) : null;
                Tailer tailer = Tailer.open(journal, Start.oldest())) {
            team.begin();
            follower.follow(tailer::poll, entries, this::found, () -> {
                if (gapless && follower.position() >= 0) {
                    journal.retain(follower.position());
                }
            });
            team.join();
            if (other != null) {
                other.await();
            }
        }
    }

    private Journal open(Durability durability, int segmentLengthBytes, FullPolicy policy) {
        JournalConfig config =
                TestLevels.at(durability, JournalConfig.defaults().withFullPolicy(policy));
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
        "PROCESS, 4096, BLOCK, 1000",
        "PROCESS, 4096, OVERWRITE, 1500",
        "MEMORY, 4096, BLOCK, 1000",
        "MEMORY, 4096, OVERWRITE, 1500",
        "MEMORY, 2097152, BLOCK, 120",
        "PROCESS, 2097152, OVERWRITE, 120"
    })
    void shouldKeepOneOrderThroughManyLaps(Durability durability, int segmentLengthBytes, FullPolicy policy, int each) {
        keepOneOrder(durability, segmentLengthBytes, policy, each);
    }

    /// Two million entries, some hundred thousand segments. (BLOCK waits for the other process's gate, a
    /// millisecond a look.)
    @ParameterizedTest
    @Tag("slow")
    @CsvSource({
        "PROCESS, 4096, BLOCK, 40000",
        "PROCESS, 4096, OVERWRITE, 125000",
        "MEMORY, 4096, OVERWRITE, 125000",
        "MEMORY, 2097152, BLOCK, 3000"
    })
    void shouldKeepOneOrderThroughManyLapsAtLength(
            Durability durability, int segmentLengthBytes, FullPolicy policy, int each) {
        long startNs = System.nanoTime();
        keepOneOrder(durability, segmentLengthBytes, policy, each);
        System.out.printf(
                "%d threads, %s, %s, 2 segments of %d bytes: %d entries in %.0f s%n",
                THREADS, durability, policy, segmentLengthBytes, THREADS * each, (System.nanoTime() - startNs) / 1e9);
    }

    private void keepOneOrder(Durability durability, int segmentLengthBytes, FullPolicy policy, int each) {
        try (Journal journal = open(durability, segmentLengthBytes, policy);
                ConcurrentAppender appender = ConcurrentAppender.open(journal)) {
            int maximum = journal.maximumPayloadLengthBytes();
            Team team = Team.of(THREADS, thread -> produce(appender, thread, each, maximum));
            follow(journal, policy, THREADS * each, team);
        }
        checkAfterwards(THREADS * each);
    }

    /// A frame longer than the span, which is 64 MiB at most: only the first one behind what is published may be
    /// written, and the next waits until it is published.
    @Test
    @Tag("slow")
    void shouldKeepOneOrderOfFramesLongerThanTheSpan() {
        int each = 10;
        JournalConfig config = JournalConfig.defaults()
                .withDurability(Durability.PROCESS)
                .withFullPolicy(FullPolicy.BLOCK)
                .withSegmentLengthBytes(512 << 20)
                .withSegmentCount(2);
        try (Journal journal = Journal.create(directory.resolve("journal"), config);
                ConcurrentAppender appender = ConcurrentAppender.open(journal);
                Tailer tailer = Tailer.open(journal, Start.oldest())) {
            int longest = journal.maximumPayloadLengthBytes();
            assertTrue(longest > 64 << 20);
            Team team = Team.of(4, thread -> {
                        byte[] large = thread < 2 ? new byte[longest] : new byte[HEADER_LENGTH_BYTES + 100];
                        for (int number = 0; number < each; number++) {
                            byte[] payload = number % 2 == 0 ? large : new byte[HEADER_LENGTH_BYTES + number];
                            Follower.fill(payload, thread, number);
                            told(thread, number, appender.append(MemorySegment.ofArray(payload)));
                        }
                    })
                    .begin();
            Follower follower = new Follower(4, true);
            follower.follow(tailer::poll, 4L * each, this::found, () -> {
                if (follower.position() >= 0) {
                    journal.retain(follower.position());
                }
            });
            team.join();
        }
        checkAfterwards(4 * each);
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
                GroupCommitAppender appender = GroupCommitAppender.open(journal, config, error -> {})) {
            int maximum = journal.maximumPayloadLengthBytes();
            Team team = Team.of(THREADS, thread -> {
                SplittableRandom random = new SplittableRandom(thread);
                for (int number = 0; number < each; number++) {
                    byte[] payload = payload(thread, number, length(random, maximum));
                    told(thread, number, appender.append(MemorySegment.ofArray(payload), number));
                }
            });
            follow(journal, policy, THREADS * each, team);
        }
        checkAfterwards(THREADS * each);
    }
}
