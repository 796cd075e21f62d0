package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.positions.RunFile;
import io.fenceline.proof.hostile.Image;
import io.fenceline.tailer.SkippedRange;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import io.fenceline.tailer.TailerConfig;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// Flips every bit of a journal with a ring of 256 KiB, one after the other, in its mapped file: every bit of the
/// ring, of the superblocks' pages and of the state records' pages. What is between those is read by nobody.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EveryBitTest {
    private static final int SEGMENTS = 64;
    private static final int LANES = 2;
    private static final Object NAME = "journal.log";

    /// A whole frame.
    ///
    /// @param end     start of the next one
    /// @param covered bytes from the start on that its checksum, or the checksum itself, covers
    private record Whole(long start, long end, int covered, boolean data, long sequence, int entries) {}

    private final Arena arena = Arena.ofShared();
    private MemorySegment file = MemorySegment.NULL;
    private Path directory = Path.of("");
    private Head head;
    private Geometry geometry;
    private final List<Whole> frames = new ArrayList<>();
    private final LogReader reader = (fileOffset, destination, destinationOffset, length) ->
            MemorySegment.copy(file, fileOffset, destination, destinationOffset, length);

    @BeforeAll
    void create(@TempDir Path parent) throws IOException {
        directory = Image.closed(parent, SEGMENTS, Long.getLong("fenceline.seed", 1));
        try (FileChannel channel =
                FileChannel.open(directory.resolve("journal.log"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            file = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size(), arena);
        }
        head = head();
        geometry = head.superblock().geometry();
        FrameReader frameReader = new FrameReader(reader, head.superblock());
        FrameWalk walk = walk(frameReader, head.state().retained(), head.state().floor());
        for (FrameWalk.Step step = walk.next(); step != FrameWalk.Step.END; step = walk.next()) {
            assertEquals(FrameWalk.Step.FRAME, step);
            boolean data = walk.verdict() == FrameVerdict.DATA;
            frames.add(new Whole(
                    walk.stepStart(),
                    walk.stepEnd(),
                    data ? frameReader.length() : FrameDescriptor.SLOT_LENGTH_BYTES,
                    data,
                    frameReader.sequence(),
                    frameReader.entries()));
        }
        assertTrue(frames.stream().filter(frame -> !frame.data).count() > 5, "PADs");
        assertTrue(frames.getLast().end - frames.getFirst().start >= geometry.capacityBytes() / 2, "half a lap");
    }

    @AfterAll
    void unmap() {
        arena.close();
    }

    private Head head() {
        return Head.read(reader, file.byteSize(), NAME);
    }

    private FrameWalk walk(FrameReader frameReader, long from, long to) {
        return new FrameWalk(frameReader, geometry, head.state(), file.byteSize(), () -> 0, from, to, true);
    }

    private void flip(long offset, int bit) {
        flip(file, offset, bit);
    }

    private static void flip(MemorySegment bytes, long offset, int bit) {
        bytes.set(ValueLayout.JAVA_BYTE, offset, (byte) (bytes.get(ValueLayout.JAVA_BYTE, offset) ^ (1 << bit)));
    }

    // What verify walks with, from the frame with the flipped bit to the end of the next one: the frame itself is
    // named, no more and no less, and nothing at all if the bit is in the padding. Two threads, each over its own
    // copy.
    @Test
    void shouldNameExactlyTheFrameForEveryBitOfTheRing() throws InterruptedException, ExecutionException {
        long flips = 0;
        try (ExecutorService lanes = Executors.newFixedThreadPool(LANES)) {
            List<Future<Long>> results = new ArrayList<>();
            for (int lane = 0; lane < LANES; lane++) {
                int first = lane;
                results.add(lanes.submit(() -> flipEveryBit(first)));
            }
            for (Future<Long> result : results) {
                flips += result.get();
            }
        }
        assertEquals(8 * (frames.getLast().end - frames.getFirst().start), flips);
        System.out.println("flipped " + flips + " bits in " + frames.size() + " frames");
    }

    private long flipEveryBit(int lane) {
        MemorySegment copy = Arena.ofAuto().allocate(file.byteSize(), 64).copyFrom(file);
        FrameReader frameReader = new FrameReader(
                (fileOffset, destination, destinationOffset, length) ->
                        MemorySegment.copy(copy, fileOffset, destination, destinationOffset, length),
                head.superblock());
        long flips = 0;
        for (int i = lane; i < frames.size(); i += LANES) {
            Whole frame = frames.get(i);
            Whole next = i + 1 < frames.size() ? frames.get(i + 1) : frame;
            for (int at = 0; at < frame.end - frame.start; at++) {
                for (int bit = 0; bit < 8; bit++) {
                    long offset = geometry.fileOffset(frame.start) + at;
                    flip(copy, offset, bit);
                    frameReader.refresh();
                    judge(walk(frameReader, frame.start, next.end), frame, next, at);
                    flip(copy, offset, bit);
                    flips++;
                }
            }
        }
        assertEquals(-1, copy.mismatch(file), "every flip was taken back");
        return flips;
    }

    private static void judge(FrameWalk walk, Whole frame, Whole next, int at) {
        FrameWalk.Step step = walk.next();
        if (at >= frame.covered) {
            assertEquals(FrameWalk.Step.FRAME, step);
        } else if (step != FrameWalk.Step.DAMAGED
                || walk.damage().from() != frame.start
                || walk.damage().to() != frame.end) {
            throw new AssertionError("byte " + at + " of " + frame + ": " + step + " [" + walk.stepStart() + ", "
                    + walk.stepEnd() + ") " + walk.verdict());
        }
        if (next.start != frame.start) {
            assertEquals(FrameWalk.Step.FRAME, walk.next());
            assertEquals(next.start, walk.stepStart());
        }
        assertEquals(FrameWalk.Step.END, walk.next());
    }

    // The same by a verifying tailer over the mapping, one bit of each byte: it skips that frame, and says so, and
    // delivers the next one.
    @Test
    void shouldSkipExactlyTheFrameWhenATailerMeetsAFlippedBit() {
        List<SkippedRange> skipped = new ArrayList<>();
        long[] delivered = new long[1];
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory);
                Tailer tailer = Tailer.open(
                        journal, Start.oldest(), TailerConfig.defaults().withSkipDamage(skipped::add))) {
            for (int i = 1; i < frames.size() - 1; i++) {
                Whole before = frames.get(i - 1);
                Whole frame = frames.get(i);
                if (!frame.data || !before.data) {
                    continue;
                }
                for (int at = 0; at < frame.end - frame.start; at++) {
                    long offset = geometry.fileOffset(frame.start) + at;
                    flip(offset, at % 8);
                    skipped.clear();
                    delivered[0] = -1;
                    tailer.skipTo(Start.position(before.start));
                    tailer.poll(entry -> {}, before.entries);
                    tailer.poll(entry -> delivered[0] = entry.sequence(), 1);
                    flip(offset, at % 8);
                    if (at >= frame.covered) {
                        assertEquals(frame.sequence, delivered[0]);
                        assertEquals(List.of(), skipped);
                    } else {
                        if (skipped.size() != 1
                                || skipped.getFirst().from() != frame.start
                                || skipped.getFirst().to() != frame.end
                                || (delivered[0] >= 0 && delivered[0] < frame.sequence + frame.entries)) {
                            throw new AssertionError("byte " + at + " of " + frame + ": skipped " + skipped
                                    + ", delivered " + delivered[0]);
                        }
                    }
                }
            }
        }
    }

    // A record has two mirrors, a superblock two copies: one flipped bit changes no answer.
    @Test
    void shouldAnswerTheSameForEveryBitOfTheHead() {
        for (long page : new long[] {
            Superblock.fileOffset(0),
            Superblock.fileOffset(1),
            StateRecord.pageFileOffset(0, 0),
            StateRecord.pageFileOffset(0, 1),
            StateRecord.pageFileOffset(1, 0),
            StateRecord.pageFileOffset(1, 1)
        }) {
            for (int at = 0; at < StateRecord.PAGE_LENGTH_BYTES; at++) {
                for (int bit = 0; bit < 8; bit++) {
                    flip(page + at, bit);
                    Head found = head();
                    if (!found.superblock().equals(head.superblock())
                            || !found.state().equals(head.state())) {
                        throw new AssertionError("offset " + (page + at) + " bit " + bit + ": " + found);
                    }
                    flip(page + at, bit);
                }
            }
        }
        assertEquals(head.state(), head().state());
    }

    // Both copies at once: refused, not guessed.
    @Test
    void shouldRefuseWhenBothSuperblocksAreDamaged() {
        for (int at = 0; at < Superblock.LENGTH_BYTES; at++) {
            long first = Superblock.fileOffset(0) + at;
            long second = Superblock.fileOffset(1) + (at * 7) % Superblock.LENGTH_BYTES;
            flip(first, at % 8);
            flip(second, at % 5);
            JournalException refusal = assertThrows(JournalException.class, this::head);
            assertTrue(String.valueOf(refusal.getMessage()).contains(NAME.toString()), refusal::toString);
            flip(first, at % 8);
            flip(second, at % 5);
        }
    }

    // Goal: of a crashed journal whose newest record is lost with its mirror, nothing older is believed that would
    // show less, or other things. Method: the writer is cut at many moments; either the same is kept, or refused.
    @Test
    void shouldRefuseOrKeepTheSameWhenTheNewestRecordAndItsMirrorAreLost(@TempDir Path parent) throws IOException {
        int refused = 0;
        for (int round = 0; round < 12; round++) {
            Path place = java.nio.file.Files.createDirectory(parent.resolve("round" + round));
            Path crashed = Image.crashed(place, 4 + 2 * round, Long.getLong("fenceline.seed", 1) + round);
            try (FileChannel channel = FileChannel.open(
                            crashed.resolve("journal.log"), StandardOpenOption.READ, StandardOpenOption.WRITE);
                    Arena own = Arena.ofConfined()) {
                MemorySegment bytes = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size(), own);
                LogReader log = (offset, to, at, length) -> MemorySegment.copy(bytes, offset, to, at, length);
                StateRecord newest = Head.read(log, channel.size(), NAME).state();
                RecoveryReport before = scan(log, channel.size());
                for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
                    long at = StateRecord.fileOffset(newest.version(), mirror);
                    bytes.set(ValueLayout.JAVA_BYTE, at + 9, (byte) ~bytes.get(ValueLayout.JAVA_BYTE, at + 9));
                }
                try {
                    RecoveryReport after = scan(log, channel.size());
                    assertEquals(before.lastSequence(), after.lastSequence());
                    assertEquals(before.lastPosition(), after.lastPosition());
                    assertEquals(before.nextSequence(), after.nextSequence());
                } catch (JournalException.Corrupt e) {
                    refused++;
                }
            }
        }
        assertTrue(refused > 0, "no round in which it mattered");
    }

    private static RecoveryReport scan(LogReader log, long lengthBytes) {
        return new Recovery(log, Head.read(log, lengthBytes, NAME), RunFile.bootHash32(), NAME).scan();
    }
}
