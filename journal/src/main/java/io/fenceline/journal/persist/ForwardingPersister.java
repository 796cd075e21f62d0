package io.fenceline.journal.persist;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A persister that stands in front of another one, to see or to change some of what passes.
///
/// Each step goes on to the medium. What joins steps ([#persist], [#persistFrame]) is that of [Persister]: it comes
/// by the [#store] and the [#drain] of the one in front.
public abstract class ForwardingPersister implements Persister {
    private final Persister medium;

    protected ForwardingPersister(Persister medium) {
        this.medium = medium;
    }

    @Override
    public void store(long fileOffset, long sourceAddress, long lengthBytes) {
        medium.store(fileOffset, sourceAddress, lengthBytes);
    }

    @Override
    public void drain() {
        medium.drain();
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
    public void checkFile() {
        medium.checkFile();
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
        return medium.fault();
    }

    @Override
    public void poison(Throwable cause) {
        medium.poison(cause);
    }
}
