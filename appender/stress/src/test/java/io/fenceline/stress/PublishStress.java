package io.fenceline.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/// Frames that become durable at once: none is published before those in front of it, and none is forgotten,
/// whoever looks first.
@JCStressTest
@Outcome(id = "(0|64|192|256), 256", expect = Expect.ACCEPTABLE, desc = "a prefix was seen, all is published")
@State
public class PublishStress {
    private final Threads threads = new Threads(0);

    @Actor
    public void first() {
        threads.reservations.published(0, 64);
    }

    @Actor
    public void others(JJ_Result r) {
        threads.reservations.published(64, 192);
        threads.reservations.published(192, 256);
        r.r1 = threads.run.published();
    }

    @Arbiter
    public void published(JJ_Result r) {
        r.r2 = threads.run.published();
    }
}
