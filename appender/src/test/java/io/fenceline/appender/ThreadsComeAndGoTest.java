package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.Team;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import java.lang.foreign.MemorySegment;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Producing threads that append a few entries and end, one after the other: nothing stalls, and of their staging
/// buffers and lanes nothing stays.
class ThreadsComeAndGoTest {
    private static final int AT_A_TIME = 4;
    private static final long LEFT_OVER_LENGTH_BYTES = 4 << 20;
    private static final MemorySegment ENTRY = MemorySegment.ofArray(new byte[40]);

    private final SimulatedJournal journal = SimulatedJournal.create(Durability.PROCESS, Geometry.of(4096, 4));
    private final Positions positions = journal.open(
            JournalConfig.defaults().withFullPolicy(FullPolicy.OVERWRITE).withTimestampMode(TimestampMode.NONE));

    @Test
    void shouldKeepNothingOfThreadsThatHaveEnded() {
        comeAndGo(400);
    }

    @Test
    @Tag("slow")
    void shouldKeepNothingOfTenThousandThreadsThatHaveEnded() {
        comeAndGo(10_000);
    }

    private void comeAndGo(int threads) {
        try (ConcurrentAppender appender = ConcurrentAppender.open(positions)) {
            comeAndGo(threads, appender::append);
        }
        try (GroupCommitAppender appender = GroupCommitAppender.open(positions, GroupCommitConfig.DEFAULTS, e -> {})) {
            comeAndGo(threads, payload -> appender.append(payload, 0));
        }
        assertEquals(2L * 2 * threads, positions.nextSequence());
        assertTrue(positions.close());
    }

    private static void comeAndGo(int threads, ToLongFunction<MemorySegment> append) {
        for (int i = 0; i < threads; i += AT_A_TIME) {
            Team.of(AT_A_TIME, thread -> {
                        assertTrue(append.applyAsLong(ENTRY) >= 0);
                        assertTrue(append.applyAsLong(ENTRY) >= 0);
                    })
                    .begin()
                    .join();
        }
        BufferPoolMXBean direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .findFirst()
                .orElseThrow();
        Team.await("their buffers are given back", () -> {
            System.gc();
            return direct.getMemoryUsed() < LEFT_OVER_LENGTH_BYTES;
        });
    }
}
