package io.fenceline.journal.positions;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// Tells whether one thread is inside an append; see [Positions#enter].
public final class Activity {
    private static final VarHandle ACTIVE;

    static {
        try {
            ACTIVE = MethodHandles.lookup().findVarHandle(Activity.class, "active", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("UnusedVariable") // through ACTIVE
    private boolean active;

    /// Begins something; the load of the flag "closed" comes next.
    public void enter() {
        ACTIVE.setOpaque(this, true);
    }

    /// Ends an append (release).
    public void exit() {
        ACTIVE.setRelease(this, false);
    }

    boolean isActive() {
        return (boolean) ACTIVE.getAcquire(this);
    }
}
