package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `tail` with bounds, backwards, by type, over damage, and overtaken.
@Timeout(120)
class TailTest {
    private static final JournalConfig CONFIG = JournalConfig.defaults()
            .withDurability(Durability.PROCESS)
            .withFullPolicy(FullPolicy.OVERWRITE)
            .withSegmentLengthBytes(2 << 20)
            .withSegmentCount(2);

    /// 2026-11-22T10:00:00Z
    private static final long FIRST_NS = 1_795_341_600_000_000_000L;

    @TempDir
    private Path temporary;

    private final List<Long> positions = new ArrayList<>();

    private String journal() {
        return temporary.resolve("journal").toString();
    }

    /// Entries 0 to 9, of type 0 to 2, one a second from 10:00:00 on.
    private void write() {
        try (Journal journal = Journal.create(Path.of(journal()), CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < 10; i++) {
                MemorySegment payload =
                        MemorySegment.ofArray(Integer.toString(i).getBytes(StandardCharsets.UTF_8));
                positions.add(appender.append(payload, i % 3, FIRST_NS + i * 1_000_000_000L));
            }
        }
    }

    private String tail(String... arguments) {
        List<String> words = new ArrayList<>(List.of("tail", journal()));
        words.addAll(List.of(arguments));
        return CommandRun.of(words.toArray(String[]::new)).good().out().replace("\n", "");
    }

    @Test
    void shouldShowWhatLiesBetweenTwoPlacesInBothDirections() {
        write();
        String four = Long.toString(positions.get(4));
        assertEquals("456789", tail("--from", "time:2026-11-22T10:00:04Z"));
        assertEquals("56789", tail("--from", "time:2026-11-22T12:00:04.5+02:00"));
        assertEquals("", tail("--from", "time:2026-11-23T10:00:00Z"));
        assertEquals("0123", tail("--until", four));
        assertEquals("23", tail("--from", "seq:2", "--until", "seq:4"));
        assertEquals("345", tail("--from", "seq:3", "--until", "time:2026-11-22T10:00:06Z"));
        assertEquals("345", tail("-f", "--from", "seq:3", "--until", "seq:6"));
        assertEquals("", tail("--until", "oldest"));
        assertEquals("9876543210", tail("--backwards"));
        assertEquals("98", tail("--backwards", "--limit", "2"));
        assertEquals("3210", tail("--backwards", "--from", four));
        assertEquals("987654", tail("--backwards", "--until", four));
        assertEquals("654", tail("--backwards", "--from", "seq:7", "--until", "seq:4"));
        assertEquals("87", tail("--backwards", "--from", "seq:9", "--until", "time:2026-11-22T10:00:07Z"));
        assertEquals("0369", tail("--type", "0"));
        assertEquals("8754", tail("--backwards", "--type", "1,2", "--limit", "4"));
        assertEquals("", tail("--type", "7"));
    }

    /// Goal: with --commit a cursor is committed behind what was printed, and behind what --type passes over before
    /// that, but never behind the place where --until ends the run.
    @Test
    void shouldCommitUpToTheBoundAndPastOtherTypes() {
        write();
        String four = Long.toString(positions.get(4));
        assertEquals("012", tail("--cursor", "a", "--commit", "--until", "seq:3"));
        assertEquals("", tail("--cursor", "a", "--commit", "--until", "seq:3"));
        assertEquals("3", tail("--cursor", "a", "--commit", "--until", four));
        assertEquals("45", tail("--cursor", "a", "--until", "time:2026-11-22T10:00:06Z"));
        assertEquals("45", tail("--cursor", "a", "--commit", "--until", "time:2026-11-22T10:00:06Z"));
        assertEquals("78", tail("--cursor", "a", "--commit", "--type", "1,2", "--until", "seq:9"));
        assertEquals("9", tail("--cursor", "a", "--commit"));
        assertEquals("25", tail("--cursor", "b", "--commit", "--type", "2", "--limit", "2"));
        assertEquals("6", tail("--cursor", "b", "--limit", "1"));
    }

    /// Goal: a time that has not come yet is waited for.
    @Test
    void shouldFollowUntilATimeThatHasNotComeYet() throws Exception {
        write();
        String[] words = {
            "tail", journal(), "-f", "--from", "seq:8", "--until", "time:2026-11-22T10:00:20Z", "--type", "0,1"
        };
        PipedOutputStream out = new PipedOutputStream();
        try (BufferedReader printed =
                        new BufferedReader(new InputStreamReader(new PipedInputStream(out), StandardCharsets.UTF_8));
                Journal journal = Journal.open(Path.of(journal()), CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            CompletableFuture<CommandRun> tail = CompletableFuture.supplyAsync(
                    () -> CommandRun.to(InputStream.nullInputStream(), out, false, words));
            assertEquals("9", printed.readLine(), "it has come to the end, and goes on");
            append(appender, "more", 0, 19);
            append(appender, "other", 2, 19);
            append(appender, "late", 2, 20);
            append(appender, "too late", 0, 21);
            assertEquals("more", printed.readLine());
            assertEquals(ExitCodes.OK, tail.get(60, TimeUnit.SECONDS).code());
        }
    }

    private static void append(ExclusiveAppender appender, String text, int type, int second) {
        MemorySegment payload = MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
        assertTrue(appender.append(payload, type, FIRST_NS + second * 1_000_000_000L) >= 0);
    }

    @Test
    void shouldRefuseWhatMakesNoSense() {
        write();
        CommandRun.of("tail", journal(), "--cursor", "x", "--backwards").refused(ExitCodes.USAGE, "--cursor excludes");
        CommandRun.of("tail", journal(), "--backwards", "-f").refused(ExitCodes.USAGE, "exclude each other");
        CommandRun.of("tail", journal(), "--from", "time:10:00").refused(ExitCodes.USAGE, "expected an instant");
        CommandRun.of("tail", journal(), "--until", "seqq:1").refused(ExitCodes.USAGE, "--until");
        CommandRun.of("tail", journal(), "--from", "seq:11").refused(ExitCodes.USAGE, "not written yet");
    }

    @Test
    void shouldDumpWhatLiesBetweenATimeAndAPosition() {
        write();
        String[] lines = CommandRun.of(
                        "dump",
                        journal(),
                        "--from",
                        "time:2026-11-22T10:00:04Z",
                        "--until",
                        Long.toString(positions.get(6)),
                        "--format",
                        "json")
                .good()
                .out()
                .lines()
                .toArray(String[]::new);
        assertEquals(2, lines.length);
        assertTrue(lines[0].contains("\"sequence\":4,") && lines[1].contains("\"sequence\":5,"), lines[0]);
    }

    @Test
    void shouldGoOnBehindDamageAndReportIt() throws IOException {
        write();
        Path log = Path.of(journal()).resolve("journal.log");
        byte[] bytes = Files.readAllBytes(log);
        bytes[(2 << 20) + (int) (long) positions.get(5) + 48] ^= 1;
        Files.write(log, bytes);
        assertEquals(ExitCodes.CORRUPT, CommandRun.of("tail", journal()).code());
        for (boolean backwards : new boolean[] {false, true}) {
            CommandRun run = backwards
                    ? CommandRun.of("tail", journal(), "--skip-damage", "--backwards")
                    : CommandRun.of("tail", journal(), "--skip-damage");
            assertEquals(backwards ? "987643210" : "012346789", run.out().replace("\n", ""));
            run.refused(
                    ExitCodes.CORRUPT, "skipped positions " + positions.get(5) + " to " + positions.get(6) + " (1 ");
        }
    }

    /// Goal: who follows a writer that is faster is told what it missed. The reader of the output takes nothing
    /// until the ring has gone round.
    @Test
    void shouldSayHowMuchWasMissedWhenTheWriterGoesPast() throws Exception {
        int count = 60_000;
        CountDownLatch full = new CountDownLatch(1);
        CountDownLatch lapped = new CountDownLatch(1);
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        OutputStream slow = new OutputStream() {
            @Override
            public void write(int b) {
                throw new UnsupportedOperationException();
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                full.countDown();
                try {
                    assertTrue(lapped.await(60, TimeUnit.SECONDS));
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                printed.write(bytes, offset, length);
            }
        };
        try (Journal journal = Journal.create(Path.of(journal()), CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            MemorySegment payload = MemorySegment.ofArray("x".repeat(80).getBytes(StandardCharsets.UTF_8));
            for (int i = 0; i < 1000; i++) {
                appender.append(payload);
            }
            CompletableFuture<CommandRun> tail = CompletableFuture.supplyAsync(() -> CommandRun.to(
                    InputStream.nullInputStream(), slow, false, "tail", "-f", journal(), "--until", "seq:" + count));
            assertTrue(full.await(60, TimeUnit.SECONDS));
            while (appender.nextSequence() < count) {
                appender.append(payload);
            }
            lapped.countDown();
            String err = tail.get(60, TimeUnit.SECONDS).err();
            assertTrue(err.startsWith("fenceline: the writer went past: missed "), err);
            long missed = Long.parseLong(err.split(" ", -1)[6]);
            long lines = printed.toString(StandardCharsets.UTF_8).lines().count();
            assertEquals(count, lines + missed, err);
            assertTrue(missed > 0 && lines > 1000, err);
            assertEquals(1, err.lines().count(), err);
        }
    }
}
