package io.fenceline.journal.positions;

/// Sets the wall clock of this JVM's journals forwards or back, until it is closed.
public final class ShiftedClock implements AutoCloseable {
    /// @param shiftNs added to the time
    public ShiftedClock(long shiftNs) {
        shift(shiftNs);
    }

    /// Sets it anew.
    public void shift(long shiftNs) {
        CachedClock.shift(shiftNs);
    }

    @Override
    public void close() {
        CachedClock.shift(0);
    }
}
