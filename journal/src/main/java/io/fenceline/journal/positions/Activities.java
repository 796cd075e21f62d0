package io.fenceline.journal.positions;

import java.lang.foreign.Arena;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// The threads that may be inside something that is to be closed, at no cost to them.
///
/// A thread stores `active`, then loads a flag "closed"; the closer stores the flag, then waits here. That is
/// Dekker's pattern, and needs a full fence on both sides. The closer pays for both: closing a shared arena makes
/// the JVM bring every thread to a safepoint poll (a handshake), and no poll lies between a thread's store and its
/// load. So a thread that passed before the handshake is seen as active, and one that comes after it sees the flag.
public final class Activities {
    private static final long PARK_NS = 20_000;

    private final List<WeakReference<Activity>> known = new CopyOnWriteArrayList<>();

    /// Makes something known that one thread at a time is inside of. It is forgotten when nobody holds the activity any
    /// more.
    public Activity register() {
        return register(null);
    }

    /// Makes a thread known.
    public Activity register(@Nullable Thread owner) {
        Activity activity = new Activity(owner);
        known.removeIf(reference -> reference.get() == null);
        known.add(new WeakReference<>(activity));
        return activity;
    }

    /// Waits until no thread is inside that entered before the caller stored its flag.
    public void awaitQuiet() {
        awaitQuiet(Long.MAX_VALUE);
    }

    /// The same, for a limited time.
    ///
    /// @return false if a thread is still inside
    public boolean awaitQuiet(long timeoutNs) {
        handshake();
        long startNs = System.nanoTime();
        for (WeakReference<Activity> reference : known) {
            Activity activity = reference.get();
            while (activity != null && activity.isActive()) {
                if (System.nanoTime() - startNs > timeoutNs) {
                    return false;
                }
                LockSupport.parkNanos(PARK_NS);
            }
        }
        return true;
    }

    /// Brings every thread to a safepoint poll.
    @SuppressWarnings("MustBeClosedChecker") // closing it is all that is wanted
    private static void handshake() {
        Arena.ofShared().close();
    }
}
