package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.persist.Kernel;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import io.fenceline.tools.crash.Report.Kind;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// A writer process with many threads is killed, again and again; what its threads were told is in another process by
/// then. Everything told and still retained is recovered, at its place, each thread's entries are in order, and no hole
/// is left.
class ManyThreadsKillTest {
    private static final int KILLS = 26;
    private static final int GROUP_KILLS = 32;
    private static final int SLOW_KILLS = Integer.getInteger("fenceline.kills", 300);

    /// 26 kills for each level of 16 threads that share an appender, over two segments of 64 KiB.
    @Test
    void shouldKeepWhatManyThreadsWereTold() throws InterruptedException {
        run("CONCURRENT", 16, KILLS, Durability.PROCESS, Durability.MEMORY);
    }

    @Test
    @Tag("slow")
    void shouldKeepWhatManyThreadsWereToldManyTimes() throws InterruptedException {
        run("CONCURRENT", 16, SLOW_KILLS, Durability.PROCESS, Durability.MEMORY);
    }

    /// 32 kills for each level of 4 threads whose entries are committed in groups.
    @Test
    void shouldKeepWhatThreadsWereToldInGroups() throws InterruptedException {
        run("GROUP", 4, GROUP_KILLS, Durability.values());
    }

    @Test
    @Tag("slow")
    void shouldKeepWhatThreadsWereToldInGroupsManyTimes() throws InterruptedException {
        run("GROUP", 4, SLOW_KILLS, Durability.values());
    }

    private static boolean isThere(Durability level) {
        return switch (level) {
            case MEMORY -> Kernel.isAvailable();
            case DEVICE -> JournalUnderTest.isDeviceThere();
            case PROCESS -> true;
        };
    }

    /// The levels beside each other.
    private static void run(String appender, int threads, int kills, Durability... levels) throws InterruptedException {
        AssertionError failure = new AssertionError("see the suppressed");
        try (ExecutorService lanes = Executors.newFixedThreadPool(levels.length)) {
            List<Future<?>> campaigns = new ArrayList<>();
            for (Durability level : levels) {
                if (isThere(level)) {
                    campaigns.add(lanes.submit(() -> campaign(level, appender, threads, kills)));
                } else {
                    System.out.println("Kills of many threads: " + level + " skipped: it cannot be had here");
                }
            }
            for (Future<?> campaign : campaigns) {
                try {
                    campaign.get();
                } catch (ExecutionException e) {
                    failure.addSuppressed(e.getCause());
                }
            }
        }
        if (failure.getSuppressed().length > 0) {
            throw failure;
        }
    }

    private static void campaign(Durability durability, String appender, int threads, int kills) {
        JournalUnderTest journal = JournalUnderTest.create(durability, 64 << 10, 2, 1, "threads");
        journal.keepIfFailing(() -> {
            List<Report> told = new ArrayList<>();
            String[] arguments = {journal.directory().toString(), appender, Integer.toString(threads)};
            ChildProcess next = ChildProcess.start(ManyThreadsChild.class.getName(), arguments);
            try {
                for (int kill = 0; kill < kills; kill++) {
                    try (ChildProcess child = next) {
                        next = ChildProcess.start(ManyThreadsChild.class.getName(), arguments);
                        child.send("go");
                        int reports = 100 + kill * 37 % 400; // another moment each time
                        for (int i = 0; i < reports; i++) {
                            told.add(child.await(Kind.FRAME));
                        }
                        child.kill();
                        told.addAll(child.rest());
                    }
                    check(journal, told);
                }
            } finally {
                next.close();
            }
        });
    }

    private static void check(JournalUnderTest under, List<Report> told) {
        try (Journal journal = Journal.open(under.directory());
                Tailer tailer = Tailer.open(journal, Start.oldest())) {
            Map<String, Long> found = new HashMap<>();
            Map<String, Long> numbers = new HashMap<>();
            int polled;
            do {
                polled = tailer.poll(
                        entry -> {
                            byte[] bytes = entry.toByteArray();
                            long epoch = MemorySegment.ofArray(bytes).get(ManyThreadsChild.I64, 0);
                            long thread = MemorySegment.ofArray(bytes).get(ManyThreadsChild.I64, 8);
                            long number = MemorySegment.ofArray(bytes).get(ManyThreadsChild.I64, 16);
                            assertEquals(entry.epoch(), epoch);
                            assertTrue(
                                    Arrays.equals(ManyThreadsChild.payload(epoch, (int) thread, (int) number), bytes));
                            Long before = numbers.put(epoch + " " + thread, number);
                            assertTrue(before == null || before < number, "order of a thread");
                            found.put(epoch + " " + thread + " " + number, entry.position());
                        },
                        256);
            } while (polled > 0);
            assertEquals(0, polled);
            int kept = 0;
            for (Report report : told) {
                if (report.position() >= journal.retained()) {
                    String key = report.high() + " " + report.low() + " " + report.sequence();
                    assertEquals(report.position(), found.get(key), () -> "I1: epoch, thread, number " + key);
                    kept++;
                }
            }
            assertTrue(kept > 0, "nothing that was told is retained");
            told.removeIf(report -> report.position() < journal.retained());
        }
        assertTrue(Journal.verify(under.directory()).isWhole(), "I18: every hole is sealed");
    }
}
