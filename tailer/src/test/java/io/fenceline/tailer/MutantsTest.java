package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.mutants.MutantList;
import io.fenceline.journal.mutants.TestJudge;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The tests of the read path are judged: each defect of `mutants.txt` is killed by the tests that it names. That
/// these let the product itself live, the build shows without this. `-Dfenceline.mutant=REGEX` runs some of them.
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class MutantsTest {
    private static MutantList mutants() throws IOException {
        String list = System.getProperty("fenceline.mutants");
        return MutantList.read(
                list == null ? "tailer/src/test/resources/mutants.txt" : list,
                name -> TestJudge.of(MutantsTest.class.getPackageName() + "." + name));
    }

    @Tag("slow")
    @Test
    void shouldKillEveryMutant() throws Exception {
        assertTrue(mutants().size() >= 30, () -> "fewer mutants than there were");
        mutants().kill(1);
    }

    /// Every fifth of them; all of them by the tag `slow`.
    @Test
    void shouldKillEveryFifthMutant() throws Exception {
        mutants().kill(5);
    }

    /// Of all mutants, those too that this build does not run: whoever changes the code changes them with it.
    @Test
    void shouldFindTheTextOfEveryMutant() throws IOException {
        mutants().findTexts();
    }
}
