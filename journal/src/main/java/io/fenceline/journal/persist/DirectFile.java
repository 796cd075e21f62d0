package io.fenceline.journal.persist;

import io.fenceline.journal.JournalException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// Reads a file past the page cache (`O_DIRECT`): what the storage holds, not what memory holds of it.
///
/// One thread.
public final class DirectFile implements AutoCloseable {
    private static final long BLOCK_LENGTH_BYTES = 4096;
    private static final long BUFFER_LENGTH_BYTES = 1 << 20;

    private final FileLayer layer = FileLayer.current();
    private final Path path;
    private final int fd;
    private final MemorySegment buffer = DataFile.newBuffer(BUFFER_LENGTH_BYTES);
    private final MemorySegment capture = Posix.newCapture();
    private boolean closed;

    /// @throws JournalException.Unsupported if the file system cannot read past the page cache
    /// @throws JournalException.Io          if the file cannot be opened
    public DirectFile(Path path) {
        this.path = path;
        try {
            fd = layer.open(-1, path.toString(), Posix.O_RDONLY | Posix.O_NONBLOCK | Posix.O_DIRECT, 0, path);
        } catch (JournalException.Io e) {
            if (e.errno() == Posix.EINVAL) {
                throw new JournalException.Unsupported(path + " lies on a file system that cannot read past the page"
                        + " cache (O_DIRECT), such as tmpfs: read it without --direct");
            }
            throw e;
        }
    }

    /// Reads exactly that many bytes, in whole blocks around them.
    ///
    /// @throws JournalException.Io if they cannot be read, or the file ends before
    public void read(long fileOffset, MemorySegment destination, long destinationOffset, long lengthBytes) {
        for (long done = 0; done < lengthBytes; ) {
            long at = fileOffset + done;
            long start = at & -BLOCK_LENGTH_BYTES;
            long wanted = at - start + lengthBytes - done;
            long length = Math.min(BUFFER_LENGTH_BYTES, (wanted + BLOCK_LENGTH_BYTES - 1) & -BLOCK_LENGTH_BYTES);
            long count = layer.pread(fd, buffer.address(), length, start, capture, path);
            long usable = Math.min(count - (at - start), lengthBytes - done);
            if (usable <= 0) {
                throw DataFile.ended(path, start + count, fileOffset + lengthBytes);
            }
            MemorySegment.copy(buffer, at - start, destination, destinationOffset + done, usable);
            done += usable;
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            layer.close(fd);
        }
    }
}
