package io.fenceline.appender;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.JournalException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The committing side of group commit: gathers entries in a batch of an exclusive appender, commits it as one
/// frame, then tells the listeners in order. One thread.
final class GroupCommitter {
    private static final int SYNC_SAMPLES = 16;

    private final ExclusiveAppender appender;
    private final Consumer<Throwable> errors;
    private final @Nullable CommitListener[] listeners;
    private final long[] syncNs = new long[SYNC_SAMPLES];
    private int syncs;
    private @Nullable Batch batch;
    private int pending;
    private int lastSize = 1;
    private long lastResult;
    private long gatheringSinceNs;
    private volatile JournalException.@Nullable Poisoned poison;

    GroupCommitter(ExclusiveAppender appender, int maximumBatch, Consumer<Throwable> errors) {
        this.appender = appender;
        this.errors = errors;
        listeners = new CommitListener[maximumBatch];
    }

    /// Adds an entry; commits what was gathered before, if there is no room for it.
    void add(MemorySegment payload, int length, int type, @Nullable CommitListener listener) {
        if (pending == listeners.length || (pending > 0 && !batch().hasRoom(length))) {
            commit();
        }
        try {
            batch().add(payload, length, type);
        } catch (RuntimeException | Error e) {
            // No memory to stage it: nothing may be lost silently, so everything ends here.
            poison(e);
        }
        if (pending == 0) {
            gatheringSinceNs = System.nanoTime();
        }
        listeners[pending++] = listener;
    }

    /// When the first entry of this batch came.
    long gatheringSinceNs() {
        return gatheringSinceNs;
    }

    /// What was handed over before a flush is committed, or failed.
    void tellFlushed(@Nullable CommitListener listener) {
        tell(listener, lastResult, -1);
    }

    private Batch batch() {
        if (batch == null) {
            batch = appender.batch();
        }
        return batch;
    }

    /// Entries that were gathered and not committed.
    int pending() {
        return pending;
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

    /// Commits what was gathered, in one frame, under one fence or one `fdatasync`, and tells the listeners.
    void commit() {
        if (pending == 0) {
            return;
        }
        Batch open = batch();
        long startNs = System.nanoTime();
        long firstSequence = appender.nextSequence();
        long result;
        try {
            result = poison == null ? open.commit() : AppendResult.POISONED;
        } catch (RuntimeException | Error e) {
            poison(e);
            result = AppendResult.POISONED;
        }
        syncNs[syncs++ % SYNC_SAMPLES] = System.nanoTime() - startNs;
        open.abort(); // after success it is not open any more; after a failure its entries are forgotten
        batch = null;
        lastResult = result;
        int size = pending;
        pending = 0;
        lastSize = size;
        for (int i = 0; i < size; i++) {
            CommitListener listener = listeners[i];
            listeners[i] = null;
            tell(listener, result, result >= 0 ? firstSequence + i : -1);
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

    /// The fault that ended everything, for a waiting producer.
    JournalException.Poisoned poisoned() {
        JournalException.Poisoned cause = Objects.requireNonNull(poison);
        return new JournalException.Poisoned(String.valueOf(cause.getMessage()), cause);
    }
}
