package io.fenceline.journal.positions;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/// Who enters beside who closes, with a fence on neither's way in: one that has found it open is seen inside.
@JCStressTest
@Outcome(id = "true, false", expect = Expect.ACCEPTABLE, desc = "inside, and waited for")
@Outcome(id = "false, (true|false)", expect = Expect.ACCEPTABLE, desc = "found closed")
@State
public class HandshakeStress {
    private final Activities activities = new Activities();
    private final Activity activity = activities.register();
    private volatile boolean closed;

    @Actor
    public void enter(ZZ_Result r) {
        activity.enter();
        r.r1 = !closed; // and stays inside
    }

    @Actor
    public void close(ZZ_Result r) {
        closed = true;
        r.r2 = activities.awaitQuiet(0);
    }
}
