package io.fenceline.appender;

import java.util.concurrent.locks.LockSupport;

/// A thread that waits for its own entry; reused.
final class CommitWaiter implements CommitListener {
    /// A wake-up takes longer than most syncs: the core is offered to others for so long before the thread sleeps.
    private static final long YIELD_NS = 1_000_000;

    private final Thread thread = Thread.currentThread();
    private long sequence = -1;
    private long result;
    private volatile boolean done;
    private volatile boolean sleeping;

    CommitWaiter begin() {
        done = false;
        return this;
    }

    @Override
    public void onCommit(long result, long sequence) {
        this.result = result;
        if (sequence >= 0) { // else a flush, or nothing was appended
            this.sequence = sequence;
        }
        done = true;
        if (sleeping) { // both are volatile: either this is seen here, or `done` there
            LockSupport.unpark(thread);
        }
    }

    /// Not interruptible: the entry is on its way. The flag is kept.
    long await() {
        boolean interrupted = false;
        long startNs = System.nanoTime();
        while (!done) {
            if (System.nanoTime() - startNs < YIELD_NS) {
                Thread.yield();
            } else {
                sleeping = true;
                if (!done) {
                    LockSupport.park(this);
                }
                sleeping = false;
                interrupted |= Thread.interrupted();
            }
        }
        if (interrupted) {
            thread.interrupt();
        }
        return result;
    }

    /// Of the last entry that was appended; -1 before the first.
    long sequence() {
        return sequence;
    }
}
