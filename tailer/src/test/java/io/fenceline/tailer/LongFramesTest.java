package io.fenceline.tailer;

import static io.fenceline.tailer.Journals.append;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What seeks and ways back cost where frames are long, and what payloads that look like frames do to them.
class LongFramesTest {
    private static final long STEP_NS = 1000;

    @TempDir
    Path temporary;

    /// Goal: a seek reads some thousand slots, however long frames are, where they are and how many. Frames of
    /// some MiB stand alone, in rows, and among thousands of short ones; each seek is counted in slots.
    @Test
    void shouldSeekInFewSlotsWhateverTheFramesAreLong() {
        try (Journal journal = Journals.open(temporary.resolve("journal"), 64 << 20, 2);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            int[] rows = {1, 0, 3000, 15 << 20, 5000, 6 << 20, 6 << 20, 1, 2 << 20, 9000, 3 << 20, 3 << 20, 20_000};
            List<Long> positions = new ArrayList<>();
            for (int length : rows) {
                int count = length < 1 << 20 ? Math.max(1, length) : 1;
                for (int i = 0; i < count; i++) {
                    int size = count == 1 ? length : 10 + i % 200;
                    MemorySegment payload = MemorySegment.ofArray(new byte[size]);
                    positions.add(appender.append(payload, 0, STEP_NS * (1 + appender.nextSequence())));
                }
            }
            assertEquals(0, journal.retained());
            long most = 0;
            for (int sequence = 0; sequence < positions.size(); sequence += 37) {
                Seek seek = new Seek(journal.view());
                assertEquals(
                        positions.get(sequence),
                        seek.find(Start.sequence(sequence)).position());
                Instant time = Instant.ofEpochSecond(0, STEP_NS * (1 + sequence));
                assertEquals(
                        positions.get(sequence),
                        seek.find(Start.time(time, Duration.ZERO)).position());
                most = Math.max(most, seek.slotsRead());
            }
            long slots = journal.published() / 64;
            long read = most;
            assertTrue(read < 200_000 && slots > 5 * read, () -> "a seek read " + read + " of " + slots + " slots");
        }
    }

    /// Goal: logarithmic where frames are short.
    @Test
    void shouldSeekInSomeHundredSlotsWhenFramesAreShort() {
        try (Journal journal = Journals.open(temporary.resolve("journal"), 16 << 20, 2);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            while (journal.published() < 30 << 20) {
                append(appender, 200);
            }
            long count = appender.nextSequence();
            for (long sequence = 0; sequence < count; sequence += 997) {
                Seek seek = new Seek(journal.view());
                assertEquals(256 * sequence, seek.find(Start.sequence(sequence)).position());
                long read = seek.slotsRead();
                assertTrue(read < 500, () -> "a seek read " + read + " slots");
            }
        }
    }

    /// Goal: bytes of a payload are never taken for a frame, and looking at them ends. Every slot of the payload
    /// holds the header of a long frame of exactly that place, with another checksum.
    @Test
    void shouldNotTakeAPayloadForFrames() {
        try (Journal journal = Journals.open(temporary.resolve("journal"), 16 << 20, 2);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            for (int round = 0; round < 4; round++) {
                append(appender, 100);
                long position = appender.append(
                        MemorySegment.ofArray(forgery(appender.position(), 3 << 20)), 0, 1_000_000 + round);
                assertTrue(position > 0);
                append(appender, 300);
            }
            long count = appender.nextSequence();
            List<Long> all = LongStream.range(0, count).boxed().toList();
            for (long sequence = 0; sequence < count; sequence++) {
                Tailer tailer = Tailer.open(journal, Start.sequence(sequence));
                List<Long> seen = new ArrayList<>();
                while (tailer.pollBackwards(entry -> seen.add(entry.sequence()), 1) > 0) {
                    // on
                }
                assertEquals(all.subList(0, (int) sequence).reversed(), seen);
                while (tailer.poll(entry -> seen.add(entry.sequence()), 2) > 0) {
                    // on
                }
                assertEquals(all, seen.subList((int) sequence, seen.size()));
            }
            assertEquals(count, Tailer.open(journal, Start.newest()).nextSequence());
        }
    }

    private static byte[] forgery(long framePosition, int length) {
        ByteBuffer payload = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 64 - 48; at + 40 <= length; at += 64) {
            payload.putInt(at + 4, 1 << 20)
                    .putLong(at + 8, framePosition + 48 + at)
                    .putLong(at + 16, 1);
            payload.putInt(at + 32, 1).put(at + 36, (byte) 1).putShort(at + 38, (short) 1);
        }
        return payload.array();
    }
}
