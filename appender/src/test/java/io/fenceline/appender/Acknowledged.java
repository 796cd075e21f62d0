package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.persist.FailedImage;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/// What many threads were told about their entries, and a judge of what is found. A payload says which thread wrote
/// it, as the how-manieth, and can be told from any other.
final class Acknowledged {
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED;
    static final int LEAST_LENGTH_BYTES = 16;
    private static final int DEPTH = 3;

    private final ConcurrentMap<Long, byte[]> byPosition = new ConcurrentHashMap<>();

    static byte[] payload(int thread, long number, int lengthBytes) {
        byte[] payload = new byte[Math.max(LEAST_LENGTH_BYTES, lengthBytes)];
        Arrays.fill(payload, (byte) (thread * 31L + number));
        MemorySegment.ofArray(payload).set(I64, 0, thread);
        MemorySegment.ofArray(payload).set(I64, 8, number);
        return payload;
    }

    void add(long position, byte[] payload) {
        assertTrue(position >= 0);
        assertNull(byPosition.put(position, payload), () -> "position " + position + " was given to two threads");
    }

    int size() {
        return byPosition.size();
    }

    /// What is acknowledged now.
    Map<Long, byte[]> now() {
        return Map.copyOf(byPosition);
    }

    /// I1 to I4 and I18, over what recovery, or a living writer, left readable.
    ///
    /// @param acknowledged what must be there
    /// @return entries found that were not acknowledged
    static int check(LogWalk walk, Map<Long, byte[]> acknowledged) {
        assertTrue(walk.invalidSlots().isEmpty(), () -> "I18: nothing begins at " + walk.invalidSlots());
        Map<Long, byte[]> found = new HashMap<>();
        Map<Long, Long> numbers = new HashMap<>();
        long sequence = -1;
        List<LogWalk.Frame> data = walk.data();
        List<byte[]> payloads = walk.payloads();
        assertEquals(data.size(), payloads.size(), "one entry a frame");
        for (int i = 0; i < data.size(); i++) {
            assertTrue(data.get(i).sequence() > sequence, "I4: sequences ascend with positions");
            sequence = data.get(i).sequence();
            byte[] payload = payloads.get(i);
            MemorySegment bytes = MemorySegment.ofArray(payload);
            long thread = bytes.get(I64, 0);
            long number = bytes.get(I64, 8);
            assertTrue(
                    Arrays.equals(payload(Math.toIntExact(thread), number, payload.length), payload),
                    "I2, I3: content");
            Long before = numbers.put(thread, number);
            assertTrue(before == null || before < number, () -> "I4: order of thread " + thread);
            found.put(data.get(i).position(), payload);
        }
        acknowledged.forEach((position, payload) -> {
            if (position >= walk.from()) {
                byte[] there = found.get(position);
                assertNotNull(there, () -> "I1: acknowledged at " + position + ", not found");
                assertTrue(Arrays.equals(payload, there), () -> "I1: other content at " + position);
            }
        });
        long kept = acknowledged.keySet().stream().filter(p -> p >= walk.from()).count();
        return (int) (found.size() - kept);
    }

    /// Recovers an image and judges it.
    static int checkImage(SimulatedJournal journal, SimulatedMedium image, Map<Long, byte[]> acknowledged) {
        int[] others = new int[1];
        FailedImage.check(image, () -> {
            new SimulatedJournal.Opening(image, journal.superblock()).recover();
            StateRecord state = SimulatedJournal.state(image, journal.superblock());
            others[0] = check(LogWalk.of(image::read, journal.superblock(), state), acknowledged);
        });
        return others[0];
    }

    /// Recovers an image, cut before each of the operations of its recovery, by a process crash and by power cuts; what
    /// that leaves is recovered and judged, some of it cut again, three deep.
    ///
    /// @param most images
    /// @return images recovered
    static int checkRecoveryCut(
            SimulatedJournal journal,
            SimulatedMedium image,
            Map<Long, byte[]> acknowledged,
            RandomGenerator random,
            int most) {
        AtomicInteger left = new AtomicInteger(most);
        cutRecovery(journal, image, acknowledged, random, left, 1);
        return most - left.get();
    }

    private static void cutRecovery(
            SimulatedJournal journal,
            SimulatedMedium image,
            Map<Long, byte[]> acknowledged,
            RandomGenerator random,
            AtomicInteger left,
            int depth) {
        SimulatedMedium medium = image.afterProcessCrash();
        Consumer<SimulatedMedium> judge = cut -> {
            left.decrementAndGet();
            if (depth < DEPTH && random.nextInt(8) == 0) {
                cutRecovery(journal, cut, acknowledged, random, left, depth + 1);
            }
            checkImage(journal, cut, acknowledged);
        };
        SimulatedJournal.Opening opening = new SimulatedJournal.Opening(medium, journal.superblock());
        opening.scan();
        medium.observe((cut, operation) -> {
            if (left.get() > 0 && (depth == 1 || random.nextInt(4) == 0)) {
                judge.accept(cut.afterProcessCrash());
                if (journal.medium().level() != Durability.PROCESS) {
                    cut.afterPowerCuts(2, 1, random, judge);
                }
            }
        });
        opening.repair();
        opening.nextEpoch();
        medium.observe((cut, operation) -> {});
        if (journal.medium().level() != Durability.PROCESS) {
            medium.afterPowerCuts(2, 1, random, judge); // I19
        }
    }
}
