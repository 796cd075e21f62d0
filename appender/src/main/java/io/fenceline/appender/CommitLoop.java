package io.fenceline.appender;

import java.util.concurrent.locks.LockSupport;

/// What the committing thread does: takes from the lanes, waits for more to gather, commits.
///
/// **Gathering.** Producers that wait for their entries come again when they have been told; without a wait for them
/// they split into two cohorts that each ride every second sync. So a commit waits until all have come that were in
/// the last one, or came while it was under way; or until nobody has come for a tenth of the median commit time, or
/// half of that time, or the maximum delay, has passed. Others gather until as many have come as were in the last
/// commit, or a tenth of its time has passed. A flush, and closing, end it; so does a full run.
final class CommitLoop implements Runnable {
    private static final int SPINS = 100;
    private static final long PARK_NS = 50_000;

    /// Entries that nobody waits for, and that keep coming, gather for so long; if the last commit was of so
    /// many, the thread sleeps meanwhile: producers that fill their lanes are faster when nobody reads the same
    /// cache lines.
    private static final long STREAM_NS = 20_000;

    private static final int STREAM_ENTRIES = 64;

    private final Lanes lanes;
    private final GroupCommitter committer;
    private final GroupCommitConfig config;
    private final RelaxedBudget budget;
    private int spins;
    private long lastArrivalNs;
    private volatile boolean hurried;
    private volatile boolean ending;

    CommitLoop(Lanes lanes, GroupCommitter committer, GroupCommitConfig config, RelaxedBudget budget) {
        this.lanes = lanes;
        this.committer = committer;
        this.config = config;
        this.budget = budget;
    }

    /// From now on nothing gathers.
    void hurry() {
        hurried = true;
    }

    /// Nobody hands anything over any more: commit what is there, and return.
    void end() {
        ending = true;
        lanes.alert();
    }

    @Override
    public void run() {
        boolean over = false;
        while (!over) {
            try {
                over = step();
            } catch (RuntimeException | Error e) {
                committer.poison(e);
            }
        }
    }

    private boolean step() {
        boolean last = ending;
        // What was handed over before a flush was handed over, the sweep after it has seen.
        int covered = committer.flushes();
        boolean found = lanes.takeTo(committer);
        if (covered > 0) {
            committer.commitFlushed(covered);
        }
        if (found) {
            spins = 0;
        }
        if (committer.pending() > 0) {
            if (!gathers(found)) {
                committer.commit();
                if (last && !found && committer.pending() > 0) {
                    committer.abandon();
                }
            }
        } else if (!found && committer.flushes() == 0) {
            if (last) {
                return true;
            }
            lanes.await();
        }
        return false;
    }

    /// Whether to wait for more.
    ///
    /// @param found whether the last look found something
    private boolean gathers(boolean found) {
        if (hurried || committer.flushes() > 0) {
            return false;
        }
        boolean relaxed = committer.isRelaxed();
        boolean waitedFor = committer.isWaitedFor();
        boolean streams = found && !waitedFor;
        long nowNs = System.nanoTime();
        long elapsedNs = nowNs - committer.gatheringSinceNs();
        boolean ready;
        if (relaxed) {
            ready = elapsedNs >= budget.delayNs() || committer.isUrgent(elapsedNs);
        } else if (waitedFor) {
            ready = haveAllCome(found, nowNs, elapsedNs);
        } else {
            long longestNs = streams ? STREAM_NS : committer.medianCommitNs() / 10;
            ready = elapsedNs >= Math.min(config.maximumDelayNs(), longestNs)
                    || (!streams && committer.pending() >= committer.lastSize());
        }
        if (ready) {
            return false;
        }
        if (relaxed && spins++ >= SPINS) {
            LockSupport.parkNanos(PARK_NS);
        } else if (streams && committer.lastSize() >= STREAM_ENTRIES) {
            LockSupport.parkNanos(1); // as short as the kernel can
        } else {
            Thread.yield();
        }
        return true;
    }

    /// Whether all producers have come again, as far as one can know; or whoever is still to come takes too long.
    private boolean haveAllCome(boolean found, long nowNs, long elapsedNs) {
        long arrivedBeforeNs = nowNs - lastArrivalNs;
        if (found || arrivedBeforeNs > elapsedNs) {
            lastArrivalNs = nowNs;
            arrivedBeforeNs = 0;
        }
        long commitNs = committer.medianCommitNs();
        return committer.pending() >= committer.expected()
                || elapsedNs >= Math.min(config.maximumDelayNs(), commitNs / 2)
                || arrivedBeforeNs > commitNs / 10;
    }
}
