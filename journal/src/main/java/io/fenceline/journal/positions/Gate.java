package io.fenceline.journal.positions;

import java.util.function.BooleanSupplier;

/// A gate of this process: the writer gives nothing up at or behind its position.
///
/// Threads: one at a time moves and frees.
public final class Gate {
    private final ReadersFile readers;
    private final int number;

    Gate(ReadersFile readers, int number) {
        this.readers = readers;
        this.number = number;
    }

    /// Holds the ring from a position on; see [ReadersFile].
    ///
    /// @param isWriterAlive asked only if a writer is reclaiming just now
    /// @return false if that was given up, or is being: find another place, and hold again
    public boolean hold(long position, LogView view, BooleanSupplier isWriterAlive) {
        return readers.hold(number, position, view, isWriterAlive);
    }

    /// What lies before is not needed any more (release).
    public void move(long position) {
        readers.move(number, position);
    }

    public long position() {
        return readers.position(number);
    }

    /// Holds nothing any more.
    public void free() {
        readers.free(number);
    }
}
