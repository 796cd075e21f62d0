package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.TestLevels;
import io.fenceline.journal.VerifyReport;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A tailer beside writers in other processes that append, cut, reset and are killed, mostly in the middle of a cut or
/// a
/// reset: those sync for real, and take most of a writer's time.
class TruncatingWriterTest {
    /// As strong as the journal was made.
    static final JournalConfig CONFIG = JournalConfig.defaults().withFullPolicy(FullPolicy.OVERWRITE);

    private static final long TIMEOUT_NS = 60_000_000_000L;

    private final NavigableMap<Long, Long> shown = new TreeMap<>();
    private int cuts;
    private int resets;

    private void show(Entry entry) {
        assertEquals(entry.sequence(), Journals.longOf(entry, 0), "I2: content of another sequence");
        assertTrue(
                shown.isEmpty() || shown.lastKey() + 1 == entry.sequence(),
                () -> "I4: after " + shown.lastKey() + " came " + entry.sequence());
        shown.put(entry.sequence(), Journals.longOf(entry, 8));
    }

    private void poll(Tailer tailer) {
        int result = tailer.poll(this::show, 50);
        if (result == Tailer.TRUNCATED) {
            cuts++;
            shown.tailMap(tailer.nextSequence(), true).clear();
        } else if (result == Tailer.OVERRUN) {
            resets += tailer.nextSequence() % 1_000_000 == 0 ? 1 : 0;
            shown.clear();
        } else {
            assertTrue(result >= 0, () -> "poll returned " + result);
        }
    }

    /// Goal: what the tailer was shown, less what it was told is cut or given up, is at the end what everybody finds
    /// there (I1, I5), over kills at any moment; a reset happened whole or not at all.
    @ParameterizedTest
    @CsvSource("PROCESS, 5")
    void shouldShowWhatIsThereWhenWritersCutAndAreKilled(Durability level, int kills)
            throws IOException, InterruptedException {
        killAgainAndAgain(level, kills);
    }

    @Tag("slow")
    @ParameterizedTest
    @CsvSource({"PROCESS, 100", "MEMORY, 100", "DEVICE, 100"})
    void shouldShowWhatIsThereWhenWritersCutAndAreKilledManyTimes(Durability level, int kills)
            throws IOException, InterruptedException {
        killAgainAndAgain(level, kills);
    }

    private void killAgainAndAgain(Durability level, int kills) throws IOException, InterruptedException {
        JournalConfig config = TestLevels.at(level, CONFIG);
        Path parent = Files.createTempDirectory(Files.createDirectories(Path.of("target", "cuts")), "cut");
        Path directory = parent.resolve("journal");
        SmallJournals.create(directory, 16 << 10, 4, config);
        try (ReadOnlyJournal reader = Journal.openReadOnly(directory)) {
            Tailer tailer = Tailer.open(reader, Start.oldest());
            for (int kill = 0; kill < kills; kill++) {
                followUntilKilled(directory, tailer, kill);
                drain(tailer); // all that was acknowledged: the shared words outlive the writer
                try (ReadOnlyJournal crashed = Journal.openReadOnly(directory)) {
                    // What the dead writer had published, beside a record of a cut perhaps.
                    check(crashed, Tailer.open(crashed, Start.oldest()), false);
                }
                try (Journal recovered = Journal.open(directory, CONFIG)) {
                    assertEquals(level, recovered.durability().durability());
                    drain(tailer);
                    check(recovered, Tailer.open(recovered, Start.oldest()), true);
                }
                VerifyReport report = Journal.verify(directory);
                assertTrue(report.isWhole(), report::toString);
            }
            assertTrue(cuts > kills, () -> "saw " + cuts + " cuts only");
            assertTrue(resets > 0, "saw no reset");
        }
    }

    private void followUntilKilled(Path directory, Tailer tailer, int seed) throws IOException, InterruptedException {
        Process writer = Journals.java(TruncatingWriter.class, directory, seed);
        try (BufferedReader out = writer.inputReader()) {
            assertEquals("open", out.readLine());
            long startNs = System.nanoTime();
            int until = cuts + resets + 2 + seed * 7 % 50;
            while (cuts + resets < until) {
                poll(tailer);
                assertTrue(
                        writer.isAlive(),
                        () -> "the writer died: " + out.lines().toList());
                assertTrue(
                        System.nanoTime() - startNs < TIMEOUT_NS,
                        () -> "saw " + cuts + " cuts, " + resets + " resets, expected " + until);
            }
        } finally {
            writer.destroyForcibly().waitFor();
        }
    }

    private void drain(Tailer tailer) {
        long before;
        int cutsBefore;
        do {
            before = tailer.position();
            cutsBefore = cuts;
            poll(tailer);
        } while (tailer.position() != before || cuts != cutsBefore);
    }

    private void check(io.fenceline.journal.JournalSource source, Tailer fresh, boolean exactly) {
        NavigableMap<Long, Long> there = new TreeMap<>();
        List<Long> sequences = new ArrayList<>();
        while (fresh.poll(
                        entry -> {
                            sequences.add(entry.sequence());
                            there.put(entry.sequence(), Journals.longOf(entry, 8));
                        },
                        100)
                > 0) {
            // on
        }
        assertEquals(source.published(), fresh.position());
        long first = sequences.isEmpty() ? 0 : sequences.getFirst();
        assertEquals(LongStream.range(first, first + sequences.size()).boxed().toList(), sequences, "I4, I6");
        if (exactly && !there.isEmpty()) {
            Map<Long, Long> expected = new TreeMap<>(shown.tailMap(there.firstKey(), true));
            assertEquals(expected, there, "I5");
        }
    }
}
