package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import io.fenceline.journal.Retention;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
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
}
