package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.FailedImage;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Undecided;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.FrameReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/// Every legal image of one power cut, at level `MEMORY`: each combination of the undecided words of the ring.
///
/// Each image is *judged*: the product's [FrameReader] certifies, with the real checksum, every slot of it that holds
/// an undecided word. Recovery knows the log by those answers only, so images with the same answers are recovered in
/// the same way: they are one *class*. Of each class the first images are *executed*, that is recovered whole by
/// [CrashChecker], the first one with its recovery cut three deep; and one in [#SAMPLE] of all, at least one, is
/// executed too, and must come to what its class came to. `docs/adr/0016` has the argument.
final class EveryImage {
    private static final int FIRST = 4;
    private static final int SAMPLE = 1 << 14;
    private static final int CLOCK = 1 << 20;
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;

    private final SimulatedMedium medium;
    private final CrashChecker checker;
    private final Geometry geometry;
    private final StateRecord state;
    private final List<Undecided> words;
    private final int[] choice;
    private final MemorySegment ring;
    private final long[] slots;
    private final FrameReader frames;
    private final Map<Long, Long> classes = new HashMap<>();
    private final Map<Long, Integer> executedOfClass = new HashMap<>();
    private final MemorySegment oldest;
    private final MemorySegment newest;
    private boolean torn;
    private long covered;
    private long collisions;
    private long executed;
    private long whole;
    private long wholeNs;

    EveryImage(SimulatedMedium medium, Superblock superblock, CrashChecker checker) {
        this.medium = medium;
        this.checker = checker;
        this.geometry = superblock.geometry();
        state = SimulatedJournal.state(medium, superblock);
        words = medium.undecided();
        choice = new int[words.size()];
        int length = (int) geometry.capacityBytes();
        ring = MemorySegment.ofArray(new byte[length]);
        medium.afterPowerCut(choice).read(Geometry.HEAD_LENGTH_BYTES, ring, 0, length);
        oldest = MemorySegment.ofArray(ring.toArray(ValueLayout.JAVA_BYTE));
        newest = MemorySegment.ofArray(new byte[length]);
        medium.afterPowerCut(words.stream()
                        .mapToInt(word -> word.versions().size() - 1)
                        .toArray())
                .read(Geometry.HEAD_LENGTH_BYTES, newest, 0, length);
        SortedSet<Long> touched = new TreeSet<>();
        for (Undecided word : words) {
            if (word.fileOffset() < Geometry.HEAD_LENGTH_BYTES) {
                throw new IllegalArgumentException("a state record is undecided");
            }
            touched.add(position(word.fileOffset() & -64));
        }
        slots = touched.stream().mapToLong(Long::longValue).toArray();
        frames = new FrameReader(
                (offset, destination, at, bytes) ->
                        MemorySegment.copy(ring, offset - Geometry.HEAD_LENGTH_BYTES, destination, at, bytes),
                superblock);
    }

    /// The position in [floor, lease) that lies at a file offset.
    private long position(long fileOffset) {
        for (long at = state.floor(); at < state.lease(); at += 64) {
            if (geometry.fileOffset(at) == fileOffset) {
                return at;
            }
        }
        throw new AssertionError("I11: written outside of [floor, lease), at " + fileOffset);
    }

    /// Looks at all of them.
    ///
    /// @param deadlineNs by [System#nanoTime]: the rest is left out then
    /// @return whether it was all
    boolean explore(long deadlineNs) {
        checker.look(medium);
        while (true) {
            if (covered++ % CLOCK == 0 && System.nanoTime() - deadlineNs > 0) {
                return false;
            }
            long answers = answers();
            if (torn) {
                collisions++;
            } else if (isToBeExecuted(answers)) {
                execute(answers);
            }
            int i = 0;
            while (i < choice.length && choice[i] == words.get(i).versions().size() - 1) {
                choose(i++, 0);
            }
            if (i == choice.length) {
                return true;
            }
            choose(i, choice[i] + 1);
        }
    }

    private boolean isToBeExecuted(long answers) {
        return executedOfClass.getOrDefault(answers, 0) < FIRST || covered % SAMPLE == 0;
    }

    private void choose(int i, int version) {
        choice[i] = version;
        Undecided word = words.get(i);
        MemorySegment.copy(
                MemorySegment.ofArray(word.versions().get(version)),
                0,
                ring,
                word.fileOffset() - Geometry.HEAD_LENGTH_BYTES,
                WORD.byteSize());
    }

    /// What the product says of each slot, in one number.
    private long answers() {
        frames.refresh();
        torn = false;
        long hash = 1;
        for (long slot : slots) {
            int least = slot >= state.epochStart() ? state.epoch() : 0;
            FrameVerdict verdict = frames.certify(slot, least, state.epoch());
            hash = hash * 31 + verdict.name().hashCode();
            if (verdict.isValid()) {
                torn |= isTorn(slot);
                hash = mix(hash ^ frames.nextPosition());
                hash = mix(hash ^ frames.sequence());
                hash = mix(hash ^ (frames.checksum() | (long) frames.epoch() << 32));
                hash = mix(hash ^ (frames.flags() | frames.kind() << 8 | frames.entries() << 16));
            }
        }
        return hash;
    }

    /// Whether a frame that certifies itself is neither what was stored nor what was there before: then its checksum
    /// is right by chance.
    private boolean isTorn(long slot) {
        int from = (int) (geometry.fileOffset(slot) - Geometry.HEAD_LENGTH_BYTES);
        int checksummed = FrameDescriptor.checksummedLength(frames.kind(), FrameDescriptor.length(ring, from));
        return MemorySegment.mismatch(ring, from, from + checksummed, newest, from, from + checksummed) >= 0
                && MemorySegment.mismatch(ring, from, from + checksummed, oldest, from, from + checksummed) >= 0;
    }

    private static long mix(long x) {
        long y = (x ^ (x >>> 30)) * 0xBF58476D1CE4E5B9L;
        return y ^ (y >>> 27);
    }

    private void execute(long answers) {
        boolean nested = executedOfClass.merge(answers, 1, Integer::sum) == 1;
        executed++;
        long startNs = System.nanoTime();
        long signature = checker.judge(medium.afterPowerCut(choice), nested);
        if (!nested) {
            whole++;
            wholeNs += System.nanoTime() - startNs;
        }
        Long before = classes.putIfAbsent(answers, signature);
        FailedImage.check(
                medium.afterPowerCut(choice),
                () -> assertEquals(
                        before == null ? signature : before, signature, "I10: the same answers, another recovery"));
    }

    long covered() {
        return covered;
    }

    /// Images with a torn frame whose checksum is right, of which one in 2^32 is to be expected (`docs/FORMAT.md`).
    /// What recovery makes of them says nothing; all others are judged.
    long collisions() {
        return collisions;
    }

    long executed() {
        return executed;
    }

    /// Recoveries of one image, not cut themselves.
    long whole() {
        return whole;
    }

    /// What they took, with making the image and judging what was recovered.
    long wholeNs() {
        return wholeNs;
    }

    int classes() {
        return classes.size();
    }

    /// Different recovered contents.
    Set<Long> states() {
        return Set.copyOf(classes.values());
    }
}
