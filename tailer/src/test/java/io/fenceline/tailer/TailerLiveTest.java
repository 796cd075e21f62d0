package io.fenceline.tailer;

import static io.fenceline.tailer.Journals.append;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.RecoveryReport;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(180)
class TailerLiveTest {
    @TempDir
    Path temporary;

    private Path directory() {
        return temporary.resolve("journal");
    }

    @Test
    void shouldTellExactlyWhatWasMissedWhenTheRingGoesPastIt() {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            List<Long> positions = new ArrayList<>();
            Tailer tailer = Tailer.open(journal, Start.oldest());
            for (int round = 0; round < 50; round++) {
                int more = 1 + Journals.length(round, 200);
                for (int i = 0; i < more; i++) {
                    positions.add(append(appender, Journals.length(i + round, 500)));
                }
                long position = tailer.position();
                long next = tailer.nextSequence();
                long oldest = journal.retained();
                long missed = positions.stream().filter(p -> p < oldest).count() - next;
                if (missed > 0) {
                    assertEquals(Tailer.OVERRUN, tailer.poll(Journals::check, 3));
                    assertEquals(oldest - position, tailer.missedBytes());
                    assertEquals(missed, tailer.missedEntries());
                    assertEquals(next + missed, tailer.nextSequence());
                    assertEquals(oldest, tailer.position());
                }
                assertEquals(
                        positions.size() - tailer.nextSequence(),
                        Journals.drain(tailer).size());
            }
            assertTrue(tailer.missedEntries() > 0);
        }
    }

    /// Goal: a reader of a copy, beside which there are no shared words yet, goes on live when a first writer comes.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldFollowTheFirstWriterBesideIt(boolean unfinished) throws Exception {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            append(appender, 16);
        }
        Path words = directory().resolve("journal.run");
        Files.delete(words);
        if (unfinished) {
            Files.createFile(words); // by a writer that was killed at it
        }
        try (ReadOnlyJournal reader = Journal.openReadOnly(directory())) {
            Tailer tailer = Tailer.open(reader, Start.oldest());
            assertEquals(1, tailer.poll(Journals::check, 10));
            assertEquals(0, tailer.poll(Journals::check, 10));
            try (Journal journal = Journal.open(directory(), Journals.CONFIG);
                    ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                append(appender, 16);
                assertTrue(tailer.await(TimeUnit.SECONDS.toNanos(30)));
                assertEquals(1, tailer.poll(Journals::check, 10));
                assertEquals(journal.published(), reader.published());
            }
        }
    }

    /// Goal: an overrun that leaves no frame to look at tells what was missed all the same: the state record
    /// knows.
    @Test
    void shouldTellWhatWasMissedWhenNothingIsRetained() {
        try (Journal journal = Journals.open(directory(), 4096, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            while (journal.published() < 8192) {
                append(appender, 16);
            }
        }
        try (Journal journal = Journal.open(directory(), Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            Tailer tailer = Tailer.open(journal, Start.oldest());
            assertEquals(8192, journal.retain(8192));
            assertEquals(Tailer.OVERRUN, tailer.poll(Journals::check, 10));
            assertEquals(8192, tailer.missedBytes());
            assertEquals(128, tailer.missedEntries());
            assertEquals(128, tailer.nextSequence());
            assertEquals(0, tailer.poll(Journals::check, 10));
            append(appender, 1);
            assertEquals(1, tailer.poll(Journals::check, 10));
            assertEquals(128, tailer.missedEntries());
            assertEquals(129, tailer.nextSequence());
        }
    }

    /// Goal: a tailer beside a writer that laps the ring sees whole entries only, whatever the timing. One thread
    /// appends, two tailers follow in the same process, one of them through a journal opened read-only.
    @Test
    void shouldSeeWholeEntriesWhenAWriterThreadLapsTheRing() throws InterruptedException {
        long end = 60_000;
        try (Journal journal = Journals.open(directory(), 16 << 10, 4);
                ReadOnlyJournal reader = Journal.openReadOnly(directory())) {
            Follower follower = new Follower(journal, Start.oldest());
            Follower other = new Follower(reader, Start.oldest());
            Throwable[] failure = new Throwable[2];
            Thread writer = Thread.ofPlatform().start(() -> failure[0] = write(journal, end));
            Thread second = Thread.ofPlatform()
                    .uncaughtExceptionHandler((thread, e) -> failure[1] = e)
                    .start(() -> other.follow(end));
            follower.follow(end);
            assertEquals(end, follower.delivered() + follower.missed());
            writer.join();
            second.join();
            assertNull(failure[0]);
            assertNull(failure[1]);
            assertEquals(end, other.delivered() + other.missed());
        }
    }

    private static @Nullable Throwable write(Journal journal, long end) {
        try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            while (appender.nextSequence() < end) {
                append(appender, Journals.length(appender.nextSequence(), 3000));
                if (appender.nextSequence() % 1000 == 0) {
                    Thread.yield();
                }
            }
            return null;
        } catch (Throwable e) {
            return e;
        }
    }

    @Test
    void shouldFollowFromAnotherProcessWhenTheWriterRotatesAndLaps() throws Exception {
        long end = 200_000;
        try (Journal journal = Journals.open(directory(), 64 << 10, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            Process child = Journals.java(Follower.class, directory(), end);
            try (BufferedReader out = child.inputReader(StandardCharsets.UTF_8)) {
                assertEquals("open", out.readLine());
                while (appender.nextSequence() < end) {
                    append(appender, Journals.length(appender.nextSequence(), 900));
                }
                assertTrue(journal.published() > 100 * journal.capacityBytes());
                List<String> rest = out.lines().toList();
                assertTrue(child.waitFor(100, TimeUnit.SECONDS));
                assertEquals(0, child.exitValue(), rest::toString);
                String[] words = rest.get(0).split(" ", -1);
                assertEquals(end, Long.parseLong(words[1]) + Long.parseLong(words[3]), rest::toString);
                assertTrue(Long.parseLong(words[1]) > 0, rest::toString);
            } finally {
                child.destroyForcibly();
            }
        }
    }

    /// Goal: what a tailer saw is what recovery keeps, and it goes on behind the seal. A writer process is killed while
    /// a tailer in this process follows; the journal is recovered and written on, several times.
    @Test
    void shouldGoOnWhenTheWriterIsKilledAndRecovered() throws Exception {
        Journals.open(directory(), 64 << 10, 8).close();
        try (ReadOnlyJournal reader = Journal.openReadOnly(directory())) {
            Follower follower = new Follower(reader, Start.oldest());
            for (int round = 0; round < 3; round++) {
                Process writer = Journals.java(Writer.class, directory());
                try (BufferedReader out = writer.inputReader(StandardCharsets.UTF_8)) {
                    assertEquals("open", out.readLine());
                    follower.follow(follower.next() + 2000);
                } finally {
                    writer.destroyForcibly();
                    assertTrue(writer.waitFor(100, TimeUnit.SECONDS));
                }
                try (Journal journal = Journal.open(directory(), Journals.CONFIG);
                        ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                    assertEquals(
                            RecoveryReport.Verdict.RECOVERED, journal.recovery().verdict());
                    assertTrue(journal.recovery().nextSequence() >= follower.next());
                    assertTrue(journal.recovery().sealedBytes() > 0);
                    for (int i = 0; i < 10; i++) {
                        append(appender, 100 * i);
                    }
                    follower.follow(appender.nextSequence());
                    Follower again = new Follower(journal, Start.sequence(appender.nextSequence() - 15));
                    again.follow(appender.nextSequence());
                    assertEquals(15, again.delivered());
                    assertEquals(0, again.missed());
                }
            }
        }
    }

    /// Goal: behind a hole that a crash left, a sequence that nobody has leads to the next one. The journal is copied
    /// while it is open, a frame in the middle of the copy is destroyed, and recovery seals it.
    @Test
    void shouldStartBehindAGapWhenTheSequenceWasLost() throws IOException {
        Path copy = temporary.resolve("copy");
        List<Long> positions = new ArrayList<>();
        try (Journal journal = Journals.open(directory(), 64 << 10, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < 10; i++) {
                positions.add(append(appender, 200));
            }
            Files.createDirectory(copy);
            for (String name : List.of("journal.log", "journal.run")) {
                Files.copy(directory().resolve(name), copy.resolve(name));
            }
            byte[] log = Files.readAllBytes(copy.resolve("journal.log"));
            for (int lost = 4; lost < 6; lost++) {
                log[(int) journal.view().superblock().geometry().fileOffset(positions.get(lost)) + 100] ^= 1;
            }
            Files.write(copy.resolve("journal.log"), log);
        }
        try (JournalSource journal = Journal.open(copy, Journals.CONFIG)) {
            List<Long> kept = List.of(0L, 1L, 2L, 3L, 6L, 7L, 8L, 9L);
            for (int from = 0; from < 10; from++) {
                Tailer tailer = Tailer.open(journal, Start.sequence(from));
                long first = from;
                assertEquals(
                        kept.stream().filter(s -> s >= first).toList(),
                        Journals.drain(tailer).stream()
                                .map(Journals.Seen::sequence)
                                .toList());
                assertEquals(10, tailer.nextSequence());
            }
            assertEquals(10, Tailer.open(journal, Start.newest()).nextSequence());
        }
    }
}
