package io.fenceline.appender;

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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/// What many threads were told about their entries, and a judge of what is found. A payload says which thread wrote
/// it, as the how-manieth, and can be told from any other.
final class Acknowledged {
    private static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED;
    static final int LEAST_LENGTH_BYTES = 16;
    private static final int DEPTH = 3;

    private final ConcurrentMap<Long, List<byte[]>> byPosition = new ConcurrentHashMap<>();
    private final boolean gapless;

    /// What was told until some moment.
    ///
    /// @param byPosition entries by the position of their frame
    /// @param gapless    whether a thread's entries, told or not, are found without a gap: none was refused
    record Told(Map<Long, List<byte[]>> byPosition, boolean gapless) {}

    Acknowledged() {
        this(false);
    }

    Acknowledged(boolean gapless) {
        this.gapless = gapless;
    }

    static byte[] payload(int thread, long number, int lengthBytes) {
        byte[] payload = new byte[Math.max(LEAST_LENGTH_BYTES, lengthBytes)];
        Arrays.fill(payload, (byte) (thread * 31L + number));
        MemorySegment.ofArray(payload).set(I64, 0, thread);
        MemorySegment.ofArray(payload).set(I64, 8, number);
        return payload;
    }

    void add(long position, byte[] payload) {
        assertTrue(position >= 0);
        List<byte[]> one = List.of(payload);
        assertNull(byPosition.put(position, one), () -> "position " + position + " was given to two threads");
    }

    /// An entry of a frame that it may share.
    void addToGroup(long position, byte[] payload) {
        assertTrue(position >= 0);
        byPosition.merge(
                position,
                List.of(payload),
                (a, b) -> Stream.concat(a.stream(), b.stream()).toList());
    }

    /// Entries.
    int size() {
        return byPosition.values().stream().mapToInt(List::size).sum();
    }

    /// What is acknowledged now.
    Told now() {
        return new Told(Map.copyOf(byPosition), gapless);
    }

    /// What is acknowledged now, and what tailers are shown.
    Told and(LogWalk shown) {
        Map<Long, List<byte[]>> all = new HashMap<>(byPosition);
        byPosition(shown).forEach((position, entries) -> all.merge(position, entries, Acknowledged::union));
        return new Told(all, gapless);
    }

    /// What both have is there once.
    private static List<byte[]> union(List<byte[]> told, List<byte[]> shown) {
        return Stream.concat(shown.stream(), told.stream().filter(payload -> !contains(shown, payload)))
                .toList();
    }

    private static boolean contains(List<byte[]> entries, byte[] payload) {
        return entries.stream().anyMatch(entry -> Arrays.equals(payload, entry));
    }

    private static Map<Long, List<byte[]>> byPosition(LogWalk walk) {
        Map<Long, List<byte[]>> found = new HashMap<>();
        Iterator<byte[]> payloads = walk.payloads().iterator();
        for (LogWalk.Frame frame : walk.data()) {
            List<byte[]> entries = new ArrayList<>();
            for (int i = 0; i < frame.entries(); i++) {
                entries.add(payloads.next());
            }
            found.put(frame.position(), entries);
        }
        return found;
    }

    /// I1 to I4 and I18, over what recovery, or a living writer, left readable.
    ///
    /// @param told what must be there
    /// @return entries found that were not acknowledged
    static int check(LogWalk walk, Told told) {
        assertTrue(walk.invalidSlots().isEmpty(), () -> "I18: nothing begins at " + walk.invalidSlots());
        Map<Long, List<byte[]>> found = byPosition(walk);
        Map<Long, Long> numbers = new HashMap<>();
        long sequence = -1;
        int count = 0;
        for (LogWalk.Frame frame : walk.data()) {
            assertTrue(frame.sequence() > sequence, "I4: sequences ascend with positions");
            sequence = frame.sequence() + frame.entries() - 1;
            for (byte[] payload : found.getOrDefault(frame.position(), List.of())) {
                MemorySegment bytes = MemorySegment.ofArray(payload);
                long thread = bytes.get(I64, 0);
                long number = bytes.get(I64, 8);
                assertTrue(
                        Arrays.equals(payload(Math.toIntExact(thread), number, payload.length), payload),
                        "I2, I3: content");
                Long before = numbers.put(thread, number);
                assertTrue(
                        before == null || (told.gapless ? before == number - 1 : before < number),
                        () -> "I4: thread " + thread + ": " + number + " behind " + before);
                count++;
            }
        }
        int kept = 0;
        for (Map.Entry<Long, List<byte[]>> frame : told.byPosition.entrySet()) {
            long position = frame.getKey();
            if (position >= walk.from()) {
                List<byte[]> there = found.getOrDefault(position, List.of());
                for (byte[] payload : frame.getValue()) {
                    assertTrue(
                            contains(there, payload),
                            () -> "I1: acknowledged at " + position + ", where are " + there.size() + " others");
                    kept++;
                }
            }
        }
        return count - kept;
    }

    /// Recovers an image and judges it.
    static int checkImage(SimulatedJournal journal, SimulatedMedium image, Told told) {
        int[] others = new int[1];
        FailedImage.check(image, () -> {
            new SimulatedJournal.Opening(image, journal.superblock()).recover();
            StateRecord state = SimulatedJournal.state(image, journal.superblock());
            others[0] = check(LogWalk.of(image::read, journal.superblock(), state), told);
        });
        return others[0];
    }

    /// Recovers an image, cut before each of the operations of its recovery, by a process crash and by power cuts; what
    /// that leaves is recovered and judged, some of it cut again, three deep.
    ///
    /// @param most images
    /// @return images recovered
    static int checkRecoveryCut(
            SimulatedJournal journal, SimulatedMedium image, Told told, RandomGenerator random, int most) {
        AtomicInteger left = new AtomicInteger(most);
        cutRecovery(journal, image, told, random, left, 1);
        return most - left.get();
    }

    private static void cutRecovery(
            SimulatedJournal journal,
            SimulatedMedium image,
            Told told,
            RandomGenerator random,
            AtomicInteger left,
            int depth) {
        SimulatedMedium medium = image.afterProcessCrash();
        Consumer<SimulatedMedium> judge = cut -> {
            left.decrementAndGet();
            if (depth < DEPTH && random.nextInt(8) == 0) {
                cutRecovery(journal, cut, told, random, left, depth + 1);
            }
            checkImage(journal, cut, told);
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
