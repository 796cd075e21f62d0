package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.tools.crash.Report.Kind;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// A service that a supervisor restarts again and again: it opens the journal, appends one entry, is killed.
final class CrashLoopTest {
    private static final int LOOPS = 20;
    private static final int SLOW_LOOPS = 500;
    private static final int SEGMENT_LENGTH_BYTES = JournalConfig.DEFAULT_SEGMENT_LENGTH_BYTES;
    private static final int SEGMENT_COUNT = JournalConfig.DEFAULT_SEGMENT_COUNT;

    // Each crash burns what is left of a lease; the first lease is short, so that 500 crashes do not fill the ring.
    @Test
    void shouldKeepAllAndNotFillTheRingWhenEachStartAppendsOneAndIsKilled() {
        loop(Durability.MEMORY, SEGMENT_LENGTH_BYTES, SEGMENT_COUNT, "FAIL", LOOPS);
    }

    @Test
    @Tag("slow")
    void shouldKeepAllAndNotFillTheRingWhenFiveHundredStartsAppendOneAndAreKilled() {
        loop(Durability.PROCESS, SEGMENT_LENGTH_BYTES, SEGMENT_COUNT, "FAIL", SLOW_LOOPS);
    }

    // The last entry stays although the burnt leases alone go round the ring of two segments several times.
    @Test
    void shouldKeepTheLastEntryWhenCrashesLapASmallRing() {
        loop(Durability.PROCESS, 256 << 10, 2, "OVERWRITE", LOOPS);
    }

    @Test
    @Tag("slow")
    void shouldKeepTheLastEntryWhenFiveHundredCrashesLapASmallRing() {
        loop(Durability.PROCESS, 2 << 20, 2, "OVERWRITE", SLOW_LOOPS);
    }

    private static void loop(Durability durability, int segmentLength, int segments, String policy, int loops) {
        JournalUnderTest journal = JournalUnderTest.create(durability, segmentLength, segments, loops, "loop");
        journal.keepIfFailing(() -> {
            Witness witness = new Witness(journal);
            try (Children children = new Children(2)) {
                for (int i = 0; i < loops; i++) {
                    ChildProcess writer = children.writer(journal, policy, 1, "wait");
                    witness.opened(writer.await(Kind.OPENED), writer.await(Kind.NEXT));
                    witness.acknowledged(writer.await(Kind.FRAME));
                    writer.kill();
                    assertEquals(0, writer.rest().size(), "reports after the one frame");
                }
            }
            try (Journal opened = Journal.open(journal.directory())) {
                witness.opened(opened);
                witness.check(opened);
                boolean lapped = opened.published() > opened.capacityBytes();
                assertEquals(policy.equals("OVERWRITE"), lapped, "lapped: published " + opened.published());
                assertTrue(lapped || opened.retained() == 0, "nothing was given up");
            }
        });
    }

    // A crash before the first append burns nothing.
    @Test
    void shouldStayAtItsPositionWhenKilledWithoutAnAppend() {
        JournalUnderTest journal = JournalUnderTest.create(Durability.PROCESS, 64 << 10, 2, 1, "idle");
        journal.keepIfFailing(() -> {
            Witness witness = new Witness(journal);
            try (Children children = new Children(2)) {
                ChildProcess first = children.writer(journal, "FAIL", 3, "wait");
                witness.opened(first.await(Kind.OPENED), first.await(Kind.NEXT));
                for (int i = 0; i < 3; i++) {
                    witness.acknowledged(first.await(Kind.FRAME));
                }
                first.kill();
                long position = -1;
                for (int i = 0; i < 8; i++) {
                    ChildProcess idle = children.writer(journal, "FAIL", 0, "wait");
                    Report last = idle.await(Kind.OPENED);
                    Report next = idle.await(Kind.NEXT);
                    witness.opened(last, next);
                    assertTrue(position < 0 || position == next.position(), "moved to " + next + " from " + position);
                    position = next.position();
                    idle.kill();
                }
            }
            try (Journal opened = Journal.open(journal.directory())) {
                witness.opened(opened);
                witness.check(opened);
            }
        });
    }
}
