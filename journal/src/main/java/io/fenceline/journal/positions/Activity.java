package io.fenceline.journal.positions;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

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

    private final @Nullable Thread owner;

    /// @param owner the only thread that uses it, null if there is no such
    Activity(@Nullable Thread owner) {
        this.owner = owner;
    }

    /// Begins something; the load of the flag "closed" comes next.
    public void enter() {
        ACTIVE.setOpaque(this, true);
    }

    /// Ends an append (release).
    public void exit() {
        ACTIVE.setRelease(this, false);
    }

    /// A thread whose stack was used up so that not even [#exit] could be called is over when it has ended.
    boolean isActive() {
        return (boolean) ACTIVE.getAcquire(this) && (owner == null || owner.isAlive());
    }
}
