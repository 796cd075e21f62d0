package io.fenceline.tailer;

import static io.fenceline.tailer.Journals.append;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.appender.Batch;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntPredicate;
import java.util.stream.LongStream;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.ControlledMessageHandler;
import org.agrona.concurrent.ControlledMessageHandler.Action;
import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.YieldingIdleStrategy;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Bounds, filters, leaps, and handlers of Agrona.
@Timeout(120)
class TailerFeaturesTest {
    private static final int COUNT = 40;

    @TempDir
    Path temporary;

    private Path directory = Path.of("");
    private final List<Long> positions = new ArrayList<>();

    /// Entries 0 to 39; 10 to 14 are one batch.
    @BeforeEach
    void write() {
        directory = temporary.resolve("journal");
        try (Journal journal = Journals.open(directory, 64 << 10, 4);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            while (appender.nextSequence() < COUNT) {
                if (appender.nextSequence() == 10) {
                    Batch batch = appender.batch();
                    for (int i = 10; i < 15; i++) {
                        batch.add(MemorySegment.ofArray(Journals.payload(i, 20)), i * 7);
                    }
                    long position = batch.commit();
                    for (int i = 10; i < 15; i++) {
                        positions.add(position);
                    }
                } else {
                    positions.add(append(appender, 30));
                }
            }
        }
    }

    private static List<Long> range(long from, long to) {
        return LongStream.range(from, to).boxed().toList();
    }

    private static List<Long> poll(Tailer tailer, int limit) {
        List<Long> seen = new ArrayList<>();
        int count = tailer.poll(
                entry -> {
                    Journals.check(entry);
                    seen.add(entry.sequence());
                },
                limit);
        assertEquals(seen.size(), Math.max(0, count));
        return seen;
    }

    private static List<Long> pollBackwards(Tailer tailer, int limit) {
        List<Long> seen = new ArrayList<>();
        assertEquals(
                tailer.pollBackwards(
                        entry -> {
                            Journals.check(entry);
                            seen.add(entry.sequence());
                        },
                        limit),
                seen.size());
        return seen;
    }

    @Test
    void shouldStopAtAPositionAndGoOnWhenItMoves() {
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            Tailer still =
                    Tailer.open(journal, Start.oldest(), TailerConfig.defaults().withUntil(positions.get(7)));
            assertEquals(range(0, 7), poll(still, 100));
            assertEquals(List.of(), poll(still, 100));
            assertEquals(positions.get(7), still.position());

            AtomicLong until = new AtomicLong();
            Tailer moving =
                    Tailer.open(journal, Start.oldest(), TailerConfig.defaults().withUntil(until::getAcquire));
            assertEquals(List.of(), poll(moving, 100));
            long next = 0;
            for (long end = 1; end <= journal.published() + 64; end += 37) {
                until.set(end);
                for (long sequence : poll(moving, 100)) {
                    assertEquals(next++, sequence);
                }
                // Exactly the frames that end at or before the bound.
                long expected = 0;
                while (expected < COUNT) {
                    long position = positions.get((int) expected);
                    long after = expected + 1;
                    while (after < COUNT && positions.get((int) after) == position) {
                        after++;
                    }
                    if ((after < COUNT ? positions.get((int) after) : journal.published()) > end) {
                        break;
                    }
                    expected = after;
                }
                assertEquals(expected, next);
            }
            assertEquals(COUNT, next);
        }
    }

    /// Goal: what is published behind the bound does not end a wait, else a loop of poll and await would never sleep;
    /// the bound that moves does, and so does an interrupt.
    @Test
    void shouldWaitWhileTheBoundStandsStill() throws InterruptedException {
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            AtomicLong until = new AtomicLong(positions.get(7));
            Tailer tailer =
                    Tailer.open(journal, Start.oldest(), TailerConfig.defaults().withUntil(until::getAcquire));
            assertTrue(tailer.await(0));
            assertEquals(range(0, 7), poll(tailer, 100));
            assertFalse(tailer.await(0));
            assertFalse(tailer.await(1_000_000));
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> tailer.await(Long.MAX_VALUE));
            Thread mover = Thread.ofPlatform().start(() -> until.set(journal.published()));
            assertTrue(tailer.await(Long.MAX_VALUE));
            assertEquals(range(7, COUNT), poll(tailer, 1000));
            mover.join();
            assertFalse(tailer.await(1));
        }
    }

    @Test
    void shouldDeliverAndCountOnlyTheTypesThatAreWanted() {
        try (Journal journal = Journal.open(directory, Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            TailerConfig config = TailerConfig.defaults().withTypes(type -> type % 3 == 0);
            Tailer tailer = Tailer.open(journal, Start.oldest(), config);
            List<Long> wanted =
                    LongStream.range(0, COUNT).filter(s -> s % 3 == 0).boxed().toList();
            List<Long> seen = new ArrayList<>();
            for (List<Long> part = poll(tailer, 4); !part.isEmpty(); part = poll(tailer, 4)) {
                assertTrue(part.size() == 4 || seen.size() + part.size() == wanted.size());
                seen.addAll(part);
            }
            assertEquals(wanted, seen);
            assertEquals(List.of(), poll(tailer, 0));
            assertEquals(wanted.reversed().subList(0, 5), pollBackwards(tailer, 5));
            assertEquals(wanted.subList(wanted.size() - 5, wanted.size()), poll(tailer, 100));
            append(appender, 5); // sequence 40, type 280
            assertEquals(List.of(), poll(tailer, 4));
            assertEquals(journal.published(), tailer.position());
            append(appender, 5);
            append(appender, 5); // sequence 42
            assertEquals(List.of(42L), poll(tailer, 4));

            Tailer none =
                    Tailer.open(journal, Start.newest(), TailerConfig.defaults().withTypes(type -> false));
            assertEquals(List.of(), pollBackwards(none, 1));
            assertEquals(0, none.poll(Journals::check, 1));
        }
    }

    /// Goal: a poll that lets nothing through ends at what was published when it began. The filter itself is the
    /// fast writer: each entry that it looks at is followed by another one.
    @Test
    void shouldReturnThoughAWriterOfOtherTypesIsFaster() {
        try (Journal journal = Journal.open(directory, Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            int[] looked = {0};
            IntPredicate appending = type -> {
                assertTrue(looked[0]++ < 2 * COUNT, "it goes on and on");
                append(appender, 5);
                return false;
            };
            Tailer tailer =
                    Tailer.open(journal, Start.oldest(), TailerConfig.defaults().withTypes(appending));
            long published = journal.published();
            assertEquals(0, tailer.poll(Journals::check, 1));
            assertEquals(COUNT, looked[0]);
            assertEquals(published, tailer.position());
        }
    }

    @Test
    void shouldGoElsewhereWhileLiveAlsoFromItsHandler() {
        try (Journal journal = Journal.open(directory, Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            Tailer tailer = Tailer.open(journal, Start.oldest());
            assertEquals(range(0, 12), poll(tailer, 12));
            tailer.skipTo(Start.sequence(30));
            assertEquals(range(30, 32), poll(tailer, 2));
            tailer.skipTo(Start.sequence(13));
            assertEquals(range(13, 16), poll(tailer, 3));
            assertThrows(IllegalArgumentException.class, () -> tailer.skipTo(Start.sequence(COUNT + 1)));
            assertThrows(IllegalArgumentException.class, () -> tailer.skipTo(Start.position(positions.get(3) + 64)));
            assertEquals(List.of(16L), poll(tailer, 1));
            tailer.skipTo(Start.newest());
            assertEquals(List.of(), poll(tailer, 5));
            append(appender, 9);
            assertEquals(List.of((long) COUNT), poll(tailer, 5));

            tailer.skipTo(Start.oldest());
            List<Long> seen = new ArrayList<>();
            assertEquals(
                    10,
                    tailer.poll(
                            entry -> {
                                seen.add(entry.sequence());
                                if (entry.sequence() == 4) {
                                    tailer.skipTo(Start.sequence(12));
                                } else if (entry.sequence() == 13) {
                                    tailer.skipTo(Start.sequence(20));
                                }
                            },
                            10));
            assertEquals(List.of(0L, 1L, 2L, 3L, 4L, 12L, 13L, 20L, 21L, 22L), seen);
            seen.clear();
            assertEquals(
                    5,
                    tailer.pollBackwards(
                            entry -> {
                                seen.add(entry.sequence());
                                if (entry.sequence() == 21) {
                                    tailer.skipTo(Start.sequence(13));
                                }
                            },
                            5));
            assertEquals(List.of(22L, 21L, 12L, 11L, 10L), seen);
            assertEquals(10, tailer.nextSequence());
            tailer.close();
            assertThrows(IllegalStateException.class, () -> tailer.skipTo(Start.oldest()));
            assertEquals(Tailer.CLOSED, tailer.pollBackwards(Journals::check, 1));
        }
    }

    /// Goal: nothing lies between a replay and the live end. A writer appends while a tailer replays from the
    /// oldest entry; some entries come after the tailer has been at the end.
    @Test
    void shouldGoOnLiveWhenAReplayReachesTheEnd() throws InterruptedException {
        long end = 60_000;
        try (Journal journal = Journals.open(temporary.resolve("live"), 1 << 20, 16);
                ReadOnlyJournal reader = Journal.openReadOnly(temporary.resolve("live"))) {
            AtomicInteger idle = new AtomicInteger();
            Thread writer = Thread.ofPlatform().start(() -> {
                try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                    while (appender.nextSequence() < end) {
                        int before = idle.get();
                        append(appender, Journals.length(appender.nextSequence(), 200));
                        while (appender.nextSequence() % 10_000 == 5_000 && idle.get() == before) {
                            Thread.onSpinWait(); // until the tailer has found nothing more
                        }
                    }
                }
            });
            Tailer tailer = Tailer.open(reader, Start.oldest());
            long next = 0;
            while (next < end) {
                List<Long> seen = poll(tailer, 100);
                for (long sequence : seen) {
                    assertEquals(next++, sequence);
                }
                if (seen.isEmpty()) {
                    idle.incrementAndGet();
                    Thread.yield();
                }
            }
            writer.join();
            assertTrue(idle.get() >= 5);
        }
    }

    @Test
    void shouldShowTypeAndPayloadToAHandlerOfAgrona() {
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            Tailer tailer = Tailer.open(journal, Start.oldest());
            List<Integer> types = new ArrayList<>();
            MessageHandler handler = (type, buffer, index, length) -> {
                byte[] payload = new byte[length];
                buffer.getBytes(index, payload);
                int sequence = type / 7;
                assertEquals(-1, java.util.Arrays.mismatch(payload, Journals.payload(sequence, length)));
                assertEquals(length, buffer.capacity());
                types.add(type);
            };
            assertEquals(12, tailer.poll(handler, 12));
            assertEquals(COUNT - 12, tailer.poll(handler, 100));
            assertEquals(range(0, COUNT), types.stream().map(type -> type / 7L).toList());
        }
    }

    /// Goal: the actions mean what Agrona's ring buffers make of them. Aborts each entry once, breaks at each
    /// third.
    @Test
    void shouldDoWhatAControlledHandlerSays() {
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            for (boolean filtered : new boolean[] {false, true}) {
                TailerConfig config = TailerConfig.defaults();
                Tailer tailer =
                        Tailer.open(journal, Start.oldest(), filtered ? config.withTypes(type -> true) : config);
                List<Long> delivered = new ArrayList<>();
                long[] aborted = {-1};
                ControlledMessageHandler handler = (type, buffer, index, length) -> {
                    long sequence = type / 7;
                    if (aborted[0] < sequence) {
                        aborted[0] = sequence;
                        return Action.ABORT;
                    }
                    delivered.add(sequence);
                    return sequence % 3 == 2 ? Action.BREAK : sequence % 3 == 1 ? Action.COMMIT : Action.CONTINUE;
                };
                while (delivered.size() < COUNT) {
                    int before = delivered.size();
                    int count = tailer.controlledPoll(handler, 100);
                    assertEquals(delivered.size() - before, count);
                    assertEquals(delivered.size(), tailer.nextSequence());
                    long end = journal.published();
                    assertEquals(delivered.size() < COUNT ? positions.get(delivered.size()) : end, tailer.position());
                    assertTrue(count <= 1);
                }
                assertEquals(range(0, COUNT), delivered);
                assertEquals(0, tailer.controlledPoll(handler, 100));

                tailer.skipTo(Start.oldest());
                assertEquals(3, tailer.controlledPoll(handler, 100)); // 2 breaks
                assertEquals(2, tailer.controlledPoll(handler, 2));
                assertEquals(1, tailer.controlledPoll(handler, 2)); // 5 breaks
            }
        }
    }

    @Test
    void shouldStandBehindTheMessageWhenAHandlerOfAgronaThrows() {
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            Tailer tailer = Tailer.open(journal, Start.sequence(9));
            for (long sequence = 9; sequence < 16; sequence++) {
                ControlledMessageHandler controlled = (type, buffer, index, length) -> {
                    throw new IllegalStateException("of the handler");
                };
                MessageHandler message = (type, buffer, index, length) -> {
                    throw new IllegalStateException("of the handler");
                };
                boolean even = sequence % 2 == 0;
                assertThrows(IllegalStateException.class, () -> {
                    if (even) {
                        tailer.poll(message, 5);
                    } else {
                        tailer.controlledPoll(controlled, 5);
                    }
                });
                assertEquals(sequence + 1, tailer.nextSequence());
            }
            assertThrows(
                    IllegalStateException.class,
                    () -> tailer.pollBackwards(
                            entry -> {
                                throw new IllegalStateException("of the handler");
                            },
                            5));
            assertEquals(15, tailer.nextSequence());
        }
    }

    /// The way to use a tailer as an agent; the README shows it.
    private static final class Projection implements Agent {
        private final Tailer tailer;
        private final AtomicInteger messages;
        private final MessageHandler handler = this::onMessage;

        Projection(Tailer tailer, AtomicInteger messages) {
            this.tailer = tailer;
            this.messages = messages;
        }

        @Override
        public int doWork() {
            int result = tailer.poll(handler, 10);
            return Math.max(0, result);
        }

        private void onMessage(int type, org.agrona.DirectBuffer buffer, int index, int length) {
            messages.incrementAndGet();
        }

        @Override
        public void onClose() {
            tailer.close();
        }

        @Override
        public String roleName() {
            return "projection";
        }
    }

    @Test
    void shouldWorkAsAnAgent() {
        AtomicInteger messages = new AtomicInteger();
        List<Throwable> errors = new ArrayList<>();
        try (Journal journal = Journal.open(directory, Journals.CONFIG);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            Tailer tailer = Tailer.open(journal, Start.oldest());
            try (AgentRunner runner =
                    new AgentRunner(new YieldingIdleStrategy(), errors::add, null, new Projection(tailer, messages))) {
                AgentRunner.startOnThread(runner);
                append(appender, 3);
                while (messages.get() <= COUNT) {
                    Thread.onSpinWait();
                }
            }
            assertEquals(Tailer.CLOSED, tailer.poll(Journals::check, 1));
        }
        assertEquals(List.of(), errors);
        assertEquals(COUNT + 1, messages.get());
    }
}
