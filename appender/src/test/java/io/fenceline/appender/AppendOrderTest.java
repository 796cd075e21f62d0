package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.Team;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Linearizability: appends that do not overlap in time have positions in the order of time, and sequences in the
/// order of positions.
class AppendOrderTest {
    private static final String SEED = "fenceline.seed";

    /// One append, as its caller saw it: `position` was returned between `begin` and `end` of one clock for all.
    private record Append(long begin, long end, long position, int thread, long number) {}

    enum Clock {
        /// One counter for all: exact, and a fence around each append.
        COUNTER,
        /// The machine's: no fence, and as exact as its ticks.
        NANO_TIME
    }

    @ParameterizedTest
    @CsvSource({"COUNTER, 3, 4096", "NANO_TIME, 3, 4096", "COUNTER, 16, 4096", "NANO_TIME, 2, 65536"})
    void shouldOrderAppendsAsTimeDoes(Clock clock, int threads, int segmentLengthBytes) {
        long seed = Long.getLong(SEED, new SplittableRandom().nextLong());
        SimulatedJournal journal = SimulatedJournal.create(Durability.PROCESS, Geometry.of(segmentLengthBytes, 3));
        Positions positions = journal.open(JournalConfig.defaults().withFullPolicy(FullPolicy.OVERWRITE));
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        AtomicLong counter = new AtomicLong();
        LongSupplier now = clock == Clock.COUNTER ? counter::getAndIncrement : System::nanoTime;
        List<Append> appends = Collections.synchronizedList(new ArrayList<>());
        Team.of(threads, thread -> {
                    SplittableRandom random = new SplittableRandom(seed + thread);
                    List<Append> own = new ArrayList<>();
                    for (int number = 0; number < 12_000 / threads; number++) {
                        byte[] payload = Acknowledged.payload(thread, number, random.nextInt(800));
                        long begin = now.getAsLong();
                        long position = appender.append(MemorySegment.ofArray(payload));
                        own.add(new Append(begin, now.getAsLong(), position, thread, number));
                        for (int spins = random.nextInt(200); spins > 0; spins--) {
                            Thread.onSpinWait();
                        }
                    }
                    appends.addAll(own);
                })
                .begin()
                .join();
        appender.close();
        assertTrue(positions.close());
        try {
            check(appends, journal.walk(), threads);
        } catch (AssertionError e) {
            throw new AssertionError(
                    e.getMessage() + "; to repeat: mvn test -pl appender -am -Dtest=AppendOrderTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -D" + SEED + "=" + seed,
                    e);
        }
    }

    private static void check(List<Append> appends, LogWalk walk, int threads) {
        appends.sort(Comparator.comparingLong(Append::position));
        long latestBegin = Long.MIN_VALUE;
        long[] numbers = new long[threads];
        Map<Long, Long> ordinals = new TreeMap<>();
        Append before = null;
        for (Append append : appends) {
            assertTrue(append.position >= 0, "every append succeeds");
            assertTrue(before == null || before.position < append.position, "a position for one append");
            long bound = latestBegin;
            assertTrue(
                    append.end >= bound,
                    () -> append + " had ended before an append with a lower position began, at " + bound);
            latestBegin = Math.max(latestBegin, append.begin);
            assertEquals(numbers[append.thread]++, append.number, "the order of a thread");
            ordinals.put(append.position, (long) ordinals.size());
            before = append;
        }
        assertTrue(walk.data().size() > 3, "something is retained");
        for (LogWalk.Frame frame : walk.data()) {
            assertEquals(frame.sequence(), ordinals.get(frame.position()), "sequences are the order of positions");
        }
    }
}
