package io.fenceline.appender;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJ_Result;

/// The close of an appender against an append: it is there and published when `close` returns, or was refused and is
/// not there.
@JCStressTest
@Outcome(id = "64, 128, 2", expect = Expect.ACCEPTABLE, desc = "appended, then closed")
@Outcome(id = "-2, 64, 1", expect = Expect.ACCEPTABLE, desc = "closed, then refused")
@State
public class CloseAppenderStress {
    private final OpenJournal journal = new OpenJournal();

    @Actor
    public void append(JJJ_Result r) {
        r.r1 = journal.append();
    }

    @Actor
    public void close(JJJ_Result r) {
        journal.appender.close();
        r.r2 = journal.positions.run().published();
    }

    @Arbiter
    public void entries(JJJ_Result r) {
        journal.positions.close();
        r.r3 = journal.entries();
    }
}
