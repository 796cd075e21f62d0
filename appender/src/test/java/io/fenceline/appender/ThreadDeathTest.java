package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.HookedPersister.Step;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.Team;
import io.fenceline.journal.TestLevels;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Threads that die inside an append of a [ConcurrentAppender]: their slots are padded, or the journal is poisoned
/// and says why; never is anybody left waiting.
class ThreadDeathTest {
    private static final JournalConfig OVERWRITE =
            JournalConfig.defaults().withTimestampMode(TimestampMode.NONE).withFullPolicy(FullPolicy.OVERWRITE);

    private final SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(4096, 3));
    private final Acknowledged acknowledged = new Acknowledged();

    enum Death {
        ERROR,
        STACK_OVERFLOW,
        OUT_OF_MEMORY;

        Error error() {
            return switch (this) {
                case ERROR -> new AssertionError("as if");
                case STACK_OVERFLOW -> new StackOverflowError("as if");
                case OUT_OF_MEMORY -> new OutOfMemoryError("as if");
            };
        }
    }

    private static long append(ConcurrentAppender appender, byte[] payload) {
        return appender.append(MemorySegment.ofArray(payload));
    }

    /// Appends until the appender takes no more.
    private void appendAll(ConcurrentAppender appender, int thread) {
        for (long number = 0; ; number++) {
            byte[] payload = Acknowledged.payload(thread, number, (int) (number * 37 % 900));
            acknowledged.add(append(appender, payload), payload);
        }
    }

    /// A thread that dies between reserve and publish, at each step, gets a PAD in its place; the others go on.
    @ParameterizedTest
    @CsvSource({
        "STORE, STACK_OVERFLOW",
        "STORE, OUT_OF_MEMORY",
        "DRAIN, OUT_OF_MEMORY",
        "DRAIN, ERROR",
        "DRAINED, STACK_OVERFLOW",
        "DRAINED, ERROR"
    })
    void shouldPadTheSlotsOfAThreadThatDies(Step step, Death death) {
        AtomicInteger deaths = new AtomicInteger();
        SplittableRandom random = new SplittableRandom(7);
        HookedPersister.Hook hook = at -> {
            boolean dies;
            synchronized (random) {
                dies = at == step && Thread.currentThread().getName().equals("member-0") && random.nextInt(10) == 0;
            }
            boolean burying = StackWalker.getInstance()
                    .walk(frames -> frames.anyMatch(f -> f.getMethodName().equals("bury")
                            || f.getMethodName().equals("admit")));
            if (dies && !burying) {
                deaths.incrementAndGet();
                throw death.error();
            }
        };
        Positions positions = journal.open(medium -> new HookedPersister(medium, hook), OVERWRITE);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        AtomicInteger appended = new AtomicInteger();
        AtomicInteger died = new AtomicInteger();
        BiConsumer<Integer, Integer> appendOne = (thread, number) -> {
            byte[] payload = Acknowledged.payload(thread, number, number % 900);
            appended.incrementAndGet();
            try {
                acknowledged.add(append(appender, payload), payload);
            } catch (Error e) {
                assertEquals(death.error().getClass(), e.getClass());
                died.incrementAndGet();
            }
        };
        Team.of(3, thread -> {
                    for (int number = 0; number < 300; number++) {
                        appendOne.accept(thread, number);
                    }
                })
                .begin()
                .join();
        assertTrue(died.get() > 5, () -> "died " + died);
        // Once more, so that slots of a thread that died are among those that the ring still has in the end.
        int before = died.get();
        Team.of(1, thread -> {
                    for (int number = 300; died.get() == before; number++) {
                        appendOne.accept(thread, number);
                    }
                })
                .begin()
                .join();
        assertEquals(deaths.get(), died.get());
        assertEquals(appended.get() - died.get(), acknowledged.size());
        appender.close();
        assertEquals(positions.reserved(), positions.run().published());
        assertTrue(positions.close());
        assertTrue(journal.state().isClean());
        assertTrue(journal.state().floorSequence() >= appended.get() - died.get());
        assertEquals(0, Acknowledged.check(journal.walk(), acknowledged.now()));
    }

    /// If not even the PAD can be stored, nothing behind it can ever be published: everybody is told.
    @Test
    void shouldPoisonWhenTheSlotsOfADeadThreadCannotBePadded() {
        AtomicInteger stores = new AtomicInteger();
        HookedPersister.Hook hook = at -> {
            if (at == Step.STORE
                    && Thread.currentThread().getName().equals("member-0")
                    && stores.incrementAndGet() > 20) {
                throw new OutOfMemoryError("as if");
            }
        };
        assertThatThreadZeroPoisons(hook, OutOfMemoryError.class);
    }

    /// The same where the dead thread has no stack left for anything, not even to poison: who waits does it.
    @Test
    void shouldPoisonForAThreadThatCannotEvenPoison() {
        AtomicInteger stores = new AtomicInteger();
        HookedPersister.Hook hook = at -> {
            if (Thread.currentThread().getName().equals("member-0")
                    && (at == Step.POISON || (at == Step.STORE && stores.incrementAndGet() > 20))) {
                throw new StackOverflowError("as if");
            }
        };
        assertThatThreadZeroPoisons(hook, StackOverflowError.class);
    }

    /// The first thread dies, all others are told; what was acknowledged survives a power cut.
    private void assertThatThreadZeroPoisons(HookedPersister.Hook hook, Class<? extends Throwable> death) {
        Positions positions = journal.open(medium -> new HookedPersister(medium, hook), OVERWRITE);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        Team.of(4, thread -> {
                    Class<? extends Throwable> expected = thread == 0 ? death : JournalException.Poisoned.class;
                    assertThrows(expected, () -> appendAll(appender, thread));
                })
                .begin()
                .join();
        appender.close();
        assertTrue(positions.close());
        Acknowledged.checkImage(journal, journal.medium().afterPowerCut(), acknowledged.now());
    }

    /// No injection: threads come to the end of their stacks, and append at each depth on the way back, so that an
    /// append dies wherever it calls anything. Real memory, because a simulated medium may die in its own middle.
    @ParameterizedTest
    @CsvSource({"PROCESS, 12", "MEMORY, 12"})
    void shouldPadOrPoisonWhereverTheStackIsUsedUp(Durability durability, int threads, @TempDir Path directory) {
        JournalConfig config = TestLevels.at(durability, OVERWRITE);
        AtomicInteger died = new AtomicInteger();
        int poisoned = 0;
        for (int i = 0; i < threads; i++) {
            int thread = i;
            Path path = directory.resolve("journal" + i);
            SmallJournals.create(path, 4096, 3, config);
            long acknowledgedEnd;
            try (Journal open = Journal.open(path, config)) {
                ConcurrentAppender appender = ConcurrentAppender.open(open);
                append(appender, new byte[16]);
                AtomicInteger appended = new AtomicInteger();

                Thread dying = new Thread(null, () -> useUp(appender, appended, died, thread), "dying", 160 << 10);
                dying.start();

                Team.await("it ends", () -> !dying.isAlive());
                appender.close();
                boolean whole = open.positions().persister().fault() == null;
                poisoned += whole ? 0 : 1;
                acknowledgedEnd = open.positions().reserved();
                boolean published = open.positions().run().published() == acknowledgedEnd;
                Throwable fault = open.positions().persister().fault();
                if (whole || !published) {
                    assertEquals(published, whole);
                } else if (!isOfNoHole(Objects.requireNonNull(fault), appender.hindrance())) {
                    throw new AssertionError("poisoned without a hole; in its catch: " + appender.hindrance(), fault);
                }
                assertEquals(!whole, open.positions().run().isPoisoned());
            }
            assertTrue(Journal.verify(path).isWhole());
            try (Journal again = Journal.open(path, config)) {
                assertTrue(again.recovery().nextSequence() >= 1);
            }
        }
        int poisonings = poisoned;
        assertTrue(died.get() > threads, () -> "died " + died + ", poisoned " + poisonings);
    }

    /// A journal is poisoned over slots that nobody will publish; and, with all published, by a thread that died
    /// where it helps, behind which others may wait (`DeathAtEachStepTest` shows that), in its append or in its
    /// `catch`; or where it writes a state record.
    private static boolean isOfNoHole(Throwable fault, @Nullable Throwable hindrance) {
        return passes(fault, "publish", "admit") || (hindrance != null && passes(hindrance, "published", "help"));
    }

    private static boolean passes(Throwable death, String... methods) {
        return Arrays.stream(death.getStackTrace())
                .anyMatch(frame -> Arrays.asList(methods).contains(frame.getMethodName()));
    }

    /// To the end of the stack; on the way back an append at each depth, until three in a row have succeeded.
    @SuppressWarnings("InfiniteRecursion") // until the stack is used up
    private static int useUp(ConcurrentAppender appender, AtomicInteger appended, AtomicInteger died, int salt) {
        int depth = 0;
        try {
            depth = 1 + useUp(appender, appended, died, salt);
        } catch (StackOverflowError e) {
            appended.set(0);
        }
        if (appended.get() < 3) {
            try {
                long result = append(appender, new byte[(salt * 131 + depth * 17) % 300]);
                appended.set(result >= 0 ? appended.get() + 1 : 3);
            } catch (StackOverflowError e) {
                died.incrementAndGet();
                appended.set(0);
            } catch (JournalException.Poisoned e) {
                appended.set(3);
            }
        }
        return depth;
    }
}
