package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import io.fenceline.journal.recovery.CutSeek;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// While entries gather, in every way to append, with time limits and interrupts, something ends it. Then, and after a
/// crash: an entry that was acknowledged is there, with its sequence, and all accepted ones of its thread before it;
/// one that was refused is not, whatever refused it; and everybody is told, once.
class GroupCommitEndsTest {
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final JournalConfig CONFIG = JournalConfig.defaults().withTimestampMode(TimestampMode.NONE);
    private static final int PRODUCERS = 4;

    /// Neither acknowledged nor refused: accepted relaxed, or ended by a fault.
    private static final long ACCEPTED = Long.MIN_VALUE;

    private static final long UNKNOWN = Long.MIN_VALUE + 1;

    enum End {
        POISON,
        FAULT,
        CLOSE,
        CLOSE_JOURNAL,
        CUT
    }

    /// One append: the payload, and what was said about it.
    private static final class Append {
        final byte[] payload;
        final AtomicInteger told = new AtomicInteger();
        volatile long result;
        volatile long sequence = -1;

        Append(byte[] payload) {
            this.payload = payload;
        }

        void tell(long result, long sequence) {
            this.sequence = sequence;
            this.result = result;
            told.incrementAndGet();
        }
    }

    private final List<Throwable> errors = new CopyOnWriteArrayList<>();
    private final List<List<Append>> appends = new ArrayList<>();
    private final AtomicInteger acknowledged = new AtomicInteger();
    private final AtomicBoolean full = new AtomicBoolean();
    private final AtomicBoolean over = new AtomicBoolean();

    /// The longest delays, so that entries are gathering nearly all the time; a ring that may become full, or not.
    @ParameterizedTest
    @CsvSource({
        "POISON, DEVICE, 2, FAIL",
        "POISON, MEMORY, 2, BLOCK",
        "FAULT, DEVICE, 64, FAIL",
        "FAULT, MEMORY, 64, FAIL",
        "CLOSE, PROCESS, 64, FAIL",
        "CLOSE, DEVICE, 2, BLOCK",
        "CLOSE_JOURNAL, DEVICE, 2, FAIL",
        "CLOSE_JOURNAL, PROCESS, 2, BLOCK",
        "CUT, DEVICE, 64, FAIL",
        "CUT, PROCESS, 2, BLOCK"
    })
    void shouldTellTheTruthWhateverEndsTheGathering(End end, Durability level, int segments, FullPolicy policy) {
        for (int round = 0; round < 3; round++) {
            run(end, level, segments, policy, Long.getLong("fenceline.seed", 0) + round);
        }
    }

    private void run(End end, Durability level, int segments, FullPolicy policy, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        errors.clear();
        appends.clear();
        acknowledged.set(0);
        full.set(false);
        over.set(false);
        SimulatedJournal journal = SimulatedJournal.create(level, Geometry.of(4096, segments));
        Positions positions = journal.open(CONFIG.withFullPolicy(policy));
        LossBound bound = new LossBound(8, 1 << 20, random.nextBoolean() ? Long.MAX_VALUE : 100_000);
        GroupCommitAppender appender = GroupCommitAppender.open(
                positions,
                GroupCommitConfig.DEFAULTS
                        .withLaneLengthBytes(512)
                        .withMaximumBatch(1 + random.nextInt(20))
                        .withLossBound(bound),
                errors::add);
        for (int i = 0; i < PRODUCERS; i++) {
            appends.add(new ArrayList<>());
        }
        long[] seeds = random.longs(PRODUCERS).toArray();
        Team team = Team.of(PRODUCERS, thread -> produce(appender, thread, new SplittableRandom(seeds[thread])))
                .begin();
        int wanted = random.nextInt(10, 40);
        awaitAcknowledged(wanted);
        team.interrupt();
        Cut cut = new Cut(-1, -1);
        switch (end) {
            case POISON -> positions.poison(new IllegalStateException("as if another thread had met a fault"));
            case FAULT -> journal.medium().failAt(random.nextBoolean() ? Kind.DRAIN : Kind.STORE, 1);
            case CLOSE -> appender.close();
            case CLOSE_JOURNAL -> assertTrue(positions.close());
            case CUT -> cut = cut(journal, positions, random);
        }
        if (end == End.CUT) {
            awaitAcknowledged(acknowledged.get() + 20); // behind the cut
        }
        over.set(true);
        team.interrupt();
        appender.close(); // ends what still waits: for the bound, say
        team.join();
        if (level == Durability.PROCESS) {
            journal.processCrash(journal.medium().afterProcessCrash());
        } else {
            journal.powerCut(journal.medium().afterPowerCut());
        }
        assertTrue(journal.open(CONFIG).close());
        judge(journal, cut);
        positions.poison(new IllegalStateException("the test is over"));
        assertTrue(positions.close());
    }

    /// So many, or as many as there is room for.
    private void awaitAcknowledged(int wanted) {
        Team.await("appends", () -> acknowledged.get() >= wanted || full.get() || RelaxedAppendTest.isWaitingForRoom());
    }

    private void produce(GroupCommitAppender appender, int thread, SplittableRandom random) {
        List<Append> own = appends.get(thread);
        for (long number = 0; !over.get(); number++) {
            Append append = new Append(Acknowledged.payload(thread, number, random.nextInt(200)));
            own.add(append);
            MemorySegment payload = MemorySegment.ofArray(append.payload);
            CommitListener listener = (result, sequence) -> {
                append.tell(result == AppendResult.POISONED ? UNKNOWN : result, sequence);
                acknowledged.addAndGet(result >= 0 ? 1 : 0);
            };
            try {
                switch (random.nextInt(6)) {
                    case 0 -> tell(append, appender.append(payload, 0), appender);
                    case 1 -> tell(append, appender.append(payload, 0, random.nextInt(2) * 20_000L), appender);
                    case 2 -> refused(append, appender.appendAsync(payload, 0, listener));
                    case 3 -> refused(append, appender.tryAppendAsync(payload, 0, listener));
                    case 4 -> accepted(append, appender.appendRelaxed(payload, 0));
                    default -> {
                        accepted(append, appender.tryAppendRelaxed(payload, 0));
                        if (random.nextInt(8) == 0) {
                            appender.flush();
                        }
                    }
                }
            } catch (JournalException.Poisoned e) {
                if (append.told.get() == 0) {
                    append.tell(UNKNOWN, -1);
                }
                return;
            }
            Thread.interrupted();
            if (append.result == AppendResult.FULL) {
                full.set(true);
            }
            if (append.result == AppendResult.CLOSED) {
                return;
            }
        }
    }

    private void tell(Append append, long result, GroupCommitAppender appender) {
        append.tell(result, result < 0 ? -1 : appender.lastSequence());
        acknowledged.addAndGet(result >= 0 ? 1 : 0);
    }

    private static void refused(Append append, long result) {
        if (result != 0) {
            append.tell(result, -1);
        }
    }

    private static void accepted(Append append, long result) {
        append.tell(result == 0 ? ACCEPTED : result, -1);
    }

    /// Everything before `end` from that sequence on is gone.
    private record Cut(long end, long sequence) {
        boolean took(Append append) {
            return append.result < end && append.sequence >= sequence;
        }
    }

    private static Cut cut(SimulatedJournal journal, Positions positions, SplittableRandom random) {
        CutSeek seek = new CutSeek(journal.medium()::read, journal.superblock());
        long[] from = new long[1];
        long end = positions.truncate((retained, to, next) -> {
            List<LogWalk.Frame> frames =
                    LogWalk.of(journal.medium()::read, journal.superblock(), journal.state()).data().stream()
                            .filter(frame -> frame.position() < to)
                            .toList();
            from[0] = frames.get(random.nextInt(frames.size())).sequence();
            return seek.sequence(from[0], retained, to, next);
        });
        return new Cut(end, from[0]);
    }

    private void judge(SimulatedJournal journal, Cut cut) {
        Map<Long, byte[]> bySequence = new HashMap<>();
        Map<List<Long>, Long> byNumber = new HashMap<>();
        LogWalk walk = journal.walk();
        List<byte[]> payloads = walk.payloads();
        int i = 0;
        for (LogWalk.Frame frame : walk.data()) {
            for (int entry = 0; entry < frame.entries(); entry++) {
                byte[] payload = payloads.get(i++);
                MemorySegment bytes = MemorySegment.ofArray(payload);
                bySequence.put(frame.sequence() + entry, payload);
                Long before = byNumber.put(List.of(bytes.get(I64, 0), bytes.get(I64, 8)), frame.sequence() + entry);
                assertEquals(null, before, "twice in the log");
            }
        }
        for (int thread = 0; thread < PRODUCERS; thread++) {
            List<Append> own = appends.get(thread);
            @Nullable Long next = null; // the sequence of what follows in the order of the thread, and is there
            boolean promised = false;
            for (int number = own.size() - 1; number >= 0; number--) {
                Append append = own.get(number);
                assertEquals(1, append.told.get(), "told, of append " + number + " of thread " + thread);
                Long at = byNumber.get(List.of((long) thread, (long) number));
                String what = "append " + number + " of thread " + thread + ": "
                        + (append.result == ACCEPTED ? "accepted" : append.result) + ", sequence " + append.sequence;
                if (at != null) {
                    assertTrue(next == null || at < next, () -> "I4, " + what);
                    next = at;
                }
                if (append.result >= 0 && !cut.took(append)) {
                    byte[] found = bySequence.get(append.sequence);
                    assertNotNull(found, () -> "I1, " + what);
                    assertArrayEquals(append.payload, found, () -> "I1, " + what);
                    promised = true;
                } else if (append.result < 0 && append.result >= AppendResult.CONFLICT) {
                    assertEquals(null, at, () -> "refused, and there: " + what);
                } else if (append.result == ACCEPTED && cut.end < 0) {
                    assertFalse(promised && at == null, () -> "lost in front of what was acknowledged: " + what);
                }
            }
        }
    }
}
