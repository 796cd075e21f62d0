package io.fenceline.appender;

import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.InsufficientCapacityException;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.dsl.Disruptor;
import com.lmax.disruptor.dsl.ProducerType;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.positions.Activities;
import io.fenceline.journal.positions.Activity;
import io.fenceline.journal.positions.Positions;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Appends entries from many threads, which share the cost of becoming durable: an LMAX Disruptor takes them to one
/// committing thread, which writes what has gathered, under one `fdatasync` (`DEVICE`) or one fence (`MEMORY`),
/// publishes it, and then tells the producers in the order of positions.
///
///     producers ─▶ [ring of preallocated cells] ─▶ committing thread: gather → write → persist → publish → tell
///
/// **A commit** is one frame, recovered whole or not at all, as long as it fits into one (65535 entries, a quarter
/// of a segment); else several, of which a crash before the acknowledgement leaves the first ones, or none.
///
/// **Gathering.** After a commit of n entries the next one waits until n have arrived again, or a tenth of the
/// median commit time, or the maximum delay has passed: else producers split into two cohorts that each ride every
/// second sync.
///
/// **Relaxed** entries ([#appendRelaxed]) are accepted before they are durable. Any crash, of the process too, may
/// take the last of them, within [LossBound]. They are part of the same order: a durable entry is never
/// acknowledged before all relaxed ones in front of it are durable, and what a crash takes is a suffix. If the
/// journal has no room for them they wait in the appender, in front of everything else; what a close cannot append
/// is reported.
///
/// Assumptions:
/// 1. Any number of producing threads. A payload is copied before the call returns.
///
/// Guarantees:
/// 1. An acknowledged entry is durable at the journal's level and visible to tailers; entries are in the order in
///    which their producers got their cells, each thread's in the order of its appends.
/// 2. An entry whose append did not return a position, or 0 where that means *accepted*, was not appended.
/// 3. `append`, `appendRelaxed`, and `appendAsync` with a reused listener, allocate nothing in steady state, for
///    payloads up to the cell length; larger ones are copied to memory of their own.
///
/// Progress: producers wait while the ring of cells is full ([#tryAppendAsync] does not), with nothing owned, until
/// they are interrupted or their timeout is over; then for their commit, which cannot be called back: under
/// [io.fenceline.journal.FullPolicy#BLOCK] it ends with its timeout.
public final class GroupCommitAppender implements AutoCloseable {
    private static final int SPINS = 100;
    private static final long PARK_NS = 50_000;

    private static final EntryEncoder<MemorySegment> COPY = new EntryEncoder<>() {
        @Override
        public int lengthBytes(MemorySegment payload) {
            return Math.toIntExact(payload.byteSize());
        }

        @Override
        public void encode(MemorySegment payload, MemorySegment buffer, long offset, int lengthBytes) {
            MemorySegment.copy(payload, 0, buffer, offset, lengthBytes);
        }
    };

    private final ExclusiveAppender appender;
    private final GroupCommitter committer;
    private final RelaxedBudget budget;
    private final GroupCommitConfig config;
    private final Disruptor<GroupCell> disruptor;
    private final RingBuffer<GroupCell> ring;
    private final Activities producers = new Activities();
    private final ThreadLocal<CommitWaiter> waiters =
            ThreadLocal.withInitial(() -> new CommitWaiter(producers.register()));
    private final int maximumPayloadLengthBytes;
    private @Nullable Thread committing;
    private volatile boolean closed;

    private GroupCommitAppender(Positions positions, GroupCommitConfig config, Consumer<Throwable> errors) {
        this.config = config;
        this.appender = ExclusiveAppender.open(positions);
        this.budget = new RelaxedBudget(config.lossBound(), positions.geometry().segmentLengthBytes() / 8);
        this.committer = new GroupCommitter(appender, config, budget, errors);
        this.maximumPayloadLengthBytes = positions.geometry().maximumPayloadLengthBytes();
        this.disruptor = new Disruptor<>(
                () -> new GroupCell(config.cellLengthBytes()),
                config.ringSize(),
                task -> committing = Thread.ofPlatform()
                        .daemon(true)
                        .name("fenceline-commit")
                        .unstarted(task),
                ProducerType.MULTI,
                config.waitStrategy().get());
        this.ring = disruptor.getRingBuffer();
        Committing handler = new Committing();
        disruptor.handleEventsWith(handler);
        disruptor.start();
        handler.awaitStart();
    }

    /// The one handler. A Disruptor that is shut down before its threads run leaves out what it was given, so an
    /// appender is open when its committing thread runs.
    private final class Committing implements EventHandler<GroupCell> {
        private final CountDownLatch started = new CountDownLatch(1);

        @Override
        public void onStart() {
            started.countDown();
        }

        @Override
        public void onEvent(GroupCell cell, long at, boolean endOfBatch) {
            onCell(cell, at, endOfBatch);
        }

        void awaitStart() {
            boolean interrupted = false;
            while (started.getCount() > 0) {
                try {
                    started.await();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Takes the journal's one place of an appender.
    ///
    /// @throws IllegalStateException if it is taken, or the journal is closed
    public static GroupCommitAppender open(Journal journal) {
        return open(journal, GroupCommitConfig.DEFAULTS, error -> {});
    }

    /// Takes the journal's one place of an appender.
    ///
    /// @param errors told on the committing thread: exceptions of listeners, the fault that poisons the journal,
    ///               and relaxed entries that were accepted and could not be appended
    /// @throws IllegalStateException if it is taken, or the journal is closed
    public static GroupCommitAppender open(Journal journal, GroupCommitConfig config, Consumer<Throwable> errors) {
        return open(journal.positions(), config, errors);
    }

    /// Over positions on any medium; for tests.
    static GroupCommitAppender open(Positions positions, GroupCommitConfig config, Consumer<Throwable> errors) {
        return new GroupCommitAppender(positions, config, errors);
    }

    /// Appends an entry and waits until it is durable.
    ///
    /// @return the position of its frame, or a result of [AppendResult]
    /// @throws JournalException.Poisoned after an I/O fault
    public long append(MemorySegment payload, int type) {
        return append(payload, type, Long.MAX_VALUE);
    }

    /// As [#append(MemorySegment, int)], with a bound on the wait for a place in the ring of cells.
    ///
    /// @param timeoutNs then it is [AppendResult#BACK_PRESSURED]; 0 for not to wait
    public long append(MemorySegment payload, int type, long timeoutNs) {
        return appendAndWait(payload, COPY, type, timeoutNs);
    }

    /// Encodes a message straight into the ring of cells, appends it, and waits until it is durable.
    ///
    /// @return the position of its frame, or a result of [AppendResult]
    /// @throws JournalException.Poisoned after an I/O fault
    public <T> long append(T message, EntryEncoder<? super T> encoder) {
        return appendAndWait(message, encoder, encoder.type(message), Long.MAX_VALUE);
    }

    private <T> long appendAndWait(T message, EntryEncoder<? super T> encoder, int type, long timeoutNs) {
        checkMayWait();
        CommitWaiter waiter = waiters.get().begin();
        long accepted = handOver(message, encoder, type, waiter, timeoutNs);
        return accepted < 0 ? accepted : awaitCommit(waiter);
    }

    private long awaitCommit(CommitWaiter waiter) {
        long result = waiter.await();
        if (result == AppendResult.POISONED) {
            throw committer.poisoned();
        }
        return result;
    }

    /// Sequence of the entry that this thread's last [#append] made durable.
    public long lastSequence() {
        return waiters.get().sequence();
    }

    /// Hands an entry over; waits only while the ring of cells is full.
    ///
    /// @param listener told when it is durable, or that it is not appended; may be one object for all
    /// @return 0: the listener will be told; a result of [AppendResult]: it will not
    public long appendAsync(MemorySegment payload, int type, CommitListener listener) {
        return handOver(payload, COPY, type, listener, Long.MAX_VALUE);
    }

    /// The same for a message that is encoded straight into the ring of cells. The encoder should be quick: entries
    /// handed over later wait for it.
    public <T> long appendAsync(T message, EntryEncoder<? super T> encoder, CommitListener listener) {
        return handOver(message, encoder, encoder.type(message), listener, Long.MAX_VALUE);
    }

    /// As [#appendAsync], but never waits.
    ///
    /// @return 0, or [AppendResult#BACK_PRESSURED] if the ring of cells is full: retry later; or another result of
    /// [AppendResult]
    public long tryAppendAsync(MemorySegment payload, int type, CommitListener listener) {
        return handOver(payload, COPY, type, listener, 0);
    }

    /// As [#appendAsync], with a future of the position; it fails with [JournalException] if the entry is not
    /// appended.
    public CompletableFuture<Long> appendFuture(MemorySegment payload, int type) {
        CompletableFuture<Long> future = new CompletableFuture<>();
        long accepted = appendAsync(payload, type, (result, sequence) -> complete(future, result));
        if (accepted < 0) {
            complete(future, accepted);
        }
        return future;
    }

    private void complete(CompletableFuture<Long> future, long result) {
        if (result >= 0) {
            future.complete(result);
        } else {
            future.completeExceptionally(
                    result == AppendResult.POISONED
                            ? committer.poisoned()
                            : new JournalException("the entry was not appended: " + AppendResult.describe(result)));
        }
    }

    /// Hands an entry over without waiting for its durability; waits only while as much is on its way as
    /// [LossBound] allows, or the ring of cells is full.
    ///
    /// @return 0: accepted; or a result of [AppendResult]
    /// @throws JournalException.Poisoned after an I/O fault
    public long appendRelaxed(MemorySegment payload, int type) {
        return handOverRelaxed(payload, type, Long.MAX_VALUE);
    }

    /// As [#appendRelaxed], but never waits.
    ///
    /// @return 0: accepted; [AppendResult#BACK_PRESSURED]; or another result of [AppendResult]
    /// @throws JournalException.Poisoned after an I/O fault
    public long tryAppendRelaxed(MemorySegment payload, int type) {
        return handOverRelaxed(payload, type, 0);
    }

    private long handOverRelaxed(MemorySegment payload, int type, long timeoutNs) {
        int length = FrameDescriptor.entryLength(checkedLength(payload.byteSize()));
        long startNs = System.nanoTime();
        for (int spins = 0; !budget.take(length); spins++) {
            if (closed) {
                return AppendResult.CLOSED;
            }
            if (committer.isPoisoned()) {
                throw committer.poisoned();
            }
            long result = await(spins, startNs, timeoutNs);
            if (result != 0) {
                return result;
            }
        }
        boolean accepted = false;
        try {
            if (committer.isPoisoned()) {
                throw committer.poisoned();
            }
            long result = handOver(payload, COPY, type, GroupCommitter.Relaxed.RELAXED, timeoutNs);
            accepted = result == 0;
            return result;
        } finally {
            if (!accepted) {
                budget.giveBack(1, length);
            }
        }
    }

    /// Commits what was handed over before, without waiting for more, and returns when that is done.
    ///
    /// @return 0, or the result of [AppendResult] with which the last commit before it ended; what became of each
    /// entry, its listener is told
    /// @throws JournalException.Poisoned after an I/O fault
    /// @throws IllegalStateException     if it is called by a listener
    public long flush() {
        checkMayWait();
        CommitWaiter waiter = waiters.get().begin();
        if (!enter(waiter.activity)) {
            return AppendResult.CLOSED;
        }
        try {
            long at = nextCell(Long.MAX_VALUE);
            if (at < 0) {
                return at;
            }
            ring.get(at).flush(waiter);
            ring.publish(at);
        } finally {
            waiter.activity.exit();
        }
        return Math.min(awaitCommit(waiter), 0);
    }

    private void checkMayWait() {
        if (Thread.currentThread() == committing) {
            throw new IllegalStateException("a listener must not wait for the thread that it is called on: use"
                    + " appendAsync, or another thread");
        }
    }

    private boolean enter(Activity activity) {
        activity.enter();
        if (closed) {
            activity.exit();
            return false;
        }
        return true;
    }

    private <T> long handOver(
            T message, EntryEncoder<? super T> encoder, int type, CommitListener listener, long timeoutNs) {
        int length = checkedLength(encoder.lengthBytes(message));
        Activity activity = waiters.get().activity;
        if (!enter(activity)) {
            return AppendResult.CLOSED;
        }
        try {
            long at = nextCell(timeoutNs);
            if (at < 0) {
                return at;
            }
            try {
                ring.get(at).append(message, encoder, length, type, listener);
            } finally {
                ring.publish(at);
            }
            return 0;
        } finally {
            activity.exit();
        }
    }

    /// Takes a cell; nothing is owned while this waits.
    ///
    /// @return its number in the ring's sequence, or a result of [AppendResult]
    private long nextCell(long timeoutNs) {
        long startNs = 0;
        for (int spins = 0; ; spins++) {
            try {
                return ring.tryNext();
            } catch (InsufficientCapacityException e) {
                startNs = spins == 0 ? System.nanoTime() : startNs;
                long result = await(spins, startNs, timeoutNs);
                if (result != 0) {
                    return result;
                }
            }
        }
    }

    /// Gives the core up for a while.
    ///
    /// @return 0, or why to wait no longer
    private long await(int spins, long startNs, long timeoutNs) {
        // The committing thread, in a listener, would wait for itself.
        if (System.nanoTime() - startNs >= timeoutNs || Thread.currentThread() == committing) {
            return AppendResult.BACK_PRESSURED;
        }
        if (Thread.currentThread().isInterrupted()) {
            return AppendResult.INTERRUPTED;
        }
        if (spins < SPINS) {
            Thread.yield();
        } else {
            LockSupport.parkNanos(PARK_NS);
        }
        return 0;
    }

    private int checkedLength(long length) {
        if (length < 0 || length > maximumPayloadLengthBytes) {
            throw new IllegalArgumentException("payload of " + length + " bytes: expected 0 to "
                    + maximumPayloadLengthBytes + ", a quarter of a segment");
        }
        return (int) length;
    }

    /// On the committing thread. Returns with something gathered only if there is another cell.
    private void onCell(GroupCell cell, long at, boolean endOfBatch) {
        cell.takeTo(committer);
        if (!endOfBatch) {
            return;
        }
        while (committer.pending() > 0 && !moreComesAfter(at)) {
            committer.commit();
            if (closed && !ring.isAvailable(at + 1)) {
                committer.abandon();
            }
        }
    }

    /// Waits for the producers of the last commit to come again; if all is relaxed, for anybody.
    ///
    /// @return true as soon as another cell is ready; false when it is time to commit
    private boolean moreComesAfter(long at) {
        boolean relaxed = committer.isRelaxed();
        if (!relaxed && committer.pending() >= committer.lastSize()) {
            return false;
        }
        long limitNs = relaxed ? budget.delayNs() : Math.min(config.maximumDelayNs(), committer.medianCommitNs() / 10);
        long startNs = committer.gatheringSinceNs();
        for (int spins = 0; !closed; spins++) {
            if (ring.isAvailable(at + 1)) {
                return true;
            }
            if (System.nanoTime() - startNs >= limitNs
                    || !ring.hasAvailableCapacity(1)
                    || (relaxed && committer.isUrgent())) {
                return false;
            }
            if (relaxed && spins >= SPINS) {
                LockSupport.parkNanos(PARK_NS);
            } else {
                Thread.yield();
            }
        }
        return ring.isAvailable(at + 1);
    }

    /// Takes no more entries, commits what was handed over (without waiting for room in the journal), tells every
    /// listener, gives the place back. The journal stays open. Not from a listener.
    @Override
    public void close() {
        checkMayWait();
        closeOnce();
    }

    private synchronized void closeOnce() {
        if (closed) {
            return;
        }
        closed = true;
        appender.positions.endWaits();
        producers.awaitQuiet();
        disruptor.shutdown();
        appender.close();
    }
}
