package io.fenceline.tools.crash;

import io.fenceline.journal.Durability;
import io.fenceline.journal.persist.Kernel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Real writer processes, killed at random moments under load; see [Campaign] and [Witness].
final class KillCampaignTest {
    private static final int KILLS = 18;
    private static final int SLOW_KILLS = Integer.getInteger("fenceline.kills", 334);

    // I1 to I5 and I18 for real processes: 18 kills for each durability, the three beside each other.
    @Test
    void shouldLoseNothingAcknowledgedWhenWriterIsKilled() throws InterruptedException {
        run(KILLS, "KillCampaignTest");
    }

    @Test
    @Tag("slow")
    void shouldLoseNothingAcknowledgedWhenWriterIsKilledAThousandTimes() throws InterruptedException {
        run(SLOW_KILLS, "KillCampaignTest -Dgroups=slow -DexcludedGroups= -Dfenceline.kills=" + SLOW_KILLS);
    }

    private static void run(int kills, String repeat) throws InterruptedException {
        long seed = Long.getLong("fenceline.seed", new Random().nextLong());
        String how = "seed " + seed + "; to repeat: mvn verify -pl tools -am -Dsurefire.failIfNoSpecifiedTests=false"
                + " -Dfenceline.seed=" + seed + " -Dtest=" + repeat;
        System.out.println("Kill campaign: " + how);
        AssertionError failure = new AssertionError(how);
        List<Future<String>> campaigns = new ArrayList<>();
        try (ExecutorService lanes = Executors.newFixedThreadPool(3)) {
            if (Kernel.isAvailable()) {
                campaigns.add(lanes.submit(() -> run(Durability.MEMORY, 512 << 10, 2, seed, kills)));
            } else {
                System.out.println("Kill campaign: MEMORY skipped: this build holds no native kernel");
            }
            campaigns.add(lanes.submit(() -> run(Durability.PROCESS, 64 << 10, 4, seed + 1, kills)));
            if (JournalUnderTest.isDeviceThere()) {
                campaigns.add(lanes.submit(() -> run(Durability.DEVICE, 64 << 10, 8, seed + 2, kills)));
            } else {
                System.out.println(
                        "Kill campaign: DEVICE skipped: the build's directory is on a file system in memory");
            }
        }
        for (Future<String> campaign : campaigns) {
            try {
                System.out.println("Kill campaign: " + campaign.get());
            } catch (ExecutionException e) {
                failure.addSuppressed(e.getCause());
            }
        }
        if (failure.getSuppressed().length > 0) {
            throw failure;
        }
    }

    private static String run(Durability durability, int segmentLengthBytes, int segmentCount, long seed, int kills) {
        JournalUnderTest journal =
                JournalUnderTest.create(durability, segmentLengthBytes, segmentCount, seed, "kill-" + durability);
        return journal.keepIfFailing(() -> new Campaign(durability, journal).run(kills));
    }
}
