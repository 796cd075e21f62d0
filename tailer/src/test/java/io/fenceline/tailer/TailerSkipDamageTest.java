package io.fenceline.tailer;

import static io.fenceline.tailer.Journals.append;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.ReadOnlyJournal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A tailer that skips damage, forwards and backwards: what is whole is delivered, in order, and the reports cover
/// exactly what is not.
class TailerSkipDamageTest {
    @TempDir
    Path temporary;

    private final List<Long> positions = new ArrayList<>();
    private final List<SkippedRange> ranges = new ArrayList<>();
    private long published;

    private Path write(String name, int segmentLength, int segments, int count, int largest) {
        Path directory = temporary.resolve(name);
        positions.clear();
        try (Journal journal = Journals.open(directory, segmentLength, segments);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < count; i++) {
                positions.add(append(appender, Journals.length(i, largest)));
            }
            published = journal.published();
            assertEquals(0, journal.retained());
        }
        return directory;
    }

    /// Flips a bit of the header or payload of frames.
    private void damage(Path directory, Iterable<Integer> frames, int at) throws IOException {
        Path path = directory.resolve("journal.log");
        byte[] log = Files.readAllBytes(path);
        for (int frame : frames) {
            log[(2 << 20) + (int) (long) positions.get(frame) + at] ^= 4;
        }
        Files.write(path, log);
    }

    private TailerConfig skipping() {
        ranges.clear();
        return TailerConfig.defaults().withSkipDamage(ranges::add);
    }

    /// Goal: any set of damaged frames, however damaged, costs those frames only. Random frames in a log of several
    /// segments, neighbours too, the first, the last, the first of a segment.
    @Test
    void shouldDeliverAllThatIsWholeInBothDirections() throws IOException {
        long first = Long.getLong("fenceline.seed", System.nanoTime());
        for (long seed = first; seed < first + 25; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            try {
                check(seed, random);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(
                        "seed " + seed + "; repeat: mvn -pl tailer -am test -Dtest=TailerSkipDamageTest"
                                + " -Dsurefire.failIfNoSpecifiedTests=false -DargLine=-Dfenceline.seed=" + seed,
                        e);
            }
        }
    }

    private void check(long seed, SplittableRandom random) throws IOException {
        int count = 200;
        Path directory = write("journal" + seed, 16 << 10, 8, count, random.nextInt(2) == 0 ? 200 : 500);
        TreeSet<Integer> lost = new TreeSet<>();
        int damaged = 1 + random.nextInt(30);
        while (lost.size() < damaged) {
            int frame = random.nextInt(count);
            lost.add(frame);
            if (random.nextInt(3) == 0 && frame + 1 < count) {
                lost.add(frame + 1);
            }
        }
        if (random.nextInt(4) == 0) {
            lost.add(0);
            lost.add(count - 1);
        }
        int[] fields = {0, 7, 8, 17, 32, 36, 38, 41, 46};
        damage(directory, lost, fields[random.nextInt(fields.length)]);
        List<Long> whole = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            if (!lost.contains(i)) {
                whole.add((long) i);
            }
        }
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            Tailer tailer = Tailer.open(journal, Start.oldest(), skipping());
            List<Long> seen = new ArrayList<>();
            EntryHandler handler = entry -> {
                Journals.check(entry);
                seen.add(entry.sequence());
            };
            while (tailer.position() < published) {
                tailer.poll(handler, 1 + random.nextInt(20));
            }
            assertEquals(whole, seen);
            checkRanges(lost, ranges);
            seen.clear();
            ranges.clear();
            while (tailer.position() > 0) {
                tailer.pollBackwards(handler, 1 + random.nextInt(20));
            }
            assertEquals(whole, seen.reversed());
            checkRanges(lost, ranges.reversed());
        }
    }

    /// Every damaged frame lies in one range, no whole one does, and the missed entries add up where they are told.
    private void checkRanges(Set<Integer> lost, List<SkippedRange> ranges) {
        long end = 0;
        for (SkippedRange range : ranges) {
            assertTrue(range.from() >= end && range.to() > range.from(), range::toString);
            end = range.to();
            assertTrue(range.problem().toString().contains("position " + range.from()), range::toString);
            long inside = 0;
            for (int i = 0; i < positions.size(); i++) {
                boolean in = positions.get(i) >= range.from() && positions.get(i) < range.to();
                inside += in ? 1 : 0;
                assertTrue(!in || lost.contains(i), () -> "whole frame in " + range);
            }
            assertTrue(range.missedEntries() == -1 || range.missedEntries() == inside, range::toString);
        }
        for (int i : lost) {
            long position = positions.get(i);
            assertEquals(
                    1,
                    ranges.stream()
                            .filter(r -> r.from() <= position && position < r.to())
                            .count());
        }
    }

    @Test
    void shouldRefuseDamageFromBehindAfterWhatIsWhole() throws IOException {
        Path directory = write("journal", 16 << 10, 4, 60, 100);
        damage(directory, List.of(30, 31), 50);
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            Tailer tailer = Tailer.open(journal, Start.newest());
            List<Long> seen = new ArrayList<>();
            EntryHandler handler = entry -> seen.add(entry.sequence());
            assertEquals(28, tailer.pollBackwards(handler, 100));
            assertEquals(32, seen.getLast());
            for (int i = 0; i < 3; i++) {
                JournalException e =
                        assertThrows(JournalException.Corrupt.class, () -> tailer.pollBackwards(handler, 100));
                assertTrue(e.toString().contains("position " + positions.get(30) + " "), e::toString);
                assertEquals(positions.get(32), tailer.position());
            }
            assertEquals(28, tailer.poll(handler, 100));
            tailer.skipTo(Start.position(positions.get(29)));
            assertEquals(1, tailer.poll(handler, 100));
            assertThrows(JournalException.Corrupt.class, () -> tailer.poll(handler, 100));
            tailer.skipTo(Start.sequence(31)); // it begins at the damage
            assertThrows(JournalException.Corrupt.class, () -> tailer.poll(handler, 100));
            tailer.skipTo(Start.sequence(32));
            assertEquals(28, tailer.poll(handler, 100));
        }
    }

    /// Goal: damage at the live end is passed at the end of what is published, and what comes later is delivered.
    @Test
    void shouldGoOnLiveBehindDamageAtTheEnd() throws IOException {
        Path directory = write("journal", 64 << 10, 4, 50, 100);
        damage(directory, List.of(47, 48, 49), 20);
        try (Journal journal = Journal.open(directory, Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            Tailer tailer = Tailer.open(journal, Start.sequence(40), skipping());
            assertEquals(7, tailer.poll(Journals::check, 100));
            assertEquals(0, tailer.poll(Journals::check, 100));
            assertEquals(1, ranges.size());
            assertEquals(positions.get(47), ranges.getFirst().from());
            append(appender, 10);
            assertEquals(1, tailer.poll(Journals::check, 100));
            assertEquals(51, tailer.nextSequence());
        }
    }

    @Test
    void shouldLeaveThePollWhenTheReportThrowsOrClosesIt() throws IOException {
        Path directory = write("journal", 64 << 10, 4, 50, 100);
        damage(directory, List.of(10, 20), 20);
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            Tailer[] tailer = new Tailer[1];
            TailerConfig config = TailerConfig.defaults().withSkipDamage(range -> {
                if (range.from() == positions.get(20)) {
                    tailer[0].close();
                } else {
                    throw new IllegalStateException("of the handler");
                }
            });
            tailer[0] = Tailer.open(journal, Start.oldest(), config);
            assertEquals(10, tailer[0].poll(Journals::check, 100));
            assertThrows(IllegalStateException.class, () -> tailer[0].poll(Journals::check, 100));
            assertEquals(9, tailer[0].poll(Journals::check, 100));
            assertEquals(Tailer.CLOSED, tailer[0].poll(Journals::check, 100));
        }
    }
}
