package io.fenceline.journal.mutants;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class TrialTest {
    @Test
    void shouldSayWhereAJudgeWaitsThatNeverEnds() {
        CountDownLatch never = new CountDownLatch(1);
        String verdict = String.valueOf(new Trial(never::await, 3).verdict());
        assertTrue(verdict.startsWith("no progress in 3 looks: mutant"), verdict);
        never.countDown();
    }

    @Test
    void shouldTellWhatAJudgeFindsAndThatItFindsNothing() {
        Trial finding = new Trial(
                () -> {
                    throw new AssertionError("I1: gone");
                },
                3);
        assertEquals("I1: gone", finding.verdict());
        assertNull(new Trial(() -> {}, 3).verdict());
    }

    // The worst that a busy machine does to a judge that works: it has some of a processor now and then. That is fewer
    // looks apart than a verdict asks for.
    @Test
    void shouldWaitForAJudgeThatHasLittleOfAProcessor() {
        assertNull(new Trial(
                        () -> {
                            for (int i = 0; i < 6; i++) {
                                Thread.sleep(200);
                                compute(10_000_000);
                            }
                        },
                        8)
                .verdict());
    }

    private static void compute(long ns) {
        var threads = ManagementFactory.getThreadMXBean();
        long endNs = threads.getCurrentThreadCpuTime() + ns;
        while (threads.getCurrentThreadCpuTime() < endNs) {
            Thread.onSpinWait();
        }
    }
}
