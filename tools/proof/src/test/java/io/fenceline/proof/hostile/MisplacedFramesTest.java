package io.fenceline.proof.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.DamagedRange;
import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.VerifyReport;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import io.fenceline.tailer.TailerConfig;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whole frames where they do not belong: each certifies itself, but not there.
class MisplacedFramesTest {
    private static final int SEGMENTS = 8;

    @TempDir
    private Path parent;

    private final Random random = new Random(Long.getLong("fenceline.seed", 1));
    private Path directory = Path.of("");
    private Geometry geometry = Geometry.of(4096, SEGMENTS);

    /// What a verifying tailer that skips damage delivers: position and sequence, and a hash of the payload.
    private record Seen(long position, long sequence, int payloadHash) {}

    private final List<Seen> original = new ArrayList<>();
    private byte[] bytes = new byte[0];

    @BeforeEach
    void create() throws IOException {
        directory = Image.closed(parent, SEGMENTS, random.nextInt(1000));
        original.addAll(tail());
        bytes = Files.readAllBytes(log());
        assertTrue(original.size() > 10);
    }

    private Path log() {
        return directory.resolve("journal.log");
    }

    private List<Seen> tail() {
        List<Seen> seen = new ArrayList<>();
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory);
                Tailer tailer = Tailer.open(
                        journal, Start.oldest(), TailerConfig.defaults().withSkipDamage(range -> {}))) {
            while (tailer.poll(
                            entry -> seen.add(new Seen(
                                    entry.position(),
                                    entry.sequence(),
                                    java.util.Arrays.hashCode(entry.toByteArray()))),
                            1000)
                    > 0) {}
        }
        return seen;
    }

    private void write(byte[] changed) throws IOException {
        Files.write(log(), changed, StandardOpenOption.WRITE);
    }

    /// Start and length in slots of each frame with entries.
    private List<long[]> frames() {
        ByteBuffer file = ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        Map<Long, Integer> lengths = new HashMap<>();
        original.forEach(seen -> lengths.put(
                seen.position,
                FrameDescriptor.slotAlignedLength(
                        file.getInt((int) geometry.fileOffset(seen.position) + FrameDescriptor.LENGTH_OFFSET))));
        return lengths.entrySet().stream()
                .map(frame -> new long[] {frame.getKey(), frame.getValue()})
                .sorted((a, b) -> Long.compare(a[0], b[0]))
                .toList();
    }

    /// Whatever was done: only entries of the original, in its order; and what is missing is reported.
    private void assertNothingForeign(String what) {
        List<Seen> now = tail();
        int at = 0;
        for (Seen seen : now) {
            while (at < original.size() && !original.get(at).equals(seen)) {
                at++;
            }
            assertTrue(at++ < original.size(), () -> what + ": delivered " + seen);
        }
        VerifyReport report = Journal.verify(directory);
        assertTrue(now.size() == original.size() || !report.isWhole(), () -> what + ": " + report);
        assertEquals(now.size(), report.entries(), () -> what + ": " + report);
    }

    @Test
    void shouldDeliverNeitherWhenTwoFramesAreSwapped() throws IOException {
        List<long[]> frames = frames();
        int swapped = 0;
        for (int i = 0; i < frames.size(); i++) {
            for (int j = i + 1; j < frames.size(); j++) {
                int length = (int) frames.get(i)[1];
                if (frames.get(j)[1] != length) {
                    continue;
                }
                byte[] changed = bytes.clone();
                int a = (int) geometry.fileOffset(frames.get(i)[0]);
                int b = (int) geometry.fileOffset(frames.get(j)[0]);
                System.arraycopy(bytes, a, changed, b, length);
                System.arraycopy(bytes, b, changed, a, length);
                write(changed);
                assertNothingForeign("swapped " + frames.get(i)[0] + " and " + frames.get(j)[0]);
                List<DamagedRange> damage = Journal.verify(directory).damage();
                assertFalse(damage.isEmpty());
                swapped++;
            }
        }
        assertTrue(swapped > 10, swapped + " pairs of one length");
    }

    @Test
    void shouldDeliverNoCopyWhenAFrameIsPutElsewhere() throws IOException {
        List<long[]> frames = frames();
        for (int i = 0; i < 400; i++) {
            long[] frame = frames.get(random.nextInt(frames.size()));
            int ringOffset = 64 * random.nextInt((int) (geometry.capacityBytes() - frame[1]) / 64);
            int to = Geometry.HEAD_LENGTH_BYTES + ringOffset;
            byte[] changed = bytes.clone();
            System.arraycopy(bytes, (int) geometry.fileOffset(frame[0]), changed, to, (int) frame[1]);
            write(changed);
            assertNothingForeign("frame " + frame[0] + " copied to file offset " + to);
        }
    }

    // Each segment of the ring as it was a lap ago, and two laps ago.
    @Test
    void shouldDeliverNothingOldWhenStaleLapsArePutBack() throws IOException {
        byte[] older = bytes;
        for (int lap = 0; lap < 2; lap++) {
            try (Journal journal = Journal.open(directory, Image.CONFIG)) {
                Image.append(journal, random, journal.published() + journal.capacityBytes());
            }
            original.clear();
            original.addAll(tail());
            bytes = Files.readAllBytes(log());
            for (int segment = 0; segment < SEGMENTS; segment++) {
                byte[] changed = bytes.clone();
                int at = Geometry.HEAD_LENGTH_BYTES + segment * Image.SEGMENT_LENGTH_BYTES;
                System.arraycopy(older, at, changed, at, Image.SEGMENT_LENGTH_BYTES);
                write(changed);
                assertNothingForeign("segment " + segment + " of an older lap");
            }
            byte[] all = bytes.clone();
            System.arraycopy(
                    older, Geometry.HEAD_LENGTH_BYTES, all, Geometry.HEAD_LENGTH_BYTES, (int) geometry.capacityBytes());
            write(all);
            assertTrue(tail().isEmpty(), "a whole older lap");
            write(bytes);
        }
    }

    // The payload holds a frame for the very place where it lies, perfect but for the salt, and the frame around it is
    // damaged, so that every reader looks at each slot of it. With the salt the same image is delivered: so this test
    // can fail.
    @Test
    void shouldDeliverNoFrameFromAPayloadWithoutTheSalt() throws IOException {
        assertEquals(0, forge(false));
        assertEquals(1, forge(true));
    }

    private long forge(boolean withSalt) throws IOException {
        Path path = parent.resolve("forged" + withSalt);
        SmallJournals.create(path, 4096, 4, Image.CONFIG);
        long outer;
        try (Journal journal = Journal.open(path, Image.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            appender.append(MemorySegment.ofArray(new byte[10]));
            long start = appender.position();
            int salt = withSalt ? journal.view().superblock().salt() : 0;
            // Entry header and frame header are 48 bytes: the second slot begins 16 bytes into the payload.
            byte[] payload = new byte[16 + 128];
            ByteBuffer frame = ByteBuffer.allocateDirect(128).alignedSlice(64);
            MemorySegment segment = MemorySegment.ofBuffer(frame);
            FrameDescriptor.writeHeader(
                    segment,
                    0,
                    64,
                    start + 64,
                    appender.nextSequence() + 1,
                    0,
                    journal.positions().epoch(),
                    FrameDescriptor.KIND_DATA,
                    0,
                    1);
            frame.order(java.nio.ByteOrder.LITTLE_ENDIAN).putInt(40, 16).putInt(44, 0);
            FrameDescriptor.checksum(
                    segment, 0, new Crc32c().of(frame.clear(), FrameDescriptor.CHECKSUM_START, 64, salt));
            frame.clear().get(payload, 16, 64);
            outer = appender.append(MemorySegment.ofArray(payload));
            assertEquals(start, outer);
            appender.append(MemorySegment.ofArray(new byte[10]));
        }
        byte[] log = Files.readAllBytes(path.resolve("journal.log"));
        log[(int) geometry.fileOffset(outer) + 20] ^= 4;
        Files.write(path.resolve("journal.log"), log, StandardOpenOption.WRITE);
        directory = path;
        long delivered =
                tail().stream().filter(seen -> seen.position == outer + 64).count();
        VerifyReport report = Journal.verify(path);
        assertFalse(report.isWhole());
        assertEquals(2 + delivered, report.entries());
        return delivered;
    }
}
