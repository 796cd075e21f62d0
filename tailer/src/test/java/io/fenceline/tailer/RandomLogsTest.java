package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalSource;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every way to move in a log is held against a linear scan of it, over [RandomLog]s, opened for writing and
/// read-only.
class RandomLogsTest {
    @TempDir
    Path temporary;

    @Test
    void shouldFindWhatALinearScanFinds() {
        run(40);
    }

    @Tag("slow")
    @Test
    void shouldFindWhatALinearScanFindsInManyLogs() {
        run(1500);
    }

    private void run(int logs) {
        long first = Long.getLong("fenceline.seed", System.nanoTime());
        for (long seed = first; seed < first + logs; seed++) {
            try {
                RandomLog log = new RandomLog(temporary, seed);
                SplittableRandom random = new SplittableRandom(seed);
                try (JournalSource journal =
                        random.nextBoolean() ? log.open() : Journal.openReadOnly(log.directory())) {
                    checkSequences(journal, log.entries(), random);
                    checkPositions(journal, log.entries(), random);
                    checkTimes(journal, log.entries(), random);
                    checkTimesThatStray(journal, log.entries(), random);
                    checkWayBack(journal, log.entries(), random);
                    walkAtRandom(journal, log.entries(), random);
                }
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(
                        "seed " + seed + "; repeat: mvn -pl tailer -am test -Dtest=RandomLogsTest"
                                + " -Dsurefire.failIfNoSpecifiedTests=false -DargLine=-Dfenceline.seed=" + seed,
                        e);
            }
        }
    }

    private static List<RandomLog.Entry> poll(Tailer tailer, int limit) {
        List<RandomLog.Entry> seen = new ArrayList<>();
        int count = tailer.poll(entry -> seen.add(RandomLog.Entry.of(entry)), limit);
        assertEquals(seen.size(), count);
        return seen;
    }

    private static List<RandomLog.Entry> pollBackwards(Tailer tailer, int limit) {
        List<RandomLog.Entry> seen = new ArrayList<>();
        int count = tailer.pollBackwards(entry -> seen.add(RandomLog.Entry.of(entry)), limit);
        assertEquals(seen.size(), count);
        return seen;
    }

    /// The first entry delivered is the first one of a list that fits, or there is none.
    private static void checkFirst(JournalSource journal, Start start, List<RandomLog.Entry> expected) {
        try (Tailer tailer = Tailer.open(journal, start)) {
            assertEquals(expected.stream().limit(3).toList(), poll(tailer, 3), start::toString);
        }
    }

    private static void checkSequences(JournalSource journal, List<RandomLog.Entry> entries, SplittableRandom random) {
        if (entries.isEmpty()) {
            return;
        }
        long from = entries.getFirst().sequence();
        long to = entries.getLast().sequence();
        for (int i = 0; i < 60; i++) {
            long sequence = i == 0 ? from : i == 1 ? to : random.nextLong(from, to + 1);
            int index = lowerBound(entries, sequence);
            checkFirst(journal, Start.sequence(sequence), entries.subList(index, entries.size()));
        }
    }

    private static int lowerBound(List<RandomLog.Entry> entries, long sequence) {
        int index = 0;
        while (entries.get(index).sequence() < sequence) {
            index++;
        }
        return index;
    }

    private static void checkPositions(JournalSource journal, List<RandomLog.Entry> entries, SplittableRandom random) {
        for (int i = 0; i < Math.min(30, entries.size()); i++) {
            RandomLog.Entry entry = entries.get(random.nextInt(entries.size()));
            int first = entries.indexOf(entry) - entry.index();
            checkFirst(journal, Start.position(entry.position()), entries.subList(first, entries.size()));
        }
    }

    private static void checkTimes(JournalSource journal, List<RandomLog.Entry> entries, SplittableRandom random) {
        Duration skew = Duration.ofNanos(RandomLog.SKEW_NS);
        for (int i = 0; i < 60; i++) {
            long time = entries.isEmpty() || i < 2
                    ? 900_000 + 100_000_000L * i
                    : entries.get(random.nextInt(entries.size())).timestampNs() + random.nextInt(-60, 60);
            int index = 0;
            while (index < entries.size()
                    && (entries.get(index).timestampNs() == 0
                            || entries.get(index).timestampNs() < time)) {
                index++;
            }
            Start start = Start.time(Instant.ofEpochSecond(0, time), skew);
            checkFirst(journal, start, entries.subList(index, entries.size()));
        }
    }

    /// Goal: with a skew that is too small for the log, what is found is what [Start#time] says: an entry that is late
    /// enough, the first such one behind some entry that is early enough, or behind the oldest.
    private static void checkTimesThatStray(
            JournalSource journal, List<RandomLog.Entry> entries, SplittableRandom random) {
        for (int i = 0; i < Math.min(60, entries.size()); i++) {
            long time = entries.get(random.nextInt(entries.size())).timestampNs() + random.nextInt(-60, 60);
            long skew = random.nextLong(RandomLog.SKEW_NS / 2);
            Start start = Start.time(Instant.ofEpochSecond(0, time), Duration.ofNanos(skew));
            try (Tailer tailer = Tailer.open(journal, start)) {
                List<RandomLog.Entry> found = poll(tailer, 1);
                int index = found.isEmpty() ? entries.size() : entries.indexOf(found.getFirst());
                assertTrue(found.isEmpty() || isLate(found.getFirst(), time), () -> start + " found " + found);
                boolean early = false;
                int before = index - 1;
                for (; before >= 0 && !isLate(entries.get(before), time); before--) {
                    long timestamp = entries.get(before).timestampNs();
                    early |= timestamp != 0 && timestamp < time - skew;
                }
                assertTrue(early || before < 0, () -> start + " found " + found + " behind no early entry");
            }
        }
    }

    private static boolean isLate(RandomLog.Entry entry, long time) {
        return entry.timestampNs() != 0 && entry.timestampNs() >= time;
    }

    private static void checkWayBack(JournalSource journal, List<RandomLog.Entry> entries, SplittableRandom random) {
        for (boolean verify : new boolean[] {true, false}) {
            TailerConfig config = TailerConfig.defaults().withVerifyChecksums(verify);
            try (Tailer tailer = Tailer.open(journal, Start.newest(), config)) {
                List<RandomLog.Entry> seen = new ArrayList<>();
                for (List<RandomLog.Entry> part = pollBackwards(tailer, 1 + random.nextInt(50));
                        !part.isEmpty();
                        part = pollBackwards(tailer, 1 + random.nextInt(50))) {
                    seen.addAll(part);
                }
                assertEquals(entries, seen.reversed());
                assertEquals(entries, poll(tailer, entries.size() + 1));
            }
        }
    }

    /// Forwards, backwards and by leaps, some entries at a time.
    private static void walkAtRandom(JournalSource journal, List<RandomLog.Entry> entries, SplittableRandom random) {
        try (Tailer tailer = Tailer.open(journal, Start.oldest())) {
            int at = 0;
            for (int i = 0; i < 200; i++) {
                int limit = random.nextInt(random.nextInt(10) == 0 ? 200 : 5);
                switch (random.nextInt(5)) {
                    case 0, 1 -> {
                        int to = Math.min(entries.size(), at + limit);
                        assertEquals(entries.subList(at, to), poll(tailer, limit));
                        at = to;
                    }
                    case 2, 3 -> {
                        int to = Math.max(0, at - limit);
                        assertEquals(entries.subList(to, at).reversed(), pollBackwards(tailer, limit));
                        at = to;
                    }
                    default -> {
                        if (random.nextInt(5) == 0 && !entries.isEmpty()) {
                            at = random.nextInt(entries.size());
                            tailer.skipTo(Start.sequence(entries.get(at).sequence()));
                        }
                    }
                }
                if (at < entries.size() && limit > 0) {
                    assertTrue(tailer.position() <= entries.get(at).position());
                }
            }
        }
    }
}
