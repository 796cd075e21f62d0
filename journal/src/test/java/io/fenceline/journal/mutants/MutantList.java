package io.fenceline.journal.mutants;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.TestLevels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A list of defects, each with the judge that must kill it, and the run of them. `-Dfenceline.mutant=REGEX` runs those
/// whose name holds a match, whatever part of the list a test takes otherwise.
public final class MutantList {
    private static final Path ROOT =
            Path.of(System.getProperty("fenceline.root", "..")).toAbsolutePath();
    private static final @Nullable String ONLY = System.getProperty("fenceline.mutant");
    private static final Pattern INVARIANT = Pattern.compile("\\bI\\d+(, I\\d+)*\\b");
    private static final int THREADS = 2;

    /// What a product is put to.
    @FunctionalInterface
    public interface Judge {
        /// Judges the product as a loader has it; throws what was found.
        ///
        /// @param product whose classes are judged
        void judge(ClassLoader product) throws Throwable;
    }

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
                            mutant.judge(),
                            mutant.name(),
                            verdict == null
                                    ? remark
                                    : verdict.lines().findFirst().orElse(""));
        }
    }

    private final List<Mutant> mutants;
    private final Function<String, Judge> judges;

    private MutantList(List<Mutant> mutants, Function<String, Judge> judges) {
        this.mutants = mutants;
        this.judges = judges;
    }

    /// @param file   of the project; see [Mutant#parse]
    /// @param judges by the names that the file has for them
    public static MutantList read(String file, Function<String, Judge> judges) throws IOException {
        return new MutantList(Mutant.parse(Files.readAllLines(ROOT.resolve(file))), judges);
    }

    public int size() {
        return mutants.size();
    }

    /// The judges of its mutants, each once.
    public Set<String> judges() {
        Set<String> used = new TreeSet<>();
        mutants.forEach(mutant -> used.add(mutant.judge()));
        return used;
    }

    /// Fails if the text of a mutant is not in the product exactly once.
    public void findTexts() {
        assertAll(mutants.stream().map(mutant -> () -> mutant.patch(ROOT)));
    }

    /// Fails if a mutant lives, or if none is picked.
    ///
    /// @param oneIn of so many
    public void kill(int oneIn) throws Exception {
        assumeTrue(TestLevels.forcedStrategy() == null, "mutants and their judges are of the default persist strategy");
        List<Mutant> picked = picked(oneIn);
        assertFalse(picked.isEmpty(), () -> "no mutant of this list is called " + ONLY);
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

    private List<Mutant> picked(int oneIn) {
        if (ONLY != null) {
            Pattern only = Pattern.compile(ONLY);
            return mutants.stream()
                    .filter(mutant -> only.matcher(mutant.name()).find())
                    .toList();
        }
        return IntStream.range(0, mutants.size())
                .filter(i -> i % oneIn == 0)
                .mapToObj(mutants::get)
                .toList();
    }

    /// Fails if a judge does not let the product itself live. That is the canary of every judge: it kills some mutant,
    /// so it checks something.
    public void letTheProductLive() throws Exception {
        List<Mutant> none = new ArrayList<>();
        judges().forEach(judge -> none.add(new Mutant("(no defect)", judge, List.of())));
        List<Outcome> killed =
                outcomes(none).stream().filter(o -> o.verdict() != null).toList();
        assertEquals(List.of(), killed);
    }

    private Outcome outcome(Mutant mutant) {
        long startNs = System.nanoTime();
        ClassLoader product;
        try {
            product = mutant.load(ROOT);
        } catch (AssertionError e) {
            return new Outcome(mutant, null, 0, String.valueOf(e.getMessage()));
        }
        Trial trial = new Trial(() -> judges.apply(mutant.judge()).judge(product));
        return new Outcome(mutant, trial.verdict(), (System.nanoTime() - startNs) / 1e9, "");
    }

    private List<Outcome> outcomes(List<Mutant> mutants) throws Exception {
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
}
