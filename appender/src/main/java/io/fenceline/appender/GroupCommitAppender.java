package io.fenceline.appender;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.positions.Positions;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.agrona.DirectBuffer;

/// Appends entries from many threads, which share the cost of becoming durable: lanes, one for each producing
/// thread, under sequencers of the LMAX Disruptor, take them to one committing thread, which writes what has
/// gathered, under one `fdatasync` (`DEVICE`) or one fence (`MEMORY`), publishes it, and then tells the producers
/// in the order of positions.
///
///     producer ─▶ [lane] ─┐
///     producer ─▶ [lane] ─┴▶ committing thread: gather → write → persist → publish → tell
///
/// **A commit** is one frame, recovered whole or not at all, as long as it fits into one (65535 entries, a quarter
/// of a segment); else several, of which a crash before the acknowledgement leaves the first ones, or none.
///
/// **Gathering.** A commit of entries that are waited for waits until all have come again that were in the last one, or
/// came meanwhile; or until nobody has come for a tenth of the median commit time; at most half of that time, or the
/// maximum delay: else producers split into two cohorts that each ride every second sync. Entries that nobody waits for
/// gather as long as they keep coming, up to 20 µs and a sleep of the committing thread.
///
/// **Relaxed** entries ([#appendRelaxed]) are accepted before they are durable. Any crash, of the process too, may
/// take the last of them, within [LossBound]. They are part of the same order: a durable entry is never
/// acknowledged before all relaxed ones in front of it are durable, and what a crash takes is a suffix. If the
/// journal has no room for them they wait in the appender, in front of everything else; what a close cannot append
/// is reported.
///
/// Assumptions:
/// 1. Each producing thread keeps a lane, 20 KiB that grow when they are full; use platform threads, or few virtual
///    ones.
/// 2. An encoder appends nothing to the appender that it encodes for (an exception).
///
/// Guarantees:
/// 1. An acknowledged entry is durable at the journal's level and visible to tailers. Each thread's entries are in
///    the order of its appends, and behind every entry that was acknowledged, or flushed, before they were handed
///    over. (Two threads' asynchronous entries have no other order, even if one thread tells the other.)
/// 2. An entry whose append did not return a position, or 0 where that means *accepted*, was not appended. Only after
///    an I/O fault, which poisons the journal, that is not known before it is opened again.
/// 3. `append`, `appendRelaxed`, and `appendAsync` with a reused listener, allocate nothing in steady state, for
///    entries up to a quarter of the lane; larger ones are copied to memory of their own.
/// 4. A payload is copied before the call returns; what an encoder that throws has written is not appended.
///
/// Progress: producers wait while their lane is full ([#tryAppendAsync] does not), with nothing owned, until
/// they are interrupted or their timeout is over; then for their commit, which cannot be called back: under
/// [io.fenceline.journal.FullPolicy#BLOCK] it ends with its timeout.
public final class GroupCommitAppender implements AutoCloseable {
    private static final int SPINS = 100;
    private static final long PARK_NS = 50_000;

    private static final EntryEncoder<MemorySegment> COPY = new EntryEncoder<>() {
        @Override
        public int lengthBytes(MemorySegment payload) {
            return (int) Math.min(payload.byteSize(), Integer.MAX_VALUE); // refused then
        }

        @Override
        public void encode(MemorySegment payload, MemorySegment buffer, long offset, int lengthBytes) {
            MemorySegment.copy(payload, 0, buffer, offset, lengthBytes);
        }
    };

    private final ExclusiveAppender appender;
    private final GroupCommitter committer;
    private final RelaxedBudget budget;
    private final Lanes lanes;
    private final CommitLoop loop;
    private final Thread committing;
    private final ThreadLocal<Lane> lane;
    private final int maximumPayloadLengthBytes;
    private volatile boolean closed;

    private GroupCommitAppender(Positions positions, GroupCommitConfig config, Consumer<Throwable> errors) {
        budget = new RelaxedBudget(config.lossBound(), positions.geometry().segmentLengthBytes() / 8);
        lanes = new Lanes(config);
        maximumPayloadLengthBytes = positions.geometry().maximumPayloadLengthBytes();
        lane = ThreadLocal.withInitial(lanes::add);
        appender = ExclusiveAppender.open(positions); // behind what a user's code can make fail
        try {
            committer = new GroupCommitter(appender, lanes, config, budget, errors);
            loop = new CommitLoop(lanes, committer, config, budget);
            committing =
                    Thread.ofPlatform().daemon(true).name("fenceline-commit").start(loop);
        } catch (Throwable e) {
            appender.close();
            throw e;
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

    /// As [#append(MemorySegment, int)], with a bound on the wait for room in the thread's lane.
    ///
    /// @param timeoutNs then it is [AppendResult#BACK_PRESSURED]; 0 for not to wait
    public long append(MemorySegment payload, int type, long timeoutNs) {
        return appendAndWait(payload, COPY, type, timeoutNs);
    }

    /// The same for an Agrona buffer.
    public long append(DirectBuffer buffer, int offset, int length, int type) {
        CommitWaiter waiter = beginWait();
        return awaitCommit(waiter, handOver(buffer, offset, length, type, waiter, Long.MAX_VALUE));
    }

    /// Encodes a message in place, appends it, and waits until it is durable.
    ///
    /// @return the position of its frame, or a result of [AppendResult]
    /// @throws JournalException.Poisoned after an I/O fault
    public <T> long append(T message, EntryEncoder<? super T> encoder) {
        return appendAndWait(message, encoder, type(message, encoder), Long.MAX_VALUE);
    }

    private <T> long appendAndWait(T message, EntryEncoder<? super T> encoder, int type, long timeoutNs) {
        CommitWaiter waiter = beginWait();
        return awaitCommit(waiter, handOver(message, encoder, length(message, encoder), type, waiter, timeoutNs));
    }

    private CommitWaiter beginWait() {
        if (Thread.currentThread() == committing) {
            throw new IllegalStateException("a listener must not wait for the thread that it is called on: use"
                    + " appendAsync, or another thread");
        }
        return lane.get().waiter.begin();
    }

    private long awaitCommit(CommitWaiter waiter, long accepted) {
        if (accepted < 0) {
            return accepted;
        }
        long result = waiter.await();
        if (result == AppendResult.POISONED) {
            throw committer.poisoned();
        }
        return result;
    }

    /// Sequence of the last entry that an [#append] of this thread made durable; -1 before the first.
    public long lastSequence() {
        return lane.get().waiter.sequence();
    }

    /// Makes this thread's next `append` or `appendAsync` conditional: it happens only if the entry gets that
    /// sequence, so that nothing came between; else its result is [AppendResult#CONFLICT]. Holds for one attempt.
    /// Such an entry is a commit of its own. (A position cannot be expected: entries share frames, so that of a
    /// frame does not tell what came between.)
    ///
    /// @param sequence 0 or more
    /// @return this appender
    public GroupCommitAppender expectSequence(long sequence) {
        if (sequence < 0) {
            throw new IllegalArgumentException("expected " + sequence + ": give 0 or more");
        }
        lane.get().expect(sequence);
        return this;
    }

    /// Hands an entry over; waits only while the thread's lane is full.
    ///
    /// @param listener told when it is durable, or that it is not appended; may be one object for all
    /// @return 0: the listener will be told; a result of [AppendResult]: it will not
    public long appendAsync(MemorySegment payload, int type, CommitListener listener) {
        return handOver(payload, COPY, length(payload, COPY), type, listener, Long.MAX_VALUE);
    }

    /// The same for an Agrona buffer.
    public long appendAsync(DirectBuffer buffer, int offset, int length, int type, CommitListener listener) {
        return handOver(buffer, offset, length, type, listener, Long.MAX_VALUE);
    }

    /// The same for a message that is encoded in place.
    public <T> long appendAsync(T message, EntryEncoder<? super T> encoder, CommitListener listener) {
        int type = type(message, encoder);
        return handOver(message, encoder, length(message, encoder), type, listener, Long.MAX_VALUE);
    }

    /// As [#appendAsync], but never waits.
    ///
    /// @return 0, or [AppendResult#BACK_PRESSURED] if the lane is full: retry later; or another result of
    /// [AppendResult]
    public long tryAppendAsync(MemorySegment payload, int type, CommitListener listener) {
        return handOver(payload, COPY, length(payload, COPY), type, listener, 0);
    }

    /// The same for a message that is encoded in place.
    public <T> long tryAppendAsync(T message, EntryEncoder<? super T> encoder, CommitListener listener) {
        int type = type(message, encoder);
        return handOver(message, encoder, length(message, encoder), type, listener, 0);
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
    /// [LossBound] allows, or the lane is full.
    ///
    /// @return 0: accepted; or a result of [AppendResult]
    /// @throws JournalException.Poisoned after an I/O fault
    public long appendRelaxed(MemorySegment payload, int type) {
        return handOverRelaxed(payload, COPY, type, Long.MAX_VALUE);
    }

    /// The same for an Agrona buffer.
    public long appendRelaxed(DirectBuffer buffer, int offset, int length, int type) {
        int entryLength = FrameDescriptor.entryLength(checkedLength(length));
        long result = takeBudget(entryLength, Long.MAX_VALUE);
        if (result != 0) {
            return result;
        }
        boolean accepted = false;
        try {
            result = handOver(buffer, offset, length, type, GroupCommitter.Relaxed.RELAXED, Long.MAX_VALUE);
            accepted = result == 0;
            return result;
        } finally {
            giveBackUnless(accepted, entryLength);
        }
    }

    /// The same for a message that is encoded in place.
    public <T> long appendRelaxed(T message, EntryEncoder<? super T> encoder) {
        return handOverRelaxed(message, encoder, type(message, encoder), Long.MAX_VALUE);
    }

    /// As [#appendRelaxed], but never waits.
    ///
    /// @return 0: accepted; [AppendResult#BACK_PRESSURED]; or another result of [AppendResult]
    /// @throws JournalException.Poisoned after an I/O fault
    public long tryAppendRelaxed(MemorySegment payload, int type) {
        return handOverRelaxed(payload, COPY, type, 0);
    }

    private <T> long handOverRelaxed(T message, EntryEncoder<? super T> encoder, int type, long timeoutNs) {
        int length = length(message, encoder); // asked once: what is taken here is what will be given back
        int entryLength = FrameDescriptor.entryLength(length);
        long result = takeBudget(entryLength, timeoutNs);
        if (result != 0) {
            return result;
        }
        boolean accepted = false;
        try {
            result = handOver(message, encoder, length, type, GroupCommitter.Relaxed.RELAXED, timeoutNs);
            accepted = result == 0;
            return result;
        } finally {
            giveBackUnless(accepted, entryLength);
        }
    }

    /// Takes what a relaxed entry of that length, in a frame, may owe.
    ///
    /// @return 0, or a result of [AppendResult]: nothing was taken
    private long takeBudget(int length, long timeoutNs) {
        Lane own = lane.get();
        own.checkUnclaimed();
        if (own.expects()) {
            own.expect(-1);
            throw new IllegalStateException("nobody would be told of a conflict: use appendAsync");
        }
        long startNs = System.nanoTime();
        for (int spins = 0; !budget.take(length); spins++) {
            if (isClosed()) {
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
        if (committer.isPoisoned()) {
            budget.giveBack(1, length);
            throw committer.poisoned();
        }
        if (isClosed()) { // else it would be accepted, and reported as lost
            budget.giveBack(1, length);
            return AppendResult.CLOSED;
        }
        return 0;
    }

    private boolean isClosed() {
        return closed || appender.positions.isClosed();
    }

    /// Whoever commits an entry gives back what it took; so it stays taken where that is not known.
    private void giveBackUnless(boolean accepted, int length) {
        if (!accepted && !lane.get().isBroken()) {
            budget.giveBack(1, length);
        }
    }

    /// Commits what was handed over before, by this and by other threads, without waiting for more, and returns
    /// when that is done.
    ///
    /// @return 0, or the result of [AppendResult] with which the last commit before it ended; what became of each
    /// entry, its listener is told
    /// @throws JournalException.Poisoned after an I/O fault
    /// @throws IllegalStateException     if it is called by a listener
    public long flush() {
        CommitWaiter waiter = beginWait();
        Lane own = lane.get();
        long expected = own.expected(); // of an append that is still to come
        long result = claim(own, Lane.FLUSH, waiter, Long.MAX_VALUE);
        if (result == 0) {
            own.publishFlush();
            leave(own);
        }
        own.expect(expected);
        return Math.min(awaitCommit(waiter, result), 0);
    }

    private <T> long handOver(
            T message, EntryEncoder<? super T> encoder, int length, int type, CommitListener listener, long timeoutNs) {
        Lane own = lane.get();
        long result = claim(own, length, listener, timeoutNs);
        if (result == 0) {
            try {
                encoder.encode(message, own.bytes(), own.offset(), length);
                own.publish(type, listener);
            } finally {
                leave(own);
            }
        }
        return result;
    }

    private long handOver(
            DirectBuffer buffer, int offset, int length, int type, CommitListener listener, long timeoutNs) {
        Lane own = lane.get();
        long result = claim(own, checkedLength(length), listener, timeoutNs);
        if (result == 0) {
            try {
                own.copyIn(buffer, offset);
                own.publish(type, listener);
            } finally {
                leave(own);
            }
        }
        return result;
    }

    /// Takes room in the lane; nothing is owned while this waits.
    ///
    /// @return 0: to be ended by [#leave]; or a result of [AppendResult]
    private long claim(Lane own, int length, CommitListener listener, long timeoutNs) {
        if (listener == null) {
            own.expect(-1);
            throw new NullPointerException("no listener");
        }
        own.checkUnclaimed();
        own.activity.enter();
        boolean claimed = false;
        try {
            long startNs = 0;
            for (int spins = 0; !closed; spins++) {
                claimed = own.claim(length, listener);
                if (claimed) {
                    return 0;
                }
                startNs = spins == 0 ? System.nanoTime() : startNs;
                long result = await(spins, startNs, timeoutNs);
                if (result != 0) {
                    return result;
                }
            }
            return AppendResult.CLOSED;
        } finally {
            if (!claimed) {
                leave(own);
            }
        }
    }

    private void leave(Lane own) {
        own.release();
        own.activity.exit();
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

    /// What the encoder says, or what it throws: then the attempt has used up what was expected.
    private <T> int type(T message, EntryEncoder<? super T> encoder) {
        try {
            return encoder.type(message);
        } catch (Throwable e) {
            lane.get().expect(-1);
            throw e;
        }
    }

    private <T> int length(T message, EntryEncoder<? super T> encoder) {
        try {
            return checkedLength(encoder.lengthBytes(message));
        } catch (Throwable e) {
            lane.get().expect(-1);
            throw e;
        }
    }

    private int checkedLength(long length) {
        if (length < 0 || length > maximumPayloadLengthBytes) {
            lane.get().expect(-1);
            throw new IllegalArgumentException("payload of " + length + " bytes: expected 0 to "
                    + maximumPayloadLengthBytes + ", a quarter of a segment");
        }
        return (int) length;
    }

    /// Takes no more entries, commits what was handed over (without waiting for room in the journal), tells every
    /// listener, gives the place back. The journal stays open. Not from a listener, nor from an encoder.
    ///
    /// Waits for every encoder that has begun, for every listener, and for the storage, without a bound: one that
    /// does not return keeps the closing thread, too. An interrupt does not end it.
    ///
    /// @throws IllegalStateException if it is called by a listener, or by an encoder
    @Override
    public void close() {
        if (Thread.currentThread() == committing) {
            throw new IllegalStateException("a listener must not close the appender: use another thread");
        }
        lanes.checkUnclaimed();
        closeOnce();
    }

    private synchronized void closeOnce() {
        if (closed) {
            return;
        }
        closed = true;
        loop.hurry();
        appender.positions.endWaits();
        lanes.awaitQuiet();
        loop.end();
        awaitEnd();
        appender.close();
    }

    /// An interrupt does not end it.
    private void awaitEnd() {
        boolean interrupted = false;
        while (committing.isAlive()) {
            try {
                committing.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
