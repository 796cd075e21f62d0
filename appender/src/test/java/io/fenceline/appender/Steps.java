package io.fenceline.appender;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A random run in steps, some of which may be left out: each has a number and random numbers of its own, so that what
/// is left of a run is a run, too. If one fails, [#run] looks for the fewest of its steps that still do.
///
/// The method is the delta debugging of Zeller and Hildebrandt ("Simplifying and Isolating Failure-Inducing Input",
/// IEEE TSE 28(2), 2002), without its complements: ever smaller parts of what is left are left out, as long as that
/// fails.
final class Steps {
    private static final int MOST_RUNS = 400;
    private static final long MOST_NS = TimeUnit.SECONDS.toNanos(60);
    private static final int SHOWN = 40;

    private final long seed;
    private final @Nullable Set<Integer> kept;
    private final Set<Integer> taken = new TreeSet<>();
    private final List<String> said = new ArrayList<>();

    private Steps(long seed, @Nullable Set<Integer> kept) {
        this.seed = seed;
        this.kept = kept;
    }

    /// Of a run that takes them all.
    static Steps all(long seed) {
        return new Steps(seed, null);
    }

    /// Whether to take a step. Each has another number.
    synchronized boolean takes(int step) {
        boolean takes = kept == null || kept.contains(step);
        if (takes) {
            taken.add(step);
        }
        return takes;
    }

    /// The random numbers of a step, whichever others are taken. (A generator's state grows by the same number at each
    /// draw: those of steps must not begin at multiples of it.)
    SplittableRandom random(int step) {
        return new SplittableRandom(seed ^ new SplittableRandom(step).nextLong());
    }

    /// Says what the step that is under way does.
    synchronized void say(String what) {
        said.add(what);
    }

    /// Runs with all steps; if that fails, with fewer and fewer of them.
    ///
    /// @return what the run does
    /// @throws AssertionError of the last run that was seen to fail, which is the shortest of them, with its steps
    static <T> T run(long seed, Function<Steps, T> run) {
        Steps all = all(seed);
        try {
            return run.apply(all);
        } catch (RuntimeException | Error e) {
            throw all.shortest(run, e);
        }
    }

    private AssertionError shortest(Function<Steps, ?> run, Throwable found) {
        Steps shortest = this;
        Throwable failure = found;
        int of = taken.size();
        int runs = 0;
        long startNs = System.nanoTime();
        int part = of;
        int from = 0;
        while (part > 0 && runs < MOST_RUNS && System.nanoTime() - startNs < MOST_NS) {
            if (from >= shortest.taken.size()) { // each part of that length was left out once
                part = part == 1 ? 0 : (part + 1) / 2;
                from = 0;
                continue;
            }
            List<Integer> fewer = new ArrayList<>(shortest.taken);
            fewer.subList(from, Math.min(fewer.size(), from + part)).clear();
            Steps shorter = new Steps(seed, Set.copyOf(fewer));
            Throwable other = shorter.failure(run);
            runs++;
            if (other == null) {
                from += part;
            } else {
                shortest = shorter;
                failure = other;
            }
        }
        AssertionError error = new AssertionError(
                failure.getMessage() + "\nfails with " + shortest.taken.size() + " of " + of
                        + " steps, and with fewer it was not seen to: " + shortest,
                failure);
        if (shortest.taken.size() < of) {
            error.addSuppressed(found); // it may be another one
        }
        return error;
    }

    private @Nullable Throwable failure(Function<Steps, ?> run) {
        try {
            var _ = run.apply(this);
            return null;
        } catch (RuntimeException | Error e) {
            return e;
        }
    }

    @Override
    public synchronized String toString() {
        int left = Math.max(0, said.size() - SHOWN);
        return (left == 0 ? "" : left + " others, ") + String.join(", ", said.subList(left, said.size()));
    }
}
