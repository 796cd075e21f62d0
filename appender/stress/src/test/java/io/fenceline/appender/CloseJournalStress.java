package io.fenceline.appender;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJZ_Result;

/// The close of a journal against an append, which it waits for without a fence in the append: clean, with the entry or
/// without it.
@JCStressTest
@Outcome(id = "64, 2, true", expect = Expect.ACCEPTABLE, desc = "appended, then closed")
@Outcome(id = "-2, 1, true", expect = Expect.ACCEPTABLE, desc = "closed, then refused")
@State
public class CloseJournalStress {
    private final OpenJournal journal = new OpenJournal();

    @Actor
    public void append(JJZ_Result r) {
        r.r1 = journal.append();
    }

    @Actor
    public void close(JJZ_Result r) {
        r.r3 = journal.positions.close() && journal.isClean();
    }

    @Arbiter
    public void entries(JJZ_Result r) {
        journal.appender.close();
        r.r2 = journal.entriesRecovered();
    }
}
