package io.fenceline.bench.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.format.FrameDescriptor;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The raw limits do the work that they claim: a limit that did less would flatter nobody but be wrong.
class RawLimitsTest {
    private static final int RING_LENGTH = 64 << 10;

    @TempDir
    Path directory;

    @BeforeAll
    static void needLibraries() {
        assumeTrue(RawLimits.isAvailable(), "this build holds no raw limits: there was no C compiler");
    }

    @Test
    void shouldComputeTheSameChecksumAsTheJdkAtEveryLength() {
        long seed = new Random().nextLong();
        byte[] bytes = new byte[5000];
        new Random(seed).nextBytes(bytes);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(bytes.length, 8);
            MemorySegment.copy(MemorySegment.ofArray(bytes), 0, copy, 0, bytes.length);
            for (int length = 0; length <= bytes.length; length++) {
                CRC32C crc = new CRC32C();
                crc.update(bytes, 0, length);
                assertEquals(
                        (int) crc.getValue(),
                        RawLimits.crc32c(copy.asSlice(0, length)),
                        "length " + length + ", seed " + seed);
            }
        }
    }

    @Test
    void shouldWriteEveryFrameOfALapByNonTemporalStores() {
        try (RawRing ring = new RawRing(directory, RING_LENGTH)) {
            assertTrue(ring.nt(192, RING_LENGTH / 192) > 0);
            assertFilled(ring, 192);
            ring.bytes().fill((byte) 0);
            assertTrue(ring.nt(4096, 16, 16) > 0);
            assertFilled(ring, 4096);
        }
    }

    @Test
    void shouldWriteEveryFrameOfALapByMemcpyAndBySync() {
        try (RawRing ring = new RawRing(directory, RING_LENGTH)) {
            assertTrue(ring.memcpy(64, RING_LENGTH / 64) > 0);
            assertFilled(ring, 64);
            ring.bytes().fill((byte) 0);
            assertTrue(ring.sync(4096, RING_LENGTH / 4096) > 0);
            assertFilled(ring, 4096);
        }
    }

    /// Goal: the framed limit writes frames that the format accepts, over more than a lap. Each field that the
    /// checksum covers is read back by the format's own descriptor.
    @Test
    void shouldLeaveWholeFramesBehindTheFramedLoop() {
        int frameLength = 1024;
        try (RawRing ring = new RawRing(directory, RING_LENGTH)) {
            int frames = RING_LENGTH / frameLength;
            assertTrue(ring.framed(frameLength, frames + 3) > 0);
            for (int i = 0; i < frames; i++) {
                MemorySegment frame = ring.bytes().asSlice((long) i * frameLength, frameLength);
                assertEquals(frameLength, FrameDescriptor.length(frame, 0));
                assertEquals((long) i * frameLength, FrameDescriptor.position(frame, 0));
                assertEquals(i < 3 ? frames + i : i, FrameDescriptor.sequence(frame, 0));
                assertEquals(FrameDescriptor.KIND_DATA, FrameDescriptor.kind(frame, 0));
                assertEquals(1, FrameDescriptor.entries(frame, 0));
                assertEquals(frameLength - 48, FrameDescriptor.entryPayloadLength(frame, 40));
                CRC32C crc = new CRC32C();
                crc.update(frame.asSlice(4).asByteBuffer());
                assertEquals((int) crc.getValue(), FrameDescriptor.checksum(frame, 0));
                assertEquals(-1, ring.source().asSlice(0, frameLength - 48).mismatch(frame.asSlice(48)));
            }
            assertTrue(RawLimits.scan(ring.bytes(), true) > 0);
            assertTrue(RawLimits.scan(ring.bytes(), false) > 0);
        }
    }

    @Test
    void shouldRefuseFramesThatItCannotWrite() {
        try (RawRing ring = new RawRing(directory, RING_LENGTH)) {
            assertThrows(IllegalArgumentException.class, () -> ring.nt(100, 1));
            assertThrows(IllegalArgumentException.class, () -> ring.nt(2L * RING_LENGTH, 1));
        }
    }

    @Test
    void shouldReportErrnoWhenTheSystemRefuses() {
        UncheckedIOException e =
                assertThrows(UncheckedIOException.class, () -> RawLimits.open(directory.resolve("missing")));
        assertTrue(e.toString().contains("errno 2"), e.toString());
    }

    /// Frames of that length, as many as fit, each a copy of the source.
    private static void assertFilled(RawRing ring, int frameLength) {
        for (long at = 0; at + frameLength <= RING_LENGTH; at += frameLength) {
            MemorySegment frame = ring.bytes().asSlice(at, frameLength);
            assertEquals(-1, ring.source().asSlice(0, frameLength).mismatch(frame), "frame at " + at);
        }
    }
}
