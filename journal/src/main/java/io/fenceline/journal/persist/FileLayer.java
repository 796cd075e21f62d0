package io.fenceline.journal.persist;

import io.fenceline.journal.Durability;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The operating system's files, as journals use them: the other half of the door to durability, beside
/// [Persister].
///
/// [#system] is the real one. Whoever opens or creates a journal while [#CURRENT] is bound gets another one, for as
/// long as that journal, its cursors and its words live:
///
///     ScopedValue.where(FileLayer.CURRENT, layer).call(() -> Journal.open(directory));
///
/// Descriptors are the layer's own numbers. Arguments, results and errors are those of [Posix], where each call is
/// documented; `what` names the object in messages. What costs nanoseconds (stores into a mapping, fences) does not
/// come through here.
///
/// Threads: any number.
public interface FileLayer {
    /// What [#current] answers, while it is bound.
    ScopedValue<FileLayer> CURRENT = ScopedValue.newInstance();

    /// The layer that a journal opened here and now uses.
    static FileLayer current() {
        return CURRENT.isBound() ? CURRENT.get() : system();
    }

    /// The operating system.
    static FileLayer system() {
        return SystemFiles.INSTANCE;
    }

    int open(int directory, String name, int flags, int mode, Object what);

    void close(int fd);

    void mkdir(int directory, String name, int mode, Object what);

    boolean remove(int directory, String name, boolean isDirectory);

    void renameNoReplace(int directory, String from, String to, Object what);

    void chmod(int fd, int mode, Object what);

    void allocate(int fd, long length, Object what);

    long pread(int fd, long address, long length, long fileOffset, MemorySegment capture, Object what);

    void pwriteFully(int fd, long address, long length, long fileOffset, MemorySegment capture, Object what);

    void fdatasync(int fd, MemorySegment capture, Object what);

    /// Of a file, or of a directory: then its names are durable.
    void fsync(int fd, Object what);

    Posix.Status status(int fd, Object what);

    void checkWhole(int fd, long length, MemorySegment buffer, MemorySegment capture, Object what);

    long map(int fd, long length, boolean writable, boolean sync, Object what);

    void unmap(long address, long length);

    boolean tryLock(int fd, long offset, long lengthBytes, Object what);

    void unlock(int fd, long offset, long lengthBytes, Object what);

    boolean isLocked(int fd, long offset, long lengthBytes, Object what);

    long fileSystemMagic(int fd, Object what);

    /// The block device that a file lies on, as sysfs names it: such as `259:0`. Null where files are not the
    /// machine's: then nothing is measured on their memory.
    default @Nullable String device(int fd, Object what) {
        return null;
    }

    /// A persister of this layer's own for a file; null: the one that stores into the mapping, or calls
    /// [#pwriteFully] and [#fdatasync].
    default @Nullable Persister persister(int fd, Durability level) {
        return null;
    }

    /// Whether anything has that name, a broken link too.
    default boolean exists(Path path) {
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
    }

    default boolean isSymbolicLink(Path path) {
        return Files.isSymbolicLink(path);
    }

    /// The path of a directory without symbolic links.
    default Path realPath(Path directory) throws IOException {
        return directory.toRealPath();
    }

    /// The names in a directory, in any order.
    default List<String> names(Path directory) throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                names.add(String.valueOf(file.getFileName()));
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return names;
    }
}
