package io.fenceline.journal.positions;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.RunFileDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.foreign.Arena;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The reservation word and the way to publication, step by step, in one thread.
class ReservationsTest {
    private static final int SEGMENT = 4096;

    private final RunFile run =
            new RunFile(Arena.ofAuto().allocate(RunFileDescriptor.LENGTH_BYTES, RunFileDescriptor.LENGTH_BYTES));
    private final Reservations reservations = new Reservations(Geometry.of(SEGMENT, 2), run, 0, 100);

    private long take(int lengthBytes, int entries) {
        long word = reservations.word();
        long position = reservations.position(Objects.requireNonNull(reservations.base(word)), word);
        assertEquals(word, reservations.reserve(word, reservations.after(word, lengthBytes, entries)));
        return position;
    }

    @Test
    void shouldHandOutPositionsAndSequencesInOneStep() {
        long stale = reservations.word();
        assertEquals(0, take(128, 3));
        assertEquals(128, take(64, 0));
        long word = reservations.word();
        assertEquals(103, reservations.sequence(Objects.requireNonNull(reservations.base(word)), word));
        assertEquals(SEGMENT - 192, reservations.room(word));
        assertEquals(word, reservations.reserve(stale, reservations.after(stale, 64, 1)), "an old snapshot");
        assertEquals(word, reservations.word());
    }

    @Test
    void shouldGoOnInTheNextSegmentFromTheFrozenWord() {
        take(SEGMENT, 7);
        long full = reservations.word();
        assertTrue(reservations.isFull(full));
        Reservations.Base next = reservations.rotate(full);
        assertNotNull(next);
        assertEquals(SEGMENT, next.position());
        assertEquals(107, next.sequence());
        assertNull(reservations.rotate(full), "only one thread makes it current");
        assertEquals(SEGMENT, take(64, 1));
    }

    /// A thread that was stopped between the two steps of a rotation holds nobody up.
    @Test
    void shouldFinishTheRotationOfAnotherThread() {
        take(SEGMENT, 7);
        long full = reservations.word();
        reservations.installNextBase(full);
        assertNull(reservations.base(full));
        assertNotNull(reservations.rotate(full));
        assertEquals(SEGMENT, take(64, 1));
    }

    /// The place of the next appender, if the reservation ends between the two steps of a rotation: the start of the
    /// next segment, not its end, and no sequence twice.
    @Test
    void shouldTellWhereItEndedWhenClosedWithinARotation() {
        take(SEGMENT, 7);
        reservations.installNextBase(reservations.word());
        long last = reservations.close();
        assertTrue(last < 0);
        assertEquals(SEGMENT, reservations.lastPosition(last));
        assertEquals(107, reservations.lastSequence(last));
        assertEquals(last, reservations.close());
    }

    @Test
    void shouldTellWhereItEndedWhenClosedOnAFullSegment() {
        take(SEGMENT, 7);
        long last = reservations.close();
        assertEquals(SEGMENT, reservations.lastPosition(last));
        assertEquals(107, reservations.lastSequence(last));
    }

    @Test
    void shouldPublishInTheOrderOfPositionsWhateverIsReadyFirst() {
        long a = take(64, 1);
        long b = take(128, 1);
        long c = take(64, 1);
        reservations.published(c, c + 64);
        assertEquals(0, run.published());
        assertTrue(reservations.isOffered(c, c + 64));
        assertFalse(reservations.isOffered(b, b + 128));
        reservations.published(b, b + 128);
        assertEquals(0, run.published());
        reservations.published(a, a + 64);
        assertEquals(256, run.published());
        assertTrue(reservations.isOffered(a, a + 64));
    }

    /// The same when what comes second is not ready yet, and was in the lap before.
    @Test
    void shouldWaitForWhatWasReadyInAnEarlierLap() {
        for (int segment = 0; segment < 12; segment++) {
            long first = take(64, 1);
            long second = take(SEGMENT - 64, 1);
            if (segment % 4 < 2) {
                reservations.published(second, second + SEGMENT - 64);
                reservations.published(first, first + 64);
            } else {
                reservations.published(first, first + 64);
                assertEquals(second, run.published());
                reservations.help();
                assertEquals(second, run.published());
                reservations.published(second, second + SEGMENT - 64);
            }
            assertEquals(first + SEGMENT, run.published());
            assertNotNull(reservations.rotate(reservations.word()));
        }
    }

    /// §5: the span is a power of two, whatever the number of segments: within it no two frames share an entry.
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5, 6, 7})
    void shouldPublishEverySlotOfTheSpanWhateverTheNumberOfSegments(int segments) {
        RunFile words =
                new RunFile(Arena.ofAuto().allocate(RunFileDescriptor.LENGTH_BYTES, RunFileDescriptor.LENGTH_BYTES));
        Reservations many = new Reservations(Geometry.of(SEGMENT, segments), words, 0, 0);
        long end = 0;
        while (many.isWithinSpan(end, 0)) {
            end += 64;
        }
        assertTrue(end <= (long) SEGMENT * segments, "more than the ring");
        for (long start = end - 64; start > 0; start -= 64) {
            many.published(start, start + 64);
            assertEquals(0, words.published());
        }
        many.published(0, 64);
        assertEquals(end, words.published());
    }

    /// §5: availability entries are absolute ends; those of the last lap of the span mean nothing in this one.
    @Test
    void shouldNotTakeAnAvailabilityEntryOfAnEarlierLap() {
        for (int lap = 0; lap < 5; lap++) {
            for (int segment = 0; segment < 2; segment++) {
                long first = take(64, 1);
                long second = take(SEGMENT - 64, 1);
                assertTrue(reservations.isWithinSpan(second, run.published()));
                reservations.published(second, second + SEGMENT - 64);
                assertEquals(first, run.published());
                reservations.help();
                assertEquals(first, run.published());
                reservations.published(first, first + 64);
                assertEquals(first + SEGMENT, run.published());
                assertNotNull(reservations.rotate(reservations.word()));
            }
        }
        assertFalse(reservations.isWithinSpan(run.published() + 2 * SEGMENT, run.published()));
    }

    /// §5: the same value of the word returns only after 2 TiB or more, whatever the length of a segment, and no count
    /// runs over into its neighbour.
    @ParameterizedTest
    @ValueSource(ints = {12, 16, 21, 26, 30})
    void shouldReturnToAWordOnlyAfterTwoTebibytes(int k) {
        int segment = 1 << k;
        Reservations wide = new Reservations(Geometry.of(segment, 2), run, 0, 0);
        long entries = (segment / 64) * 4L - 4; // the most that frames of minimal entries hold, nearly
        long first = wide.word();
        Set<Long> seen = new HashSet<>();
        int laps = (int) Math.min(3_000, (2L << 40) / segment);
        for (int lap = 0; lap < laps; lap++) {
            long word = wide.word();
            assertTrue(word >= 0 && seen.add(word), "a word returned after " + lap + " segments");
            Reservations.Base base = Objects.requireNonNull(wide.base(word));
            assertEquals((long) lap * segment, wide.position(base, word));
            assertEquals(lap * entries, wide.sequence(base, word));
            word = takeIn(wide, word, segment - 64, (int) (entries - 1));
            assertEquals(64, wide.room(word));
            word = takeIn(wide, word, 64, 1);
            assertTrue(wide.isFull(word));
            assertEquals((lap + 1) * entries, wide.sequence(base, word));
            assertNotNull(wide.rotate(word));
        }
        long bytesUntilSame = (1L << (63 - (k - 5) - (k - 3))) * segment;
        assertTrue(bytesUntilSame >= 2L << 40 || bytesUntilSame < 0);
        if (k == 30) {
            assertEquals(0, first);
            for (int lap = laps; lap < 2048; lap++) {
                long word = wide.word();
                takeIn(wide, word, segment, 0);
                assertNotNull(wide.rotate(wide.word()));
            }
            assertEquals(first, wide.word(), "the tag has gone round");
            assertEquals(2048L * segment, wide.position(Objects.requireNonNull(wide.base(0)), 0));
        }
    }

    private static long takeIn(Reservations reservations, long word, int lengthBytes, int entries) {
        long next = reservations.after(word, lengthBytes, entries);
        assertEquals(word, reservations.reserve(word, next));
        return next;
    }

    /// §5: private memory, zeroed at open: an entry that the last opening left behind publishes nothing in this one.
    @Test
    void shouldForgetTheAvailabilityOfTheLastOpening() {
        long first = take(64, 1);
        long second = take(64, 1);
        reservations.published(second, second + 64); // and the first one's thread never comes
        Reservations next = new Reservations(Geometry.of(SEGMENT, 2), run, first, 100);
        long word = takeIn(next, next.word(), 64, 1);
        takeIn(next, word, 128, 1);
        next.published(first, first + 64);
        assertEquals(first + 64, run.published());
        next.published(second, second + 128);
        assertEquals(second + 128, run.published());
    }

    /// §5: a guess of the word that is older than a whole segment takes nothing, and tells what the word is.
    @Test
    void shouldTakeNothingByAGuessOfAnEarlierSegment() {
        long guess = reservations.word();
        take(SEGMENT, 7);
        assertNotNull(reservations.rotate(reservations.word()));
        assertNull(reservations.base(guess));
        long now = reservations.word();
        assertEquals(now, reservations.reserve(guess, reservations.after(guess, 64, 1)));
        assertEquals(now, reservations.word());
    }

    /// §5: publication is Dekker's: who stores its availability and then finds `published` behind it must have been
    /// seen by whoever moves `published`. That takes a full fence between the two, which shows in the bytes of the
    /// class; what a processor does without it shows in one run of many.
    @Test
    void shouldHaveAFullFenceBetweenTheAvailabilityAndTheLookAtWhatIsPublished() throws IOException {
        byte[] bytes;
        try (InputStream in = Objects.requireNonNull(Reservations.class.getResourceAsStream("Reservations.class"))) {
            bytes = in.readAllBytes();
        }
        List<String> calls = ClassFile.of().parse(bytes).methods().stream()
                .filter(method -> method.methodName().equalsString("published"))
                .flatMap(method -> method.code().orElseThrow().elementStream())
                .filter(InvokeInstruction.class::isInstance)
                .map(element -> ((InvokeInstruction) element).name().stringValue())
                .toList();
        int store = calls.indexOf("setVolatile");
        assertTrue(store >= 0 && store + 1 == calls.indexOf("publishedVolatile"), () -> "rule 5.4: " + calls);
    }
}
