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
import io.fenceline.journal.persist.FaultyFiles;
import io.fenceline.journal.persist.FaultyFiles.Call;
import io.fenceline.journal.persist.Persister;
import io.fenceline.journal.persist.Posix;
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
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Group commit at `DEVICE` over a real file whose descriptor fails under load: the kernel itself refuses every
/// `pwrite` (`/dev/full`: ENOSPC) or every `fdatasync` (a pipe takes writes at no offset, and cannot be synced)
/// from one moment on.
class GroupCommitDeviceTest {
    private static final int O_WRONLY = 1;
    private static final JournalConfig CONFIG = JournalConfig.defaults()
            .withDurability(Durability.DEVICE)
            .withFullPolicy(FullPolicy.FAIL)
            .withSegmentLengthBytes(2 << 20)
            .withSegmentCount(4);
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
        Map<Long, byte[]> bySequence = new ConcurrentHashMap<>();
        List<Throwable> errors = new CopyOnWriteArrayList<>();
        AtomicLong accepted = new AtomicLong();
        AtomicLong told = new AtomicLong();
        Path directory = parent.resolve("journal");
        Journal journal = Journal.create(directory, CONFIG);
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

        try (Journal again = Journal.open(directory, CONFIG)) {
            assertTrue(again.recovery().lastSequence() >= bySequence.size() - 1);
            Map<Long, byte[]> found = entries(again);
            bySequence.forEach((sequence, payload) -> assertArrayEquals(payload, found.get(sequence)));
        }
    }

    /// The n-th `fdatasync` fails, under threads that append, append asynchronously and relaxed, take futures and
    /// flush. From that call on nobody is told a position at or beyond what was published by then, nothing is
    /// written or synced any more, and whatever is tried, by whomever, is refused.
    @ParameterizedTest
    @ValueSource(ints = {1, 7, 30})
    void shouldAcknowledgeNothingEverOnceASyncHasFailed(int n) throws Exception {
        AtomicLong end = new AtomicLong(Long.MAX_VALUE);
        AtomicInteger syncs = new AtomicInteger();
        AtomicInteger callsAfter = new AtomicInteger();
        FaultyFiles files = new FaultyFiles(FaultyFiles.none());
        Journal journal = files.in(() -> Journal.create(parent.resolve("journal"), CONFIG));
        files.plan((call, what, fileOffset) -> {
            if (call != Call.PWRITE && call != Call.FDATASYNC && call != Call.FSYNC) {
                return 0;
            }
            if (end.get() != Long.MAX_VALUE) {
                callsAfter.incrementAndGet();
            } else if (call == Call.FDATASYNC && syncs.incrementAndGet() == n) {
                end.set(journal.published());
                return Posix.EIO;
            }
            return 0;
        });
        GroupCommitAppender appender = GroupCommitAppender.open(journal, GroupCommitConfig.DEFAULTS, error -> {});
        AtomicLong acknowledged = new AtomicLong();
        MemorySegment bytes = MemorySegment.ofArray(new byte[100]);
        LongConsumer told = position -> {
            if (position >= 0) {
                acknowledged.incrementAndGet();
                assertTrue(position < end.get(), () -> "told " + position + " after a failed sync at " + end);
            }
        };
        List<Callable<Long>> ways = List.of(
                () -> appender.append(bytes, 0),
                () -> {
                    CompletableFuture<Long> result = new CompletableFuture<>();
                    assertEquals(0, appender.appendAsync(bytes, 0, (position, sequence) -> result.complete(position)));
                    return refusal(result.get(60, TimeUnit.SECONDS));
                },
                () -> {
                    try {
                        return appender.appendFuture(bytes, 0).get(60, TimeUnit.SECONDS);
                    } catch (ExecutionException e) {
                        throw (Exception) e.getCause();
                    }
                },
                () -> {
                    long before = appender.append(bytes, 0);
                    assertEquals(0, appender.flush());
                    return before;
                },
                () -> {
                    assertEquals(0, appender.appendRelaxed(bytes, 0));
                    return -1L;
                });
        Team.of(
                        ways.size(),
                        thread -> assertThrows(JournalException.Poisoned.class, () -> {
                            while (true) {
                                told.accept(ways.get(thread).call());
                            }
                        }))
                .begin()
                .join();
        assertTrue(n == 1 || acknowledged.get() > 0);
        for (int again = 0; again < 3; again++) {
            ways.forEach(way -> assertThrows(JournalException.Poisoned.class, way::call));
            assertThrows(JournalException.Poisoned.class, appender::flush);
        }
        appender.close();
        try (ExclusiveAppender next = ExclusiveAppender.open(journal)) {
            assertThrows(JournalException.Poisoned.class, () -> next.append(bytes));
        }
        assertEquals(end.get(), journal.published());
        journal.close();
        assertEquals(0, callsAfter.get(), "written or synced after the failed sync");
    }

    private static long refusal(long result) {
        if (result == AppendResult.POISONED) {
            throw new JournalException.Poisoned("the listener was told", new IllegalStateException());
        }
        return result;
    }

    /// §5: all writes and syncs go through one lock, and an error is poison before the lock is free: a thread that
    /// comes to a sync that is under way, and fails, touches nothing after it, though nobody else has poisoned yet.
    /// (Linux reports a write-back error once a descriptor: a second sync would succeed.)
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldLetNobodyWriteOrSyncBesideASyncThatFails(boolean write) throws Exception {
        CountDownLatch syncing = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        List<String> others = new CopyOnWriteArrayList<>();
        FaultyFiles files = new FaultyFiles(FaultyFiles.none());
        Journal journal = files.in(() -> Journal.create(parent.resolve("journal"), CONFIG));
        Persister persister = journal.positions().persister();
        AtomicReference<@Nullable Thread> first = new AtomicReference<>();
        files.plan((call, what, fileOffset) -> {
            if (Thread.currentThread() != first.get()) {
                others.add(call.name());
                return 0;
            }
            syncing.countDown();
            Team.await("to go on", () -> goOn.getCount() == 0);
            return Posix.EIO;
        });
        Team failing = Team.of(1, thread -> {
                    first.set(Thread.currentThread());
                    assertThrows(JournalException.Io.class, persister::drain);
                })
                .begin();
        Team.await("it syncs", () -> syncing.getCount() == 0);
        AtomicReference<@Nullable Thread> second = new AtomicReference<>();
        MemorySegment slot = Arena.ofAuto().allocate(64, 64);
        Team coming = Team.of(1, thread -> {
                    second.set(Thread.currentThread());
                    assertThrows(JournalException.Poisoned.class, () -> {
                        if (write) {
                            persister.store(4 << 20, slot.address(), 64);
                        }
                        persister.drain();
                    });
                })
                .begin();
        Team.await("it waits for the sync", () -> {
            Thread thread = second.get();
            return !others.isEmpty() || (thread != null && thread.getState() == Thread.State.BLOCKED);
        });
        goOn.countDown();
        failing.join();
        coming.join();
        journal.close();
        assertEquals(List.of(), others, "beside or after the failed sync");
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
