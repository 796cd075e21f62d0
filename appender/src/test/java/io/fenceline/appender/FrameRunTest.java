package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A commit larger than a frame: where its frames lie, what it costs, what a crash leaves of it.
class FrameRunTest {
    private static final int SEGMENT = 4096;

    private static final JournalConfig CONFIG =
            JournalConfig.defaults().withTimestampMode(TimestampMode.NONE).withFullPolicy(FullPolicy.OVERWRITE);

    /// At every slot of a segment, a run of three frames: one store where it is contiguous in the file, two where a
    /// segment begins, one drain; all but the first DEPENDENT, the PAD between them too.
    @ParameterizedTest
    @EnumSource(Durability.class)
    void shouldStoreOncePerContiguousPartAndDrainOnce(Durability level) {
        for (int slots = 0; slots < SEGMENT / 64; slots++) {
            SimulatedJournal journal = SimulatedJournal.create(level, Geometry.of(SEGMENT, 4));
            Positions positions = journal.open(CONFIG);
            ExclusiveAppender appender = ExclusiveAppender.open(positions);
            for (int i = 0; i < slots; i++) {
                appender.append(MemorySegment.ofArray(new byte[1]));
            }
            if (slots == 0) {
                // Even so: the first append makes a lease durable.
                appender.append(MemorySegment.ofArray(new byte[SEGMENT / 4]));
            }
            SimulatedMedium medium = journal.medium();
            long stores = medium.count(Kind.STORE);
            long drains = medium.count(Kind.DRAIN);
            long start = appender.position();
            long sequence = appender.nextSequence();
            FrameRun run = appender.run(Integer.MAX_VALUE);
            for (int length : new int[] {600, 10, 500, 0, 610}) {
                assertTrue(run.hasRoom(length));
                run.add(payload(length), length, 5);
            }
            assertEquals(3, run.frames());
            assertTrue(appender.commit(run, 0) >= 0);
            boolean crosses = run.position(2) / SEGMENT != start / SEGMENT;
            boolean behindPad = crosses && start % SEGMENT + 704 > SEGMENT;
            assertEquals(crosses ? 2 : 1, medium.count(Kind.STORE) - stores, "stores from " + start);
            assertEquals(1, medium.count(Kind.DRAIN) - drains, "drains from " + start);
            assertEquals(sequence + 5, appender.nextSequence());
            assertTrue(positions.close());

            LogWalk walk = journal.walk();
            assertTrue(walk.invalidSlots().isEmpty());
            boolean first = true;
            for (LogWalk.Frame frame : walk.frames()) {
                if (frame.position() >= start) {
                    boolean dependent = (frame.flags() & FrameDescriptor.FLAG_DEPENDENT) != 0;
                    assertEquals(!first, dependent, "DEPENDENT of " + frame + " from " + start);
                    first = first && (behindPad && !frame.isData());
                }
            }
            List<byte[]> payloads = walk.payloads();
            List<byte[]> last = payloads.subList(payloads.size() - 5, payloads.size());
            for (byte[] payload : last) {
                assertArrayEquals(bytes(payload.length), payload);
            }
            assertEquals(
                    List.of(600, 10, 500, 0, 610),
                    last.stream().map(p -> p.length).toList());
            assertEquals(run.position(2), positions.run().lastFrameHint(), "the last frame is known after a close");
        }
    }

    /// §4: whatever sectors of a run a power cut leaves, recovery keeps its first frames, or none: never the third
    /// without the second. Every subset of its sectors is tried.
    @ParameterizedTest
    @ValueSource(ints = {0, 2048, 3072})
    void shouldRecoverAPrefixOfARun(int at) {
        SimulatedJournal journal = SimulatedJournal.create(Durability.DEVICE, Geometry.of(SEGMENT, 4));
        Positions positions = journal.open(CONFIG);
        ExclusiveAppender appender = ExclusiveAppender.open(positions);
        appender.append(MemorySegment.ofArray(new byte[0]));
        while (appender.position() < at) {
            appender.append(MemorySegment.ofArray(new byte[0]));
        }
        long before = appender.nextSequence();
        FrameRun run = appender.run(Integer.MAX_VALUE);
        for (int i = 0; i < 3; i++) {
            run.add(payload(600), 600, 5);
        }
        List<SimulatedMedium> images = new ArrayList<>();
        journal.medium().observe((medium, operation) -> {
            if (operation.kind() == Kind.DRAIN) {
                medium.afterPowerCuts(1 << 14, 8, new SplittableRandom(1), images::add);
            }
        });
        assertTrue(appender.commit(run, 0) >= 0);
        long[] kept = new long[4];
        for (SimulatedMedium image : images) {
            long next = new SimulatedJournal.Opening(image, journal.superblock())
                    .recover()
                    .nextSequence();
            LogWalk walk =
                    LogWalk.of(image::read, journal.superblock(), SimulatedJournal.state(image, journal.superblock()));
            assertEquals(next, walk.payloads().size(), "entries without gap");
            assertTrue(walk.invalidSlots().isEmpty());
            kept[(int) (next - before)]++;
        }
        assertTrue(kept[0] > 0 && kept[1] > 0 && kept[2] + kept[3] > 0, "each prefix was met");
        positions.poison(new IllegalStateException("the end"));
        assertTrue(positions.close());
    }

    /// What was refused is not there; what is kept of it is, in its order.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void shouldKeepSomeEntriesOfARunThatWasRefused(int oneIn) {
        SimulatedJournal journal = SimulatedJournal.create(Durability.DEVICE, Geometry.of(SEGMENT, 2));
        Positions positions = journal.open(CONFIG.withFullPolicy(FullPolicy.FAIL));
        ExclusiveAppender appender = ExclusiveAppender.open(positions);
        while (appender.append(payload(500)) >= 0) {}
        FrameRun run = appender.run(Integer.MAX_VALUE);
        List<Integer> lengths = List.of(300, 310, 320, 330, 340);
        lengths.forEach(length -> run.add(payload(length), length, length));
        assertEquals(AppendResult.FULL, appender.commit(run, 0));
        run.retain(i -> i % oneIn == 0);
        positions.retain(positions.run().published());
        assertTrue(appender.commit(run, 0) >= 0);
        assertTrue(positions.close());
        List<Integer> found = journal.walk().payloads().stream()
                .map(payload -> payload.length)
                .filter(lengths::contains)
                .toList();
        assertEquals(
                lengths.stream().filter(l -> lengths.indexOf(l) % oneIn == 0).toList(), found);
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 7 + length);
        }
        return bytes;
    }

    private static MemorySegment payload(int length) {
        return MemorySegment.ofArray(bytes(length));
    }
}
