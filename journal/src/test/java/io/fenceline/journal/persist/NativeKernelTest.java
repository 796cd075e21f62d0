package io.fenceline.journal.persist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.format.FrameDescriptor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The C kernel against [CRC32C] and a frame built byte by byte here: every length where its code changes its way,
/// memory of every kind at every alignment, and nothing stored beside the frame. Skipped where there is no kernel.
class NativeKernelTest {
    private static final int LARGEST_PAYLOAD_BYTES = 65488;
    private static final int MARGIN_BYTES = 256;
    private static final byte UNTOUCHED = 0x5A;
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Instructions kernel = NativeKernel.kernel();
    private final Random random = new Random(20);
    private final MemorySegment medium = Arena.ofAuto().allocate(2 * MARGIN_BYTES + (64 << 10), 64);
    private final MemorySegment target = medium.asSlice(MARGIN_BYTES, 64 << 10);

    @BeforeEach
    void needsTheKernel() {
        Kernel.assumeAvailable();
    }

    /// All short lengths; longer ones around each power of two and each multiple of a chunk of four chains.
    private static IntStream lengths(int largest) {
        IntStream edges = IntStream.iterate(1024, n -> n <= largest + 16, n -> n + 512)
                .flatMap(n -> IntStream.rangeClosed(n - 1, n + 1));
        return IntStream.concat(
                        IntStream.concat(IntStream.range(0, 1800), edges), IntStream.rangeClosed(largest - 80, largest))
                .filter(n -> n <= largest);
    }

    private static int crc(MemorySegment bytes, long from, long to) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.asSlice(from, to - from).asByteBuffer());
        return (int) crc.getValue();
    }

    private MemorySegment randomBytes(MemorySegment bytes) {
        byte[] values = new byte[(int) bytes.byteSize()];
        random.nextBytes(values);
        return bytes.copyFrom(MemorySegment.ofArray(values));
    }

    @Test
    void shouldChecksumAsTheJdkWhenLengthAndAlignmentVary() {
        MemorySegment source = randomBytes(Arena.ofAuto().allocate(70_000 + 64, 64));
        lengths(70_000).forEach(length -> {
            int offset = random.nextInt(64);
            int split = random.nextInt(length + 1);
            long address = source.address() + offset;
            int expected = crc(source, offset, offset + length);
            assertEquals(expected, kernel.crc32c(0, address, length), () -> "of " + length + " bytes");
            int first = kernel.crc32c(0, address, split);
            assertEquals(
                    expected,
                    kernel.crc32c(first, address + split, length - split),
                    () -> "of " + length + " bytes in two parts, the first of " + split);
        });
    }

    @Test
    void shouldCopyAndChecksumWhenWholeLinesAreCopied() {
        MemorySegment source = randomBytes(Arena.ofAuto().allocate((64 << 10) + 64, 64));
        for (int length = 0; length <= 64 << 10; length += 64) {
            int bytes = length;
            int offset = random.nextInt(64);
            int expected = crc(source, offset, offset + length);
            storesExactly(
                    source.asSlice(offset, length),
                    address -> assertEquals(expected, kernel.copyCrc32c(0, address, source.address() + offset, bytes)));
        }
    }

    @Test
    void shouldPersistTheStagedFrameWhenItsChecksumIsNotStoredYet() {
        MemorySegment stage = Arena.ofAuto().allocate(64 << 10, 64);
        lengths(LARGEST_PAYLOAD_BYTES).forEach(payloadLength -> {
            int length = FrameDescriptor.frameLength(payloadLength);
            int slots = FrameDescriptor.slotAlignedLength(length);
            int salt = random.nextInt();
            randomBytes(stage.asSlice(0, length));
            stage.asSlice(length, slots - length).fill((byte) 0);
            MemorySegment expected = MemorySegment.ofArray(new byte[slots]).copyFrom(stage.asSlice(0, slots));
            expected.set(I32, 0, crc(stage, 4, length) ^ salt);
            storesExactly(expected, at -> kernel.persistFrame(at, stage.address(), length, slots, salt));
            storesExactly(expected, at -> kernel.storeFrame(at, stage.address(), length, slots, salt));
        });
    }

    @Test
    void shouldBuildTheFrameOfOneEntryFromMemoryOfAnyKind() {
        assumeTrue(kernel.hasEntry(), "the kernel builds no frames on this CPU: not tested");
        lengths(LARGEST_PAYLOAD_BYTES).forEach(length -> {
            MemorySegment payload = payload(length);
            int frameLength = FrameDescriptor.frameLength(length);
            int type = random.nextInt();
            long position = random.nextLong();
            long sequence = random.nextLong();
            long timestampNs = random.nextLong();
            int epoch = random.nextInt(Integer.MAX_VALUE >> 8);
            int salt = random.nextInt();
            MemorySegment expected = MemorySegment.ofArray(new byte[FrameDescriptor.slotAlignedLength(frameLength)]);
            expected.set(I32, 4, frameLength);
            expected.set(I64, 8, position);
            expected.set(I64, 16, sequence);
            expected.set(I64, 24, timestampNs);
            expected.set(I64, 32, FrameDescriptor.attributes(epoch, FrameDescriptor.KIND_DATA, 0, 1));
            expected.set(I32, 40, length);
            expected.set(I32, 44, type);
            MemorySegment.copy(payload, 0, expected, 48, length);
            expected.set(I32, 0, crc(expected, 4, frameLength) ^ salt);
            storesExactly(
                    expected,
                    at -> kernel.persistEntry(at, payload, length, type, position, sequence, timestampNs, epoch, salt));
            storesExactly(
                    expected,
                    at -> kernel.storeEntry(at, payload, length, type, position, sequence, timestampNs, epoch, salt));
        });
    }

    /// What cannot be read is refused before a byte is stored.
    @Test
    void shouldStoreNothingWhenThePayloadIsOfAClosedArena() {
        MemorySegment closed;
        try (Arena arena = Arena.ofShared()) {
            closed = arena.allocate(100);
        }
        storesExactly(
                MemorySegment.ofArray(new byte[0]),
                at -> assertThrows(
                        IllegalStateException.class, () -> kernel.persistEntry(at, closed, 100, 0, 0, 0, 0, 0, 0)));
    }

    /// Heap or native, writable or read-only, at any alignment.
    private MemorySegment payload(int length) {
        int offset = random.nextInt(64);
        MemorySegment room = switch (random.nextInt(3)) {
            case 0 -> MemorySegment.ofArray(new byte[length + 64]);
            case 1 -> MemorySegment.ofArray(new long[length / 8 + 9]);
            default -> Arena.ofAuto().allocate(length + 64L);
        };
        MemorySegment payload = randomBytes(room.asSlice(offset, length));
        return random.nextBoolean() ? payload.asReadOnly() : payload;
    }

    private void storesExactly(MemorySegment expected, Consumer<Long> store) {
        medium.fill(UNTOUCHED);
        store.accept(target.address());
        long length = expected.byteSize();
        assertEquals(-1, target.asSlice(0, length).mismatch(expected), () -> "bytes of " + length);
        assertUntouched(medium.asSlice(0, MARGIN_BYTES), length);
        assertUntouched(target.asSlice(length), length);
        assertUntouched(medium.asSlice(medium.byteSize() - MARGIN_BYTES), length);
    }

    private static void assertUntouched(MemorySegment bytes, long length) {
        long rest = bytes.byteSize() - 1;
        boolean same = rest < 0
                || (bytes.get(ValueLayout.JAVA_BYTE, 0) == UNTOUCHED
                        && bytes.asSlice(0, rest).mismatch(bytes.asSlice(1)) < 0);
        assertEquals(true, same, () -> "stored beside " + length + " bytes");
    }
}
