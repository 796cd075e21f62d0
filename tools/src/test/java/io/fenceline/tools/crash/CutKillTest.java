package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.tailer.Entry;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import io.fenceline.tools.crash.Report.Kind;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A writer whose threads append while another one truncates and resets the log is killed inside a cut, again and
/// again. What was told and not cut is there; what was cut does not come back; the cut that was under way has taken
/// all that it should, or nothing.
class CutKillTest {
    private static final long SEED = Long.getLong("fenceline.seed", 20261123);

    @ParameterizedTest
    @CsvSource({
        "MEMORY, CONCURRENT, 4, 5",
        "PROCESS, CONCURRENT, 4, 4",
        "DEVICE, EXCLUSIVE, 1, 4",
        "DEVICE, GROUP, 4, 4"
    })
    void shouldCutAllOrNothingWhenTheWriterIsKilled(Durability level, String appender, int threads, int kills) {
        run(level, appender, threads, kills);
    }

    @Tag("slow")
    @ParameterizedTest
    @CsvSource({
        "MEMORY, CONCURRENT, 4, 100",
        "MEMORY, EXCLUSIVE, 1, 60",
        "PROCESS, CONCURRENT, 8, 60",
        "DEVICE, EXCLUSIVE, 1, 60",
        "DEVICE, GROUP, 4, 60"
    })
    void shouldCutAllOrNothingWhenTheWriterIsKilledOften(Durability level, String appender, int threads, int kills) {
        run(level, appender, threads, kills);
    }

    /// What threads were told, at its position: a frame of a group commit holds entries of many.
    private final TreeMap<Long, Set<String>> told = new TreeMap<>();
    private final TreeMap<Long, Long> gone = new TreeMap<>();
    private int cuts;
    private int resets;
    private int completed;
    private int takenBack;

    private void run(Durability level, String appender, int threads, int kills) {
        assumeTrue(
                level != Durability.DEVICE || JournalUnderTest.isDeviceThere(),
                "the build's directory is on a file system in memory: no DEVICE");
        SplittableRandom random = new SplittableRandom(SEED);
        JournalUnderTest journal = JournalUnderTest.create(level, 64 << 10, 4, 1, "cuts");
        journal.keepIfFailing(() -> {
            String[] arguments = {journal.directory().toString(), appender, Integer.toString(threads)};
            ChildProcess next = ChildProcess.start(CuttingChild.class.getName(), arguments);
            try {
                for (int kill = 0; kill < kills; kill++) {
                    List<Report> reports = new ArrayList<>();
                    try (ChildProcess child = next) {
                        next = ChildProcess.start(CuttingChild.class.getName(), arguments);
                        child.send("go");
                        for (int cut = 1 + random.nextInt(12); cut > 0; cut--) {
                            reports.addAll(child.awaitAll(Kind.CUTTING));
                        }
                        long startNs = System.nanoTime();
                        long delayNs = random.nextInt(level == Durability.MEMORY ? 300_000 : 4_000_000);
                        while (System.nanoTime() - startNs < delayNs) {
                            Thread.onSpinWait(); // into the cut
                        }
                        child.kill();
                        reports.addAll(child.rest());
                    }
                    check(journal, reports);
                }
            } finally {
                next.close();
            }
        });
        System.out.printf(
                "%s, %s: %d kills, %d cuts and %d resets done, of the last ones %d completed and %d taken back%n",
                level, appender, kills, cuts, resets, completed, takenBack);
        assertTrue(cuts > 0 && resets + completed > 0, "looked at too little");
    }

    /// Where the cut began that was under way, -1 if there was none.
    private long take(List<Report> reports) {
        long cutting = -1;
        for (Report report : reports) {
            if (report.kind() == Kind.FRAME) {
                assertTrue(report.position() >= 0, () -> "refused: " + report);
                told.computeIfAbsent(report.position(), position -> new HashSet<>())
                        .add(report.high() + " " + report.low() + " " + report.sequence());
            } else if (report.kind() == Kind.CUTTING) {
                cutting = report.position();
            }
        }
        for (Report report : reports) {
            if (report.kind() == Kind.CUT) {
                // Threads may tell of frames behind it before it is told itself.
                told.subMap(report.sequence(), report.position()).clear();
                if (report.position() > 0) {
                    gone.subMap(report.sequence(), report.position()).clear();
                    gone.put(report.sequence(), report.position());
                }
                cuts += report.sequence() > 0 ? 1 : 0;
                resets += report.sequence() == 0 && report.position() > 0 ? 1 : 0;
            }
        }
        boolean underWay = reports.reversed().stream()
                .filter(report -> report.kind() != Kind.FRAME)
                .findFirst()
                .map(report -> report.kind() == Kind.CUTTING)
                .orElse(false);
        return underWay ? cutting : -1;
    }

    private void check(JournalUnderTest under, List<Report> reports) {
        long cutting = take(reports);
        Map<Long, Set<String>> found = new TreeMap<>();
        long retained;
        try (Journal journal = Journal.open(under.directory());
                Tailer tailer = Tailer.open(journal, Start.oldest())) {
            retained = journal.retained();
            Map<String, Long> numbers = new HashMap<>();
            long[] sequence = {-1};
            int polled;
            do {
                polled = tailer.poll(
                        entry -> {
                            assertTrue(entry.sequence() > sequence[0], "I4");
                            sequence[0] = entry.sequence();
                            found.computeIfAbsent(entry.position(), position -> new HashSet<>())
                                    .add(key(entry, numbers));
                        },
                        256);
            } while (polled > 0);
            assertEquals(0, polled);
        }
        // What is left of the told ones from the cut on: first those that it took, then those behind it.
        boolean taken = false;
        boolean kept = false;
        for (Map.Entry<Long, Set<String>> one : told.entrySet()) {
            long position = one.getKey();
            if (position < retained && cutting != 0) {
                continue;
            }
            boolean there = found.getOrDefault(position, Set.of()).containsAll(one.getValue());
            boolean mayBeCut = cutting >= 0 && position >= cutting;
            if (!mayBeCut) {
                assertTrue(there, () -> "I1: " + one + " is not there");
            } else if (there) {
                kept = true;
            } else {
                assertFalse(kept, "half a cut from " + cutting + ": " + one + " is not there");
                taken = true;
            }
        }
        completed += taken ? 1 : 0;
        takenBack += !taken && kept ? 1 : 0;
        for (Map.Entry<Long, Set<String>> one : found.entrySet()) {
            Map.Entry<Long, Long> cut = gone.floorEntry(one.getKey());
            assertTrue(cut == null || one.getKey() >= cut.getValue(), () -> "came back: " + one + ", cut " + cut);
        }
        told.keySet().retainAll(found.keySet());
        // What is there and was told by nobody was under way; it is there to stay.
        assertTrue(Journal.verify(under.directory()).isWhole(), "I18: every hole is sealed");
    }

    private static String key(Entry entry, Map<String, Long> numbers) {
        byte[] bytes = entry.toByteArray();
        MemorySegment words = MemorySegment.ofArray(bytes);
        long epoch = words.get(ManyThreadsChild.I64, 0);
        long thread = words.get(ManyThreadsChild.I64, 8);
        long number = words.get(ManyThreadsChild.I64, 16);
        assertTrue(Arrays.equals(ManyThreadsChild.payload(epoch, (int) thread, (int) number), bytes), "I2");
        Long before = numbers.put(epoch + " " + thread, number);
        assertTrue(before == null || before < number, "order of a thread");
        return epoch + " " + thread + " " + number;
    }
}
