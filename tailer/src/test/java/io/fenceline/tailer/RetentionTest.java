package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.Retention;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Retention by size and by age, in segments of 4 KiB with 4 frames of 1 KiB each.
class RetentionTest {
    private static final MemorySegment ENTRY = MemorySegment.ofArray(new byte[1024 - 48]);
    private static final long HOUR_NS = 3_600_000_000_000L;

    @TempDir
    private Path temporary;

    private Path directory() {
        return temporary.resolve("journal");
    }

    /// Segment i holds four frames of hour i.
    private static void append(ExclusiveAppender appender, int frames) {
        for (int i = 0; i < frames; i++) {
            long hour = appender.position() / 4096;
            assertEquals(appender.position(), appender.append(ENTRY, 1, (hour + 1) * HOUR_NS));
        }
    }

    @Test
    void shouldKeepTheNewestBytes() {
        try (Journal journal = Journals.open(directory(), 4096, 8);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            append(appender, 22); // five and a half segments
            assertEquals(0, Retention.everything().apply(journal));
            assertEquals(
                    0, Retention.everything().withMaximumLengthBytes(100_000).apply(journal));
            assertEquals(
                    8192, Retention.everything().withMaximumLengthBytes(12_288).apply(journal));
            assertEquals(8192, journal.retained());
            assertEquals(
                    8192, Retention.everything().withMaximumLengthBytes(100_000).apply(journal));
            assertEquals(
                    20_480, Retention.everything().withMaximumLengthBytes(0).apply(journal));
        }
        try (Journal journal = Journal.open(directory(), Journals.CONFIG)) {
            assertEquals(20_480, journal.retained(), "durable");
            assertEquals(2, Journals.drain(Tailer.open(journal, Start.oldest())).size());
        }
    }

    @Test
    void shouldKeepTheYoungestEntries() {
        try (Journal journal = Journals.open(directory(), 4096, 8);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            append(appender, 22);
            long nowNs = 7 * HOUR_NS;
            assertEquals(0, Retention.everything().withMaximumAgeNs(6 * HOUR_NS).apply(journal, nowNs));
            // Hour 2 began 5 hours ago: what lies before it is that old, or older.
            assertEquals(0, Retention.everything().withMaximumAgeNs(5 * HOUR_NS).apply(journal, nowNs));
            assertEquals(
                    4096,
                    Retention.everything().withMaximumAgeNs(5 * HOUR_NS - 1).apply(journal, nowNs));
            assertEquals(
                    12_288,
                    Retention.everything()
                            .withMaximumAgeNs(5 * HOUR_NS - 1)
                            .withMaximumLengthBytes(10_000)
                            .apply(journal, nowNs),
                    "what one of them does not keep");
            assertEquals(20_480, Retention.everything().withMaximumAgeNs(0).apply(journal, nowNs));
            assertEquals(20_480, Retention.everything().withMaximumAgeNs(0).apply(journal, 1000 * HOUR_NS));
        }
    }

    /// Goal: segments that hold no entry, because a cut or a crash left PADs only, do not end the search for what is
    /// too old behind them.
    @Test
    void shouldGiveUpWhatIsOldBehindSegmentsWithoutEntries() {
        try (Journal journal = Journals.open(directory(), 4096, 8);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            append(appender, 12);
            journal.truncateFromSequence(4); // segments 1 and 2
            append(appender, 10);
            Retention keep = Retention.everything();
            assertEquals(0, keep.withMaximumAgeNs(4 * HOUR_NS).apply(journal, 7 * HOUR_NS));
            assertEquals(16_384, keep.withMaximumAgeNs(2 * HOUR_NS - 1).apply(journal, 7 * HOUR_NS));
            assertEquals(20_480, keep.withMaximumAgeNs(0).apply(journal, 7 * HOUR_NS));
        }
    }

    @Test
    void shouldKeepWhatHasNoTimestamp() {
        try (Journal journal = Journals.open(directory(), 4096, 8);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int i = 0; i < 10; i++) {
                appender.append(ENTRY, 1, 0);
            }
            assertEquals(0, Retention.everything().withMaximumAgeNs(0).apply(journal));
        }
        assertThrows(
                IllegalArgumentException.class, () -> Retention.everything().withMaximumAgeNs(-1));
        assertThrows(
                IllegalArgumentException.class, () -> Retention.everything().withMaximumLengthBytes(-1));
    }

    private static JournalConfig config(Retention retention) {
        return Journals.CONFIG.withFullPolicy(FullPolicy.FAIL).withRetention(retention);
    }

    /// Appends frames of one time until one is refused, at most 100.
    private static int fill(ExclusiveAppender appender, long timestampNs) {
        for (int i = 0; i < 100; i++) {
            if (appender.append(ENTRY, 1, timestampNs) < 0) {
                return i;
            }
        }
        return 100;
    }

    /// Goal: a full ring gives up, by itself, what is not to be kept, and no more; a gate is stronger.
    @Test
    void shouldMakeRoomBySizeAndHeedGates() {
        Journals.open(directory(), 4096, 8).close();
        try (Journal journal = Journal.open(directory(), config(Retention.everything()));
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            assertEquals(32, fill(appender, 1), "everything is kept: the ring is full");
        }
        Retention tooMuch = Retention.everything().withMaximumLengthBytes(8 * 4096);
        try (Journal journal = Journal.open(directory(), config(tooMuch));
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            assertEquals(0, fill(appender, 1));
        }
        Retention half = Retention.everything().withMaximumLengthBytes(4 * 4096);
        try (Journal journal = Journal.open(directory(), config(half));
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            assertEquals(100, fill(appender, 1));
            assertTrue(journal.retained() >= 96 * 1024, "what the ring needed");
            try (GatingTailer gate = GatingTailer.open(journal, Start.oldest())) {
                long retained = journal.retained();
                assertTrue(fill(appender, 1) < 100, "held by the gate at " + gate.gatePosition());
                assertEquals(retained, journal.retained());
            }
            assertEquals(100, fill(appender, 1));
        }
    }

    /// Goal: entries of 1970 make room, entries of the far future do not, neither with FAIL nor with BLOCK.
    @Test
    void shouldMakeRoomByAge() {
        Journals.open(directory(), 4096, 8).close();
        Retention year = Retention.everything().withMaximumAgeNs(365 * 24 * HOUR_NS);
        try (Journal journal = Journal.open(directory(), config(year));
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            assertEquals(100, fill(appender, HOUR_NS));
            int young = fill(appender, Long.MAX_VALUE);
            assertTrue(young >= 28 && young <= 32, "old ones gave way until only young ones were left: " + young);
        }
        JournalConfig block = config(year).withFullPolicy(FullPolicy.BLOCK).withBlockTimeoutNs(30_000_000);
        try (Journal journal = Journal.open(directory(), block);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            assertEquals(AppendResult.FULL, appender.append(ENTRY, 1, 1));
        }
    }

    /// Goal: with BLOCK, an append that waits goes on when the oldest entries have become old enough.
    @Test
    void shouldGoOnWhenEntriesBecomeOld() {
        Journals.open(directory(), 4096, 8).close();
        Retention moment = Retention.everything().withMaximumAgeNs(400_000_000);
        JournalConfig block = config(moment).withFullPolicy(FullPolicy.BLOCK);
        try (Journal journal = Journal.open(directory(), block);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            long nowNs = System.currentTimeMillis() * 1_000_000;
            assertEquals(
                    33,
                    IntStream.range(0, 33)
                            .filter(i -> appender.append(ENTRY, 1, nowNs) >= 0)
                            .count());
            assertTrue(System.currentTimeMillis() * 1_000_000 - nowNs >= 400_000_000, "not before");
            assertEquals(4096, journal.retained());
        }
    }
}
