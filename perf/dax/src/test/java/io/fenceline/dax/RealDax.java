package io.fenceline.dax;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// What is true of the product on a DAX file system, and on a disk beside it, when the power is cut under load. The
/// cuts are made once, the tests look at what was seen.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class RealDax {
    private final int cuts;

    @SuppressWarnings("NullAway.Init") // before the first test
    private PowerCuts seen;

    RealDax(int cuts) {
        this.cuts = cuts;
    }

    @BeforeAll
    void cutThePower() throws IOException, InterruptedException {
        long seed = Long.getLong("fenceline.seed", new Random().nextLong());
        System.out.println("Real DAX: to repeat (the moments of the cuts, not the load): mvn verify -pl perf/dax -am"
                + " -Dsurefire.failIfNoSpecifiedTests=false -Dgroups= -DexcludedGroups= -Dtest="
                + getClass().getSimpleName() + " -Dfenceline.seed=" + seed);
        seen = PowerCuts.run(Vm.empty(), cuts, seed);
    }

    private List<String> lines(String first) {
        return seen.lines().stream().filter(line -> line.startsWith(first)).toList();
    }

    @Test
    void shouldTakeMapSyncOnDaxAndSayThatItIsPowerSafe() {
        List<String> reports = lines("PMEM ");
        assertFalse(reports.isEmpty());
        for (String report : reports) {
            assertTrue(report.contains("PMEM MEMORY on ext4, survives process crash, kernel crash, power cut"), report);
            assertTrue(report.contains("took MAP_SYNC"), report);
            assertTrue(report.endsWith("mapSync=true powerSafe=true"), report);
        }
        for (String report : lines("OPENED MEMORY")) {
            assertTrue(report.contains("power cut: the file system took MAP_SYNC"), report);
        }
    }

    @Test
    void shouldRefuseMemoryWithTheReasonOnADiskWithoutDax() {
        assertEquals(List.of(), lines("TAKEN"));
        assertFalse(lines("REFUSED").isEmpty());
        for (String refusal : lines("REFUSED")) {
            assertTrue(refusal.contains("expected a DAX file system that takes MAP_SYNC, found ext4"), refusal);
            assertTrue(refusal.contains("use DEVICE"), refusal);
        }
    }

    /// The machine that measured said that its caches persist; those that open say that they do not.
    @Test
    void shouldTakeFenceOnlyOnThePlatformsWordAndNotWithoutIt() {
        List<String> reports = lines("PERSIST ");
        assertTrue(reports.getFirst().contains("FENCE_ONLY "), reports::getFirst);
        for (String report : reports.subList(1, reports.size())) {
            assertTrue(report.contains("measured: "), report);
            assertFalse(report.startsWith("PERSIST FENCE_ONLY"), report);
        }
    }

    @Test
    void shouldHaveEveryAcknowledgedEntryOnDaxAfterEachCut() {
        hasEverything(Durability.MEMORY);
    }

    @Test
    void shouldHaveEveryAcknowledgedEntryOnADeviceAfterEachCut() {
        hasEverything(Durability.DEVICE);
    }

    private void hasEverything(Durability level) {
        PowerCuts.Tally tally = seen.tally(level);
        assertEquals(0, tally.lost, () -> level + " lost acknowledged entries: " + seen);
        assertTrue(tally.acknowledgements >= cuts, () -> "no load: " + seen);
        assertTrue(tally.verdicts.contains("RECOVERED"), () -> level + ": " + tally.verdicts);
        assertFalse(tally.verdicts.contains("POWER_LOST"), () -> level + ": " + tally.verdicts);
        assertEquals(List.of("VERIFIED " + level + " whole=true"), lines("VERIFIED " + level));
    }

    /// The contrast that shows that a cut cuts: what only the page cache had is gone, and recovery says why.
    @Test
    void shouldLoseEntriesOfThePageCacheAndSaySo() {
        PowerCuts.Tally tally = seen.tally(Durability.PROCESS);
        assertTrue(tally.lost > 0, () -> "the power cuts lost nothing: " + seen);
        assertTrue(tally.verdicts.contains("POWER_LOST"), () -> "verdicts: " + tally.verdicts);
        assertEquals(List.of("VERIFIED PROCESS whole=true"), lines("VERIFIED PROCESS"));
    }
}
