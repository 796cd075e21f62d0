package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.DamagedRange;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Every byte is accounted for by one step, and damage is told exactly: where it begins, where it ends, which rule.
class FrameWalkTest {
    private static final Geometry GEOMETRY = Geometry.of(16384, 3);

    private final HandmadeLog log = new HandmadeLog(GEOMETRY);
    private long retained;

    private FrameWalk walk(StateRecord state, long from, long to, boolean orderly) {
        return new FrameWalk(log.frames(), GEOMETRY, state, log.readableBytes, () -> retained, from, to, orderly);
    }

    private FrameWalk walk(long to, long floorSequence) {
        return walk(log.state(to, floorSequence), 0, to, true);
    }

    /// Each step in a word: FRAME 0-64 DATA, DAMAGED 64-128 BAD_CHECKSUM, …
    private static List<String> steps(FrameWalk walk) {
        List<String> steps = new ArrayList<>();
        for (FrameWalk.Step step = walk.next(); step != FrameWalk.Step.END; step = walk.next()) {
            steps.add(step + " " + walk.stepStart() + "-" + walk.stepEnd()
                    + switch (step) {
                        case FRAME -> " " + walk.verdict();
                        case DAMAGED -> " " + walk.damage().verdict();
                        default -> "";
                    });
            assertTrue(steps.size() < 1000, "no end");
        }
        assertEquals(FrameWalk.Step.END, walk.next());
        return steps;
    }

    @Test
    void shouldTellEachFrameOfAWholeLog() {
        long end = log.data(0, 0, 10);
        end = log.data(end, 1, 100, 0, 7);
        end = log.pad(end, 128, 4, 0);
        end = log.pad(end, 64, 4, FrameDescriptor.FLAG_SEAL);
        end = log.header(end, 70, 99, HandmadeLog.EPOCH, 0x81, 0, 3);
        end = log.data(end, 4, 1);
        FrameWalk walk = walk(end, 5);
        assertEquals(
                List.of(
                        "FRAME 0-64 DATA",
                        "FRAME 64-256 DATA",
                        "FRAME 256-384 PAD",
                        "FRAME 384-448 SEAL",
                        "FRAME 448-576 SKIPPABLE",
                        "FRAME 576-640 DATA"),
                steps(walk));
        assertEquals(640, end);
    }

    // Sequences are contiguous: a gap is damage of no length in front of the frame that comes too late.
    @Test
    void shouldTellEntriesThatAreMissing() {
        long second = log.data(0, 0, 10, 10);
        long end = log.data(second, 3, 10);
        FrameWalk walk = walk(end, 4);
        assertEquals(FrameWalk.Step.FRAME, walk.next());
        assertEquals(FrameWalk.Step.DAMAGED, walk.next());
        DamagedRange gap = walk.damage();
        assertEquals(second, gap.from());
        assertEquals(second, gap.to());
        assertEquals(GEOMETRY.fileOffset(second), gap.fileOffset());
        assertEquals("sequence 3, expected 2: entries are missing", gap.reason());
        assertEquals(List.of("FRAME 128-192 DATA"), steps(walk));
    }

    @Test
    void shouldTellASequenceThatGoesBackAlsoBehindAPad() {
        long second = log.data(0, 5, 10);
        long third = log.pad(second, 64, 6, 0);
        long end = log.data(third, 5, 10);
        FrameWalk walk = walk(end, 6);
        assertEquals(FrameWalk.Step.FRAME, walk.next());
        assertEquals(FrameWalk.Step.FRAME, walk.next());
        assertEquals(FrameWalk.Step.DAMAGED, walk.next());
        assertEquals(
                "sequence 5, expected 6: the sequence goes back", walk.damage().reason());
        assertEquals(List.of("FRAME 128-192 DATA"), steps(walk));
    }

    // Numbers that a crash left out lie where a PAD does: before it, in it, and behind it.
    @Test
    void shouldAllowNumbersThatAreLeftOutWhereAPadLies() {
        long at = log.data(0, 0, 10);
        at = log.pad(at, 64, 3, FrameDescriptor.FLAG_SEAL);
        at = log.data(at, 9, 10);
        long end = log.pad(at, 64, 10, 0);
        assertEquals(
                List.of("FRAME 0-64 DATA", "FRAME 64-128 SEAL", "FRAME 128-192 DATA", "FRAME 192-256 PAD"),
                steps(walk(end, 20)));
        // A PAD itself does not go back.
        log.pad(192, 64, 9, 0);
        assertEquals("DAMAGED 192-192 BAD_SEQUENCE", steps(walk(end, 20)).get(3));
    }

    // What an unknown kind says of sequences is not known, nor how many it took.
    @Test
    void shouldNotJudgeTheSequenceOfWhatItDoesNotKnow() {
        long at = log.data(0, 3, 10);
        at = log.header(at, 64, 0, HandmadeLog.EPOCH, 0x80, 0, 0);
        long end = log.data(at, 8, 10);
        assertEquals(List.of("FRAME 0-64 DATA", "FRAME 64-128 SKIPPABLE", "FRAME 128-192 DATA"), steps(walk(end, 9)));
        log.data(at, 3, 10);
        assertEquals("DAMAGED 128-128 BAD_SEQUENCE", steps(walk(end, 9)).get(2));
    }

    // The state record says how many entries there are below its floor.
    @Test
    void shouldHoldTheEndAgainstTheStateRecord() {
        long end = log.data(0, 0, 10);
        assertEquals(List.of("FRAME 0-64 DATA"), steps(walk(end, 1)));
        FrameWalk walk = walk(end, 2);
        walk.next();
        assertEquals(FrameWalk.Step.DAMAGED, walk.next());
        assertEquals(
                "the next sequence is 1, expected 2 by the state record",
                walk.damage().reason());
        assertEquals(end, walk.damage().from());
        assertEquals(end, walk.damage().to());
        assertEquals(FrameWalk.Step.END, walk.next());
        assertEquals(2, steps(walk(end, 0)).size());
        // Behind a PAD numbers may be left out, but not come again; in no order nothing is known.
        end = log.pad(end, 64, 1, FrameDescriptor.FLAG_SEAL);
        assertEquals(2, steps(walk(end, 7)).size());
        assertEquals(3, steps(walk(end, 0)).size());
        assertEquals(2, steps(walk(log.state(end, 0), 0, end, false)).size());
        // Where it ends elsewhere, the record says nothing.
        assertEquals(1, steps(walk(log.state(end, 9), 0, 64, true)).size());
        // From the floor on the first sequence is known, too.
        assertEquals(
                "DAMAGED 0-0 BAD_SEQUENCE",
                steps(walk(log.state(0, 3), 0, 64, true)).getFirst());
    }

    @Test
    void shouldNotCareForSequencesWhereNothingIsInOrder() {
        long at = log.data(0, 9, 10);
        long end = log.data(at, 3, 10);
        assertEquals(List.of("FRAME 0-64 DATA", "FRAME 64-128 DATA"), steps(walk(log.state(end, 0), 0, end, false)));
    }

    // A sequence at the end of the numbers: nothing is expected behind it, nothing overflows.
    @Test
    void shouldExpectNothingBehindTheLastNumber() {
        long at = log.data(0, Long.MAX_VALUE, 10, 10);
        long end = log.data(at, 5, 10);
        assertEquals(List.of("FRAME 0-128 DATA", "FRAME 128-192 DATA"), steps(walk(end, 6)));
    }

    // Damage begins at the first bad slot and ends at the next frame that certifies.
    @Test
    void shouldTellTheRuleThatIsBrokenAndGoOnAtTheNextFrame() {
        long second = log.data(0, 0, 10);
        long third = log.data(second, 1, 200);
        long end = log.data(third, 2, 10);
        assertEquals(384, end);

        log.flip(second, 60);
        assertDamage("BAD_CHECKSUM", "(4) checksum does not match: expected 0x", end);
        log.flip(second, 60);
        log.flip(second, FrameDescriptor.POSITION_OFFSET + 1);
        assertDamage("BAD_POSITION", "(2) position is not where it lies: position " + (second ^ 0x1000), end);
        log.flip(second, FrameDescriptor.POSITION_OFFSET + 1);
        log.flip(second, FrameDescriptor.LENGTH_OFFSET + 2);
        assertDamage("BAD_LENGTH", "(1) length out of bounds: length " + (248 ^ 0x10_0000), end);
        log.flip(second, FrameDescriptor.LENGTH_OFFSET + 2);
        log.flip(second, FrameDescriptor.EPOCH_OFFSET);
        assertDamage("BAD_EPOCH", "(3) epoch does not fit: epoch " + (HandmadeLog.EPOCH ^ 0x10), end);
        log.flip(second, FrameDescriptor.EPOCH_OFFSET);
        assertEquals(3, steps(walk(end, 3)).size());
    }

    private void assertDamage(String verdict, String text, long end) {
        FrameWalk walk = walk(end, 3);
        assertEquals(FrameWalk.Step.FRAME, walk.next());
        assertEquals(FrameWalk.Step.DAMAGED, walk.next());
        DamagedRange damage = walk.damage();
        assertEquals(64, damage.from());
        assertEquals(320, damage.to());
        assertEquals(verdict, damage.verdict());
        assertTrue(damage.reason().startsWith(text), damage::reason);
        // What was lost leaves a gap, of which nothing is said again.
        assertEquals(List.of("FRAME 320-384 DATA"), steps(walk));
    }

    // Its checksum matches, so its length is as its writer wrote it: nothing inside is taken for a frame.
    @Test
    void shouldSkipAWholeFrameThatItDoesNotUnderstand() {
        long second = log.data(0, 0, 10);
        // Inside of both lies the image of a frame for its own place, salt and all.
        for (int kind : new int[] {3, FrameDescriptor.KIND_DATA}) {
            log.data(second + 128, 7, 10);
            long third = log.header(second, 256, 1, HandmadeLog.EPOCH, kind, 0, 2);
            long end = log.data(third, 2, 10);
            FrameWalk walk = walk(end, 3);
            assertEquals(FrameWalk.Step.FRAME, walk.next());
            assertEquals(FrameWalk.Step.DAMAGED, walk.next());
            assertEquals(kind == 3 ? "UNKNOWN" : "BAD_ENTRIES", walk.damage().verdict());
            assertEquals(second, walk.damage().from());
            assertEquals(third, walk.damage().to());
            assertTrue(kind != 3 || walk.damage().reason().endsWith("kind 3, flags 0"), walk.damage()::reason);
            assertEquals(List.of("FRAME 320-384 DATA"), steps(walk));
        }
    }

    // (3): epochs never decrease along positions, and from epochStart on only the record's is right.
    @Test
    void shouldHoldEpochsAgainstTheFrameBeforeAndTheRecord() {
        long at = log.dataOf(0, 0, 3, 0, 10);
        at = log.dataOf(at, 1, 4, 0, 10);
        at = log.dataOf(at, 2, 3, 0, 10);
        long end = log.dataOf(at, 2, 4, 0, 10);
        List<String> steps = steps(walk(log.state(end, 3, end), 0, end, true));
        assertEquals(
                List.of("FRAME 0-64 DATA", "FRAME 64-128 DATA", "DAMAGED 128-192 BAD_EPOCH", "FRAME 192-256 DATA"),
                steps);
        steps = steps(walk(log.state(end, 3, 64), 0, end, true));
        assertEquals(List.of("FRAME 0-64 DATA", "DAMAGED 64-256 BAD_EPOCH"), steps);
    }

    // Damage never reaches into the next segment, which begins with a frame.
    @Test
    void shouldEndDamageWithItsSegment() {
        log.data(16384, 5, 10);
        FrameWalk walk = walk(log.state(16448, 6), 16320, 16448, true);
        assertEquals(List.of("DAMAGED 16320-16384 EMPTY", "FRAME 16384-16448 DATA"), steps(walk));
        walk = walk(log.state(16448, 6), 16320 - 64, 16320, true);
        assertEquals(List.of("DAMAGED 16256-16320 EMPTY"), steps(walk));
    }

    @Test
    void shouldNotTakeAFrameThatLeavesTheRange() {
        log.data(0, 0, 10);
        log.data(64, 1, 100);
        assertEquals(List.of("FRAME 0-64 DATA", "DAMAGED 64-128 BAD_LENGTH"), steps(walk(128, 2)));
        assertEquals(List.of("FRAME 0-64 DATA", "FRAME 64-256 DATA"), steps(walk(256, 2)));
    }

    // A bad block takes its page and no more; where the file ends, the segment is lost.
    @Test
    void shouldGoOnBehindAPageThatCannotBeRead() {
        long at = 0;
        for (int i = 0; at < 12288; i++) {
            at = log.data(at, i, 10);
        }
        log.unreadablePages.add(GEOMETRY.fileOffset(4096));
        List<String> steps = steps(walk(12288, 192));
        assertEquals(64 + 1 + 64, steps.size());
        assertEquals("DAMAGED 4096-8192 UNREADABLE", steps.get(64));
        log.unreadablePages.clear();
        log.readableBytes = GEOMETRY.fileOffset(8192);
        steps = steps(walk(12288, 192));
        assertEquals("DAMAGED 8192-12288 UNREADABLE", steps.getLast());
        assertEquals(129, steps.size());
    }

    // The writer gives up what the walk is about to judge, and its place is reused: not damage.
    @Test
    void shouldTellWhatTheRingWentPastFromDamage() {
        log.data(0, 0, 10);
        log.data(64, 1, 10);
        log.flip(64, 50);
        log.data(16384, 9, 10);
        FrameWalk walk = walk(16448, 10);
        assertEquals(FrameWalk.Step.FRAME, walk.next());
        assertFalse(walk.isOverwritten());
        retained = 16384;
        assertTrue(walk.isOverwritten());
        assertEquals(List.of("OVERWRITTEN 64-16384", "FRAME 16384-16448 DATA"), steps(walk));
        retained = Long.MAX_VALUE; // the end of the log was cut off
        assertEquals("OVERWRITTEN 64-16448", steps(walk(16448, 1)).getLast());
    }

    // The place of a frame is taken by a whole one of another lap in between: its sequence does not fit, because the
    // ring went past.
    @Test
    void shouldTakeAForeignSequenceForAReuseIfTheRingWentPast() {
        log.data(0, 0, 10);
        log.data(64, 40, 10);
        FrameWalk walk = walk(128, 2);
        assertEquals(FrameWalk.Step.FRAME, walk.next());
        retained = 65;
        assertEquals(FrameWalk.Step.OVERWRITTEN, walk.next());
        assertEquals(64, walk.stepStart());
        assertEquals(65, walk.stepEnd());
    }

    // Bytes that were read ahead while the writer had not written them are read again before they are called damaged;
    // but not at every slot, or a hostile file would make each slot cost a window.
    @Test
    void shouldReadAgainBeforeItCallsBytesDamaged() {
        log.data(0, 0, 10);
        FrameWalk walk = walk(128, 2);
        assertEquals(FrameWalk.Step.FRAME, walk.next());
        log.data(64, 1, 10); // it lies in the window that was read
        assertEquals(List.of("FRAME 64-128 DATA"), steps(walk));

        for (long at = 128; at < 16384; at += 64) {
            if (at % 128 == 0) {
                log.data(at, at, 10);
            }
        }
        long before = log.reads;
        steps(walk(log.state(16384, 0), 128, 16384, false));
        assertTrue(log.reads - before <= 1 + 16, "reads: " + (log.reads - before));
    }

    // A PAD says which number comes next, and what follows it must not go back behind that.
    @Test
    void shouldHoldWhatFollowsAPadAgainstIt() {
        log.data(0, 0, 10);
        log.pad(64, 64, 5, 0);
        long end = log.data(128, 3, 10);
        assertEquals("DAMAGED 128-128 BAD_SEQUENCE", steps(walk(end, 6)).get(2));
    }

    // The very first number is expected, too.
    @Test
    void shouldMissTheFirstEntriesOfAll() {
        log.data(0, 3, 10);
        assertEquals(List.of("DAMAGED 0-0 BAD_SEQUENCE", "FRAME 0-64 DATA"), steps(walk(log.state(0, 0), 0, 64, true)));
    }

    @Test
    void shouldGoThroughTheEntriesOfAFrame() {
        long end = log.data(0, 0, 10, 20);
        FrameWalk walk = walk(end, 2);
        assertEquals(FrameWalk.Step.FRAME, walk.next());
        walk.entries().begin();
        assertTrue(walk.entries().next());
        assertEquals(10, walk.entries().payloadLength());
        assertTrue(walk.entries().next());
        assertEquals(20, walk.entries().payloadLength());
        assertFalse(walk.entries().next());
        assertEquals(0, walk.frames().position());
    }

    // The ring goes past while the walk looks for the end of what it took for damage.
    @Test
    void shouldNotCallDamageWhatIsOverwrittenWhileItLooks() {
        log.data(0, 0, 10);
        log.data(64, 1, 10);
        log.flip(64, 50);
        log.data(16384, 9, 10);
        int[] asked = {0};
        FrameWalk walk = new FrameWalk(
                log.frames(),
                GEOMETRY,
                log.state(16448, 10),
                log.readableBytes,
                () -> asked[0]++ == 0 ? 0 : 16384,
                0,
                16448,
                true);
        assertEquals(List.of("FRAME 0-64 DATA", "OVERWRITTEN 64-16384", "FRAME 16384-16448 DATA"), steps(walk));
    }
}
