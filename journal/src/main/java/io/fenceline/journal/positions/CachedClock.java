package io.fenceline.journal.positions;

import io.fenceline.journal.persist.Posix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Wall-clock time in nanoseconds since the epoch, either read now (some 25 ns) or from a word that one daemon
/// thread of the JVM refreshes every half millisecond while anybody uses it.
final class CachedClock {
    private static final long REFRESH_NS = 500_000;
    private static final Object LOCK = new Object();
    private static volatile long cachedNs;
    private static volatile long shiftNs;
    private static int users;
    private static @Nullable Thread refresher;

    private CachedClock() {}

    /// Starts the refreshing thread for the first user.
    static void acquire() {
        synchronized (LOCK) {
            users++;
            if (users == 1) {
                cachedNs = preciseNs(newTimespec());
                refresher = Thread.ofPlatform().daemon().name("fenceline-clock").start(CachedClock::refresh);
            }
        }
    }

    /// The thread ends with the last user.
    static void release() {
        synchronized (LOCK) {
            users--;
        }
    }

    private static void refresh() {
        MemorySegment timespec = newTimespec();
        while (true) {
            cachedNs = preciseNs(timespec);
            LockSupport.parkNanos(REFRESH_NS);
            synchronized (LOCK) {
                if (users == 0 || Thread.currentThread() != refresher) {
                    return;
                }
            }
        }
    }

    static long cachedNs() {
        return cachedNs;
    }

    static MemorySegment newTimespec() {
        return Arena.ofAuto().allocate(16, 8);
    }

    /// From now on all journals of this JVM see the clock changed by so much, as if somebody had set it.
    static void shift(long shiftNs) {
        synchronized (LOCK) {
            CachedClock.shiftNs = shiftNs;
            cachedNs = preciseNs(newTimespec());
        }
    }

    static long preciseNs(MemorySegment timespec) {
        Posix.clockRealtime(timespec.address());
        return shiftNs
                + timespec.get(ValueLayout.JAVA_LONG, 0) * 1_000_000_000L
                + timespec.get(ValueLayout.JAVA_LONG, 8);
    }
}
