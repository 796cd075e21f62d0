package io.fenceline.tailer;

import static io.fenceline.tailer.Journals.append;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Cursors and sleepers in processes of their own, which are killed.
@Timeout(600)
class CursorProcessTest {
    @TempDir
    Path temporary;

    /// Goal: a process that sleeps is woken by each append, and one that is killed while it commits leaves a
    /// whole record: of what it had acknowledged, or of the commit under way.
    @Test
    void shouldKeepWhatWasCommittedWhenKilled() throws Exception {
        killAgainAndAgain(3, 40);
    }

    @Tag("slow")
    @Test
    void shouldKeepWhatWasCommittedWhenKilledManyTimes() throws Exception {
        killAgainAndAgain(50, 200);
    }

    private void killAgainAndAgain(int rounds, int entries) throws IOException, InterruptedException {
        Path directory = temporary.resolve("journal");
        try (Journal journal = Journals.open(directory, 64 << 10, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            long committed = 0;
            for (int round = 0; round < rounds; round++) {
                Process child = Journals.java(Committer.class, directory, "billing");
                try (BufferedReader out = child.inputReader(StandardCharsets.UTF_8)) {
                    assertEquals("open " + committed, out.readLine());
                    while (appender.nextSequence() > committed) {
                        assertEquals("done " + (committed + 1), out.readLine());
                        committed++;
                    }
                    for (int i = 0; i < entries; i++) {
                        append(appender, 100); // it sleeps, or is about to
                        assertEquals("done " + (committed + 1), out.readLine());
                        committed++;
                    }
                    for (int i = 0; i < 2000; i++) {
                        append(appender, 10);
                    }
                    for (int i = 0; i <= round * 7 % 300; i++) {
                        assertEquals("done " + (committed + 1), out.readLine());
                        committed++;
                    }
                    child.toHandle().destroyForcibly(); // not the process: its pipe has more to say
                    List<String> rest = out.lines()
                            .filter(line -> line.matches("done [0-9]+"))
                            .toList();
                    committed = rest.isEmpty()
                            ? committed
                            : Long.parseLong(rest.getLast().substring(5));
                    assertTrue(child.waitFor(100, TimeUnit.SECONDS));
                }
                try (Cursor cursor =
                        Cursor.open(journal, "billing", CursorConfig.defaults().withGating(true))) {
                    long found = cursor.committedSequence();
                    assertTrue(
                            found == committed || found == committed + 1,
                            "found " + found + ", acknowledged " + committed);
                    assertArrayEquals(Committer.userData(found), cursor.userData());
                    assertEquals(Cursor.Resumption.RESUMED, cursor.resumption());
                    committed = found;
                }
                while (appender.nextSequence() - committed > 2000) {
                    Cursor.set(journal, "billing", Start.newest());
                    committed = appender.nextSequence();
                }
            }
        }
    }
}
