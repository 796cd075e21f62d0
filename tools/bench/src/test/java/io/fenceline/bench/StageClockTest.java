package io.fenceline.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.persist.Kernel;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Timing the stages changes nothing of what is written.
class StageClockTest {
    private static final int APPENDS = 300;

    /// Goal: what passes the clock is the journal's own format, at every level and length, also over segments'
    /// ends. A tailer that verifies checksums reads it back.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldWriteWhatATailerReadsBackAndTimeEveryStage(Durability durability) throws Exception {
        assumeTrue(durability != Durability.MEMORY || Kernel.isAvailable(), "this build holds no native kernel");
        Path parent = Files.createTempDirectory(Files.createDirectories(Path.of("target/bench-test")), "stages");
        JournalConfig config = JournalConfig.defaults()
                .withSegmentLengthBytes(2 << 20)
                .withSegmentCount(durability == Durability.DEVICE ? 4 : 16)
                .withDurability(durability)
                .withEmulatePersistentMemory(durability == Durability.MEMORY);
        StageTimes times = new StageTimes(1);
        times.begin(Loop.Times.of(0, 0, 60_000_000_000L));
        List<byte[]> expected = new ArrayList<>();
        try (Journal journal = Journal.create(parent.resolve("journal"), config)) {
            journal.positions().persistThrough(medium -> new StageClock(medium, times, 64 << 10));
            Random random = new Random(7);
            int appends = durability == Durability.DEVICE ? 20 : APPENDS;
            try (ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
                for (int i = 0; i < appends; i++) {
                    // Every seventh does not fit the appender's stage, and comes in pieces.
                    byte[] payload = new byte[i % 7 == 6 ? 100_000 + random.nextInt(100_000) : random.nextInt(2_000)];
                    random.nextBytes(payload);
                    times.begin();
                    assertTrue(appender.append(MemorySegment.ofArray(payload)) >= 0);
                    times.published(1);
                    expected.add(payload);
                }
            }
            try (Tailer tailer = Tailer.open(journal, Start.oldest())) {
                List<byte[]> read = new ArrayList<>();
                while (tailer.poll(entry -> read.add(entry.toByteArray()), 100) > 0) {
                    // until nothing is left
                }
                assertEquals(expected.size(), read.size());
                for (int i = 0; i < read.size(); i++) {
                    assertArrayEquals(expected.get(i), read.get(i));
                }
            }
            for (Latencies stage : List.of(times.reserve, times.write, times.persist, times.publish)) {
                assertEquals(appends, stage.slice(0).getTotalCount());
            }
        } finally {
            BenchFiles.remove(parent);
        }
    }

    /// Goal: each stage is charged what it waits for, and no other one is.
    @Test
    void shouldChargeEachStageWithItsOwnTime() {
        StageTimes times = new StageTimes(1);
        times.begin(Loop.Times.of(0, 0, 60_000_000_000L));
        long stageNs = 3_000_000;
        times.begin();
        pass(stageNs);
        times.reserved();
        pass(2 * stageNs);
        times.written();
        pass(3 * stageNs);
        times.persisted();
        pass(4 * stageNs);
        times.published(1);
        times.begin();
        times.published(0); // warming up: not recorded
        List<Latencies> stages = List.of(times.reserve, times.write, times.persist, times.publish);
        for (int i = 0; i < stages.size(); i++) {
            assertEquals(1, stages.get(i).slice(0).getTotalCount());
            assertTrue(stages.get(i).slice(0).getMaxValue() >= (i + 1) * stageNs * 0.999, "stage " + i);
        }
    }

    private static void pass(long ns) {
        for (long endNs = System.nanoTime() + ns; System.nanoTime() - endNs < 0; ) {
            Thread.onSpinWait();
        }
    }
}
