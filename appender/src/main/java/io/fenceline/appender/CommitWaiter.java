package io.fenceline.appender;

import io.fenceline.journal.positions.Activity;
import java.util.concurrent.locks.LockSupport;

/// A thread that waits for its own entry; reused.
final class CommitWaiter implements CommitListener {
    private static final int SPINS = 200;

    private final Thread thread = Thread.currentThread();

    /// Whether the thread is handing an entry over.
    final Activity activity;

    private long sequence;
    private long result;
    private volatile boolean done;

    CommitWaiter(Activity activity) {
        this.activity = activity;
    }

    CommitWaiter begin() {
        done = false;
        return this;
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

    long sequence() {
        return sequence;
    }
}
