package io.fenceline.appender;

import com.lmax.disruptor.AlertException;
import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.SingleProducerSequencer;
import com.lmax.disruptor.TimeoutException;
import com.lmax.disruptor.WaitStrategy;
import io.fenceline.journal.positions.Activities;
import java.util.Arrays;
import java.util.Objects;

/// The lanes of all producing threads. The committing thread waits for any of them by a wait strategy of the
/// Disruptor, which sees them as one sequence.
final class Lanes {
    private static final long SOMETHING = 0;
    private static final long NOTHING = -1;

    private final int laneLengthBytes;
    private final WaitStrategy waitStrategy;
    private final SequenceBarrier barrier;
    private final Activities activities = new Activities();
    private volatile Lane[] all = {};

    /// What the wait strategy waits for.
    private final Sequence any = new Sequence() {
        @Override
        public long get() {
            return isEmpty() ? NOTHING : SOMETHING;
        }
    };

    Lanes(GroupCommitConfig config) {
        this.laneLengthBytes = config.laneLengthBytes();
        this.waitStrategy = Objects.requireNonNull(config.waitStrategy().get(), "the supplier gave no wait strategy");
        this.barrier = new SingleProducerSequencer(1, waitStrategy).newBarrier();
    }

    /// A lane for the calling thread. Those of threads that have ended are forgotten.
    Lane add() {
        Lane lane = new Lane(laneLengthBytes, waitStrategy, activities.register(Thread.currentThread()));
        synchronized (this) {
            Lane[] known = all;
            Lane[] next = new Lane[known.length + 1];
            int count = 0;
            for (Lane old : known) {
                if (old.owner.isAlive() || !old.isEmpty()) {
                    next[count++] = old;
                }
            }
            next[count++] = lane;
            all = Arrays.copyOf(next, count);
        }
        return lane;
    }

    private boolean isEmpty() {
        for (Lane lane : all) {
            if (!lane.isEmpty()) {
                return false;
            }
        }
        return true;
    }

    /// Lanes with something to be taken.
    int waiting() {
        int count = 0;
        for (Lane lane : all) {
            count += lane.isEmpty() ? 0 : 1;
        }
        return count;
    }

    /// By the committing thread: takes what is there.
    ///
    /// @return false if there was nothing
    boolean takeTo(GroupCommitter committer) {
        boolean found = false;
        for (Lane lane : all) {
            found |= lane.takeTo(committer);
        }
        return found;
    }

    /// By the committing thread: returns when something is there, or after [#alert], or early.
    void await() {
        try {
            waitStrategy.waitFor(SOMETHING, any, any, barrier);
        } catch (AlertException | TimeoutException e) {
            // Look again.
        } catch (InterruptedException e) {
            // Of a user's strategy or listener: not for the committing thread, and cleared.
        }
    }

    /// @throws IllegalStateException if the calling thread is just writing an entry: whoever waited for that would wait
    ///                               for itself
    void checkUnclaimed() {
        for (Lane lane : all) {
            if (lane.owner == Thread.currentThread()) {
                lane.checkUnclaimed();
            }
        }
    }

    /// Waits until no thread is handing something over that began before the caller stored its flag.
    void awaitQuiet() {
        activities.awaitQuiet();
    }

    /// Ends the wait of the committing thread, for good.
    void alert() {
        barrier.alert();
    }
}
