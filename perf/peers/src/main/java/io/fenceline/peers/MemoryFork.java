package io.fenceline.peers;

import io.fenceline.appender.CommitListener;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.appender.GroupCommitAppender;
import io.fenceline.appender.GroupCommitConfig;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;

/// One JVM, `MEMORY`: one thread of single durable appends, then two producers of a group commit (asynchronous, each
/// with one reused listener), round by round in turn. Writes a line `round SINGLE GROUP` each, entries per second.
///
///     java … io.fenceline.peers.MemoryFork DIRECTORY ROUNDS PAYLOAD-BYTES
final class MemoryFork {
    private static final int WARM_UP_ROUNDS = 5;
    private static final int SINGLES = 1_000_000;
    private static final int PRODUCERS = 2;
    private static final int EACH = 1_500_000;

    private MemoryFork() {}

    public static void main(String[] arguments) throws Exception {
        Path directory = Files.createDirectories(Path.of(arguments[0]));
        int rounds = Integer.parseInt(arguments[1]);
        MemorySegment payload = Arena.ofAuto().allocate(Integer.parseInt(arguments[2]));
        JournalConfig config = JournalConfig.defaults()
                .withDurability(Durability.MEMORY)
                .withEmulatePersistentMemory(true)
                .withFullPolicy(FullPolicy.OVERWRITE);
        try (Journal one = Journal.create(directory.resolve("single"), config);
                Journal two = Journal.create(directory.resolve("group"), config);
                ExclusiveAppender single = ExclusiveAppender.open(one);
                GroupCommitAppender group =
                        GroupCommitAppender.open(two, GroupCommitConfig.DEFAULTS, Throwable::printStackTrace)) {
            for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
                double singles = single(single, payload);
                double grouped = group(group, payload);
                if (round >= 0) {
                    System.out.printf(Locale.ROOT, "round %.0f %.0f%n", singles, grouped);
                }
            }
        }
    }

    private static double single(ExclusiveAppender appender, MemorySegment payload) {
        long startNs = System.nanoTime();
        for (int i = 0; i < SINGLES; i++) {
            check(appender.append(payload));
        }
        return SINGLES * 1e9 / (System.nanoTime() - startNs);
    }

    /// Ends when the last entry is durable.
    private static double group(GroupCommitAppender appender, MemorySegment payload) throws InterruptedException {
        AtomicLong refused = new AtomicLong();
        CommitListener listener = (result, sequence) -> {
            if (result < 0) {
                refused.incrementAndGet();
            }
        };
        Thread[] producers = new Thread[PRODUCERS];
        long startNs = System.nanoTime();
        for (int i = 0; i < PRODUCERS; i++) {
            producers[i] = Thread.ofPlatform().start(() -> {
                for (int n = 0; n < EACH; n++) {
                    check(appender.appendAsync(payload, 0, listener));
                }
            });
        }
        for (Thread producer : producers) {
            producer.join();
        }
        check(appender.flush());
        check(-refused.get());
        return PRODUCERS * EACH * 1e9 / (System.nanoTime() - startNs);
    }

    private static void check(long result) {
        if (result < 0) {
            throw new IllegalStateException("an append returned " + AppendResult.describe(result));
        }
    }
}
