package io.fenceline.proof.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Checks the model of rotation, lease, epoch and retained: every interleaving, every image of a power cut.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ModelTest {
    @TempDir
    Path directory;

    private int runs;

    private void prove(Model model, long leastStates, long timeoutS) throws IOException, InterruptedException {
        Model.Result result = model.check(next(), Model.INVARIANTS, timeoutS);
        assertEquals("", result.violated(), result::output);
        assertTrue(result.states() >= leastStates, () -> result.states() + " states only: " + model);
        System.out.println("docs/model: " + result.states() + " states, no counter-example: " + model);
    }

    private synchronized Path next() {
        return directory.resolve("run" + runs++);
    }

    @Test
    void shouldHoldForTwoAppendersATailerTwoLapsAndACrash() throws IOException, InterruptedException {
        prove(new Model().with("Tailing", "TRUE").with("SegmentSlots", 2).with("Stride", 2), 50_000, 240);
    }

    // Each segment ends with a PAD.
    @Test
    void shouldHoldForTwoAppendersAndACrashWithPads() throws IOException, InterruptedException {
        prove(new Model().with("Stride", 2), 50_000, 240);
    }

    @Test
    @Tag("slow")
    void shouldHoldForTwoAppendersATailerTwoLapsAndACrashWithPads() throws IOException, InterruptedException {
        prove(new Model().with("Tailing", "TRUE"), 500_000, 3600);
    }

    // Short frames beside long ones: PADs of every length, exact fits; two crashes, so that recovery is cut, too.
    @Test
    void shouldHoldWhenRecoveryIsCutAndFramesDifferInLength() throws IOException, InterruptedException {
        prove(
                new Model()
                        .with("Threads", "{a1}")
                        .with("SegmentSlots", 2)
                        .with("Laps", 1)
                        .with("Lengths", "{1, 2}")
                        .with("Stride", 2)
                        .with("Crashes", 2),
                1_000,
                120);
    }

    @Test
    void shouldHoldAtProcessWhenTheMachineGoesDownToo() throws IOException, InterruptedException {
        prove(process(), 1_000, 120);
    }

    private static Model process() {
        return new Model()
                .with("Threads", "{a1}")
                .with("SegmentSlots", 2)
                .with("Laps", 1)
                .with("Lengths", "{1}")
                .with("Stride", 2)
                .with("Crashes", 2)
                .with("Process", "TRUE");
    }

    @Test
    @Tag("slow")
    void shouldHoldForShortAndLongFramesAndACrash() throws IOException, InterruptedException {
        prove(new Model().with("SegmentSlots", 2).with("Lengths", "{1, 2}").with("Stride", 2), 1_000_000, 3600);
    }

    @Test
    @Tag("slow")
    void shouldHoldForThreeLapsATailerAndACrash() throws IOException, InterruptedException {
        prove(new Model().with("Tailing", "TRUE").with("Laps", 3).with("Stride", 2), 20_000_000, 4 * 3600);
    }

    @Test
    @Tag("slow")
    void shouldHoldForTwoCrashesWithPads() throws IOException, InterruptedException {
        prove(new Model().with("Crashes", 2).with("Stride", 2), 1_000_000, 4 * 3600);
        prove(process().with("Lengths", "{1, 2}"), 5_000_000, 4 * 3600);
    }

    // A model that cannot fail proves nothing: each rule that is taken away must cost an invariant.
    @ParameterizedTest
    @CsvSource({
        "lease not durable before use,                            1, 2, {2}, 2, 2, 1, PositionsInOrder",
        "lease not bounded by retained,                           1, 2, {2}, 6, 2, 1, PositionsInOrder",
        "floor ahead of published,                                1, 2, {2}, 2, 2, 1, PositionsInOrder",
        "retained past the floor,                                 1, 2, {2}, 2, 2, 1, LogIsWhole",
        "retained not durable before reuse,                       2, 2, {2}, 2, 2, 0, NoProblem",
        "shared retained after the reuse,                         2, 2, {2}, 2, 2, 0, NoProblem",
        "retained looked at before the copy,                      2, 2, {2}, 2, 2, 0, NoProblem",
        "next base from the live word,                            1, 2, {1}, 2, 2, 0, SequencesIncrease",
        "rotation without a CAS,                                  1, 2, {1}, 2, 2, 0, PositionsInOrder",
        "published jumps over a gap,                              1, 2, {2}, 2, 2, 0, LogIsWhole",
        "published is not looked at again,                        1, 2, {2}, 2, 2, 0, NoPublicationIsLost",
        "publish before the fence,                                2, 2, {2}, 2, 2, 1, ShownIsThere",
        "recovery does not persist what it keeps,                 1, 1, {2}, 2, 1, 2, LogIsWhole",
        "record not persisted before the PADs,                    1, 1, {2}, 2, 1, 2, NoProblem",
        "record of the next epoch before the PADs are durable,    1, 1, {2}, 2, 1, 2, LogIsWhole",
        "lease burnt short,                                       1, 1, {2}, 2, 2, 1, NoProblem",
        "epoch not increased,                                     0, 1, {1}, 2, 1, 2, NothingReturnsFromTheWindow",
    })
    void shouldFindACounterExampleWhenARuleIsBroken(
            String rule, int kind, int laps, String lengths, int stride, int threads, int crashes, String invariant)
            throws IOException, InterruptedException {
        Model model = (kind == 0 ? process() : new Model().with("SegmentSlots", 2))
                .with("Tailing", kind == 2 ? "TRUE" : "FALSE")
                .with("Laps", laps)
                .with("Lengths", lengths)
                .with("Stride", stride)
                .with("Threads", threads == 1 ? "{a1}" : "{a1, a2}")
                .with("Crashes", crashes)
                .broken(rule);
        Model.Result result = model.check(next(), invariant, 120);
        assertEquals(invariant, result.violated(), () -> rule + ": " + result.output());
        System.out.println("docs/model without a rule: " + rule + ": " + invariant + ' ' + result.problem());
    }

    // Each of these says that something does not happen.
    @ParameterizedTest
    @CsvSource({"NeverTwoLaps, 0", "NeverOverrun, 0", "NeverOffered, 0", "NeverSealed, 1", "NeverRotatedTogether, 0"})
    void shouldReachWhatItIsAbout(String claim, int crashes) throws IOException, InterruptedException {
        Model model = new Model()
                .with("Tailing", "TRUE")
                .with("SegmentSlots", 2)
                .with("Stride", 2)
                .with("Crashes", crashes);
        assertEquals(claim, model.check(next(), claim, 120).violated());
    }
}
