package io.fenceline.journal.persist;

import io.fenceline.journal.Durability;
import io.fenceline.journal.DurabilityReport;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.PersistStrategy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// An open file that holds durable bytes: `journal.log`, or a cursor. It never changes its length.
///
/// Threads: [#read] may be called by any number; [#close] once, when nobody uses the mapping by raw address any
/// more.
final class DataFile implements AutoCloseable {
    private final FileLayer layer;
    private final Path path;
    private final int fd;
    private final long lengthBytes;
    private final boolean writable;
    private final Arena arena = Arena.ofShared();
    private long mappedAddress;
    private @Nullable MemorySegment mapping;
    private boolean closed;

    /// @param layer       whose descriptor it is
    /// @param path        for messages
    /// @param fd          open, closed with this
    /// @param lengthBytes of the file
    /// @param writable    whether the descriptor is
    DataFile(FileLayer layer, Path path, int fd, long lengthBytes, boolean writable) {
        this.layer = layer;
        this.path = path;
        this.fd = fd;
        this.lengthBytes = lengthBytes;
        this.writable = writable;
    }

    /// Maps it whole; writable for `MEMORY` and `PROCESS` writers, else read-only.
    void map(DurabilityReport durability) {
        boolean store = writable && durability.durability() != Durability.DEVICE;
        long address = layer.map(fd, lengthBytes, store, durability.mapSync() && store, path);
        if (address == 0) {
            throw new JournalException.DurabilityUnavailable(path + " lost its MAP_SYNC ability since it was probed");
        }
        mappedAddress = address;
        mapping = MemorySegment.ofAddress(address)
                .reinterpret(lengthBytes, arena, null)
                .asReadOnly();
    }

    /// The persister of a level; [#map] came before.
    ///
    /// @param strategy counts at `MEMORY`
    /// @param owner the journal's directory, for messages
    Persister persister(Durability durability, PersistStrategy strategy, Path owner) {
        Persister own = layer.persister(fd, durability);
        if (own != null) {
            return own;
        }
        return switch (durability) {
            case MEMORY -> {
                NativeKernel.require();
                yield new MemoryPersister(this, owner, strategy);
            }
            case DEVICE -> new FilePersister.DevicePersister(this, owner);
            case PROCESS -> new FilePersister.ProcessPersister(this, owner);
        };
    }

    /// Reads exactly that many bytes.
    ///
    /// @throws JournalException.Io if they cannot be read, or the file ends before
    void read(long fileOffset, MemorySegment destination, long destinationOffset, long lengthBytes) {
        MemorySegment target = destination.asSlice(destinationOffset, lengthBytes);
        long n;
        try (Arena call = Arena.ofConfined()) {
            n = layer.pread(fd, target.address(), lengthBytes, fileOffset, Posix.newCapture(call), path);
        }
        if (n != lengthBytes) {
            throw ended(path, fileOffset + n, fileOffset + lengthBytes);
        }
    }

    /// A file that ends before the bytes that are to be read.
    static JournalException.Io ended(Path path, long lengthBytes, long expectedBytes) {
        return new JournalException.Io(
                path + " ends at offset " + lengthBytes + ", expected " + expectedBytes
                        + " bytes or more: the file was truncated; restore it from a copy",
                Posix.EIO);
    }

    /// A native buffer aligned to pages; freed when it is unreachable.
    static MemorySegment newBuffer(long lengthBytes) {
        return Arena.ofAuto().allocate(lengthBytes, 4096);
    }

    /// The read-only mapping; safe to use in Java after close, which then throws.
    MemorySegment mapping() {
        if (mapping == null) {
            throw new IllegalStateException("not mapped");
        }
        return mapping;
    }

    FileLayer layer() {
        return layer;
    }

    Path path() {
        return path;
    }

    long lengthBytes() {
        return lengthBytes;
    }

    int fd() {
        return fd;
    }

    long mappedAddress() {
        return mappedAddress;
    }

    /// Unmaps, closes and unlocks.
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        arena.close();
        if (mappedAddress != 0) {
            layer.unmap(mappedAddress, lengthBytes);
        }
        layer.close(fd);
    }
}
