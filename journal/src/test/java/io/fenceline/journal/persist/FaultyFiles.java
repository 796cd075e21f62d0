package io.fenceline.journal.persist;

import io.fenceline.journal.JournalException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

/// The operating system's files, some calls of which fail: each call is put to a [Plan] before it is done.
///
///     FaultyFiles files = new FaultyFiles(FaultyFiles.nth(Call.FDATASYNC, 3, Posix.EIO));
///     try (Journal journal = files.in(() -> Journal.open(directory))) { … }
///
/// A `pwrite` that fails has written its first half: a short write, then the error.
public final class FaultyFiles implements FileLayer {
    /// What may fail.
    public enum Call {
        OPEN,
        MKDIR,
        RENAME,
        ALLOCATE,
        PREAD,
        PWRITE,
        FDATASYNC,
        FSYNC,
        STATUS,
        MAP,
        LOCK
    }

    /// Decides which calls fail. Any thread.
    @FunctionalInterface
    public interface Plan {
        /// @param what       the object, as it is named in messages: the path of a file, mostly
        /// @param fileOffset of PREAD and PWRITE, else 0
        /// @return 0: it is done; else the error number that it fails with
        int errno(Call call, Object what, long fileOffset);
    }

    private final FileLayer files = FileLayer.system();
    private volatile Plan plan;

    public FaultyFiles(Plan plan) {
        this.plan = plan;
    }

    /// A plan under which the n-th call of a kind fails, n from 1, and no other.
    public static Plan nth(Call failing, int n, int errno) {
        AtomicInteger left = new AtomicInteger(n);
        return (call, what, fileOffset) -> call == failing && left.decrementAndGet() == 0 ? errno : 0;
    }

    /// A plan under which nothing fails.
    public static Plan none() {
        return (call, what, fileOffset) -> 0;
    }

    /// Another plan from now on.
    public void plan(Plan plan) {
        this.plan = plan;
    }

    /// Runs something: the journals that it creates or opens use these files from then on.
    public <T> T in(Callable<T> body) throws Exception {
        return ScopedValue.where(CURRENT, this).call(body::call);
    }

    private void ask(Call call, Object what) {
        int errno = plan.errno(call, what, 0);
        if (errno != 0) {
            throw failure(call, what, errno);
        }
    }

    private static JournalException.Io failure(Call call, Object what, int errno) {
        return new JournalException.Io("injected: cannot " + call + ' ' + what + ": errno " + errno, errno);
    }

    @Override
    public int open(int directory, String name, int flags, int mode, Object what) {
        ask(Call.OPEN, what);
        return files.open(directory, name, flags, mode, what);
    }

    @Override
    public void close(int fd) {
        files.close(fd);
    }

    @Override
    public void mkdir(int directory, String name, int mode, Object what) {
        ask(Call.MKDIR, what);
        files.mkdir(directory, name, mode, what);
    }

    @Override
    public boolean remove(int directory, String name, boolean isDirectory) {
        return files.remove(directory, name, isDirectory);
    }

    @Override
    public void renameNoReplace(int directory, String from, String to, Object what) {
        ask(Call.RENAME, what);
        files.renameNoReplace(directory, from, to, what);
    }

    @Override
    public void chmod(int fd, int mode, Object what) {
        files.chmod(fd, mode, what);
    }

    @Override
    public void allocate(int fd, long length, Object what) {
        ask(Call.ALLOCATE, what);
        files.allocate(fd, length, what);
    }

    @Override
    public long pread(int fd, long address, long length, long fileOffset, MemorySegment capture, Object what) {
        int errno = plan.errno(Call.PREAD, what, fileOffset);
        if (errno != 0) {
            throw failure(Call.PREAD, what, errno);
        }
        return files.pread(fd, address, length, fileOffset, capture, what);
    }

    @Override
    public void pwriteFully(int fd, long address, long length, long fileOffset, MemorySegment capture, Object what) {
        int errno = plan.errno(Call.PWRITE, what, fileOffset);
        files.pwriteFully(fd, address, errno == 0 ? length : length / 2, fileOffset, capture, what);
        if (errno != 0) {
            throw failure(Call.PWRITE, what, errno);
        }
    }

    @Override
    public void fdatasync(int fd, MemorySegment capture, Object what) {
        ask(Call.FDATASYNC, what);
        files.fdatasync(fd, capture, what);
    }

    @Override
    public void fsync(int fd, Object what) {
        ask(Call.FSYNC, what);
        files.fsync(fd, what);
    }

    @Override
    public Posix.Status status(int fd, Object what) {
        ask(Call.STATUS, what);
        return files.status(fd, what);
    }

    @Override
    public void checkWhole(int fd, long length, MemorySegment buffer, MemorySegment capture, Object what) {
        ask(Call.STATUS, what);
        files.checkWhole(fd, length, buffer, capture, what);
    }

    @Override
    public long map(int fd, long length, boolean writable, boolean sync, Object what) {
        ask(Call.MAP, what);
        return files.map(fd, length, writable, sync, what);
    }

    @Override
    public void unmap(long address, long length) {
        files.unmap(address, length);
    }

    @Override
    public boolean tryLock(int fd, long offset, long lengthBytes, Object what) {
        ask(Call.LOCK, what);
        return files.tryLock(fd, offset, lengthBytes, what);
    }

    @Override
    public void unlock(int fd, long offset, long lengthBytes, Object what) {
        files.unlock(fd, offset, lengthBytes, what);
    }

    @Override
    public boolean isLocked(int fd, long offset, long lengthBytes, Object what) {
        ask(Call.LOCK, what);
        return files.isLocked(fd, offset, lengthBytes, what);
    }

    @Override
    public long fileSystemMagic(int fd, Object what) {
        return files.fileSystemMagic(fd, what);
    }
}
