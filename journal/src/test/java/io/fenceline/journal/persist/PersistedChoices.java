package io.fenceline.journal.persist;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// The ways in which undecided units may be decided: for each unit the number of one of its versions, 0 the
/// oldest.
final class PersistedChoices {
    private static final int TRIES = 200;

    private final int[] sizes;
    private final boolean garbage;

    /// @param sizes   number of versions of each unit, in the order of their first stores
    /// @param garbage whether any units may also have the number `sizes[i]`, which stands for junk
    PersistedChoices(int[] sizes, boolean garbage) {
        this.sizes = sizes;
        this.garbage = garbage;
    }

    long forEach(int few, int samples, RandomGenerator random, Consumer<int[]> use) {
        long calls = isAtMost(few) ? all(use) : some(samples, random, use);
        if (garbage && sizes.length > 0) {
            for (int i = 0; i < Math.min(samples, 2 * sizes.length); i++) {
                int[] choice = i % 2 == 0 ? new int[sizes.length] : sample(random);
                int junk = sizes.length <= samples / 2 ? i / 2 : random.nextInt(sizes.length);
                choice[junk] = sizes[junk];
                use.accept(choice);
                calls++;
            }
            use.accept(sizes.clone());
            calls++;
            for (int i = 0; i < samples; i++) {
                int[] choice = sample(random);
                for (int k = 0; k < sizes.length; k++) {
                    choice[k] = random.nextInt(3) == 0 ? sizes[k] : choice[k];
                }
                use.accept(choice);
                calls++;
            }
        }
        return calls;
    }

    /// Takes back, bit by bit, what was lost, as long as it fails.
    ///
    /// @param failed a choice that fails
    /// @return one that fails, too, and loses as little as was found by trying [#TRIES] times at most
    int[] fewestLost(int[] failed, Predicate<int[]> fails) {
        int[] fewest = failed.clone();
        List<Integer> lost = new ArrayList<>(lost(failed));
        int left = TRIES;
        for (int n = lost.size(); n > 0; n /= 2) {
            for (int from = 0; from < lost.size() && left > 0; left--) {
                List<Integer> part = lost.subList(from, Math.min(lost.size(), from + n));
                int[] fewer = fewest.clone();
                part.forEach(i -> fewer[i] = sizes[i] - 1);
                if (fails.test(fewer.clone())) {
                    fewest = fewer;
                    part.clear();
                } else {
                    from += n;
                }
            }
        }
        return fewest;
    }

    /// Units that have not their newest version.
    List<Integer> lost(int[] choice) {
        return IntStream.range(0, choice.length)
                .filter(i -> choice[i] != sizes[i] - 1)
                .boxed()
                .toList();
    }

    private boolean isAtMost(int few) {
        long product = 1;
        for (int size : sizes) {
            product *= size;
            if (product > few) {
                return false;
            }
        }
        return true;
    }

    private long all(Consumer<int[]> use) {
        int[] choice = new int[sizes.length];
        long calls = 0;
        while (true) {
            use.accept(choice);
            calls++;
            int i = 0;
            while (i < sizes.length && ++choice[i] == sizes[i]) {
                choice[i++] = 0;
            }
            if (i == sizes.length) {
                return calls;
            }
        }
    }

    private long some(int samples, RandomGenerator random, Consumer<int[]> use) {
        int n = sizes.length;
        use.accept(new int[n]);
        use.accept(newest());
        long calls = 2;
        boolean each = n <= samples;
        for (int k = 0; k < Math.min(n, samples); k++) {
            int i = each ? k : random.nextInt(n);
            int[] missing = newest();
            missing[i] = random.nextInt(sizes[i] - 1);
            use.accept(missing);
            int[] alone = new int[n];
            alone[i] = 1 + random.nextInt(sizes[i] - 1);
            use.accept(alone);
            int[] prefix = newest();
            Arrays.fill(prefix, i, n, 0);
            use.accept(prefix);
            calls += 3;
        }
        for (int k = 0; k < samples; k++) {
            use.accept(sample(random));
        }
        return calls + samples;
    }

    private int[] newest() {
        return Arrays.stream(sizes).map(size -> size - 1).toArray();
    }

    /// Few, half or most of the units are new.
    private int[] sample(RandomGenerator random) {
        int[] choice = new int[sizes.length];
        int eighths = 1 + random.nextInt(7);
        for (int i = 0; i < sizes.length; i++) {
            choice[i] = random.nextInt(8) < eighths ? 1 + random.nextInt(sizes[i] - 1) : 0;
        }
        return choice;
    }
}
