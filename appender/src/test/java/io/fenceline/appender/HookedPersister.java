package io.fenceline.appender;

import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.ForwardingPersister;
import io.fenceline.journal.persist.Persister;
import org.jspecify.annotations.Nullable;

/// Calls a hook before a thread stores into the ring, drains, goes on after that, or poisons, in that thread, with no
/// lock held: to stop a thread there, or to let it die.
final class HookedPersister extends ForwardingPersister {
    /// Where a thread is.
    enum Step {
        STORE,
        DRAIN,
        DRAINED,
        /// It looks for a fault, as everybody does who waits.
        LOOK,
        POISON
    }

    interface Hook {
        void before(Step step);
    }

    private final Hook hook;

    HookedPersister(Persister medium, Hook hook) {
        super(medium);
        this.hook = hook;
    }

    @Override
    public void store(long fileOffset, long sourceAddress, long lengthBytes) {
        if (fileOffset >= Geometry.HEAD_LENGTH_BYTES) {
            hook.before(Step.STORE);
        }
        super.store(fileOffset, sourceAddress, lengthBytes);
    }

    @Override
    public void drain() {
        hook.before(Step.DRAIN);
        super.drain();
        hook.before(Step.DRAINED);
    }

    @Override
    public @Nullable Throwable fault() {
        hook.before(Step.LOOK);
        return super.fault();
    }

    @Override
    public void poison(Throwable cause) {
        hook.before(Step.POISON);
        super.poison(cause);
    }
}
