package io.fenceline.journal.persist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// The model of DESIGN §8 itself: what may be found after a crash, and what may not.
class SimulatedMediumTest {
    private static final long LENGTH = 8192;
    private final MemorySegment source = Arena.ofAuto().allocate(512, 64);

    private void store(SimulatedMedium medium, long offset, long length, int value) {
        source.fill((byte) value);
        medium.store(offset, source.address(), length);
    }

    /// First bytes of the units of a range, as a power cut may leave them.
    private static Set<String> found(SimulatedMedium medium, long offset, int units, int unitLength) {
        Set<String> found = new TreeSet<>();
        medium.afterPowerCuts(1 << 12, 8, new Random(1), image -> found.add(read(image, offset, units, unitLength)));
        return found;
    }

    private static String read(SimulatedMedium medium, long offset, int units, int unitLength) {
        StringBuilder text = new StringBuilder();
        MemorySegment bytes = MemorySegment.ofArray(new byte[unitLength]);
        for (int i = 0; i < units; i++) {
            medium.read(offset + (long) i * unitLength, bytes, 0, unitLength);
            text.append(bytes.get(ValueLayout.JAVA_BYTE, 0));
        }
        return text.toString();
    }

    @Test
    void shouldPersistWordsIndependentlyUntilTheDrain() {
        SimulatedMedium medium = new SimulatedMedium(Durability.MEMORY, LENGTH);
        store(medium, 64, 64, 1);
        assertEquals(256, found(medium, 64, 8, 8).size());
        medium.drain();
        assertEquals(Set.of("11111111"), found(medium, 64, 8, 8));
    }

    /// Goal: of all that a power cut may lose, a failure names what it takes to fail, and has the image of it.
    @Test
    void shouldThrowWhatFailsForTheImageThatLosesLeast() {
        SimulatedMedium medium = new SimulatedMedium(Durability.MEMORY, LENGTH);
        store(medium, 64, 512, 1);
        FailedImage failed = assertThrows(
                FailedImage.class,
                () -> medium.afterPowerCuts(16, 8, new Random(1), image -> {
                    String words = read(image, 64, 64, 8);
                    image.overwrite(128, MemorySegment.ofArray(new byte[] {9}));
                    assertTrue(words.charAt(5) == '1' || words.charAt(60) == '1', () -> "I1: " + words);
                }));
        String message = String.valueOf(failed.getMessage());
        assertTrue(message.startsWith("I1: 11111011111"), message);
        assertTrue(message.contains("2 of 64 undecided units"), message);
        assertTrue(message.endsWith("[" + (64 + 5 * 8) + ", " + (64 + 60 * 8) + "]"), message);
        assertEquals("1".repeat(5) + "0" + "1".repeat(54) + "0111", read(failed.image(), 64, 64, 8));
    }

    /// Goal: a check inside a check, as a recovery that is cut in its recovery, names the inner image.
    @Test
    void shouldNameTheInnermostImage() {
        SimulatedMedium medium = new SimulatedMedium(Durability.MEMORY, LENGTH);
        store(medium, 64, 64, 1);
        FailedImage failed = assertThrows(
                FailedImage.class,
                () -> medium.afterPowerCuts(256, 0, new Random(1), image -> {
                    SimulatedMedium inner = image.afterProcessCrash();
                    store(inner, 128, 64, 2);
                    inner.afterPowerCuts(256, 0, new Random(1), cut -> assertEquals("2", read(cut, 184, 1, 8), "I9"));
                }));
        assertTrue(String.valueOf(failed.getMessage()).contains("1 of 8 undecided units"), failed::getMessage);
        assertEquals("22222220", read(failed.image(), 128, 8, 8));
    }

    @Test
    void shouldDrainTheStoresOfItsOwnThreadOnly() throws InterruptedException {
        SimulatedMedium medium = new SimulatedMedium(Durability.MEMORY, LENGTH);
        store(medium, 64, 64, 1);
        Thread other = Thread.ofPlatform().start(medium::drain);
        other.join();
        assertEquals(256, found(medium, 64, 8, 8).size());
        assertEquals(1, medium.needlessDrains());
    }

    /// What a dead process left is visible, but no drain of the next one helps; writing it back does.
    @Test
    void shouldLeaveUndecidedWhatADeadProcessDidNotDrain() {
        SimulatedMedium medium = new SimulatedMedium(Durability.MEMORY, LENGTH);
        store(medium, 64, 64, 1);
        SimulatedMedium next = medium.afterProcessCrash();
        assertEquals("11111111", read(next, 64, 8, 8));
        next.drain();
        assertEquals(256, found(next, 64, 8, 8).size());
        next.rewrite(64, 64);
        next.drain();
        assertEquals(Set.of("11111111"), found(next, 64, 8, 8));
    }

    @Test
    void shouldKeepAnyVersionOfASectorSinceTheLastSync() {
        SimulatedMedium medium = new SimulatedMedium(Durability.DEVICE, LENGTH);
        store(medium, 512, 512, 1);
        medium.drain();
        store(medium, 512, 512, 2);
        store(medium, 512, 512, 3);
        store(medium, 1024, 512, 4);
        assertEquals(Set.of("10", "20", "30", "14", "24", "34"), found(medium, 512, 2, 512));
        medium.drain();
        assertEquals(Set.of("34"), found(medium, 512, 2, 512));
    }

    /// After a failed sync the pages count as clean: a later sync that succeeds does not write them, until they
    /// are stored again.
    @Test
    void shouldLoseWhatAFailedSyncLeftClean() {
        SimulatedMedium medium = new SimulatedMedium(Durability.DEVICE, LENGTH);
        store(medium, 512, 512, 1);
        medium.failAt(Kind.DRAIN, 1);
        assertThrows(JournalException.Io.class, medium::drain);
        assertThrows(JournalException.Poisoned.class, medium::drain);
        SimulatedMedium next = medium.afterProcessCrash();
        next.drain();
        assertEquals(Set.of("0", "1"), found(next, 512, 1, 512));
        next.rewrite(512, 512);
        next.drain();
        assertEquals(Set.of("1"), found(next, 512, 1, 512));
    }

    @Test
    void shouldKeepAnySubsetUntilASyncAtLevelProcess() {
        SimulatedMedium medium = new SimulatedMedium(Durability.PROCESS, LENGTH);
        store(medium, 512, 512, 1);
        medium.drain();
        assertEquals(Set.of("0", "1"), found(medium, 512, 1, 512));
        assertEquals("1", read(medium.afterProcessCrash(), 512, 1, 512));
        medium.sync();
        assertEquals(Set.of("1"), found(medium, 512, 1, 512));
    }

    @Test
    void shouldMakeOneUndecidedSectorGarbageWhenToldSo() {
        SimulatedMedium medium = new SimulatedMedium(Durability.DEVICE, LENGTH);
        store(medium, 512, 512, 1);
        medium.drain();
        store(medium, 1024, 512, 2);
        medium.garbageSectors(true);
        Set<String> found = found(medium, 512, 2, 512);
        assertTrue(found.containsAll(Set.of("10", "12")) && found.size() == 3, found::toString);
        assertTrue(found.stream().allMatch(image -> image.startsWith("1")), "a decided sector changed");
    }
}
