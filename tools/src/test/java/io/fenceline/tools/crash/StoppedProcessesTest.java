package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.tools.crash.Report.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Processes that are stopped (SIGSTOP) at random moments, for as long as somebody else needs, and continued: what a
/// debugger does, a frozen container, a machine that swaps.
final class StoppedProcessesTest {
    private static final int ROUNDS = 12;

    // Goal: a writer that was stopped anywhere in an append goes on as if nothing had been; a tailer over which the
    // ring went while it was stopped, be it in the middle of copying, is told so and is never shown torn bytes: it
    // compares each. Method: stop one of the two at a random moment, in turn; the ring is lapped under the tailer.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldLoseAndTearNothingWhenWriterAndTailerAreStopped(Durability level) {
        assumeTrue(
                level != Durability.DEVICE || JournalUnderTest.isDeviceThere(),
                "the build's directory is on a file system in memory: no DEVICE");
        long seed = Long.getLong("fenceline.seed", new Random().nextLong());
        System.out.println("StoppedProcessesTest: " + level + ", to repeat: mvn verify -pl tools -am -Dfenceline.seed="
                + seed + " -Dtest=StoppedProcessesTest -Dsurefire.failIfNoSpecifiedTests=false");
        Random random = new Random(seed);
        JournalUnderTest journal = JournalUnderTest.create(level, 64 << 10, 2, seed, "stopped-" + level);
        journal.keepIfFailing(() -> {
            Witness witness = new Witness(journal);
            List<Report> seen = new ArrayList<>();
            try (Children children = new Children(1)) {
                ChildProcess tailer = children.tailer(journal, "oldest");
                witness.tailed();
                mark(tailer, seen);
                ChildProcess writer = children.writer(journal, "OVERWRITE", Long.MAX_VALUE, "wait");
                witness.opened(writer.await(Kind.OPENED), writer.await(Kind.NEXT));
                for (int round = 0; round < ROUNDS; round++) {
                    witness.acknowledged(writer, 1 + random.nextInt(100));
                    ChildProcess stopped = round % 2 == 0 ? writer : tailer;
                    stopped.signal("STOP");
                    stopped.awaitState('T');
                    if (stopped == writer) {
                        mark(tailer, seen);
                    } else {
                        long end = witness.acknowledged(writer, 1).position() + (130 << 10);
                        while (witness.acknowledged(writer, 1).position() < end) {
                            assertTrue(writer.isAlive());
                        }
                    }
                    stopped.signal("CONT");
                }
                writer.kill();
                witness.acknowledged(writer.rest());
                seen.addAll(tailer.send("mark").awaitAll(Kind.MARK));
                witness.seen(seen);
            }
            assertTrue(witness.overruns() > 0, "the ring never went past the tailer");
            try (Journal opened = Journal.open(journal.directory())) {
                witness.opened(opened);
                witness.check(opened);
                assertEquals(level, opened.durability().durability());
            }
        });
    }

    private static void mark(ChildProcess tailer, List<Report> seen) {
        List<Report> reports = tailer.send("mark").awaitAll(Kind.MARK);
        seen.addAll(reports.subList(0, reports.size() - 1));
    }
}
