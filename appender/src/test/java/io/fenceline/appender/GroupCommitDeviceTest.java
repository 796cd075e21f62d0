package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.Team;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.recovery.EntryCursor;
import io.fenceline.journal.recovery.FrameWalk;
import io.fenceline.journal.recovery.Inspection;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Group commit at `DEVICE` over a real file whose descriptor fails under load: the kernel itself refuses every
/// `pwrite` (`/dev/full`: ENOSPC) or every `fdatasync` (a pipe takes writes at no offset, and cannot be synced) from
/// one moment on.
class GroupCommitDeviceTest {
    private static final int O_WRONLY = 1;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    private Path parent;

    @BeforeEach
    void setUp() throws IOException {
        parent = Files.createTempDirectory(Files.createDirectories(Path.of("target/device-test")), "run");
    }

    @AfterEach
    void tearDown() throws IOException {
        try (Stream<Path> tree = Files.walk(parent)) {
            for (Path path : tree.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /// I15: whatever was acknowledged is in the file. Had anything been acknowledged after the fault, it would be
    /// missing there. Waiting, asynchronous and relaxed appends together.
    @ParameterizedTest
    @ValueSource(strings = {"/dev/full", "/dev/null"})
    void shouldAcknowledgeNothingAfterTheKernelHasFailed(String broken) throws Throwable {
        JournalConfig config = JournalConfig.defaults()
                .withDurability(Durability.DEVICE)
                .withFullPolicy(FullPolicy.FAIL)
                .withSegmentLengthBytes(2 << 20)
                .withSegmentCount(4);
        Map<Long, byte[]> bySequence = new ConcurrentHashMap<>();
        List<Throwable> errors = new CopyOnWriteArrayList<>();
        AtomicLong accepted = new AtomicLong();
        AtomicLong told = new AtomicLong();
        Path directory = parent.resolve("journal");
        Journal journal = Journal.create(directory, config);
        GroupCommitAppender appender = GroupCommitAppender.open(journal, GroupCommitConfig.DEFAULTS, errors::add);
        Team team = Team.of(
                        4,
                        thread -> assertThrows(JournalException.Poisoned.class, () -> {
                            for (long i = 0; ; i++) {
                                byte[] payload = Acknowledged.payload(thread, i, (int) (i % 900));
                                MemorySegment bytes = MemorySegment.ofArray(payload);
                                accepted.incrementAndGet();
                                long result = appender.appendAsync(bytes, 0, (position, sequence) -> {
                                    told.incrementAndGet();
                                    if (position >= 0) {
                                        bySequence.put(sequence, payload);
                                    }
                                });
                                assertEquals(0, result);
                                appender.appendRelaxed(bytes, 1);
                                assertTrue(appender.append(bytes, 0) >= 0);
                                bySequence.put(appender.lastSequence(), payload);
                            }
                        }))
                .begin();
        Team.await("appends", () -> bySequence.size() > 100);
        replaceDescriptors(directory.resolve("journal.log"), broken);
        team.join();
        assertThrows(JournalException.Poisoned.class, () -> appender.append(MemorySegment.ofArray(new byte[1]), 0));
        List<Long> later = new CopyOnWriteArrayList<>();
        assertEquals(0, appender.appendAsync(MemorySegment.ofArray(new byte[1]), 0, (r, sequence) -> later.add(r)));
        appender.close();
        assertEquals(List.of(AppendResult.POISONED), later);
        assertEquals(accepted.get(), told.get(), "everybody is told, once");
        assertTrue(errors.stream().anyMatch(JournalException.Io.class::isInstance), errors::toString);
        assertTrue(journal.isPoisoned());
        journal.close();

        try (Journal again = Journal.open(directory, config)) {
            assertTrue(again.recovery().lastSequence() >= bySequence.size() - 1);
            Map<Long, byte[]> found = entries(again);
            bySequence.forEach((sequence, payload) -> assertArrayEquals(payload, found.get(sequence)));
        }
    }

    private static Map<Long, byte[]> entries(Journal journal) {
        Map<Long, byte[]> found = new ConcurrentHashMap<>();
        try (Inspection inspection = Inspection.open(journal.directory())) {
            FrameWalk walk = inspection.walk(0);
            FrameWalk.Step step;
            while ((step = walk.next()) != FrameWalk.Step.END) {
                assertEquals(FrameWalk.Step.FRAME, step);
                if (walk.verdict() == FrameVerdict.DATA) {
                    EntryCursor entries = walk.entries();
                    entries.begin();
                    while (entries.next()) {
                        byte[] payload = new byte[entries.payloadLength()];
                        entries.read(0, MemorySegment.ofArray(payload), payload.length);
                        found.put(walk.frames().sequence() + entries.index(), payload);
                    }
                }
            }
        }
        return found;
    }

    /// Puts another file under every descriptor of this process that names the file.
    private static void replaceDescriptors(Path file, String replacement) throws Throwable {
        Linker linker = Linker.nativeLinker();
        MethodHandle open = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("open"), FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT));
        MethodHandle dup2 =
                linker.downcallHandle(linker.defaultLookup().findOrThrow("dup2"), FunctionDescriptor.of(INT, INT, INT));
        List<Integer> descriptors = new ArrayList<>();
        Path real = file.toRealPath();
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            for (Path one : all.toList()) {
                if (Files.exists(one) && Files.readSymbolicLink(one).equals(real)) {
                    descriptors.add(Integer.parseInt(one.getFileName().toString()));
                }
            }
        }
        assertTrue(!descriptors.isEmpty(), "no descriptor of " + real);
        try (Arena arena = Arena.ofConfined()) {
            int other = (int) open.invokeExact(arena.allocateFrom(replacement), O_WRONLY);
            assertTrue(other >= 0);
            for (int descriptor : descriptors) {
                assertEquals(descriptor, (int) dup2.invokeExact(other, descriptor));
            }
        }
    }
}
