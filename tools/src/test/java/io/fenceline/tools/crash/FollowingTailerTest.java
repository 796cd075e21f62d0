package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.tools.crash.Report.Kind;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A tailer that is opened once, in a process of its own, and sees writers come and go.
final class FollowingTailerTest {
    private static final int WRITERS = 9;
    private static final int FRAMES = 60;

    // Writers alternately close and are killed, over more than one lap. The tailer is never so far behind that the
    // ring could go past it, so it sees each frame once, across seals and reopenings.
    @Test
    void shouldSeeEverythingOnceInOrderWhenWritersDieRecoverCloseAndLap() {
        JournalUnderTest journal = JournalUnderTest.create(Durability.PROCESS, 64 << 10, 8, 4, "follow");
        journal.keepIfFailing(() -> {
            Witness witness = new Witness(journal);
            try (Children children = new Children(1)) {
                ChildProcess tailer = children.tailer(journal, "oldest");
                witness.tailed();
                witness.seen(tailer.send("mark").awaitAll(Kind.MARK));
                for (int i = 0; i < WRITERS; i++) {
                    boolean kill = i % 3 != 2;
                    ChildProcess writer = children.writer(journal, "OVERWRITE", FRAMES, kill ? "wait" : "close");
                    witness.opened(writer.await(Kind.OPENED), writer.await(Kind.NEXT));
                    for (int frame = 0; frame < FRAMES; frame++) {
                        witness.acknowledged(writer.await(Kind.FRAME));
                    }
                    if (kill) {
                        writer.kill();
                    } else {
                        assertEquals(0, writer.exitCode(), writer::errors);
                    }
                    assertEquals(List.of(), writer.rest());
                    witness.seen(tailer.send("mark").awaitAll(Kind.MARK));
                }
            }
            assertEquals(0, witness.overruns());
            assertEquals(WRITERS * FRAMES, witness.acknowledgedFrames());
            assertEquals(WRITERS * FRAMES, witness.seenFrames());
            try (Journal opened = Journal.open(journal.directory())) {
                assertTrue(witness.lastPosition() > opened.capacityBytes(), "no lap");
                witness.opened(opened);
                witness.check(opened);
            }
        });
    }
}
