package io.fenceline.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJ_Result;

/// Reserve, rotate, publish, help: two threads at the end of a segment, one of whose frames does not fit. Whoever is
/// first, places are disjoint, in one order, and all is published.
@JCStressTest
@Outcome(id = "4032, 4096, 4224", expect = Expect.ACCEPTABLE, desc = "the short one first")
@Outcome(id = "4224, 4096, 4288", expect = Expect.ACCEPTABLE, desc = "the long one first, behind its PAD")
@Outcome(id = "4096, 4160, 4288", expect = Expect.ACCEPTABLE, desc = "the short one between the PAD and the long one")
@State
public class RotateStress {
    private final Threads threads = Threads.at(Threads.SEGMENT - 64);
    private final long guess = threads.reservations.word();

    @Actor
    public void appendShort(JJJ_Result r) {
        r.r1 = threads.append(guess, 64);
    }

    @Actor
    public void appendLong(JJJ_Result r) {
        r.r2 = threads.append(guess, 128);
    }

    @Arbiter
    public void published(JJJ_Result r) {
        r.r3 = threads.fromOrigin(threads.run.published());
        threads.done();
    }
}
