package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.lmax.disruptor.ExceptionHandler;
import com.lmax.disruptor.dsl.Disruptor;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.Team;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The journalling stage of a user's own Disruptor.
class JournalEventHandlerTest {
    private static final JournalConfig CONFIG =
            JournalConfig.defaults().withTimestampMode(TimestampMode.NONE).withFullPolicy(FullPolicy.OVERWRITE);

    private final SimulatedJournal journal = SimulatedJournal.create(Durability.DEVICE, Geometry.of(4096, 4));

    private static final class Event {
        int length;
        long number;
        long position;
        long sequence;
    }

    private static final EntryEncoder<Event> ENCODER = new EntryEncoder<>() {
        @Override
        public int lengthBytes(Event event) {
            return event.length;
        }

        @Override
        public void encode(Event event, MemorySegment buffer, long offset, int lengthBytes) {
            if (event.number < 0) {
                throw new IllegalStateException("an encoder that fails");
            }
            buffer.asSlice(offset, lengthBytes).fill((byte) event.number);
            if (lengthBytes >= 8) {
                buffer.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, event.number);
            }
        }

        @Override
        public int type(Event event) {
            return 9;
        }
    };

    private static Event event(long number, int length) {
        Event event = new Event();
        event.number = number;
        event.length = length;
        return event;
    }

    private static void note(Event event, long result, long sequence) {
        event.position = result;
        event.sequence = sequence;
    }

    /// A batch is one commit: one frame, one store, one drain; each event knows its place.
    @Test
    void shouldCommitABatchAtItsEnd() {
        Positions positions = journal.open(CONFIG);
        JournalEventHandler<Event> handler =
                JournalEventHandler.open(positions, ENCODER, JournalEventHandlerTest::note);
        handler.onEvent(event(0, 8), 0, true);
        long stores = journal.medium().count(Kind.STORE);
        long drains = journal.medium().count(Kind.DRAIN);
        List<Event> events = List.of(event(1, 8), event(2, 100), event(3, 0), event(4, 33));
        for (int i = 0; i < events.size(); i++) {
            handler.onEvent(events.get(i), i + 1, i == events.size() - 1);
        }
        assertEquals(stores + 1, journal.medium().count(Kind.STORE));
        assertEquals(drains + 1, journal.medium().count(Kind.DRAIN));
        events.forEach(event -> assertEquals(event.number, event.sequence));
        handler.close();
        assertTrue(positions.close());
        LogWalk walk = journal.walk();
        assertEquals(
                List.of(1, 4), walk.data().stream().map(LogWalk.Frame::entries).toList());
        assertEquals(
                List.of(8, 8, 100, 0, 33),
                walk.payloads().stream().map(p -> p.length).toList());
        assertEquals(walk.data().getLast().position(), events.getFirst().position);
    }

    /// In a pipeline: what is gated behind sees durable events only, all of them, in order; batches larger than a
    /// commit too.
    @Test
    void shouldGateWhatIsBehindIt() {
        Positions positions = journal.open(CONFIG);
        AtomicLong processed = new AtomicLong();
        List<String> wrong = new CopyOnWriteArrayList<>();
        Disruptor<Event> disruptor =
                new Disruptor<>(Event::new, 256, Thread.ofPlatform().daemon().factory());
        JournalEventHandler<Event> handler =
                JournalEventHandler.open(positions, ENCODER, JournalEventHandlerTest::note);
        disruptor.handleEventsWith(handler).then((event, sequence, endOfBatch) -> {
            if (event.sequence != processed.get() || positions.run().published() <= event.position) {
                wrong.add("event " + event.number + " at " + event.position);
            }
            processed.incrementAndGet();
        });
        disruptor.start();
        for (int i = 0; i < 3000; i++) {
            int number = i;
            disruptor.publishEvent((event, sequence) -> {
                event.number = number;
                event.length = number % 300;
            });
        }
        Team.await("all processed", () -> processed.get() == 3000);
        disruptor.shutdown();
        handler.close();
        assertTrue(positions.close());
        assertEquals(List.of(), wrong);
        assertEquals(3000, journal.state().floorSequence());
        assertTrue(journal.walk().invalidSlots().isEmpty());
    }

    /// An encoder that throws, in the middle and at the end of a batch: what came before it is committed, and after it
    /// nothing: the journal holds a prefix of the events.
    @Test
    void shouldHoldAPrefixWhenAnEncoderThrows() {
        for (boolean atEnd : new boolean[] {false, true}) {
            Positions positions = journal.open(CONFIG);
            long before = positions.nextSequence();
            JournalEventHandler<Event> handler =
                    JournalEventHandler.open(positions, ENCODER, JournalEventHandlerTest::note);
            Event good = event(1, 8);
            handler.onEvent(good, 0, false);
            Event bad = event(-1, 8);
            assertThrows(IllegalStateException.class, () -> handler.onEvent(bad, 1, atEnd));
            Event later = event(3, 8);
            assertThrows(JournalException.class, () -> handler.onEvent(later, 2, true));
            assertEquals(before, good.sequence);
            assertTrue(bad.position < 0 && later.position < 0);
            handler.close();
            assertTrue(positions.close());
            assertEquals(before + 1, journal.state().floorSequence());
        }
    }

    /// Goal: an outcome that throws, in a commit in the middle of a batch and at its end, loses no event without a word
    /// while later ones are appended: everybody is told, and the journal holds a prefix of the events.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldHoldAPrefixWhenAnOutcomeThrows(boolean atEnd) {
        Positions positions = journal.open(CONFIG);
        List<Long> told = new ArrayList<>();
        JournalEventHandler<Event> handler = JournalEventHandler.open(positions, ENCODER, (e, result, sequence) -> {
            told.add(result);
            if (told.size() == 2) {
                throw new IllegalStateException("an outcome that fails");
            }
        });
        int thrown = 0;
        for (int i = 0; i < 8; i++) {
            try {
                handler.onEvent(event(i, 400), i, (atEnd && i == 2) || i == 7);
            } catch (JournalException e) {
                thrown++;
            }
        }
        handler.close();
        assertTrue(positions.close());
        int appended = journal.walk().payloads().size();
        assertTrue(thrown > 0 && appended < 8, "the failure was told");
        assertEquals(8, told.size(), "each event was told its outcome once");
        for (int i = 0; i < 8; i++) {
            assertEquals(i < appended, told.get(i) >= 0, "event " + i + ", appended " + appended);
            if (i < appended) {
                assertEquals(i, journal.walk().payloads().get(i)[0]);
            }
        }
    }

    /// A full journal, and a fault: the stage behind sees nothing of it, because the processor ends.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldLetNothingThroughThatIsNotDurable(boolean fault) {
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.FAIL));
        AtomicLong most = new AtomicLong(-1);
        List<Throwable> thrown = new CopyOnWriteArrayList<>();
        List<Long> results = new CopyOnWriteArrayList<>();
        Disruptor<Event> disruptor = new Disruptor<>(
                Event::new,
                64,
                Thread.ofPlatform()
                        .daemon()
                        .uncaughtExceptionHandler((thread, e) -> {})
                        .factory());
        JournalEventHandler<Event> handler = JournalEventHandler.open(positions, ENCODER, (e, result, sequence) -> {
            note(e, result, sequence);
            results.add(result);
        });
        disruptor.setDefaultExceptionHandler(new Ending(thrown));
        disruptor.handleEventsWith(handler).then((event, sequence, end) -> most.set(event.sequence));
        disruptor.start();
        if (fault) {
            journal.medium().failAt(Kind.DRAIN, 3);
        }
        for (int i = 0; i < 64; i++) {
            disruptor.publishEvent((event, sequence) -> {
                event.number = sequence;
                event.length = 400;
            });
        }
        Team.await("it fails", () -> !thrown.isEmpty());
        disruptor.halt();
        handler.close();
        assertTrue(positions.close());
        assertTrue(results.contains(fault ? AppendResult.POISONED : AppendResult.FULL), results::toString);
        int firstRefused =
                (int) results.stream().takeWhile(result -> result >= 0).count();
        assertTrue(results.subList(firstRefused, results.size()).stream().allMatch(result -> result < 0));
        assertTrue(most.get() < positions.nextSequence(), "something behind saw an event that is not durable");
    }

    /// As the Disruptor's default, but quiet.
    private record Ending(List<Throwable> thrown) implements ExceptionHandler<Event> {
        @Override
        public void handleEventException(Throwable e, long sequence, Event event) {
            thrown.add(e);
            throw new IllegalStateException("ends the processor", e);
        }

        @Override
        public void handleOnStartException(Throwable e) {
            thrown.add(e);
        }

        @Override
        public void handleOnShutdownException(Throwable e) {
            thrown.add(e);
        }
    }

    @Test
    void shouldRefuseAnEventThatIsTooLarge() {
        Positions positions = journal.open(CONFIG);
        JournalEventHandler<Event> handler = JournalEventHandler.open(positions, ENCODER, null);
        int maximum = positions.geometry().maximumPayloadLengthBytes();
        handler.onEvent(event(5, maximum), 0, true);
        assertThrows(IllegalArgumentException.class, () -> handler.onEvent(event(0, maximum + 1), 1, true));
        handler.close();
        assertTrue(positions.close());
        byte[] expected = new byte[maximum];
        java.util.Arrays.fill(expected, 8, maximum, (byte) 5);
        expected[0] = 5;
        assertArrayEquals(expected, journal.walk().payloads().getFirst());
    }
}
