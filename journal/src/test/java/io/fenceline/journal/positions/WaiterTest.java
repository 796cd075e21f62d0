package io.fenceline.journal.positions;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.Team;
import io.fenceline.journal.format.ReadersFileDescriptor;
import io.fenceline.journal.persist.Posix;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Sleeping and waking without the net of a longest sleep: a wake that is lost is a test that hangs.
@Timeout(120)
class WaiterTest {
    private static final long FOR_EVER_NS = TimeUnit.HOURS.toNanos(1);

    @TempDir
    Path temporary;

    private Journal journal;

    @BeforeEach
    void setUp() {
        Path directory = temporary.resolve("journal");
        JournalConfig config = JournalConfig.defaults().withDurability(Durability.PROCESS);
        SmallJournals.create(directory, 4096, 4, config);
        journal = Journal.open(directory, config);
    }

    @AfterEach
    void tearDown() {
        journal.close();
    }

    private static Waiter waiter(JournalSource source) {
        return new Waiter(source.view(), source.readers().sleepers(), FOR_EVER_NS);
    }

    /// Goal: no wake is lost, whenever the publication comes: two sleepers, one of them through files of its own,
    /// and a publisher that goes on when both have seen what it published, at once or a little later.
    @Test
    void shouldWakeEveryTime() {
        assumeTrue(Posix.membarrier(), "this kernel has no membarrier");
        int rounds = Integer.getInteger("rounds", 1_000);
        AtomicLong[] seen = {new AtomicLong(), new AtomicLong()};
        RunFile run = journal.positions().run();
        try (JournalSource reader = Journal.openReadOnly(journal.directory())) {
            JournalSource[] sources = {journal, reader};
            Team.of(3, member -> {
                        if (member == 2) {
                            for (int round = 1; round <= rounds; round++) {
                                for (int spin = 0; spin < round * 7 % 300; spin++) {
                                    Thread.onSpinWait();
                                }
                                run.publish(64L * round);
                                while (seen[0].get() < round || seen[1].get() < round) {
                                    Thread.yield();
                                }
                            }
                        } else {
                            Waiter waiter = waiter(sources[member]);
                            for (int round = 0; round < rounds; round++) {
                                assertTrue(await(waiter, 64L * round, FOR_EVER_NS));
                                seen[member].set(round + 1L);
                            }
                        }
                    })
                    .begin()
                    .join();
        }
        assertEquals(rounds, seen[0].get());
        assertEquals(rounds, seen[1].get());
        run.publish(0);
    }

    private static boolean await(Waiter waiter, long position, long timeoutNs) {
        return await(waiter, 0, position, timeoutNs);
    }

    private static boolean await(Waiter waiter, long generation, long position, long timeoutNs) {
        try {
            return waiter.await(position, generation, timeoutNs);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldReturnAfterTheTimeoutWhenNothingIsPublished() {
        Waiter waiter = waiter(journal);
        assertFalse(await(waiter, 0, 0));
        assertFalse(await(waiter, 0, 1_000_000));
        assertFalse(await(waiter, 0, -1));
    }

    /// Goal: what is to be told wakes, too, although nothing is published behind the position.
    @Test
    void shouldEndWhenTheLogIsCut() {
        try (JournalSource reader = Journal.openReadOnly(journal.directory())) {
            for (JournalSource source : new JournalSource[] {journal, reader}) {
                long generation = source.view().generation();
                Team team = Team.of(1, member -> assertTrue(await(waiter(source), generation, 0, FOR_EVER_NS)));
                team.begin();
                Team.await("somebody sleeps", this::isAnySleeper);
                assertEquals(0, journal.reset(1000));
                team.join();
                assertEquals(0, source.view().published());
            }
        }
    }

    @Test
    void shouldEndByAnInterrupt() {
        AtomicInteger interrupted = new AtomicInteger();
        for (int round = 0; round < 50; round++) {
            Team team = Team.of(1, member -> {
                Waiter waiter = waiter(journal);
                assertThrows(InterruptedException.class, () -> waiter.await(0, 0, FOR_EVER_NS));
                assertFalse(Thread.currentThread().isInterrupted());
                // An interrupt that came before ends it, too, and is not there any more afterwards.
                Thread.currentThread().interrupt();
                assertThrows(InterruptedException.class, () -> waiter.await(0, 0, FOR_EVER_NS));
                assertFalse(await(waiter, 0, 1));
                interrupted.incrementAndGet();
            });
            team.begin();
            if (round % 2 == 0) {
                Team.await("somebody sleeps", this::isAnySleeper);
            }
            team.interrupt();
            team.join();
        }
        assertEquals(50, interrupted.get());
    }

    private boolean isAnySleeper() {
        return journal.readers().sleepers().isAnnounced();
    }

    /// Goal: a close ends the wait, and not as an interrupt: the JVM marks the thread from which it takes the words as
    /// interrupted, now and then, while code is being compiled.
    @RepeatedTest(50)
    void shouldEndWhenTheJournalIsClosed() {
        Team team;
        try (JournalSource reader = Journal.openReadOnly(journal.directory())) {
            JournalSource[] sources = {journal, reader};
            team = Team.of(2, member -> assertFalse(await(waiter(sources[member]), 0, FOR_EVER_NS)));
            team.begin();
            Team.await("somebody sleeps", this::isAnySleeper);
            journal.close();
        }
        team.join();
    }

    /// Goal: what a sleeper that was killed leaves behind costs one call, not one each time.
    @Test
    void shouldClearTheMarkOfADeadSleeper() {
        Sleepers sleepers = journal.readers().sleepers();
        sleepers.announce();
        assertTrue(sleepers.isAnnounced());
        journal.positions().run().publish(0);
        assertFalse(sleepers.isAnnounced());
        assertEquals(128, ReadersFileDescriptor.SLEEPING_OFFSET);
    }
}
