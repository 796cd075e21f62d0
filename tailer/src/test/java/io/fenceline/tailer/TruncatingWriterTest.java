package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.BelowTarget;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.TestLevels;
import io.fenceline.journal.VerifyReport;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A tailer beside writers in other processes that append, cut, reset and are killed, mostly in the middle of a cut or
/// a reset: those sync for real, and take most of a writer's time.
class TruncatingWriterTest {
    @TempDir(factory = BelowTarget.class, cleanup = CleanupMode.ON_SUCCESS)
    private Path parent;

    /// As strong as the journal was made.
    static final JournalConfig CONFIG = JournalConfig.defaults().withFullPolicy(FullPolicy.OVERWRITE);

    private static final long TIMEOUT_NS = 60_000_000_000L;

    private static final String CURSOR = "billing";

    private final Shown shown = new Shown();
    private final Shown committed = new Shown();
    private final SplittableRandom random = new SplittableRandom(20261123);

    /// The tailer takes small steps, and steps back; by tag `slow` only.
    private boolean smallSteps;

    /// Also in the middle of batches, and back.
    private int poll(Tailer tailer) {
        if (smallSteps && random.nextInt(8) == 0) {
            int result = tailer.pollBackwards(shown::again, 1 + random.nextInt(10));
            if (result < 0) {
                shown.told(result, tailer.nextSequence());
            } else {
                shown.goesOn(tailer.nextSequence());
            }
        }
        int result = tailer.poll(shown, smallSteps ? 1 + random.nextInt(random.nextBoolean() ? 2 : 50) : 50);
        if (result < 0) {
            shown.told(result, tailer.nextSequence());
        }
        return result;
    }

    /// Goal: what the tailer was shown, less what it was told is cut or given up, is at the end what everybody
    /// finds there (I1, I5), over kills at any moment; a reset happened whole or not at all. The same for a cursor
    /// that is polled and committed in a process of its own, which is killed, too.
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
        smallSteps = true;
        killAgainAndAgain(level, kills);
    }

    private void killAgainAndAgain(Durability level, int kills) throws IOException, InterruptedException {
        JournalConfig config = TestLevels.at(level, CONFIG);
        Path directory = parent.resolve("journal");
        SmallJournals.create(directory, 16 << 10, 4, config);
        try (ReadOnlyJournal reader = Journal.openReadOnly(directory)) {
            Tailer tailer = Tailer.open(reader, Start.oldest());
            for (int kill = 0; kill < kills; kill++) {
                Path notes = parent.resolve("notes-" + kill);
                followUntilKilled(directory, tailer, notes, kill);
                committed.read(notes);
                drain(tailer); // all that was acknowledged: the shared words outlive the writer
                try (ReadOnlyJournal crashed = Journal.openReadOnly(directory)) {
                    // What the dead writer had published, beside a record of a cut perhaps.
                    check(crashed, Tailer.open(crashed, Start.oldest()), List.of());
                    if (kill % 2 == 0) {
                        drainCursor(crashed);
                    }
                }
                try (Journal recovered = Journal.open(directory, CONFIG)) {
                    assertEquals(level, recovered.durability().durability());
                    drain(tailer);
                    drainCursor(recovered);
                    check(
                            recovered,
                            Tailer.open(recovered, Start.oldest()),
                            smallSteps ? List.of(shown, committed) : List.of(shown));
                }
                VerifyReport report = Journal.verify(directory);
                assertTrue(report.isWhole(), report::toString);
            }
            System.out.printf(
                    "%s: %d kills, the tailer saw %d cuts and %d resets, the cursor %d and %d%n",
                    level, kills, shown.cuts(), shown.resets(), committed.cuts(), committed.resets());
            assertTrue(shown.cuts() > kills, () -> "saw " + shown.cuts() + " cuts only");
            assertTrue(shown.resets() > 0, "saw no reset");
            assertTrue(committed.cuts() + committed.resets() > 0, "the cursor saw nothing");
        }
    }

    private void followUntilKilled(Path directory, Tailer tailer, Path notes, int seed)
            throws IOException, InterruptedException {
        Process reader = Journals.java(CommittingReader.class, directory, CURSOR, notes, seed);
        Process writer = Journals.java(TruncatingWriter.class, directory, seed);
        try (BufferedReader out = writer.inputReader();
                BufferedReader ready = reader.inputReader()) {
            assertEquals("open", ready.readLine());
            assertEquals("open", out.readLine());
            long startNs = System.nanoTime();
            int until = shown.cuts() + shown.resets() + 2 + seed * 7 % 50;
            while (shown.cuts() + shown.resets() < until) {
                poll(tailer);
                assertTrue(
                        writer.isAlive(),
                        () -> "the writer died: " + out.lines().toList());
                assertTrue(
                        reader.isAlive(),
                        () -> "the cursor died: " + ready.lines().toList());
                assertTrue(
                        System.nanoTime() - startNs < TIMEOUT_NS,
                        () -> "saw " + shown.cuts() + " cuts, " + shown.resets() + " resets, expected " + until);
            }
            List<Process> both = seed % 2 == 0 ? List.of(writer, reader) : List.of(reader, writer);
            for (Process one : both) {
                one.toHandle().destroyForcibly();
            }
        } finally {
            writer.destroyForcibly().waitFor();
            reader.destroyForcibly().waitFor();
        }
    }

    /// Goes on where the cursor was committed, in this process.
    private void drainCursor(JournalSource source) {
        try (Cursor cursor = Cursor.open(source, CURSOR, CursorConfig.defaults())) {
            committed.goesOn(cursor.nextSequence());
            int result;
            do {
                result = cursor.poll(committed, 1 + random.nextInt(5));
                if (result < 0) {
                    committed.told(result, cursor.nextSequence());
                }
                if (random.nextInt(8) == 0) {
                    cursor.commit();
                }
            } while (result != 0);
        }
    }

    private void drain(Tailer tailer) {
        int result;
        do {
            result = poll(tailer);
        } while (result != 0);
    }

    private static void check(JournalSource source, Tailer fresh, List<Shown> readers) {
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
        readers.forEach(reader -> reader.requireShown(there));
    }
}
