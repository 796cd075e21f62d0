package io.fenceline.appender;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The committing side of group commit: gathers entries in a run of an exclusive appender, commits it under one
/// drain, then tells the listeners in the order of positions. One thread.
///
/// A run is refused as a whole if the journal has no room for it. Its durable entries are told so; its relaxed ones
/// stay, first in the next run, so that nothing behind them is ever acknowledged without them: whatever the reason,
/// as long as the journal may take anything at all.
final class GroupCommitter {
    /// In the place of a listener, for an entry that was appended relaxed: nobody is told.
    enum Relaxed implements CommitListener {
        RELAXED;

        @Override
        public void onCommit(long result, long sequence) {}
    }

    private static final int SYNC_SAMPLES = 16;
    private static final int FIRST_GROUPS = 256;

    /// How long what was refused waits for another attempt, if producers wait for it.
    private static final long RETRY_NS = 10_000_000;

    private final ExclusiveAppender appender;
    private final Consumer<Throwable> errors;
    private final FrameRun run;
    private final RelaxedBudget budget;
    private final Lanes lanes;

    // Who is to be told of the gathered entries: one listener of so many that follow each other.
    private @Nullable CommitListener[] listeners = new CommitListener[FIRST_GROUPS];
    private int[] counts = new int[FIRST_GROUPS];
    private int groups;

    private final List<CommitListener> flushes = new ArrayList<>();
    private long expectedSequence = -1;
    private final long[] syncNs = new long[SYNC_SAMPLES];
    private int syncs;
    private final int maximumBatch;
    private int pending;
    private int waiting;
    private int relaxed;
    private long relaxedLengthBytes;
    private int lastSize = 1;
    private int expected = 1;
    private long lastResult;
    private long gatheringSinceNs;
    private volatile JournalException.@Nullable Poisoned poison;

    GroupCommitter(
            ExclusiveAppender appender,
            Lanes lanes,
            GroupCommitConfig config,
            RelaxedBudget budget,
            Consumer<Throwable> errors) {
        this.appender = appender;
        this.lanes = lanes;
        this.errors = errors;
        this.budget = budget;
        this.maximumBatch = config.maximumBatch();
        run = appender.run(config.maximumBatchLengthBytes());
    }

    /// Adds entries that lie one behind the other, up to the first that is none: as many as there is room for, at
    /// least one. Commits what was gathered before, if there is no room at all.
    ///
    /// @return bytes of those that were taken
    int addAll(MemorySegment entries, int from, int to, CommitListener listener) {
        int first = FrameDescriptor.entryPayloadLength(entries, from);
        if (expectedSequence >= 0) {
            addExpected(entries, from, listener);
            return FrameDescriptor.entryLength(first);
        }
        int room = room(first, listener);
        if (room == 0) {
            tell(listener, lastResult, -1); // there was no room for those before it
            return FrameDescriptor.entryLength(first);
        }
        return stage(entries, from, to, room, listener);
    }

    /// Room for so many entries, if they fit the run.
    private int room(int payloadLength, CommitListener listener) {
        if (pending >= maximumBatch || !run.hasRoom(payloadLength)) {
            commit();
            if (pending > 0) {
                return listener instanceof Relaxed ? 1 : 0;
            }
        }
        return maximumBatch - pending;
    }

    @SuppressWarnings("ReferenceEquality") // one listener, whatever a user's `equals` says
    private int stage(MemorySegment entries, int from, int to, int maximumEntries, CommitListener listener) {
        int added;
        try {
            if (groups == listeners.length) {
                listeners = Arrays.copyOf(listeners, 2 * groups);
                counts = Arrays.copyOf(counts, 2 * groups);
            }
            added = run.addAll(entries, from, to, maximumEntries);
        } catch (RuntimeException | Error e) {
            // No memory to stage it: nothing may be lost silently, so everything ends here.
            poison(e);
            commit();
            tell(listener, AppendResult.POISONED, -1);
            return FrameDescriptor.entryLength(FrameDescriptor.entryPayloadLength(entries, from));
        }
        if (pending == 0) {
            gatheringSinceNs = System.nanoTime();
        }
        pending += added;
        if (groups > 0 && listener == listeners[groups - 1]) {
            counts[groups - 1] += added;
        } else {
            listeners[groups] = listener;
            counts[groups++] = added;
        }
        if (listener instanceof CommitWaiter) {
            waiting += added;
        } else if (listener instanceof Relaxed) {
            relaxed += added;
            relaxedLengthBytes += run.addedLength();
        }
        return run.addedLength();
    }

    /// The next entry is wanted only with that sequence.
    void expect(long sequence) {
        expectedSequence = sequence;
    }

    /// A commit of its own: whether the log was cut meanwhile is known for certain only where it gets its place.
    private void addExpected(MemorySegment entries, int from, CommitListener listener) {
        long expected = expectedSequence;
        expectedSequence = -1;
        if (poison == null && appender.nextSequence() + pending != expected) {
            tell(listener, AppendResult.CONFLICT, -1);
            return;
        }
        commit();
        if (pending > 0) {
            tell(listener, lastResult, -1);
            return;
        }
        stage(entries, from, from + 1, 1, listener);
        if (poison == null) {
            appender.expectSequence(expected);
        }
        commit();
    }

    /// Commits what was taken so far, and whatever a sweep over all lanes will find: [#commitFlushed] follows that.
    void flush(CommitListener listener) {
        flushes.add(listener);
    }

    /// Those who wait for a flush.
    int flushes() {
        return flushes.size();
    }

    /// Everything that was handed over before the first so many flushes has been taken.
    void commitFlushed(int covered) {
        commit();
        for (int i = 0; i < covered; i++) {
            tell(flushes.get(i), lastResult, -1);
        }
        flushes.subList(0, covered).clear();
    }

    /// When the first entry of this run came, or the last attempt to commit it failed.
    long gatheringSinceNs() {
        return gatheringSinceNs;
    }

    /// Entries that were gathered and not committed.
    int pending() {
        return pending;
    }

    /// Whether nobody waits for any of them.
    boolean isRelaxed() {
        return pending == relaxed;
    }

    /// Whether a thread waits for each of them: then none of these threads brings another one.
    boolean isWaitedFor() {
        return pending == waiting;
    }

    /// Whether what is gathered, all relaxed, should be committed before its time.
    ///
    /// @param elapsedNs since [#gatheringSinceNs]
    boolean isUrgent(long elapsedNs) {
        return (lastResult >= 0 || elapsedNs >= RETRY_NS) && budget.isUrgent(relaxed, relaxedLengthBytes);
    }

    /// Entries in the last commit.
    int lastSize() {
        return lastSize;
    }

    /// Entries in the last commit, and those that had come while it was under way: so many producers may come again.
    int expected() {
        return expected;
    }

    /// The middle one of the last times that a commit took, in ns; 0 before the first.
    long medianCommitNs() {
        int n = Math.min(syncs, SYNC_SAMPLES);
        if (n == 0) {
            return 0;
        }
        // Rank by counting: few samples, no allocation.
        for (int i = 0; i < n; i++) {
            int less = 0;
            int equal = 0;
            for (int k = 0; k < n; k++) {
                less += syncNs[k] < syncNs[i] ? 1 : 0;
                equal += syncNs[k] == syncNs[i] ? 1 : 0;
            }
            if (less <= n / 2 && less + equal > n / 2) {
                return syncNs[i];
            }
        }
        return syncNs[0];
    }

    /// Commits what was gathered, under one fence or one `fdatasync`, and tells the listeners.
    void commit() {
        if (pending == 0) {
            return;
        }
        long startNs = System.nanoTime();
        long result;
        try {
            result = poison == null ? appender.commit(run, appender.positions.timestampNs()) : AppendResult.POISONED;
        } catch (RuntimeException | Error e) {
            poison(e);
            result = AppendResult.POISONED;
        }
        gatheringSinceNs = System.nanoTime();
        syncNs[syncs++ % SYNC_SAMPLES] = gatheringSinceNs - startNs;
        lastResult = result == AppendResult.CONFLICT ? lastResult : result;
        lastSize = pending;
        expected = pending == waiting ? pending + lanes.waiting() : pending; // before anybody is told, and comes again
        waiting = 0;
        if (result >= 0) {
            tellCommitted();
        } else {
            refuse(result);
        }
    }

    private void tellCommitted() {
        int told = groups;
        forgetRelaxed();
        pending = 0;
        groups = 0;
        int frame = 0;
        int left = run.entries(0);
        long sequence = run.firstSequence();
        for (int group = 0; group < told; group++) {
            CommitListener listener = listeners[group];
            listeners[group] = null;
            for (int i = counts[group]; i > 0; i--, left--, sequence++) {
                if (left == 0) {
                    left = run.entries(++frame);
                }
                tell(listener, run.position(frame), sequence);
            }
        }
        run.clear();
    }

    private void refuse(long result) {
        int told = groups;
        boolean over = result == AppendResult.POISONED || appender.positions.isClosed();
        if (relaxed > 0 && !over) {
            if (relaxed < pending) {
                run.retain(relaxedEntries()::get);
            }
        } else {
            run.clear();
            reportLost(result);
        }
        pending = run.entries();
        groups = 0;
        for (int group = 0; group < told; group++) {
            CommitListener listener = listeners[group];
            listeners[group] = null;
            for (int i = listener instanceof Relaxed ? 0 : counts[group]; i > 0; i--) {
                tell(listener, result, -1);
            }
        }
        if (pending > 0) {
            groups = 1;
            listeners[0] = Relaxed.RELAXED;
            counts[0] = pending;
        }
    }

    private BitSet relaxedEntries() {
        BitSet entries = new BitSet();
        for (int group = 0, first = 0; group < groups; first += counts[group++]) {
            entries.set(first, first + counts[group], listeners[group] instanceof Relaxed);
        }
        return entries;
    }

    /// Gives up the relaxed entries that no commit has taken: the appender is being closed.
    void abandon() {
        run.clear();
        Arrays.fill(listeners, 0, groups, null);
        groups = 0;
        pending = 0;
        reportLost(lastResult);
    }

    private void reportLost(long result) {
        if (relaxed > 0) {
            report(new JournalException(
                    relaxed + " relaxed entries were accepted and are not appended: " + AppendResult.describe(result)));
        }
        forgetRelaxed();
    }

    private void forgetRelaxed() {
        if (relaxed > 0) {
            budget.giveBack(relaxed, relaxedLengthBytes);
            relaxed = 0;
            relaxedLengthBytes = 0;
        }
    }

    private void tell(@Nullable CommitListener listener, long result, long sequence) {
        if (listener != null) {
            try {
                listener.onCommit(result, sequence);
            } catch (Throwable e) {
                report(e);
            }
            Thread.interrupted(); // a listener's interrupt is not for the committing thread
        }
    }

    /// The first fault ends everything.
    void poison(Throwable e) {
        if (poison == null) {
            poison = e instanceof JournalException.Poisoned poisoned
                    ? poisoned
                    : new JournalException.Poisoned("the journal was poisoned by a fault: " + e.getMessage(), e);
            lastResult = AppendResult.POISONED; // for a flush that finds nothing to commit
            appender.positions.poison(e);
            report(e);
        }
    }

    private void report(Throwable e) {
        try {
            errors.accept(e);
        } catch (Throwable ignored) {
            // The others are still to be told.
        }
        Thread.interrupted(); // as in `tell`
    }

    boolean isPoisoned() {
        return poison != null;
    }

    /// The fault that ended everything, for a producer.
    JournalException.Poisoned poisoned() {
        JournalException.Poisoned cause = Objects.requireNonNull(poison);
        return new JournalException.Poisoned(String.valueOf(cause.getMessage()), cause);
    }
}
