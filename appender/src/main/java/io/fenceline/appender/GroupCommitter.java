package io.fenceline.appender;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The committing side of group commit: gathers entries in a run of an exclusive appender, commits it under one drain,
/// then tells the listeners in the order of positions. One thread.
///
/// A run is refused as a whole if the journal has no room for it. Its durable entries are told so; its relaxed ones
/// stay, first in the next run, so that nothing behind them is ever acknowledged without them.
final class GroupCommitter {
    /// In the place of a listener, for an entry that was appended relaxed: nobody is told.
    enum Relaxed implements CommitListener {
        RELAXED;

        @Override
        public void onCommit(long result, long sequence) {}
    }

    private static final int SYNC_SAMPLES = 16;

    private final ExclusiveAppender appender;
    private final Consumer<Throwable> errors;
    private final FrameRun run;
    private final RelaxedBudget budget;
    private final @Nullable CommitListener[] listeners;
    private final long[] syncNs = new long[SYNC_SAMPLES];
    private int syncs;
    private final int maximumBatch;
    private int pending;
    private int relaxed;
    private long relaxedLengthBytes;
    private int lastSize = 1;
    private long lastResult;
    private long gatheringSinceNs;
    private volatile JournalException.@Nullable Poisoned poison;

    GroupCommitter(
            ExclusiveAppender appender, GroupCommitConfig config, RelaxedBudget budget, Consumer<Throwable> errors) {
        this.appender = appender;
        this.errors = errors;
        this.budget = budget;
        this.maximumBatch = config.maximumBatch();
        run = appender.run(config.maximumBatchLengthBytes());
        // Relaxed entries of a refused run stay in it, however many.
        listeners = new CommitListener[Math.max(maximumBatch, config.lossBound().entries() + 1)];
    }

    /// Adds an entry; commits what was gathered before, if there is no room for it.
    void add(MemorySegment payload, int length, int type, @Nullable CommitListener listener) {
        if (pending >= maximumBatch || !run.hasRoom(length)) {
            commit();
            if (pending > 0 && !(listener instanceof Relaxed)) {
                tell(listener, lastResult, -1); // there was no room for those before it
                return;
            }
        }
        try {
            run.add(payload, length, type);
        } catch (RuntimeException | Error e) {
            // No memory to stage it: nothing may be lost silently, so everything ends here.
            poison(e);
        }
        if (pending == 0) {
            gatheringSinceNs = System.nanoTime();
        }
        listeners[pending++] = listener;
        if (listener instanceof Relaxed) {
            relaxed++;
            relaxedLengthBytes += FrameDescriptor.entryLength(length);
        }
    }

    /// When the first entry of this run came, or the last attempt to commit it failed.
    long gatheringSinceNs() {
        return gatheringSinceNs;
    }

    /// What was handed over before a flush is committed, or failed.
    void tellFlushed(@Nullable CommitListener listener) {
        tell(listener, lastResult, -1);
    }

    /// Entries that were gathered and not committed.
    int pending() {
        return pending;
    }

    /// Whether nobody waits for any of them.
    boolean isRelaxed() {
        return pending == relaxed;
    }

    /// Whether what is gathered, all relaxed, should be committed before its time.
    boolean isUrgent() {
        return lastResult >= 0 && budget.isUrgent(relaxed, relaxedLengthBytes);
    }

    /// Entries in the last commit.
    int lastSize() {
        return lastSize;
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
        long sequence = appender.nextSequence();
        long result;
        try {
            result = poison == null ? appender.commit(run, appender.positions.timestampNs()) : AppendResult.POISONED;
        } catch (RuntimeException | Error e) {
            poison(e);
            result = AppendResult.POISONED;
        }
        gatheringSinceNs = System.nanoTime();
        syncNs[syncs++ % SYNC_SAMPLES] = gatheringSinceNs - startNs;
        lastResult = result;
        lastSize = pending;
        if (result >= 0) {
            tellCommitted(sequence);
        } else {
            refuse(result);
        }
    }

    private void tellCommitted(long firstSequence) {
        int size = pending;
        forgetRelaxed();
        pending = 0;
        int frame = 0;
        int left = run.entries(0);
        for (int i = 0; i < size; i++, left--) {
            if (left == 0) {
                left = run.entries(++frame);
            }
            CommitListener listener = listeners[i];
            listeners[i] = null;
            tell(listener, run.position(frame), firstSequence + i);
        }
        run.clear();
    }

    private void refuse(long result) {
        int size = pending;
        pending = 0;
        if (result == AppendResult.FULL && relaxed > 0) {
            run.retain(i -> listeners[i] instanceof Relaxed);
        } else {
            run.clear();
            reportLost(result);
        }
        int kept = run.entries();
        for (int i = 0; i < size; i++) {
            CommitListener listener = listeners[i];
            listeners[i] = null;
            if (!(listener instanceof Relaxed)) {
                tell(listener, result, -1);
            }
        }
        Arrays.fill(listeners, 0, kept, Relaxed.RELAXED);
        pending = kept;
    }

    /// Gives up the relaxed entries that no commit has taken: the appender is being closed.
    void abandon() {
        run.clear();
        Arrays.fill(listeners, 0, pending, null);
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
    private void poison(Throwable e) {
        if (poison == null) {
            poison = e instanceof JournalException.Poisoned poisoned
                    ? poisoned
                    : new JournalException.Poisoned("the journal was poisoned by a fault: " + e.getMessage(), e);
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
