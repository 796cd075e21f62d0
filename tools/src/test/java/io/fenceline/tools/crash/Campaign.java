package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.tools.crash.Report.Kind;
import java.util.List;
import java.util.Random;

/// Rounds of: a writer process appends under load, a tailer process follows, SIGKILL, recovery, comparison with what
/// the witness has. All rounds are on one journal, so that laps, leases and epochs add up.
final class Campaign {
    private static final int SHORTEST_LIFE_MS = 5;
    private static final int LONGEST_LIFE_MS = 150;
    private static final int LONGEST_OPENING_MS = 60;
    private static final int LAST_FRAMES = 1000;

    private final Durability durability;
    private final JournalUnderTest journal;
    private final Random random;
    private final Witness witness;

    Campaign(Durability durability, JournalUnderTest journal) {
        this.durability = durability;
        this.journal = journal;
        this.random = new Random(journal.seed());
        this.witness = new Witness(journal);
    }

    /// @return what happened, in a line
    String run(int kills) {
        int checks = 0;
        int openings = 0;
        try (Children children = new Children(1)) {
            ChildProcess tailer = follow(children, "oldest");
            for (int kill = 0; kill < kills; kill++) {
                killUnderLoad(children, tailer);
                if (random.nextInt(6) == 0) {
                    killWhileOpening(children, tailer);
                    openings++;
                }
                if (random.nextInt(3) != 0) {
                    recover();
                    checks++;
                    if (random.nextInt(4) == 0) {
                        tailer.close();
                        tailer = follow(children, "newest");
                    }
                }
            }
            closeInOrder(children);
            mark(tailer);
        }
        return "%s: %d kills under load, %d while opening, %d checks; %d frames acknowledged, %d seen by a tailer that"
                        .formatted(
                                durability,
                                kills,
                                openings,
                                checks + 1,
                                witness.acknowledgedFrames(),
                                witness.seenFrames())
                + " was overrun " + witness.overruns() + " times; last position " + witness.lastPosition();
    }

    private ChildProcess follow(Children children, String start) {
        witness.tailed();
        ChildProcess tailer = children.tailer(journal, start);
        mark(tailer);
        return tailer;
    }

    private void mark(ChildProcess tailer) {
        witness.seen(tailer.send("mark").awaitAll(Kind.MARK));
    }

    private void killUnderLoad(Children children, ChildProcess tailer) {
        String policy = random.nextBoolean() ? "OVERWRITE" : "RETAIN";
        ChildProcess writer = children.writer(journal, policy, Long.MAX_VALUE, "wait");
        witness.opened(writer.await(Kind.OPENED), writer.await(Kind.NEXT));
        witness.acknowledged(writer.await(Kind.FRAME));
        writer.letRun(SHORTEST_LIFE_MS + random.nextInt(LONGEST_LIFE_MS - SHORTEST_LIFE_MS + 1));
        writer.kill();
        witness.acknowledged(writer.rest());
        mark(tailer);
    }

    /// The kill may come before, in or after recovery, or not before the first entries.
    private void killWhileOpening(Children children, ChildProcess tailer) {
        ChildProcess writer = children.writer(journal, "OVERWRITE", Long.MAX_VALUE, "wait");
        writer.letRun(random.nextInt(LONGEST_OPENING_MS));
        writer.kill();
        List<Report> reports = writer.rest();
        if (reports.size() >= 2) {
            witness.opened(reports.get(0), reports.get(1));
            witness.acknowledged(reports.subList(2, reports.size()));
        }
        mark(tailer);
    }

    /// A dry run first, which must come to the same conclusion.
    private void recover() {
        RecoveryReport foretold;
        try (ReadOnlyJournal reader = Journal.openReadOnly(journal.directory())) {
            foretold = reader.inspectRecovery();
        }
        try (Journal opened = Journal.open(journal.directory())) {
            RecoveryReport recovery = opened.recovery();
            assertEquals(RecoveryReport.Verdict.RECOVERED, recovery.verdict());
            assertEquals(foretold.lastSequence(), recovery.lastSequence(), "last sequence, dry run and recovery");
            assertEquals(foretold.lastPosition(), recovery.lastPosition(), "last position, dry run and recovery");
            assertEquals(foretold.nextPosition(), recovery.nextPosition(), "next position, dry run and recovery");
            assertEquals(durability, opened.durability().durability());
            witness.opened(opened);
            witness.check(opened);
        }
    }

    /// A clean close by another process; then nothing is to recover.
    private void closeInOrder(Children children) {
        ChildProcess writer = children.writer(journal, "OVERWRITE", LAST_FRAMES, "close");
        assertEquals(0, writer.exitCode(), writer::errors);
        List<Report> reports = writer.rest();
        witness.opened(reports.get(0), reports.get(1));
        witness.acknowledged(reports.subList(2, reports.size()));
        try (Journal opened = Journal.open(journal.directory())) {
            assertEquals(RecoveryReport.Verdict.CLEAN, opened.recovery().verdict());
            assertEquals(witness.nextSequence() - 1, opened.recovery().lastSequence());
            witness.opened(opened);
            witness.check(opened);
            assertTrue(opened.published() > opened.capacityBytes(), "frames and burnt leases fill more than a lap");
        }
    }
}
