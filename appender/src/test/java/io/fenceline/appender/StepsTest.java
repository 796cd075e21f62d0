package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class StepsTest {
    private static final int STEPS = 200;

    /// Goal: of a run that fails, the steps that it takes to fail are found, and the last run was that of these.
    @Test
    void shouldFindTheFewestStepsThatFail() {
        List<List<Integer>> runs = new ArrayList<>();
        AssertionError failed = assertThrows(
                AssertionError.class,
                () -> Steps.run(1, steps -> {
                    List<Integer> taken = new ArrayList<>();
                    for (int step = 0; step < STEPS; step++) {
                        if (steps.takes(step)) {
                            steps.say("step " + step);
                            taken.add(step);
                        }
                        if (taken.containsAll(List.of(17, 90, 91, 150))) {
                            runs.add(taken);
                            throw new IllegalStateException("it fails");
                        }
                    }
                    return taken;
                }));
        assertEquals(List.of(17, 90, 91, 150), runs.getLast());
        assertEquals(
                "it fails\n"
                    + "fails with 4 of 151 steps, and with fewer it was not seen to: step 17, step 90, step 91, step"
                    + " 150",
                failed.getMessage());
        assertTrue(failed.getCause() instanceof IllegalStateException);
    }

    /// Goal: what a step does is the same, whichever others are left out.
    @Test
    void shouldGiveEachStepTheSameNumbersWhicheverOthersAreTaken() {
        Map<Integer, Long> first = new HashMap<>();
        assertThrows(
                AssertionError.class,
                () -> Steps.run(7, steps -> {
                    for (int step = 0; step < STEPS; step++) {
                        if (steps.takes(step)) {
                            long drawn = steps.random(step).nextLong();
                            assertEquals(first.computeIfAbsent(step, s -> drawn), drawn);
                        }
                    }
                    throw new IllegalStateException("every run fails");
                }));
        assertEquals(STEPS, first.size());
        assertEquals(STEPS, first.values().stream().distinct().count());
    }

    /// Goal: no step draws what another one does, whatever the seed.
    @Test
    void shouldGiveStepsNumbersOfTheirOwn() {
        for (long seed = 0; seed < 60; seed++) {
            Set<Long> drawn = new HashSet<>();
            for (int step = -1; step < STEPS; step++) {
                SplittableRandom random = Steps.all(seed).random(step);
                for (int i = 0; i < 8; i++) {
                    assertTrue(drawn.add(random.nextLong()), "drawn twice, seed " + seed + ", step " + step);
                }
            }
        }
    }
}
