package io.fenceline.appender;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJ_Result;

/// A fault against an append: nothing that begins after it is acknowledged, what was acknowledged is recovered.
@JCStressTest
@Outcome(id = "64, -5, 2", expect = Expect.ACCEPTABLE, desc = "appended, then poisoned")
@Outcome(id = "-5, -5, [12]", expect = Expect.ACCEPTABLE, desc = "poisoned before it was known to be durable")
@State
public class PoisonStress {
    private final OpenJournal journal = new OpenJournal();

    @Actor
    public void append(JJJ_Result r) {
        r.r1 = journal.append();
    }

    @Actor
    public void poison(JJJ_Result r) {
        journal.positions.poison(new IllegalStateException("as after a fault"));
        r.r2 = journal.append();
    }

    @Arbiter
    public void entries(JJJ_Result r) {
        journal.appender.close();
        journal.positions.close();
        r.r3 = journal.entriesRecovered();
    }
}
