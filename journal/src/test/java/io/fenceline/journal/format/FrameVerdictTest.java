package io.fenceline.journal.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Each rule of `docs/FORMAT.md`, section 6, at both sides of its bound. The slot is no first one of its buffer, of its
/// segment, of the ring.
class FrameVerdictTest {
    private static final Geometry GEOMETRY = Geometry.of(4096, 3);
    private static final int AT = 128;
    private static final long START = 5 * 4096;

    private final MemorySegment bytes = Arena.ofAuto().allocate(256, 64);

    private FrameVerdict header(long position, int length, long framePosition, int epoch, int kind) {
        FrameDescriptor.writeHeader(bytes, AT, length, framePosition, 7, 0, epoch, kind, 0, 1);
        return FrameVerdict.ofHeader(bytes, AT, position, GEOMETRY, 3, 5);
    }

    // Rule (1). A frame has a header at least, a PAD a slot; neither leaves its segment, when padded to slots.
    @ParameterizedTest
    @CsvSource({
        // kind, offset in the segment, length, within bounds
        "1, 0, 39, false",
        "1, 0, 40, true",
        "1, 0, 1088, true", // the longest frame of this geometry
        "1, 0, 1089, false",
        "1, 0, 1152, false",
        "1, 0, -64, false",
        "1, 0, -2147483648, false",
        "1, 4032, 40, true",
        "1, 4032, 64, true",
        "1, 4032, 65, false",
        "1, 3968, 128, true",
        "1, 3968, 129, false",
        "1, 64, 41, true",
        "2, 0, 0, false",
        "2, 0, 40, false",
        "2, 0, 63, false",
        "2, 0, 64, true",
        "2, 0, 65, false",
        "2, 0, 96, false",
        "2, 0, 128, true",
        "2, 0, 4096, true", // longer than any frame
        "2, 0, 4160, false",
        "2, 64, 4032, true",
        "2, 64, 4096, false",
        "2, 4032, 64, true",
        "2, 4032, 128, false",
        "2, 0, -64, false",
        "9, 0, 40, true",
        "9, 0, 39, false",
        "130, 4032, 128, false",
    })
    void shouldTakeALengthOnlyWithinItsBounds(int kind, int offset, int length, boolean within) {
        long position = START + offset;
        FrameVerdict expected = within ? FrameVerdict.DATA : FrameVerdict.BAD_LENGTH;
        assertEquals(expected, header(position, length, position, 4, kind));
    }

    // Rules (2) and (3), and that they come in this order.
    @ParameterizedTest
    @CsvSource({
        "0, 4, DATA",
        "64, 4, BAD_POSITION",
        "-64, 4, BAD_POSITION",
        "-12288, 4, BAD_POSITION", // the lap before
        "1, 4, BAD_POSITION",
        "64, 2, BAD_POSITION",
        "0, 2, BAD_EPOCH",
        "0, 3, DATA",
        "0, 5, DATA",
        "0, 6, BAD_EPOCH",
        "0, -1, BAD_EPOCH",
    })
    void shouldTakeAFrameOnlyWhereItLiesAndOfItsEpoch(long shift, int epoch, FrameVerdict expected) {
        assertEquals(expected, header(START + 64, 64, START + 64 + shift, epoch, FrameDescriptor.KIND_DATA));
        assertEquals(expected, header(START + 64, 64, START + 64 + shift, epoch, FrameDescriptor.KIND_PAD));
    }

    // Only a slot without length, position and kind is empty: one with any of them was written.
    @Test
    void shouldCallOnlyAnEmptySlotEmpty() {
        assertEquals(FrameVerdict.EMPTY, header(START, 0, 0, 0, 0));
        assertEquals(FrameVerdict.EMPTY, header(0, 0, 0, 0, 0));
        assertEquals(FrameVerdict.BAD_LENGTH, header(START, 1, 0, 0, 0));
        assertEquals(FrameVerdict.BAD_LENGTH, header(START, 0, START, 0, 0));
        assertEquals(FrameVerdict.BAD_LENGTH, header(START, 0, 0, 0, FrameDescriptor.KIND_DATA));
        assertEquals(FrameVerdict.BAD_LENGTH, header(START, 0, 0, 0, FrameDescriptor.KIND_PAD));
        assertEquals(FrameVerdict.BAD_POSITION, header(START, 64, 0, 4, 0));
    }

    @ParameterizedTest
    @CsvSource({
        // kind, flags, entries, sequence
        "1, 0, 1, 7, DATA",
        "1, 1, 1, 0, DATA",
        "1, 3, 65535, 0, DATA",
        "1, 0, 0, 7, BAD_ENTRIES",
        "1, 0, 1, -1, BAD_ENTRIES",
        "1, 4, 1, 7, UNKNOWN",
        "1, 128, 1, 7, UNKNOWN",
        "2, 0, 0, 7, PAD",
        "2, 1, 0, 7, PAD",
        "2, 2, 0, 7, SEAL",
        "2, 3, 0, -1, SEAL",
        "2, 6, 0, 7, UNKNOWN",
        "0, 0, 1, 7, UNKNOWN",
        "3, 0, 1, 7, UNKNOWN",
        "127, 0, 1, 7, UNKNOWN",
        "128, 0, 0, -1, SKIPPABLE",
        "255, 3, 9, 7, SKIPPABLE",
        "255, 64, 9, 7, UNKNOWN",
    })
    void shouldTellWhatAWholeFrameIs(int kind, int flags, int entries, long sequence, FrameVerdict expected) {
        FrameDescriptor.writeHeader(bytes, AT, 64, START, sequence, 0, 4, kind, flags, entries);
        assertEquals(expected, FrameVerdict.ofKind(bytes, AT));
    }

    @ParameterizedTest
    @EnumSource(FrameVerdict.class)
    void shouldBeFollowedToTheNextFrameOnlyIfValid(FrameVerdict verdict) {
        Set<FrameVerdict> valid =
                Set.of(FrameVerdict.DATA, FrameVerdict.PAD, FrameVerdict.SEAL, FrameVerdict.SKIPPABLE);
        assertEquals(valid.contains(verdict), verdict.isValid());
        assertEquals(verdict.isValid(), verdict.text().startsWith("valid"), verdict.text());
    }

    @Test
    void shouldSayTheBrokenRuleByItsNumber() {
        Set<String> texts = new HashSet<>();
        for (FrameVerdict verdict : FrameVerdict.values()) {
            assertFalse(verdict.text().isEmpty(), verdict.name());
            texts.add(verdict.text().substring(0, Math.min(3, verdict.text().length())));
        }
        assertTrue(texts.containsAll(Set.of("(0)", "(1)", "(2)", "(3)", "(4)")), texts::toString);
    }
}
