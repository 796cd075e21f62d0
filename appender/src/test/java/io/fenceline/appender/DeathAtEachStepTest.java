package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.HookedPersister.Step;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.mutants.Mutant;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.CutSeek;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A thread that dies at any step of *reserve*, and anywhere inside *publish*, where no persister is called: the
/// product is compiled from its text with calls of [Deaths] in it, and its threads run by turns.
///
/// Between the CAS that takes slots and the store that says so nothing can be thrown: no call begins there, nothing
/// is allocated.
class DeathAtEachStepTest {
    private static final JournalConfig OVERWRITE =
            JournalConfig.defaults().withTimestampMode(TimestampMode.NONE).withFullPolicy(FullPolicy.OVERWRITE);
    private static final Path ROOT =
            Path.of(System.getProperty("fenceline.root", "..")).toAbsolutePath();
    private static final String APPENDER = "appender/ConcurrentAppender";
    private static final String RESERVATIONS = "positions/Reservations";
    private static final String POSITIONS = "positions/Positions";

    /// What the thread has by then.
    enum Owning {
        /// Nothing: it just goes.
        NOTHING,
        /// Slots that nobody else publishes: it pads them.
        SLOTS,
        /// Slots that tailers may see: it helps.
        OFFERED,
        /// Half a state record, which nobody must use.
        RECORD
    }

    /// Where it dies: before, or after, a piece of text that is there once.
    enum Place {
        RESERVE(Owning.NOTHING, APPENDER, "", "long word = expects ? reservations.word() : own.word;"),
        CHECKED(Owning.NOTHING, APPENDER, "", "long next = reservations.after(word, length, own.entries);"),
        TAKEN(Owning.SLOTS, APPENDER, "own.word = next;", ""),
        PAD_STORED(Owning.SLOTS, APPENDER, "storePad(own, start, length, own.sequence);", ""),
        PAD_PUBLISHED(Owning.NOTHING, APPENDER, "", "word = next; own.expectedPosition ="),
        ROTATING(Owning.NOTHING, APPENDER, "", "Reservations.Base next = reservations.installNextBase(word);"),
        BASE_INSTALLED(Owning.NOTHING, APPENDER, "", "positions.enterSegment(next.position());"),
        MAPPED_IN(Owning.NOTHING, APPENDER, "", "positions.candidate(next.position(), next.sequence());"),
        CANDIDATE(Owning.NOTHING, APPENDER, "", "reservations.rotate(word);"),
        LEASE(Owning.NOTHING, POSITIONS, "", "Events.LeaseExtension event = Events.beginLeaseExtension();"),
        LEASE_RECORD(Owning.RECORD, POSITIONS, "", "keeper.extend(lease, retained, floor, floorSequence);"),
        LEASED(Owning.NOTHING, POSITIONS, "", "boolean capped = lease == retained + geometry.capacityBytes();"),
        DURABLE(Owning.SLOTS, APPENDER, "private void publish(SharedStaging own) {", ""),
        PUBLISH(Owning.SLOTS, RESERVATIONS, "public void published(long start, long end) {", ""),
        ADVANCED(Owning.OFFERED, RESERVATIONS, "if (run.advance(start, end) == start) {", ""),
        NOT_NEXT(Owning.SLOTS, RESERVATIONS, "", "ENTRY.setVolatile(availability, index(start), end);"),
        OFFERED(Owning.OFFERED, RESERVATIONS, "ENTRY.setVolatile(availability, index(start), end);", ""),
        HELPING(Owning.OFFERED, RESERVATIONS, "", "long found = run.advance(published, end);"),
        HELPED(Owning.OFFERED, RESERVATIONS, "", "published = found == published ? end : found;"),
        PUBLISHED(Owning.OFFERED, APPENDER, "", "own.owns = false; } /// The thread dies");

        private final Owning owning;

        @SuppressWarnings("ImmutableEnumChecker") // a record of strings
        private final Mutant.Edit edit;

        Place(Owning owning, String file, String before, String after) {
            this.owning = owning;
            String text = before + after;
            edit = new Mutant.Edit(file, text, before + call(name()) + after);
        }
    }

    /// Where nobody dies the first time, but may the second time.
    private static final List<Mutant.Edit> IN_THE_CATCH = List.of(
            new Mutant.Edit(
                    APPENDER,
                    "if (!reservations.isOffered(own.position, own.end)) {",
                    "if (!reservations.isOffered(own.position, own.end)) {" + call("the catch")),
            new Mutant.Edit(RESERVATIONS, "public void help() {", "public void help() {" + call("the catch")));

    private static final String LEASE_AND_CUT = "dieAtALeaseThenCut";

    private static Class<?> patched;

    private static String call(String place) {
        return " " + Deaths.class.getName() + ".at(\"" + place + "\"); ";
    }

    @BeforeAll
    static void compile() throws ReflectiveOperationException {
        List<Mutant.Edit> edits = new ArrayList<>(IN_THE_CATCH);
        for (Place place : Place.values()) {
            edits.add(place.edit);
        }
        ClassLoader product = new Mutant("the places where a thread dies", "none", edits).load(ROOT);
        patched = Class.forName(DeathAtEachStepTest.class.getName(), true, product);
    }

    private static void run(Place place, ThreadDeathTest.Death death, boolean twice, int threads) {
        invoke("die", place.name(), death.name(), Boolean.toString(twice), Integer.toString(threads));
    }

    /// A method of this class, in the patched product: only what the JDK has can be handed over.
    private static void invoke(String name, String... arguments) {
        Class<?>[] types = new Class<?>[arguments.length];
        Arrays.fill(types, String.class);
        try {
            Method method = patched.getDeclaredMethod(name, types);
            method.setAccessible(true);
            method.invoke(null, (Object[]) arguments);
        } catch (InvocationTargetException e) {
            throw new AssertionError(name + Arrays.toString(arguments) + ": " + e.getCause(), e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(name, e);
        }
    }

    /// Its slots are durable PADs, or published if they might be seen already; the others and it go on.
    @ParameterizedTest
    @EnumSource(Place.class)
    void shouldLeaveNoHoleWhereverAThreadDies(Place place) {
        for (ThreadDeathTest.Death death : ThreadDeathTest.Death.values()) {
            run(place, death, false, 3);
        }
    }

    /// It dies in its own `catch` once more: the journal is poisoned, and says why, unless nothing was owned.
    @ParameterizedTest
    @EnumSource(Place.class)
    void shouldPoisonIfAThreadCannotCleanUp(Place place) {
        ThreadDeathTest.Death[] deaths = ThreadDeathTest.Death.values();
        run(place, deaths[Math.floorMod(place.name().hashCode(), deaths.length)], true, 3);
    }

    /// Who dies while it helps may have published its own frame, and there is none behind: nobody can know that any
    /// more, so the journal is poisoned although all is published.
    @ParameterizedTest
    @EnumSource(
            value = Place.class,
            names = {"ADVANCED", "PUBLISHED"})
    void shouldPoisonAlthoughAllIsPublishedIfAThreadCannotHelp(Place place) {
        run(place, ThreadDeathTest.Death.STACK_OVERFLOW, true, 1);
    }

    /// A thread dies where it makes the lease longer, before the record; then the log is cut, which makes the lease
    /// shorter: the one from before the cut is nobody's grant any more.
    @Test
    void shouldNotWriteBeyondTheLeaseAfterADeathAtALeaseAndACut() {
        invoke(LEASE_AND_CUT);
    }

    /// Runs in the patched product.
    static void dieAtALeaseThenCut() {
        SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(4096, 64));
        Positions positions = journal.open(OVERWRITE);
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        Error death = new StackOverflowError("as if");
        Deaths.arm(Place.LEASE.name(), death, 2, false);
        Deaths.mortal();
        assertSame(death, assertThrows(StackOverflowError.class, () -> {
            while (true) {
                assertTrue(appender.append(MemorySegment.ofArray(new byte[70])) >= 0);
            }
        }));
        Deaths.disarm();
        CutSeek seek = new CutSeek(journal.medium()::read, journal.superblock());
        positions.truncate((retained, end, next) -> seek.sequence(3, retained, end, next));
        long position = appender.append(MemorySegment.ofArray(new byte[70]));
        assertTrue(journal.state().lease() > position, "I11: written beyond the lease");
        journal.powerCut(journal.medium().afterPowerCut());
        assertEquals(4, journal.open(OVERWRITE).nextSequence(), "I1");
    }

    /// Runs in the patched product.
    static void die(String place, String death, String twice, String threads) {
        Error error = ThreadDeathTest.Death.valueOf(death).error();
        new Campaign(Place.valueOf(place), error, Boolean.parseBoolean(twice)).run(Integer.parseInt(threads));
    }

    private static final class Campaign {
        private static final int EACH = 50;

        private final SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(4096, 3));
        private final Acknowledged acknowledged = new Acknowledged();
        private final Turns turns = new Turns(new SplittableRandom(20260101));
        private final AtomicBoolean over = new AtomicBoolean();
        private final Place place;
        private final Error death;
        private final boolean twice;
        private final boolean poisons;

        Campaign(Place place, Error death, boolean twice) {
            this.place = place;
            this.death = death;
            this.twice = twice;
            poisons = place.owning == Owning.RECORD || (twice && place.owning != Owning.NOTHING);
        }

        private void step(Step step) {
            String name = Thread.currentThread().getName();
            if (step != Step.POISON && name.startsWith("member-") && !Interleaving.isWithinMonitor()) {
                CrashChecker.checkShownIsDurable(journal);
                turns.giveAway(Integer.parseInt(name.substring("member-".length())));
            }
        }

        void run(int threads) {
            Positions positions = journal.open(medium -> new HookedPersister(medium, this::step), OVERWRITE);
            ConcurrentAppender appender = ConcurrentAppender.open(positions);
            Deaths.arm(place.name(), death, place.owning == Owning.RECORD ? 1 : 3, twice);
            turns.run(threads, thread -> {
                if (thread == 0) {
                    appendAndDie(appender);
                } else if (poisons) {
                    assertThrows(JournalException.Poisoned.class, () -> {
                        appendBeside(appender, thread);
                        append(appender, thread, Long.MAX_VALUE / 37);
                    });
                } else {
                    appendBeside(appender, thread);
                }
            });
            assertTrue(Deaths.died() > 0, "nobody died");
            Deaths.disarm();
            appender.close();
            Throwable fault = positions.persister().fault();
            if (poisons) {
                assertSame(death, fault, "it says why");
                assertTrue(positions.run().isPoisoned());
                if (place.owning == Owning.SLOTS) {
                    assertTrue(positions.run().published() < positions.reserved(), "a hole was published");
                } else if (threads == 1) {
                    assertEquals(positions.reserved(), positions.run().published());
                }
            } else {
                assertNull(fault);
                assertEquals(positions.reserved(), positions.run().published());
            }
            assertTrue(positions.close());
            assertEquals(!poisons, journal.state().isClean());
            if (!poisons) {
                int unacknowledged = Acknowledged.check(journal.walk(), acknowledged.now());
                assertTrue(
                        unacknowledged == 0 || (place.owning == Owning.OFFERED && unacknowledged <= Deaths.died()),
                        () -> unacknowledged + " entries are there that nobody was told of");
            }
            Acknowledged.checkImage(journal, journal.medium().afterProcessCrash(), acknowledged.now());
            Acknowledged.checkImage(journal, journal.medium().afterPowerCut(), acknowledged.now());
        }

        private void append(ConcurrentAppender appender, int thread, long number) {
            byte[] payload = Acknowledged.payload(thread, number, (int) (number * 37 % 600));
            acknowledged.add(appender.append(MemorySegment.ofArray(payload)), payload);
        }

        private void appendBeside(ConcurrentAppender appender, int thread) {
            for (int number = 0; !over.get(); number++) {
                append(appender, thread, number);
            }
        }

        private void appendAndDie(ConcurrentAppender appender) {
            Deaths.mortal();
            try {
                for (int number = 0; number < EACH && !journal.run().isPoisoned(); number++) {
                    try {
                        append(appender, 0, number);
                    } catch (StackOverflowError | OutOfMemoryError | AssertionError e) {
                        assertSame(death, e);
                        CrashChecker.checkShownIsDurable(journal);
                        Acknowledged.checkImage(journal, journal.medium().afterPowerCut(), acknowledged.now());
                        Deaths.caught();
                    }
                }
            } finally {
                over.set(true);
            }
        }
    }
}
