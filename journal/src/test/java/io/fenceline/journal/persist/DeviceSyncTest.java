package io.fenceline.journal.persist;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.Team;
import io.fenceline.journal.persist.FaultyFiles.Call;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// §5 ⚠: Linux reports a write-back error once per descriptor. So no two syncs of a file overlap, and none follows one
/// that failed.
class DeviceSyncTest {
    private static final int LENGTH = 4096;

    @TempDir
    Path directory;

    /// The first sync fails, but not before another thread has asked for one: that one must not reach the file.
    @Test
    void shouldLetNoSyncReachTheFileWhileAnotherFailsOrAfterwards() throws Exception {
        AtomicInteger syncs = new AtomicInteger();
        AtomicReference<@Nullable Thread> other = new AtomicReference<>();
        FaultyFiles layer = new FaultyFiles((call, what, fileOffset) -> {
            if (call != Call.FDATASYNC || syncs.incrementAndGet() > 1) {
                return 0;
            }
            Thread second = Objects.requireNonNull(other.get());
            second.start();
            Team.await("the other waits, or syncs", () -> second.getState() == Thread.State.BLOCKED || syncs.get() > 1);
            return Posix.EIO;
        });
        Path path = directory.resolve("file");
        int fd = layer.open(-1, path.toString(), Posix.O_RDWR | Posix.O_CREAT, 0600, path);
        layer.allocate(fd, LENGTH, path);
        try (DataFile file = new DataFile(layer, path, fd, LENGTH, true)) {
            Persister persister = new FilePersister.DevicePersister(file, path);
            CompletableFuture<Boolean> drained = new CompletableFuture<>();
            other.set(Thread.ofPlatform().daemon().unstarted(() -> {
                try {
                    persister.drain();
                    drained.complete(true);
                } catch (JournalException.Poisoned e) {
                    drained.complete(false);
                }
            }));
            assertThrows(JournalException.Io.class, persister::drain, "I15: a sync that failed was retried");
            assertEquals(false, drained.get(), "I15: a sync beside one that failed was a success");
            assertThrows(JournalException.Poisoned.class, persister::drain);
            assertEquals(1, syncs.get(), "I15: syncs that reached the file");
        }
    }
}
