package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.VerifyReport;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A tailer beside writers in other processes that append, cut and are killed, perhaps in the middle of a cut.
class TruncatingWriterTest {
    private static final int KILLS = 8;
    private static final long TIMEOUT_NS = 60_000_000_000L;

    @TempDir
    private Path temporary;

    private final NavigableMap<Long, Long> shown = new TreeMap<>();
    private int cuts;

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
            shown.clear();
        } else {
            assertTrue(result >= 0, () -> "poll returned " + result);
        }
    }

    /// Goal: what the tailer was shown, less what it was told is cut, is at the end what everybody finds there
    /// (I5), over kills at any moment.
    @Test
    void shouldShowWhatIsThereWhenWritersCutAndAreKilled() throws IOException, InterruptedException {
        Path directory = temporary.resolve("journal");
        Journals.open(directory, 16 << 10, 4).close();
        try (ReadOnlyJournal reader = Journal.openReadOnly(directory)) {
            Tailer tailer = Tailer.open(reader, Start.oldest());
            for (int kill = 0; kill < KILLS; kill++) {
                followUntilKilled(directory, tailer, kill);
                try (ReadOnlyJournal crashed = Journal.openReadOnly(directory)) {
                    // What the dead writer had published, beside a record of a cut perhaps.
                    check(crashed, Tailer.open(crashed, Start.oldest()), false);
                }
                try (Journal recovered = Journal.open(directory, Journals.CONFIG)) {
                    drain(tailer);
                    check(recovered, Tailer.open(recovered, Start.oldest()), true);
                }
                VerifyReport report = Journal.verify(directory);
                assertTrue(report.isWhole(), report::toString);
            }
            assertTrue(cuts > KILLS, () -> "saw " + cuts + " cuts only");
        }
    }

    private void followUntilKilled(Path directory, Tailer tailer, int seed) throws IOException, InterruptedException {
        Process writer = Journals.java(TruncatingWriter.class, directory, seed);
        try (BufferedReader out = writer.inputReader()) {
            assertEquals("open", out.readLine());
            long startNs = System.nanoTime();
            int until = cuts + 2 + seed * 20;
            while (cuts < until) {
                poll(tailer);
                assertTrue(
                        writer.isAlive(),
                        () -> "the writer died: " + out.lines().toList());
                assertTrue(System.nanoTime() - startNs < TIMEOUT_NS, () -> "saw " + cuts + " cuts of " + until);
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
        assertEquals(sequences.stream().sorted().distinct().toList(), sequences, "I4");
        if (exactly && !there.isEmpty()) {
            Map<Long, Long> expected = new TreeMap<>(shown.tailMap(there.firstKey(), true));
            assertEquals(expected, there, "I5");
        }
    }
}
