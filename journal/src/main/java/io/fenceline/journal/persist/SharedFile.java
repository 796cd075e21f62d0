package io.fenceline.journal.persist;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// A small file of words that several processes map and lock bytes of. A lock dies with the process, or with
/// [#close].
///
/// Threads: any number. The words stay mapped as long as somebody can reach them, also after `close`.
public final class SharedFile implements AutoCloseable {
    private final FileLayer layer;
    private final Path path;
    private final int fd;
    private final int probeFd;
    private final MemorySegment words;
    private boolean closed;

    /// @param fd      open, closed with this; has the locks
    /// @param probeFd another open file description, to ask for the locks of all others
    SharedFile(FileLayer layer, Path path, int fd, int probeFd, MemorySegment words) {
        this.layer = layer;
        this.path = path;
        this.fd = fd;
        this.probeFd = probeFd;
        this.words = words;
    }

    public MemorySegment words() {
        return words;
    }

    public Path path() {
        return path;
    }

    /// Locks one byte for this file; does nothing if it has the lock already.
    ///
    /// @return false if another process, or another opening in this one, has it
    public synchronized boolean tryLock(long offset) {
        requireOpen();
        return layer.tryLock(fd, offset, 1, path);
    }

    public synchronized void unlock(long offset) {
        if (!closed) {
            layer.unlock(fd, offset, 1, path);
        }
    }

    /// Whether anybody has locked the byte, this file too.
    public synchronized boolean isLocked(long offset) {
        requireOpen();
        return layer.isLocked(probeFd, offset, 1, path);
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException(path + " is closed");
        }
    }

    /// Gives all locks back.
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            layer.close(fd);
            layer.close(probeFd);
        }
    }
}
