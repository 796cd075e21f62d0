package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.Team;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Appends that happen only if nothing came between.
class ConditionalAppendTest {
    private static final MemorySegment ENTRY = MemorySegment.ofArray(new byte[16]);
    private static final int THREADS = 4;
    private static final int EACH = 300;

    private final SimulatedJournal journal = SimulatedJournal.create(Durability.PROCESS, Geometry.of(4096, 64));
    private final Positions positions = journal.open(
            JournalConfig.defaults().withFullPolicy(FullPolicy.OVERWRITE).withTimestampMode(TimestampMode.NONE));

    @AfterEach
    void close() {
        assertTrue(positions.close());
    }

    private Appender open(boolean shared) {
        return shared ? ConcurrentAppender.open(positions) : ExclusiveAppender.open(positions);
    }

    private LogWalk walk() {
        return journal.walk();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldAppendOnlyWhereTheLogEndsAsExpected(boolean shared) {
        try (Appender appender = open(shared)) {
            assertEquals(0, appender.expectSequence(0).append(ENTRY));
            assertEquals(AppendResult.CONFLICT, appender.expectSequence(0).append(ENTRY));
            assertEquals(AppendResult.CONFLICT, appender.expectSequence(2).append(ENTRY));
            assertEquals(AppendResult.CONFLICT, appender.expectPosition(0).append(ENTRY));
            assertEquals(64, appender.append(ENTRY), "an expectation holds once");
            assertEquals(128, appender.expectPosition(128).append(ENTRY));
            Claim claim = appender.claim(8);
            appender.expectSequence(9);
            assertEquals(AppendResult.CONFLICT, claim.commit());
            appender.expectSequence(3);
            assertEquals(192, claim.commit());
            Batch batch = appender.batch();
            assertTrue(batch.add(ENTRY));
            assertTrue(batch.add(ENTRY));
            appender.expectPosition(0);
            assertEquals(AppendResult.CONFLICT, batch.commit());
            appender.expectPosition(256);
            assertEquals(256, batch.commit());
            assertThrows(IllegalArgumentException.class, () -> appender.expectSequence(-1));
            assertThrows(IllegalArgumentException.class, () -> appender.expectPosition(-64));
        }
        assertEquals(6, positions.nextSequence());
    }

    /// Goal: the place that is expected is the end of what was written, also where the frame does not fit the
    /// segment.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldExpectTheEndOfTheLogWhenTheFrameGoesToTheNextSegment(boolean shared) {
        try (Appender appender = open(shared)) {
            MemorySegment large = MemorySegment.ofArray(new byte[1000]);
            for (int i = 0; i < 3; i++) {
                assertEquals(i * 1088L, appender.append(large));
            }
            assertEquals(AppendResult.CONFLICT, appender.expectPosition(4096).append(large));
            assertEquals(4096, appender.expectPosition(3 * 1088).append(large));
            assertEquals(5184, appender.expectSequence(4).append(ENTRY));
        }
    }

    /// Goal: of all threads that expect the same sequence exactly one gets it, at every sequence.
    @Test
    void shouldLetExactlyOneThreadWinEachSequence() {
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        AtomicInteger conflicts = new AtomicInteger();
        Team team = Team.of(THREADS, thread -> {
                    for (int won = 0; won < EACH; ) {
                        long result =
                                appender.expectSequence(appender.nextSequence()).append(ENTRY);
                        if (result == AppendResult.CONFLICT) {
                            conflicts.incrementAndGet();
                        } else {
                            assertTrue(result >= 0, () -> AppendResult.describe(result));
                            won++;
                        }
                    }
                })
                .begin();
        team.join();
        appender.close();
        assertEquals(THREADS * EACH, positions.nextSequence());
        assertEquals(THREADS * EACH, walk().data().size());
        assertTrue(conflicts.get() >= 0);
    }

    @Test
    void shouldExpectTheSequenceOfTheCutAfterATruncation() {
        try (ExclusiveAppender appender = ExclusiveAppender.open(positions)) {
            for (int i = 0; i < 5; i++) {
                appender.append(ENTRY);
            }
            positions.truncate((retained, end, next) -> new Positions.Cut(128, 2));
            assertEquals(AppendResult.CONFLICT, appender.expectSequence(5).append(ENTRY));
            assertEquals(320, appender.expectSequence(2).append(ENTRY));
        }
    }

    /// Goal: an attempt that ends in an exception was the one attempt, too; the next append is unconditional.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldExpectNothingAfterAnAttemptThatThrew(boolean shared) {
        MemorySegment gone;
        try (Arena arena = Arena.ofConfined()) {
            gone = arena.allocate(16);
        }
        try (Appender appender = open(shared)) {
            appender.expectSequence(7);
            assertThrows(IllegalStateException.class, () -> appender.append(gone));
            assertEquals(0, appender.append(ENTRY));
            appender.expectPosition(7);
            assertThrows(IndexOutOfBoundsException.class, () -> appender.append(new UnsafeBuffer(new byte[8]), 4, 8));
            assertEquals(64, appender.append(ENTRY));
            appender.expectSequence(7);
            MemorySegment tooLarge = MemorySegment.ofArray(new byte[5000]);
            assertThrows(IllegalArgumentException.class, () -> appender.append(tooLarge));
            assertEquals(128, appender.append(ENTRY));
        }
    }

    /// The same in group commit, wherever an encoder throws; and a flush is no attempt.
    @Test
    void shouldExpectNothingAfterAnEncoderThatThrewInGroupCommit() {
        try (GroupCommitAppender appender = GroupCommitAppender.open(positions, GroupCommitConfig.DEFAULTS, e -> {})) {
            for (String place : new String[] {"type", "length", "encode"}) {
                appender.expectSequence(77);
                assertThrows(IllegalStateException.class, () -> appender.append(place, new Failing()));
                assertTrue(appender.append(ENTRY, 0) >= 0, place);
                appender.expectSequence(77);
                CommitListener nobody = (result, sequence) -> {};
                assertThrows(IllegalStateException.class, () -> appender.tryAppendAsync(place, new Failing(), nobody));
                assertTrue(appender.append(ENTRY, 0) >= 0, place);
            }
            appender.expectSequence(77);
            assertEquals(0, appender.flush());
            assertEquals(AppendResult.CONFLICT, appender.append(ENTRY, 0));
            MemorySegment huge = MemorySegment.ofAddress(64).reinterpret(3L << 30);
            assertThrows(IllegalArgumentException.class, () -> appender.append(huge, 0));
        }
        assertEquals(6, positions.nextSequence());
    }

    /// Throws where its message says.
    private static final class Failing implements EntryEncoder<String> {
        private static int check(String place, String here) {
            if (place.equals(here)) {
                throw new IllegalStateException("as if in " + here);
            }
            return 8;
        }

        @Override
        public int type(String place) {
            return check(place, "type");
        }

        @Override
        public int lengthBytes(String place) {
            return check(place, "length");
        }

        @Override
        public void encode(String place, MemorySegment buffer, long offset, int lengthBytes) {
            check(place, "encode");
        }
    }
}
