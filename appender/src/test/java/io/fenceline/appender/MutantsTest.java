package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.TestLevels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The judges are judged: each defect of `mutants.txt` is killed by the judge that it names, and each judge lets the
/// product itself live. `-Dfenceline.mutant=REGEX` runs some of them, by name.
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class MutantsTest {
    private static final Path ROOT =
            Path.of(System.getProperty("fenceline.root", "..")).toAbsolutePath();
    private static final Pattern ONLY = Pattern.compile(System.getProperty("fenceline.mutant", ".*"));
    private static final Pattern INVARIANT = Pattern.compile("\\bI\\d+(, I\\d+)*\\b");
    private static final int THREADS = 2;

    /// A defect may also show as an endless wait.
    private static final long PATIENCE_S = 20;

    /// What came of one mutant.
    ///
    /// @param verdict what the judge said; null: nothing, the mutant lives
    /// @param remark  more to say
    private record Outcome(Mutant mutant, @Nullable String verdict, double seconds, String remark) {
        String invariant() {
            Matcher matcher = INVARIANT.matcher(String.valueOf(verdict));
            return verdict == null ? "SURVIVED" : matcher.find() ? matcher.group() : "rule";
        }

        @Override
        public String toString() {
            return "%5.2f s  %-10s %-16s %-60s %s"
                    .formatted(
                            seconds,
                            invariant(),
                            mutant.judge().name().toLowerCase(Locale.ROOT),
                            mutant.name(),
                            verdict == null
                                    ? remark
                                    : verdict.lines().findFirst().orElse(""));
        }
    }

    private static List<Mutant> mutants() throws IOException {
        return Mutant.parse(Files.readAllLines(
                ROOT.resolve(System.getProperty("fenceline.mutants", "appender/src/test/resources/mutants.txt"))));
    }

    private static Outcome outcome(Mutant mutant) {
        long startNs = System.nanoTime();
        ClassLoader product;
        try {
            product = mutant.load(ROOT);
        } catch (AssertionError e) {
            return new Outcome(mutant, null, 0, String.valueOf(e.getMessage()));
        }
        CompletableFuture<@Nullable String> verdict = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("mutant").start(() -> {
            try {
                mutant.judge().judge(product);
                verdict.complete(null);
            } catch (Throwable e) {
                verdict.complete(String.valueOf(e.getMessage() == null ? e : e.getMessage())
                        .strip());
            }
        });
        String said;
        try {
            said = verdict.get(PATIENCE_S, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            said = "no progress in " + PATIENCE_S + " s";
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
        return new Outcome(mutant, said, (System.nanoTime() - startNs) / 1e9, "");
    }

    private static List<Outcome> outcomes(List<Mutant> mutants) throws Exception {
        List<Outcome> outcomes = new ArrayList<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(THREADS)) {
            List<CompletableFuture<Outcome>> futures = mutants.stream()
                    .map(mutant -> CompletableFuture.supplyAsync(() -> outcome(mutant), pool))
                    .toList();
            for (CompletableFuture<Outcome> future : futures) {
                outcomes.add(future.get());
                System.out.println(outcomes.getLast());
            }
        }
        return outcomes;
    }

    @Tag("slow")
    @Timeout(value = 3, unit = TimeUnit.HOURS)
    @Test
    void shouldKillEveryMutant() throws Exception {
        kill(1);
    }

    /// Every third of them; all of them by the tag `slow`.
    @Test
    void shouldKillEveryThirdMutant() throws Exception {
        kill(3);
    }

    /// Of all mutants, those too that this build does not run: whoever changes the code changes them with it.
    @Test
    void shouldFindTheTextOfEveryMutant() throws IOException {
        assertAll(mutants().stream().map(mutant -> () -> mutant.patch(ROOT)));
    }

    private static void kill(int oneIn) throws Exception {
        assumeTrue(TestLevels.forcedStrategy() == null, "mutants and their judges are of the default persist strategy");
        List<Mutant> mutants = mutants();
        assertTrue(
                mutants.size() >= 60 || System.getProperty("fenceline.mutants") != null,
                () -> mutants.size() + " mutants");
        List<Mutant> picked = new ArrayList<>();
        for (int i = 0; i < mutants.size(); i++) {
            if (i % oneIn == 0 && ONLY.matcher(mutants.get(i).name()).find()) {
                picked.add(mutants.get(i));
            }
        }
        long startNs = System.nanoTime();
        List<Outcome> outcomes = outcomes(picked);
        List<String> survivors = outcomes.stream()
                .filter(o -> o.verdict() == null)
                .map(o -> o.mutant().name() + " (" + o.mutant().judge() + ")")
                .toList();
        System.out.printf(
                "%d mutants, %d killed, %.1f s%n",
                outcomes.size(), outcomes.size() - survivors.size(), (System.nanoTime() - startNs) / 1e9);
        assertEquals(List.of(), survivors, "these live: what judges them is broken");
    }

    /// The canary of every judge: it kills some mutant (above), so it checks something; and it lets the product live.
    @Test
    void shouldLetTheProductLive() throws Exception {
        List<Mutant> none = new ArrayList<>();
        Set<Judge> used = EnumSet.noneOf(Judge.class);
        mutants().forEach(mutant -> used.add(mutant.judge()));
        used.forEach(judge -> none.add(new Mutant("(no defect)", judge, List.of())));
        assertEquals(EnumSet.allOf(Judge.class), used, "a judge without a mutant: who says that it checks anything?");
        List<Outcome> outcomes = outcomes(none);
        List<Outcome> killed =
                outcomes.stream().filter(o -> o.verdict() != null).toList();
        assertEquals(List.of(), killed);
    }
}
