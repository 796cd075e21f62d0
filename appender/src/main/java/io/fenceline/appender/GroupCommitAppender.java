package io.fenceline.appender;

import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.InsufficientCapacityException;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.dsl.Disruptor;
import com.lmax.disruptor.dsl.ProducerType;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.positions.Activities;
import io.fenceline.journal.positions.Activity;
import io.fenceline.journal.positions.Positions;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Appends entries from many threads, which share the cost of becoming durable: an LMAX Disruptor takes them to one
/// committing thread, which writes what has gathered as one frame, under one `fdatasync` (`DEVICE`) or one fence
/// (`MEMORY`), publishes it, and then tells the producers in the order of positions.
///
///     producers ─▶ [ring of preallocated cells] ─▶ committing thread: gather → one frame → persist → publish → tell
///
/// **Gathering.** After a commit of n entries the next one waits until n have arrived again, or a tenth of the
/// median commit time, or the maximum delay has passed: else producers split into two cohorts that each ride every
/// second sync.
///
/// Assumptions:
/// 1. Any number of producing threads. A payload is copied before the call returns.
///
/// Guarantees:
/// 1. An acknowledged entry is durable at the journal's level and visible to tailers; entries are in the order in
/// which
///    their producers got their cells, each thread's in the order of its appends.
/// 2. An entry whose append did not return a position was not appended.
/// 3. `append` and `appendAsync` with a reused listener allocate nothing in steady state, for payloads up to the
/// cell
///    length; larger ones are copied to memory of their own.
///
/// Progress: producers wait while the ring of cells is full ([#tryAppendAsync] does not), and for their commit.
public final class GroupCommitAppender implements AutoCloseable {
    private static final int SPINS = 200;

    private final ExclusiveAppender appender;
    private final GroupCommitter committer;
    private final GroupCommitConfig config;
    private final Disruptor<Cell> disruptor;
    private final RingBuffer<Cell> ring;
    private final Activities producers = new Activities();
    private final ThreadLocal<Waiter> waiters = ThreadLocal.withInitial(() -> new Waiter(producers.register()));
    private final int maximumPayloadLengthBytes;
    private @Nullable Thread committing;
    private volatile boolean closed;

    /// What a cell asks for.
    private enum Order {
        APPEND,
        /// Commit what was gathered, now.
        FLUSH,
        /// Nothing: the producer's memory faulted while it was copied.
        NONE
    }

    /// One place of the ring.
    private static final class Cell {
        final MemorySegment memory;
        MemorySegment payload;
        int length;
        int type;
        Order order = Order.NONE;

        @Nullable
        CommitListener listener;

        Cell(int lengthBytes) {
            memory = MemorySegment.ofArray(new byte[lengthBytes]);
            payload = memory;
        }
    }

    /// A thread that waits for its own entry; reused.
    private static final class Waiter implements CommitListener {
        private final Thread thread = Thread.currentThread();
        private final Activity activity;
        private long sequence;
        private volatile long result;
        private volatile boolean done;

        Waiter(Activity activity) {
            this.activity = activity;
        }

        @Override
        public void onCommit(long result, long sequence) {
            this.result = result;
            this.sequence = sequence;
            done = true;
            LockSupport.unpark(thread);
        }

        /// Not interruptible: the entry is on its way. The flag is kept.
        long await() {
            boolean interrupted = false;
            for (int i = 0; !done; i++) {
                if (i < SPINS) {
                    Thread.yield();
                } else {
                    LockSupport.park(this);
                    interrupted |= Thread.interrupted();
                }
            }
            if (interrupted) {
                thread.interrupt();
            }
            return result;
        }
    }

    private GroupCommitAppender(Positions positions, GroupCommitConfig config, Consumer<Throwable> errors) {
        this.config = config;
        this.appender = ExclusiveAppender.open(positions);
        this.committer = new GroupCommitter(appender, config.maximumBatch(), errors);
        this.maximumPayloadLengthBytes = positions.geometry().maximumPayloadLengthBytes();
        this.disruptor = new Disruptor<>(
                () -> new Cell(config.cellLengthBytes()),
                config.ringSize(),
                task -> committing =
                        Thread.ofPlatform().name("fenceline-commit").unstarted(task),
                ProducerType.MULTI,
                config.waitStrategy().get());
        this.ring = disruptor.getRingBuffer();
        EventHandler<Cell> handler = this::onCell;
        disruptor.handleEventsWith(handler);
        disruptor.start();
    }

    /// Takes the journal's one place of an appender.
    ///
    /// @throws IllegalStateException if it is taken, or the journal is closed
    public static GroupCommitAppender open(Journal journal) {
        return open(journal, GroupCommitConfig.DEFAULTS, error -> {});
    }

    /// Takes the journal's one place of an appender.
    ///
    /// @param errors told exceptions of listeners, and the fault that poisons the journal, on the committing thread
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
        checkMayWait();
        Waiter waiter = waiters.get();
        waiter.done = false;
        long accepted = appendAsync(payload, type, waiter);
        if (accepted < 0) {
            return accepted;
        }
        long result = waiter.await();
        if (result == AppendResult.POISONED) {
            throw committer.poisoned();
        }
        return result;
    }

    /// Sequence of the entry that this thread's last [#append] made durable.
    public long lastSequence() {
        return waiters.get().sequence;
    }

    /// Hands an entry over; waits only while the ring of cells is full.
    ///
    /// @param listener told when it is durable, or that it is not appended; may be one object for all
    /// @return 0: the listener will be told; [AppendResult#CLOSED]: it will not
    public long appendAsync(MemorySegment payload, int type, CommitListener listener) {
        int length = checkedLength(payload);
        Activity activity = waiters.get().activity;
        if (!enter(activity)) {
            return AppendResult.CLOSED;
        }
        try {
            fill(ring.next(), payload, length, type, listener);
            return 0;
        } finally {
            activity.exit();
        }
    }

    /// As [#appendAsync], but never waits.
    ///
    /// @return 0, [AppendResult#CLOSED], or [AppendResult#BACK_PRESSURED] if the ring of cells is full: retry later
    public long tryAppendAsync(MemorySegment payload, int type, CommitListener listener) {
        int length = checkedLength(payload);
        Activity activity = waiters.get().activity;
        if (!enter(activity)) {
            return AppendResult.CLOSED;
        }
        try {
            fill(ring.tryNext(), payload, length, type, listener);
            return 0;
        } catch (InsufficientCapacityException e) {
            return AppendResult.BACK_PRESSURED;
        } finally {
            activity.exit();
        }
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

    private static void complete(CompletableFuture<Long> future, long result) {
        if (result >= 0) {
            future.complete(result);
        } else {
            future.completeExceptionally(
                    new JournalException("the entry was not appended: " + AppendResult.describe(result)));
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
        Waiter waiter = waiters.get();
        waiter.done = false;
        if (!enter(waiter.activity)) {
            return AppendResult.CLOSED;
        }
        try {
            long at = ring.next();
            Cell cell = ring.get(at);
            cell.order = Order.FLUSH;
            cell.listener = waiter;
            ring.publish(at);
        } finally {
            waiter.activity.exit();
        }
        long result = waiter.await();
        if (result == AppendResult.POISONED) {
            throw committer.poisoned();
        }
        return Math.min(result, 0);
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

    private void fill(long at, MemorySegment payload, int length, int type, CommitListener listener) {
        Cell cell = ring.get(at);
        cell.order = Order.NONE;
        try {
            MemorySegment target =
                    length <= cell.memory.byteSize() ? cell.memory : MemorySegment.ofArray(new byte[length]);
            MemorySegment.copy(payload, 0, target, 0, length);
            cell.payload = target;
            cell.length = length;
            cell.type = type;
            cell.listener = listener;
            cell.order = Order.APPEND;
        } finally {
            ring.publish(at);
        }
    }

    private int checkedLength(MemorySegment payload) {
        long length = payload.byteSize();
        if (length > maximumPayloadLengthBytes) {
            throw new IllegalArgumentException("payload of " + length + " bytes: expected 0 to "
                    + maximumPayloadLengthBytes + ", a quarter of a segment");
        }
        return (int) length;
    }

    /// On the committing thread.
    private void onCell(Cell cell, long at, boolean endOfBatch) {
        CommitListener listener = cell.listener;
        cell.listener = null;
        switch (cell.order) {
            case APPEND -> {
                committer.add(cell.payload, cell.length, cell.type, listener);
                cell.payload = cell.memory;
            }
            case FLUSH -> {
                committer.commit();
                committer.tellFlushed(listener);
            }
            case NONE -> {}
        }
        if (endOfBatch && (committer.pending() >= committer.lastSize() || !moreComesAfter(at))) {
            committer.commit();
        }
    }

    /// Waits for the producers of the last commit to come again.
    ///
    /// @return true as soon as another cell is ready; false when the time is over
    private boolean moreComesAfter(long at) {
        long limitNs = Math.min(config.maximumDelayNs(), committer.medianCommitNs() / 10);
        long startNs = committer.gatheringSinceNs();
        while (!closed) {
            if (ring.isAvailable(at + 1)) {
                return true;
            }
            if (System.nanoTime() - startNs >= limitNs || !ring.hasAvailableCapacity(1)) {
                return false;
            }
            Thread.yield();
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
