package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.mutants.MutantList;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The judges are judged: each defect of `mutants.txt` is killed by the judge that it names, and each judge lets the
/// product itself live. `-Dfenceline.mutant=REGEX` runs some of them, by name. Those of the module `tailer` are its
/// own `MutantsTest`'s.
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class MutantsTest {
    private static MutantList mutants() throws IOException {
        String list = System.getProperty("fenceline.mutants");
        MutantList mutants = MutantList.read(
                list == null ? "appender/src/test/resources/mutants.txt" : list, name -> Judge.valueOf(name)::judge);
        assertTrue(list != null || mutants.size() >= 60, () -> mutants.size() + " mutants");
        return mutants;
    }

    @Tag("slow")
    @Timeout(value = 3, unit = TimeUnit.HOURS)
    @Test
    void shouldKillEveryMutant() throws Exception {
        mutants().kill(1);
    }

    /// Every third of them; all of them by the tag `slow`.
    @Test
    void shouldKillEveryThirdMutant() throws Exception {
        mutants().kill(3);
    }

    /// Of all mutants, those too that this build does not run: whoever changes the code changes them with it.
    @Test
    void shouldFindTheTextOfEveryMutant() throws IOException {
        mutants().findTexts();
    }

    @Test
    void shouldLetTheProductLive() throws Exception {
        MutantList mutants = mutants();
        assertEquals(
                Arrays.stream(Judge.values()).map(Judge::name).collect(Collectors.toSet()),
                mutants.judges(),
                "a judge without a mutant: who says that it checks anything?");
        mutants.letTheProductLive();
    }
}
