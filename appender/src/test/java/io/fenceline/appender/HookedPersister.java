package io.fenceline.appender;

import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.Persister;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Calls a hook before a thread stores into the ring, drains, goes on after that, or poisons, in that thread, with no
/// lock held: to stop a thread there, or to let it die.
final class HookedPersister implements Persister {
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

    private final Persister medium;
    private final Hook hook;

    HookedPersister(Persister medium, Hook hook) {
        this.medium = medium;
        this.hook = hook;
    }

    @Override
    public void store(long fileOffset, long sourceAddress, long lengthBytes) {
        if (fileOffset >= Geometry.HEAD_LENGTH_BYTES) {
            hook.before(Step.STORE);
        }
        medium.store(fileOffset, sourceAddress, lengthBytes);
    }

    @Override
    public void drain() {
        hook.before(Step.DRAIN);
        medium.drain();
        hook.before(Step.DRAINED);
    }

    @Override
    public void rewrite(long fileOffset, long lengthBytes) {
        medium.rewrite(fileOffset, lengthBytes);
    }

    @Override
    public void sync() {
        medium.sync();
    }

    @Override
    public void read(long fileOffset, MemorySegment destination, long destinationOffset, long lengthBytes) {
        medium.read(fileOffset, destination, destinationOffset, lengthBytes);
    }

    @Override
    public void populate(long fileOffset, long lengthBytes) {
        medium.populate(fileOffset, lengthBytes);
    }

    @Override
    public @Nullable Throwable fault() {
        hook.before(Step.LOOK);
        return medium.fault();
    }

    @Override
    public void poison(Throwable cause) {
        hook.before(Step.POISON);
        medium.poison(cause);
    }
}
