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
    private final Threads threads = Threads.at(0);
    private final long origin = threads.origin;

    public PublishStress() {
        threads.reserve(64);
        threads.reserve(128);
        threads.reserve(64);
    }

    @Actor
    public void first() {
        threads.reservations.published(origin, origin + 64);
    }

    @Actor
    public void others(JJ_Result r) {
        threads.reservations.published(origin + 64, origin + 192);
        threads.reservations.published(origin + 192, origin + 256);
        r.r1 = threads.fromOrigin(threads.run.published());
    }

    @Arbiter
    public void published(JJ_Result r) {
        r.r2 = threads.fromOrigin(threads.run.published());
        threads.done();
    }
}
