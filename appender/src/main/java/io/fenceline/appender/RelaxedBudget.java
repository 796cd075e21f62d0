package io.fenceline.appender;

import java.util.concurrent.atomic.AtomicLong;

/// What was accepted relaxed and is not durable: kept within a [LossBound] by taking from it before an entry is
/// accepted, and giving back when it is durable (or lost).
///
/// Any number of threads take, the committing thread gives back. Progress: lock-free; whoever gets nothing owns
/// nothing.
final class RelaxedBudget {
    private static final int LENGTH_BITS = 42;
    private static final long LENGTH_MASK = (1L << LENGTH_BITS) - 1;
    private static final long ONE_ENTRY = 1L << LENGTH_BITS;

    private final int maximumEntries;
    private final long maximumLengthBytes;
    private final long delayNs;

    /// `[entries | bytes]` under way. An entry longer than the bound makes it exceed 2^40 by less than 2^28.
    private final AtomicLong underWay = new AtomicLong();

    private volatile boolean wanted;

    /// @param maximumLengthBytes the bound in bytes is not greater
    RelaxedBudget(LossBound bound, long maximumLengthBytes) {
        this.maximumEntries = bound.entries();
        this.maximumLengthBytes = Math.min(bound.lengthBytes(), maximumLengthBytes);
        this.delayNs = bound.delayNs();
    }

    /// Takes what one entry needs.
    ///
    /// @param lengthBytes of the entry in a frame
    /// @return false if it would exceed the bound: then the committing thread is told not to wait for more
    boolean take(int lengthBytes) {
        while (true) {
            long now = underWay.get();
            boolean fits = (now >>> LENGTH_BITS) < maximumEntries
                    && (now == 0 || (now & LENGTH_MASK) + lengthBytes <= maximumLengthBytes);
            if (!fits) {
                if (!wanted) {
                    wanted = true;
                }
                // What was given back before the flag was set could have been all.
                if (underWay.get() == now) {
                    return false;
                }
            } else if (underWay.compareAndSet(now, now + ONE_ENTRY + lengthBytes)) {
                return true;
            }
        }
    }

    /// They are durable, or lost.
    void giveBack(int entries, long lengthBytes) {
        wanted = false;
        underWay.addAndGet(-(entries * ONE_ENTRY + lengthBytes));
    }

    /// Whether that many, gathered, should be committed now.
    boolean isUrgent(int entries, long lengthBytes) {
        return wanted || entries > maximumEntries / 2 || lengthBytes > maximumLengthBytes / 2;
    }

    long delayNs() {
        return delayNs;
    }

    int entries() {
        return (int) (underWay.get() >>> LENGTH_BITS);
    }

    long lengthBytes() {
        return underWay.get() & LENGTH_MASK;
    }
}
