package io.fenceline.journal.persist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.Superblock;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/// A run of frames ends where the first frame begins that is not right: by the C kernel, where there is one, as by
/// Java. `-Dfenceline.seed=N` repeats a run of the random ones.
class UsualFramesTest {
    private static final int EPOCH = 5;
    private static final long POSITION = 64_000;
    private static final long SEQUENCE = 7;
    private static final long USUAL = FrameDescriptor.attributes(EPOCH, FrameDescriptor.KIND_DATA, 0, 1);

    private final Superblock superblock = new Superblock(new UUID(1, 2), 0xF1E2_D3C4, Geometry.of(64 << 10, 4), 0, 0);
    private final UsualFrames verifying = new UsualFrames(superblock, true);
    private final UsualFrames trusting = new UsualFrames(superblock, false);
    private final long seed = Long.getLong("fenceline.seed", new Random().nextLong());
    private final Random random = new Random(seed);
    private final Crc32c crc = new Crc32c();
    private ByteBuffer buffer = ByteBuffer.allocate(0);
    private MemorySegment bytes = MemorySegment.ofBuffer(buffer);

    private String repeat() {
        return "repeat with -Dfenceline.seed=" + seed;
    }

    /// Frames of these payload lengths one after the other, full of random bytes.
    ///
    /// @return where each one begins, and where the last one's slots end
    private int[] write(int... payloadLengths) {
        int[] starts = new int[payloadLengths.length + 1];
        for (int i = 0; i < payloadLengths.length; i++) {
            starts[i + 1] =
                    starts[i] + FrameDescriptor.slotAlignedLength(FrameDescriptor.frameLength(payloadLengths[i]));
        }
        buffer = ByteBuffer.allocateDirect(starts[payloadLengths.length] + 64)
                .alignedSlice(64)
                .order(ByteOrder.LITTLE_ENDIAN);
        bytes = MemorySegment.ofBuffer(buffer);
        byte[] noise = new byte[starts[payloadLengths.length]];
        random.nextBytes(noise);
        buffer.put(0, noise);
        for (int i = 0; i < payloadLengths.length; i++) {
            frame(starts[i], FrameDescriptor.frameLength(payloadLengths[i]), payloadLengths[i], SEQUENCE + i, USUAL);
        }
        return starts;
    }

    private void frame(int at, int length, int payloadLength, long sequence, long attributes) {
        FrameDescriptor.writeHeader(
                bytes, at, length, POSITION + at, sequence, 0, EPOCH, FrameDescriptor.KIND_DATA, 0, 1);
        buffer.putLong(at + FrameDescriptor.EPOCH_OFFSET, attributes);
        FrameDescriptor.entryHeader(bytes, at + FrameDescriptor.HEADER_LENGTH_BYTES, payloadLength, 3);
        seal(at, length);
    }

    private void seal(int at, int length) {
        int checksum = crc.of(buffer.duplicate(), at + FrameDescriptor.CHECKSUM_START, at + length, superblock.salt());
        FrameDescriptor.checksum(bytes, at, checksum);
    }

    private void expect(int length, UsualFrames run, int from, int to, long sequence) {
        ByteBuffer view = buffer.duplicate();
        assertEquals(
                length, run.inJava(bytes, view, from, to, POSITION + from, sequence, USUAL), () -> "Java, " + repeat());
        if (NativeKernel.isAvailable()) {
            assertEquals(length, run.inC(bytes, from, to, POSITION + from, sequence, USUAL, 0), () -> "C, " + repeat());
            long ahead = bytes.address() + from;
            assertEquals(
                    length,
                    run.inC(bytes, from, to, POSITION + from, sequence, USUAL, ahead),
                    () -> "C, prefetching, " + repeat());
        }
    }

    @Test
    void shouldGoOnToTheEndWhenAllFramesAreRight() {
        for (int round = 0; round < 300; round++) {
            int longest = 1 << random.nextInt(14);
            int[] starts = write(random.ints(1 + random.nextInt(20), 0, longest).toArray());
            int end = starts[starts.length - 1];
            expect(end, verifying, 0, end, SEQUENCE);
            expect(end, trusting, 0, end, SEQUENCE);
            int from = random.nextInt(starts.length - 1);
            expect(end - starts[from], verifying, starts[from], end, SEQUENCE + from);
            int to = random.nextInt(end + 1) & -FrameDescriptor.SLOT_LENGTH_BYTES;
            int whole = Arrays.stream(starts).filter(start -> start <= to).max().orElseThrow();
            expect(whole, verifying, 0, to, SEQUENCE);
            expect(whole, trusting, 0, to, SEQUENCE);
        }
    }

    /// Goal: each bit that the checksum covers, and each of the checksum, ends the run at its frame; bits behind
    /// the frame are nobody's.
    @Test
    void shouldEndAtTheFrameOfEachFlippedBit() {
        for (int payload : new int[] {0, 5, 64, 200, 300, 1600}) {
            int[] starts = write(payload, payload, payload);
            int length = FrameDescriptor.frameLength(payload);
            for (int bit = 0; bit < 8 * (starts[2] - starts[1]); bit++) {
                int at = starts[1] + bit / 8;
                buffer.put(at, (byte) (buffer.get(at) ^ 1 << bit % 8));
                expect(bit < 8 * length ? starts[1] : starts[3], verifying, 0, starts[3], SEQUENCE);
                buffer.put(at, (byte) (buffer.get(at) ^ 1 << bit % 8));
            }
            expect(starts[3], verifying, 0, starts[3], SEQUENCE);
        }
    }

    /// Goal: what the checksum vouches for is not enough: each field is what it must be, looked at or not.
    @Test
    void shouldEndWhereAFieldIsWrongUnderARightChecksum() {
        int[] starts = write(100, 100, 100);
        int at = starts[1];
        int length = FrameDescriptor.frameLength(100);
        long kind = FrameDescriptor.attributes(EPOCH, FrameDescriptor.KIND_PAD, 0, 1);
        long dependent =
                FrameDescriptor.attributes(EPOCH, FrameDescriptor.KIND_DATA, FrameDescriptor.FLAG_DEPENDENT, 1);
        long two = FrameDescriptor.attributes(EPOCH, FrameDescriptor.KIND_DATA, 0, 2);
        long epoch = FrameDescriptor.attributes(EPOCH + 1, FrameDescriptor.KIND_DATA, 0, 1);
        for (long attributes : new long[] {kind, dependent, two, epoch, 0, -1}) {
            frame(at, length, 100, SEQUENCE + 1, attributes);
            endsAt(at, starts[3]);
        }
        for (long sequence : new long[] {SEQUENCE, SEQUENCE + 2, -SEQUENCE - 1}) {
            frame(at, length, 100, sequence, USUAL);
            endsAt(at, starts[3]);
        }
        for (int payloadLength : new int[] {96, 105, 0, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, -8}) {
            frame(at, length, payloadLength, SEQUENCE + 1, USUAL);
            endsAt(at, starts[3]);
        }
        for (long position : new long[] {0, -1, POSITION, POSITION + at + 64}) {
            frame(at, length, 100, SEQUENCE + 1, USUAL);
            buffer.putLong(at + FrameDescriptor.POSITION_OFFSET, position);
            seal(at, length);
            endsAt(at, starts[3]);
        }
    }

    private void endsAt(int at, int to) {
        expect(at, verifying, 0, to, SEQUENCE);
        expect(at, trusting, 0, to, SEQUENCE);
    }

    /// Goal: a length that a frame tells is bounded by the stretch, and by the longest frame of the journal.
    @Test
    void shouldEndWhereALengthCannotBe() {
        int[] starts = write(100, 100);
        for (int length : new int[] {0, 1, 39, 40, 47, 49, 1 << 20, Integer.MAX_VALUE, Integer.MIN_VALUE, -1, -64}) {
            frame(starts[1], FrameDescriptor.frameLength(100), 100, SEQUENCE + 1, USUAL);
            buffer.putInt(starts[1] + FrameDescriptor.LENGTH_OFFSET, length);
            for (int payloadLength : new int[] {100, length - 48, length}) {
                buffer.putInt(starts[1] + FrameDescriptor.HEADER_LENGTH_BYTES, payloadLength);
                endsAt(starts[1], starts[2]);
            }
        }
        int longest = superblock.geometry().maximumFrameLengthBytes();
        int fitting = longest - FrameDescriptor.frameLength(0);
        assertTrue(fitting > 0);
        int[] great = write(0, fitting, fitting + 64);
        expect(great[2], verifying, 0, great[3], SEQUENCE);
        expect(great[2], trusting, 0, great[3], SEQUENCE);
    }
}
