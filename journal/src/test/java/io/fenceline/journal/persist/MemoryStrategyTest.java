package io.fenceline.journal.persist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.PersistStrategy;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// The three strategies: the same bytes on the medium, each line on its way before the fence, and nothing twice.
class MemoryStrategyTest {
    @TempDir
    Path directory;

    /// Goal: every call of the door leaves the bytes that its documentation says, in frames of one line up to several
    /// chunks, on a real mapping.
    @ParameterizedTest
    @EnumSource(PersistStrategy.class)
    void shouldLeaveTheSameBytesWhicheverWayTheyGo(PersistStrategy strategy) throws IOException {
        Kernel.assumeAvailable();
        int fileLength = 1 << 20;
        Path path = directory.resolve("log");
        Files.write(path, new byte[fileLength]);
        int fd = Posix.open(-1, path.toString(), Posix.O_RDWR, 0, path);
        try (DataFile file = new DataFile(FileLayer.system(), path, fd, fileLength, true)) {
            file.map(StorageProbe.report(FileLayer.system(), fd, path, fileLength, Durability.MEMORY, true));
            Persister persister = file.persister(Durability.MEMORY, strategy, directory);
            Random random = new Random(3);
            MemorySegment source = Arena.ofAuto().allocate(512 << 10, 4096);
            ByteBuffer stage = source.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            for (int length : new int[] {40, 64, 65, 1000, 4096, 65536, 65537, 131072, 262_000}) {
                int slots = FrameDescriptor.slotAlignedLength(length);
                byte[] bytes = new byte[length];
                random.nextBytes(bytes);
                source.fill((byte) 0).asSlice(0, length).copyFrom(MemorySegment.ofArray(bytes));
                long at = 64L * random.nextInt(100);
                int salt = random.nextInt();
                persister.persistFrame(at, stage, source.address(), length, slots, salt, new Crc32c());
                int crc = new Crc32c().of(source.asByteBuffer(), 4, length, salt);
                assertEquals(crc, source.get(ValueLayout.JAVA_INT_UNALIGNED, 0), "the stage of " + length);
                assertEquals(-1, file.mapping().asSlice(at, slots).mismatch(source.asSlice(0, slots)), "of " + length);

                persister.store(at + 64, source.address(), slots);
                persister.drain();
                assertEquals(-1, file.mapping().asSlice(at + 64, slots).mismatch(source.asSlice(0, slots)));
                persister.persist(at, source.address(), slots);
                assertEquals(-1, file.mapping().asSlice(at, slots).mismatch(source.asSlice(0, slots)));
                persister.rewrite(at, slots);
                persister.drain();
            }
        }
    }

    /// The same for the way without a stage, against the frame of another strategy.
    @ParameterizedTest
    @EnumSource(PersistStrategy.class)
    void shouldBuildTheSameEntryWhicheverWayItGoes(PersistStrategy strategy) {
        Kernel.assumeAvailable();
        Instructions kernel = NativeKernel.kernel();
        assumeTrue(kernel.hasEntry(), "the kernel builds no frames on this CPU: not tested");
        MemorySegment one = Arena.ofAuto().allocate(8192, 64);
        MemorySegment other = Arena.ofAuto().allocate(8192, 64);
        MemorySegment payload = MemorySegment.ofArray(new byte[5000]);
        for (int length : new int[] {0, 1, 16, 17, 80, 300, 1500, 5000}) {
            one.fill((byte) 1);
            other.fill((byte) 1);
            MemoryStrategy.of(PersistStrategy.NT, kernel)
                    .persistEntry(one.address(), payload, length, 1, 2, 3, 4, 5, 6);
            MemoryStrategy.of(strategy, kernel).persistEntry(other.address(), payload, length, 1, 2, 3, 4, 5, 6);
            assertEquals(-1, one.mismatch(other), "of " + length);
        }
    }

    /// Goal: sufficient and efficient. One store of each line, one sweep over just these lines if there has to be one,
    /// one fence; and afterwards nothing is undecided.
    @ParameterizedTest
    @CsvSource({"NT, 0", "WRITE_BACK, 1", "FENCE_ONLY, 0"})
    void shouldTouchEachLineOnceAndDecideItByOneFence(PersistStrategy strategy, int sweeps) {
        SimulatedMedium medium = new SimulatedMedium(Durability.MEMORY, 8192);
        medium.persistBy(strategy, strategy == PersistStrategy.FENCE_ONLY);
        List<String> operations = new ArrayList<>();
        medium.observe((m, operation) -> operations.add(operation.toString()));
        MemorySegment frame = Arena.ofAuto().allocate(256, 64).fill((byte) 7);
        medium.persister()
                .persistFrame(
                        512,
                        frame.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN),
                        frame.address(),
                        250,
                        256,
                        1,
                        new Crc32c());
        assertEquals(0, medium.undecided(0, 8192));
        assertEquals(sweeps, medium.count(Kind.WRITE_BACK));
        assertEquals(
                sweeps == 0
                        ? List.of("STORE[512, +256)", "DRAIN")
                        : List.of("STORE[512, +256)", "WRITE_BACK[512, +256)", "DRAIN"),
                operations);
        assertEquals(0, medium.needlessDrains());
        assertEquals(1, medium.stores(512));
    }

    /// Goal: what only lies in a cache is lost, whatever is fenced.
    @Test
    void shouldLoseWhatNobodyWroteBackUnlessCachesPersist() {
        for (boolean cachesPersist : new boolean[] {false, true}) {
            SimulatedMedium medium = new SimulatedMedium(Durability.MEMORY, 8192);
            medium.persistBy(PersistStrategy.FENCE_ONLY, cachesPersist);
            MemorySegment line = Arena.ofAuto().allocate(64, 64).fill((byte) 7);
            medium.persister().persist(0, line.address(), 64);
            assertEquals(cachesPersist ? 0 : 8, medium.undecided(0, 64));
            medium.persister().rewrite(0, 64);
            medium.persister().drain();
            assertEquals(0, medium.undecided(0, 64));
        }
    }

    /// The platform's word, where sysfs has it: in the region that the block device belongs to.
    @Test
    void shouldBelieveThePlatformOnlyWhereItSaysThatCachesPersist() throws IOException {
        Path region = directory.resolve("devices/ndbus0/region0");
        Path block = Files.createDirectories(region.resolve("pfn0.1/block/pmem0"));
        Path plain = Files.createDirectories(directory.resolve("devices/pci0/block/vda"));
        Path numbers = Files.createDirectories(directory.resolve("dev/block"));
        Files.createSymbolicLink(numbers.resolve("259:0"), block);
        Files.createSymbolicLink(numbers.resolve("254:0"), plain);
        Path domain = region.resolve("persistence_domain");
        assertTrue(!PersistenceDomain.holdsCaches(directory, "259:0"), "unknown");
        Files.writeString(domain, "memory_controller\n");
        assertTrue(!PersistenceDomain.holdsCaches(directory, "259:0"), "ADR");
        Files.writeString(domain, "cpu_cache\n");
        assertTrue(PersistenceDomain.holdsCaches(directory, "259:0"), "eADR");
        assertTrue(!PersistenceDomain.holdsCaches(directory, "254:0"), "another device");
        assertTrue(!PersistenceDomain.holdsCaches(directory, "1:1"), "no such device");
    }
}
