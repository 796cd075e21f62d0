package io.fenceline.journal.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrameDescriptorTest {
    // Every field is full of ones in its highest bits, so that none may be cut short or reach into its neighbour; the
    // frame does not begin where its buffer does.
    @ParameterizedTest
    @ValueSource(longs = {0, 64, 192})
    void shouldReadBackEachFieldWherever(long at) {
        MemorySegment bytes = Arena.ofAuto().allocate(512, 64).fill((byte) 0x5A);
        FrameDescriptor.writeHeader(bytes, at, 0xFEDC_BA98, -2, -3, -4, 0x89AB_CDEF, 0xF1, 0xE2, 0xD3C4);
        FrameDescriptor.checksum(bytes, at, 0x8765_4321);
        FrameDescriptor.entryHeader(bytes, at + 40, 0x8000_0001, 0x9000_0002);
        assertEquals(0x8765_4321, FrameDescriptor.checksum(bytes, at));
        assertEquals(0xFEDC_BA98, FrameDescriptor.length(bytes, at));
        assertEquals(-2, FrameDescriptor.position(bytes, at));
        assertEquals(-3, FrameDescriptor.sequence(bytes, at));
        assertEquals(-4, FrameDescriptor.timestamp(bytes, at));
        assertEquals(0x89AB_CDEF, FrameDescriptor.epoch(bytes, at));
        assertEquals(0xF1, FrameDescriptor.kind(bytes, at));
        assertEquals(0xE2, FrameDescriptor.flags(bytes, at));
        assertEquals(0xD3C4, FrameDescriptor.entries(bytes, at));
        assertEquals(0x8000_0001, FrameDescriptor.entryPayloadLength(bytes, at + 40));
        assertEquals(0x9000_0002, FrameDescriptor.entryType(bytes, at + 40));
        assertEquals(0x5A, bytes.get(Bytes.I8, at + 48));
        long word = FrameDescriptor.attributes(0x89AB_CDEF, 0xF1, 0xE2, 0xD3C4);
        assertEquals(word, FrameDescriptor.attributes(bytes, at));
        assertNotEquals(word, FrameDescriptor.attributes(0x89AB_CDEF, 0xF1, 0xE2, 0xD3C5));
    }

    @ParameterizedTest
    @CsvSource({"0, 48, 64", "1, 56, 64", "8, 56, 64", "9, 64, 64", "16, 64, 64", "17, 72, 128", "80, 128, 128"})
    void shouldPadEntriesToEightAndFramesToSlots(int payload, int frame, int slots) {
        assertEquals(frame, FrameDescriptor.frameLength(payload));
        assertEquals(frame - FrameDescriptor.HEADER_LENGTH_BYTES, FrameDescriptor.entryLength(payload));
        assertEquals(slots, FrameDescriptor.slotAlignedLength(frame));
    }

    @Test
    void shouldAlignUpwards() {
        assertEquals(0, Bytes.align(0, 64));
        assertEquals(64, Bytes.align(1, 64));
        assertEquals(64, Bytes.align(64, 64));
        assertEquals(128, Bytes.align(65, 64));
        assertEquals(0L, Bytes.align(0L, 4096));
        assertEquals(1L << 40, Bytes.align((1L << 40) - 4095, 4096));
        assertEquals(1L << 40, Bytes.align(1L << 40, 4096));
        assertEquals((1L << 40) + 4096, Bytes.align((1L << 40) + 1, 4096));
    }

    // The checksum of a PAD is that of one slot, however far it leads: what lies behind it may be anything.
    @Test
    void shouldChecksumOneSlotOfAPad() {
        assertEquals(64, FrameDescriptor.checksummedLength(FrameDescriptor.KIND_PAD, 4096));
        assertEquals(4095, FrameDescriptor.checksummedLength(FrameDescriptor.KIND_DATA, 4095));
        assertEquals(4095, FrameDescriptor.checksummedLength(0x90, 4095));
    }

    // A gate's state counts its uses above the kind: a reader tells a gate that was freed and taken again.
    @Test
    void shouldCountEachUseOfAGate() {
        assertEquals(GateDescriptor.FREE, GateDescriptor.kind(0));
        long taken = GateDescriptor.next(0, GateDescriptor.EPHEMERAL);
        long freed = GateDescriptor.next(taken, GateDescriptor.FREE);
        long again = GateDescriptor.next(freed, GateDescriptor.CURSOR);
        assertEquals(0x101, taken);
        assertEquals(0x200, freed);
        assertEquals(0x302, again);
        assertEquals(GateDescriptor.EPHEMERAL, GateDescriptor.kind(taken));
        assertEquals(GateDescriptor.FREE, GateDescriptor.kind(freed));
        assertEquals(GateDescriptor.CURSOR, GateDescriptor.kind(again));
        assertEquals(4096, ReadersFileDescriptor.gateOffset(0));
        assertEquals(4096 + 128, ReadersFileDescriptor.gateOffset(1));
        assertEquals(ReadersFileDescriptor.LENGTH_BYTES, ReadersFileDescriptor.gateOffset(2048));
    }
}
