package io.fenceline.stress;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJ_Result;

/// The end of all reservations against one that rotates: either it has a place in front of the end, and is published,
/// or it has none.
@JCStressTest
@Outcome(id = "4096, 4224, 4224", expect = Expect.ACCEPTABLE, desc = "reserved, then closed")
@Outcome(id = "-1, 4096, 4096", expect = Expect.ACCEPTABLE, desc = "closed behind the PAD")
@Outcome(id = "-1, 4032, 4032", expect = Expect.ACCEPTABLE, desc = "closed, then refused")
@State
public class CloseReservationsStress {
    private final Threads threads = Threads.at(Threads.SEGMENT - 64);
    private final long guess = threads.reservations.word();

    @Actor
    public void append(JJJ_Result r) {
        r.r1 = threads.append(guess, 128);
    }

    @Actor
    public void close(JJJ_Result r) {
        r.r2 = threads.fromOrigin(threads.reservations.lastPosition(threads.reservations.close()));
    }

    @Arbiter
    public void published(JJJ_Result r) {
        r.r2 = threads.fromOrigin(threads.reservations.lastPosition(threads.reservations.close()));
        r.r3 = threads.fromOrigin(threads.run.published());
    }
}
