package io.fenceline.dax;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.PersistStrategy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Cuts the power again and again while the guest appends at three levels, and holds what the next boot finds against
/// the acknowledgements that had reached this side before the cut.
final class PowerCuts {
    private static final Pattern ACK = Pattern.compile("ACK (MEMORY|DEVICE|PROCESS) ([0-9]+)");
    private static final List<PersistStrategy> STRATEGIES = List.of(PersistStrategy.values());
    private static final Pattern FOUND = Pattern.compile("FOUND (MEMORY|DEVICE|PROCESS) last=(-?[0-9]+) wrong=([0-9]+)"
            + " read=([0-9]+) recovered=(-?[0-9]+) verdict=(\\w+)");

    /// What one level has been through.
    static final class Tally {
        /// The last entry that must be there.
        long acknowledged = -1;

        long acknowledgements;
        long lost;
        int cutsThatLost;
        final List<String> verdicts = new ArrayList<>();
    }

    private final Vm vm;
    private final Random random;
    private final Map<Durability, Tally> tallies = new EnumMap<>(Durability.class);
    private final List<String> lines = new ArrayList<>();

    private PowerCuts(Vm vm, long seed) {
        this.vm = vm;
        random = new Random(seed);
        for (Durability level : Durability.values()) {
            tallies.put(level, new Tally());
        }
    }

    /// Boots, loads, cuts, so many times; then boots once more, checks and verifies.
    static PowerCuts run(Vm vm, int cuts, long seed) throws IOException, InterruptedException {
        PowerCuts result = new PowerCuts(vm, seed);
        long begin = System.nanoTime();
        for (int cut = 0; cut < cuts; cut++) {
            result.bootAndCut(cut);
        }
        int status = vm.run("mem-ctrl", result::hear, "check", PersistStrategy.NT.name());
        assertEquals(0, status, () -> "the last boot: " + result.tail());
        System.out.printf(
                Locale.ROOT,
                "Real DAX: %d power cuts in %d s, seed %d: %s%n",
                cuts,
                (System.nanoTime() - begin) / 1_000_000_000,
                seed,
                result);
        return result;
    }

    /// The first boot is told that caches persist, the others that they do not.
    private void bootAndCut(int cut) throws IOException, InterruptedException {
        PersistStrategy strategy = STRATEGIES.get(cut % STRATEGIES.size());
        long delayMs = random.nextInt(1500);
        Set<Durability> loaded = EnumSet.noneOf(Durability.class);
        CountDownLatch allLoaded = new CountDownLatch(tallies.size());
        CountDownLatch ended = new CountDownLatch(1);
        List<Throwable> failures = new ArrayList<>();
        Thread cutter = Thread.ofPlatform().start(() -> {
            try {
                allLoaded.await();
                if (!ended.await(delayMs, TimeUnit.MILLISECONDS)) {
                    vm.cut(); // at a random moment
                }
            } catch (IOException | InterruptedException | RuntimeException e) {
                failures.add(e);
            }
        });
        int status = vm.run(
                cut == 0 ? "cpu" : "mem-ctrl",
                line -> {
                    Durability level = hear(line);
                    if (level != null && loaded.add(level)) {
                        allLoaded.countDown();
                    }
                },
                "load",
                strategy.name());
        ended.countDown();
        while (allLoaded.getCount() > 0) {
            allLoaded.countDown();
        }
        cutter.join();
        if (cut == 0 && status >= 124 && status <= 125 && lines.stream().noneMatch(line -> line.startsWith("PMEM "))) {
            // That the machine does not come up here, or too slowly, is nothing that the journal could help.
            System.out.println("Real DAX: skipped: the virtual machine does not come up: " + tail());
            assumeTrue(false, () -> "the virtual machine does not come up: " + tail());
        }
        assertEquals(List.of(), failures, this::tail);
        // 124: a machine that is too slow is cut off by the bound, wherever it is: in its recovery, say.
        boolean isCut = status == 137 || status == 124;
        assertTrue(isCut, () -> "cut " + cut + ": the machine ended otherwise (" + status + "): " + tail());
    }

    /// A line from the guest; the last one of a machine that was cut off may be half a line.
    ///
    /// @return of an acknowledgement: whose it was
    private @Nullable Durability hear(String line) {
        if (line.startsWith("ACK ")) {
            Matcher ack = ACK.matcher(line);
            if (!ack.matches()) {
                return null;
            }
            Durability level = Durability.valueOf(ack.group(1));
            Tally tally = tally(level);
            // A number whose end was cut off is smaller than the one before.
            tally.acknowledged = Math.max(tally.acknowledged, Long.parseLong(ack.group(2)));
            tally.acknowledgements++;
            return level;
        }
        lines.add(line);
        Matcher found = FOUND.matcher(line);
        if (found.matches()) {
            found(tally(Durability.valueOf(found.group(1))), found);
        }
        return null;
    }

    private static void found(Tally tally, Matcher found) {
        long last = Long.parseLong(found.group(2));
        assertEquals("0", found.group(3), () -> "entries that nobody appended: " + found.group());
        assertEquals(last, Long.parseLong(found.group(5)), () -> "recovery and tailer differ: " + found.group());
        tally.verdicts.add(found.group(6));
        if (last < tally.acknowledged) {
            tally.lost += tally.acknowledged - last;
            tally.cutsThatLost++;
        }
        tally.acknowledged = last;
    }

    Tally tally(Durability level) {
        return Objects.requireNonNull(tallies.get(level));
    }

    /// What the guest printed, less the acknowledgements.
    List<String> lines() {
        return lines;
    }

    private String tail() {
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
    }

    @Override
    public String toString() {
        List<String> text = new ArrayList<>();
        tallies.forEach((level, tally) -> text.add(level + " " + tally.acknowledgements + " acknowledged, " + tally.lost
                + " of them lost, in " + tally.cutsThatLost + " cuts"));
        return String.join("; ", text);
    }
}
