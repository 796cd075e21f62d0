package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.WaitStrategy;
import io.fenceline.appender.HookedPersister.Step;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.Team;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.persist.FailedImage;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Several threads that append, interleaved by [Turns] before each store, before and after each drain, and wherever one
/// waits. At each of these points: what a process crash and power cuts leave is recovered, and judged against what the
/// threads had been told; some of it with its recovery cut, three deep.
final class Interleaving {
    /// An image that is cut inside its recovery yields so many more.
    private static final int NESTED_IMAGES = 60;

    private static final String MEMBER = "member-";
    private static final String COMMITTING = "fenceline-commit";

    private final Durability level;
    private final int threads;
    private final int each;
    private final int few;
    private final int samples;
    private final Steps steps;
    private final SimulatedJournal journal;
    private final Acknowledged acknowledged = new Acknowledged(true);
    private final SplittableRandom sampling;
    private final Turns turns;

    /// What [#checkEnough] goes by.
    private long leastImages;

    private long leastNested;

    private final AtomicInteger appended = new AtomicInteger();
    private final AtomicInteger images = new AtomicInteger();
    private final AtomicInteger nested = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    /// @param each    entries of each thread, each of which is a step
    /// @param few     so many images are all looked at
    /// @param samples else so many are picked, of each pattern
    Interleaving(Durability level, int threads, int segments, int each, int few, int samples, Steps steps) {
        this.level = level;
        this.threads = threads;
        this.each = each;
        this.few = few;
        this.samples = samples;
        this.steps = steps;
        journal = SimulatedJournal.create(level, Geometry.of(4096, segments));
        SplittableRandom random = steps.random(-1);
        turns = new Turns(random.split());
        sampling = random.split();
    }

    /// By a [ConcurrentAppender].
    void concurrently() {
        Positions positions = open();
        ConcurrentAppender appender = ConcurrentAppender.open(positions);
        int others = run(positions, appender::close, (thread, payload, random) -> {
            steps.say(thread + ": append " + payload.length);
            acknowledged.add(appender.append(MemorySegment.ofArray(payload)), payload);
        });
        assertEquals(0, others, "entries that nobody was told of");
        assertEquals(appended.get(), acknowledged.size());
        leastNested = appended.get();
        leastImages = (level == Durability.PROCESS ? 1 : 5) * leastNested;
    }

    /// By a [GroupCommitAppender], whose committing thread takes its turns, too: entries that are waited for, ones that
    /// are not, and relaxed ones, which are told to nobody.
    void inGroups() {
        turns.invite(threads);
        AtomicBoolean waits = new AtomicBoolean();
        List<Throwable> errors = new CopyOnWriteArrayList<>();
        GroupCommitConfig config = GroupCommitConfig.DEFAULTS
                .withLaneLengthBytes(4096)
                .withMaximumDelayNs(0) // what gathers is decided by turns, not by the clock
                .withLossBound(new LossBound(8, 4096, 0))
                .withWaitStrategy(() -> new WaitStrategy() {
                    @Override
                    public long waitFor(long sequence, Sequence cursor, Sequence dependent, SequenceBarrier barrier) {
                        waits.set(true);
                        turns.giveAway(threads);
                        return dependent.get();
                    }

                    @Override
                    public void signalAllWhenBlocking() {}
                });
        Positions positions = open();
        GroupCommitAppender appender = GroupCommitAppender.open(positions, config, errors::add);
        Team.await("the committing thread waits for its turn", waits::get);
        AtomicInteger relaxed = new AtomicInteger();
        run(positions, appender::close, (thread, payload, random) -> {
            MemorySegment bytes = MemorySegment.ofArray(payload);
            int kind = random.nextInt(4);
            steps.say(thread + (kind == 0 ? ": relaxed " : kind == 1 ? ": async " : ": wait for ") + payload.length);
            AtomicBoolean told = new AtomicBoolean();
            CommitListener listener = (position, sequence) -> {
                if (position < 0) {
                    failure.compareAndSet(null, new AssertionError("refused: " + AppendResult.describe(position)));
                } else {
                    acknowledged.addToGroup(position, payload);
                }
                told.set(true);
            };
            long result;
            do {
                result = kind == 0 ? appender.tryAppendRelaxed(bytes, 0) : appender.tryAppendAsync(bytes, 0, listener);
                turns.giveAway(thread);
            } while (result == AppendResult.BACK_PRESSURED && failure.get() == null);
            assertEquals(0, result, () -> "not accepted: " + payload.length);
            relaxed.addAndGet(kind == 0 ? 1 : 0);
            while (kind > 1 && !told.get() && failure.get() == null) {
                turns.giveAway(thread);
            }
        });
        assertEquals(List.of(), errors);
        assertEquals(appended.get(), acknowledged.size() + relaxed.get(), "everybody is told");
        leastNested = drains();
        leastImages = (level == Durability.PROCESS ? 1 : 3) * leastNested;
    }

    private Positions open() {
        JournalConfig config =
                JournalConfig.defaults().withTimestampMode(TimestampMode.NONE).withFullPolicy(FullPolicy.OVERWRITE);
        return journal.open(medium -> new HookedPersister(medium, this::before), config);
    }

    @FunctionalInterface
    private interface Appending {
        void append(int thread, byte[] payload, SplittableRandom random);
    }

    /// @return entries found in the end that nobody was told of
    private int run(Positions positions, Runnable close, Appending appending) {
        try {
            turns.run(threads, thread -> {
                for (int number = 0, next = 0; number < each && failure.get() == null; number++) {
                    int step = thread * each + number;
                    if (steps.takes(step)) {
                        SplittableRandom random = steps.random(step);
                        appending.append(thread, Acknowledged.payload(thread, next++, length(random)), random);
                        appended.incrementAndGet();
                    }
                }
            });
        } catch (RuntimeException | Error e) {
            failure.compareAndSet(null, e);
        }
        turns.end();
        if (failure.get() == null) {
            close.run();
        }
        SimulatedMedium left = journal.medium().afterProcessCrash();
        Throwable found = failure.get();
        if (found != null) {
            Team.of(1, closing -> close.run()).begin(); // not waited for: who knows in what state it is
            throw FailedImage.of(left, found);
        }
        int[] others = new int[1];
        FailedImage.check(left, () -> {
            assertTrue(positions.close());
            assertEquals(appended.get(), positions.nextSequence(), "entries have sequences, one each");
            others[0] = Acknowledged.check(journal.walk(), acknowledged.now());
        });
        return others[0];
    }

    /// Whether enough was looked at, of a run of all steps.
    void checkEnough() {
        assertEquals(threads * each, appended.get());
        assertTrue(turns.given() > 2L * threads * each, () -> "only " + turns.given() + " turns");
        assertTrue(images.get() > leastImages, () -> "looked at too little: " + images);
        assertTrue(nested.get() > leastNested, () -> "only " + nested + " images inside of recoveries");
    }

    private void before(Step step) {
        String name = Thread.currentThread().getName();
        boolean commits = name.equals(COMMITTING);
        if (step == Step.POISON
                || failure.get() != null
                || (!commits && !name.startsWith(MEMBER))
                || isWithinMonitor()) {
            return;
        }
        if (step != Step.LOOK) {
            try {
                look();
            } catch (RuntimeException | Error e) {
                failure.compareAndSet(null, e); // whoever appends may take it for a fault of the storage
                throw e;
            }
        }
        turns.giveAway(commits ? threads : Integer.parseInt(name.substring(MEMBER.length())));
    }

    private void look() {
        StateRecord state = journal.state();
        CrashChecker.checkPositions(journal, state);
        if (level == Durability.MEMORY) {
            CrashChecker.checkShownIsDurable(journal); // elsewhere a sector may be shared with what is under way
        }
        Acknowledged.Told told = acknowledged.and(
                LogWalk.of(journal.medium()::read, journal.superblock(), state.retained(), journal.shown()));
        Consumer<SimulatedMedium> judge = image -> {
            images.incrementAndGet();
            if (sampling.nextInt(level == Durability.PROCESS ? 4 : 40) == 0) {
                nested.addAndGet(Acknowledged.checkRecoveryCut(journal, image, told, sampling, NESTED_IMAGES));
            }
            Acknowledged.checkImage(journal, image.afterProcessCrash(), told);
        };
        judge.accept(journal.medium().afterProcessCrash());
        if (level != Durability.PROCESS) {
            journal.medium().afterPowerCuts(few, samples, sampling, judge);
        }
    }

    /// Nobody else could run while the turn is given away there.
    static boolean isWithinMonitor() {
        return StackWalker.getInstance()
                .walk(frames -> frames.anyMatch(f -> f.getClassName().equals(Positions.class.getName())
                        && !f.getMethodName().equals("checkFault")));
    }

    private static int length(SplittableRandom random) {
        return switch (random.nextInt(6)) {
            case 0 -> 900;
            case 1 -> random.nextInt(900);
            default -> random.nextInt(100);
        };
    }

    private long drains() {
        return journal.medium().count(Kind.DRAIN);
    }

    /// Images that were looked at.
    int images() {
        return images.get();
    }

    /// Images that cut recoveries left.
    int nested() {
        return nested.get();
    }
}
