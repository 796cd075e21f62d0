package io.fenceline.journal.persist;

import java.lang.foreign.MemorySegment;

/// The operating system's files: each call is that of [Posix].
final class SystemFiles implements FileLayer {
    static final SystemFiles INSTANCE = new SystemFiles();

    private SystemFiles() {}

    @Override
    public int open(int directory, String name, int flags, int mode, Object what) {
        return Posix.open(directory, name, flags, mode, what);
    }

    @Override
    public void close(int fd) {
        Posix.close(fd);
    }

    @Override
    public void mkdir(int directory, String name, int mode, Object what) {
        Posix.mkdir(directory, name, mode, what);
    }

    @Override
    public boolean remove(int directory, String name, boolean isDirectory) {
        return Posix.remove(directory, name, isDirectory);
    }

    @Override
    public void renameNoReplace(int directory, String from, String to, Object what) {
        Posix.renameNoReplace(directory, from, to, what);
    }

    @Override
    public void chmod(int fd, int mode, Object what) {
        Posix.chmod(fd, mode, what);
    }

    @Override
    public void allocate(int fd, long length, Object what) {
        Posix.allocate(fd, length, what);
    }

    @Override
    public long pread(int fd, long address, long length, long fileOffset, MemorySegment capture, Object what) {
        return Posix.pread(fd, address, length, fileOffset, capture, what);
    }

    @Override
    public void pwriteFully(int fd, long address, long length, long fileOffset, MemorySegment capture, Object what) {
        Posix.pwriteFully(fd, address, length, fileOffset, capture, what);
    }

    @Override
    public void fdatasync(int fd, MemorySegment capture, Object what) {
        Posix.fdatasync(fd, capture, what);
    }

    @Override
    public void fsync(int fd, Object what) {
        Posix.fsync(fd, what);
    }

    @Override
    public Posix.Status status(int fd, Object what) {
        return Posix.status(fd, what);
    }

    @Override
    public void checkWhole(int fd, long length, MemorySegment buffer, MemorySegment capture, Object what) {
        Posix.checkWhole(fd, length, buffer, capture, what);
    }

    @Override
    public long map(int fd, long length, boolean writable, boolean sync, Object what) {
        return Posix.map(fd, length, writable, sync, what);
    }

    @Override
    public void unmap(long address, long length) {
        Posix.unmap(address, length);
    }

    @Override
    public boolean tryLock(int fd, long offset, long lengthBytes, Object what) {
        return Posix.tryLock(fd, offset, lengthBytes, what);
    }

    @Override
    public void unlock(int fd, long offset, long lengthBytes, Object what) {
        Posix.unlock(fd, offset, lengthBytes, what);
    }

    @Override
    public boolean isLocked(int fd, long offset, long lengthBytes, Object what) {
        return Posix.isLocked(fd, offset, lengthBytes, what);
    }

    @Override
    public long fileSystemMagic(int fd, Object what) {
        return Posix.fileSystemMagic(fd, what);
    }

    @Override
    public String device(int fd, Object what) {
        return Posix.device(fd, what);
    }
}
