package io.fenceline.journal.persist;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.fenceline.journal.JournalException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The system calls that the JDK does not offer with the options that a journal needs, through FFM.
///
/// Linux, 64 bit, little-endian. Every failure becomes a [JournalException.Io] that names the call, the object and
/// the system's reason. Nothing here is for a hot path but [#copy], [#pwriteFully] and [#fdatasync].
public final class Posix {
    public static final int O_RDONLY = 0;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0x40;
    public static final int O_EXCL = 0x80;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_CLOEXEC = 0x80000;
    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");
    public static final int O_DIRECT = ARM ? 0x10000 : 0x4000;
    public static final int O_DIRECTORY = ARM ? 0x4000 : 0x10000;
    public static final int O_NOFOLLOW = ARM ? 0x8000 : 0x20000;

    public static final int ENOENT = 2;
    public static final int EINTR = 4;
    public static final int EPERM = 1;
    public static final int EIO = 5;
    public static final int EAGAIN = 11;
    public static final int EACCES = 13;
    public static final int EEXIST = 17;
    public static final int ENOTDIR = 20;
    public static final int EINVAL = 22;
    public static final int EROFS = 30;
    public static final int ENOSPC = 28;
    public static final int ELOOP = 40;
    public static final int EOPNOTSUPP = 95;

    private static final int AT_FDCWD = -100;
    private static final int AT_REMOVEDIR = 0x200;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int RENAME_NOREPLACE = 1;
    private static final int F_OFD_GETLK = 36;
    private static final int F_OFD_SETLK = 37;
    private static final short F_RDLCK = 0;
    private static final short F_WRLCK = 1;
    private static final short F_UNLCK = 2;
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int MAP_SHARED = 1;
    private static final int MAP_SHARED_VALIDATE = 3;
    private static final int MAP_SYNC = 0x80000;
    private static final int MADV_POPULATE_WRITE = 23;
    private static final int CLOCK_REALTIME = 0;
    private static final int STATX_TYPE_MODE_NLINK_SIZE = 0x1 | 0x2 | 0x4 | 0x200;
    private static final int STATX_NLINK_OFFSET = 16;
    private static final int STATX_MODE_OFFSET = 28;
    private static final int STATX_SIZE_OFFSET = 40;
    private static final long STATX_DEVICE_MAJOR_OFFSET = 136;
    private static final long STATX_BYTES = 256;
    private static final MemorySegment EMPTY = Arena.global().allocate(1);
    private static final long SYS_FUTEX = ARM ? 98 : 202;
    private static final long SYS_MEMBARRIER = ARM ? 283 : 324;
    private static final int FUTEX_WAIT = 0;
    private static final int FUTEX_WAKE = 1;
    private static final int MEMBARRIER_CMD_GLOBAL_EXPEDITED = 1 << 1;
    private static final int MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 1 << 2;

    private static final int POLLERR = 8;
    private static final int POLLHUP = 16;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final Linker.Option CRITICAL = Linker.Option.critical(false);
    private static final int CAPTURE_BYTES =
            Math.toIntExact(Linker.Option.captureStateLayout().byteSize());
    private static final long ERRNO_OFFSET =
            Linker.Option.captureStateLayout().byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle OPENAT = handle(
            "openat",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
            ERRNO,
            Linker.Option.firstVariadicArg(3));
    private static final MethodHandle CLOSE = handle("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT), ERRNO);
    private static final MethodHandle MKDIRAT =
            handle("mkdirat", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT), ERRNO);
    private static final MethodHandle UNLINKAT =
            handle("unlinkat", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT), ERRNO);
    private static final MethodHandle RENAMEAT2 =
            handle("renameat2", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT), ERRNO);
    private static final MethodHandle FCHMOD =
            handle("fchmod", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT), ERRNO);
    private static final MethodHandle FSYNC = handle("fsync", FunctionDescriptor.of(JAVA_INT, JAVA_INT), ERRNO);
    private static final MethodHandle FDATASYNC = handle("fdatasync", FunctionDescriptor.of(JAVA_INT, JAVA_INT), ERRNO);
    private static final MethodHandle FALLOCATE =
            handle("fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG), ERRNO);
    private static final MethodHandle FTRUNCATE =
            handle("ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG), ERRNO);
    private static final MethodHandle PREAD =
            handle("pread", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG), ERRNO);
    private static final MethodHandle PWRITE =
            handle("pwrite", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG), ERRNO);
    private static final MethodHandle MMAP = handle(
            "mmap",
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG),
            ERRNO);
    private static final MethodHandle MUNMAP =
            handle("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG), ERRNO);
    private static final MethodHandle POLL =
            handle("poll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
    private static final MethodHandle MADVISE =
            handle("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT), ERRNO);
    private static final MethodHandle FCNTL = handle(
            "fcntl",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS),
            ERRNO,
            Linker.Option.firstVariadicArg(2));
    private static final FunctionDescriptor STATX_CALL =
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle STATX = handle("statx", STATX_CALL, ERRNO);
    /// Without the errno: to capture it makes an object a call, unless that is compiled.
    private static final MethodHandle STATX_UNEXPLAINED = handle("statx", STATX_CALL);
    private static final MethodHandle FSTATFS =
            handle("fstatfs", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS), ERRNO);
    private static final FunctionDescriptor FUTEX_CALL =
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle FUTEX = handle("syscall", FUTEX_CALL, Linker.Option.firstVariadicArg(1));
    private static final MethodHandle MEMBARRIER = handle(
            "syscall",
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT),
            ERRNO,
            Linker.Option.firstVariadicArg(1));
    private static final MethodHandle STRERROR = handle("strerror", FunctionDescriptor.of(ADDRESS, JAVA_INT));
    private static final MethodHandle MEMCPY =
            handle("memcpy", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG), CRITICAL);
    private static final MethodHandle CLOCK_GETTIME =
            handle("clock_gettime", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG), CRITICAL);

    private Posix() {}

    private static MethodHandle handle(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        MemorySegment symbol = LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new JournalException("this system's C library has no function '" + name
                        + "'; Fenceline needs 64-bit Linux with glibc 2.28 or newer"));
        return LINKER.downcallHandle(symbol, descriptor, options);
    }

    /// Type and size of an open file.
    ///
    /// @param isRegular a regular file
    /// @param mode      the permission bits
    /// @param links     names that it has; 0 if it was removed
    /// @param size      in bytes
    public record Status(boolean isRegular, int mode, int links, long size) {}

    /// Opens `name` below a directory; symbolic links as the last component are refused.
    ///
    /// @param directory an open directory, or -1 for the working directory
    /// @param what      what it is, for the message
    public static int open(int directory, String name, int flags, int mode, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = arena.allocate(CAPTURE_BYTES);
            int fd = (int) OPENAT.invokeExact(
                    capture,
                    directory < 0 ? AT_FDCWD : directory,
                    arena.allocateFrom(name),
                    flags | O_CLOEXEC | O_NOFOLLOW,
                    mode);
            if (fd < 0) {
                throw failure("open", what, capture);
            }
            return fd;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    public static void close(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            int ignored = (int) CLOSE.invokeExact(arena.allocate(CAPTURE_BYTES), fd);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Creates a directory with exactly that mode.
    public static void mkdir(int directory, String name, int mode, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = arena.allocate(CAPTURE_BYTES);
            int at = directory < 0 ? AT_FDCWD : directory;
            check((int) MKDIRAT.invokeExact(capture, at, arena.allocateFrom(name), mode), "mkdir", what, capture);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Removes a file or an empty directory; false if that failed.
    public static boolean remove(int directory, String name, boolean isDirectory) {
        try (Arena arena = Arena.ofConfined()) {
            return 0
                    == (int) UNLINKAT.invokeExact(
                            arena.allocate(CAPTURE_BYTES),
                            directory < 0 ? AT_FDCWD : directory,
                            arena.allocateFrom(name),
                            isDirectory ? AT_REMOVEDIR : 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Renames within a directory; what exists is never replaced (`EEXIST`).
    public static void renameNoReplace(int directory, String from, String to, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = arena.allocate(CAPTURE_BYTES);
            check(
                    (int) RENAMEAT2.invokeExact(
                            capture,
                            directory,
                            arena.allocateFrom(from),
                            directory,
                            arena.allocateFrom(to),
                            RENAME_NOREPLACE),
                    "rename",
                    what,
                    capture);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    public static void chmod(int fd, int mode, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = arena.allocate(CAPTURE_BYTES);
            check((int) FCHMOD.invokeExact(capture, fd, mode), "chmod", what, capture);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Data and metadata to the device.
    public static void fsync(int fd, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = arena.allocate(CAPTURE_BYTES);
            check((int) FSYNC.invokeExact(capture, fd), "fsync", what, capture);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Allocates blocks and extends the file; a file system that cannot is given the length only.
    public static void allocate(int fd, long length, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = arena.allocate(CAPTURE_BYTES);
            if ((int) FALLOCATE.invokeExact(capture, fd, 0, 0L, length) == 0) {
                return;
            }
            if (errno(capture) != EOPNOTSUPP) {
                throw failure("allocate " + length + " bytes for", what, capture);
            }
            check((int) FTRUNCATE.invokeExact(capture, fd, length), "extend", what, capture);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Reads up to `length` bytes; less only at the end of the file.
    ///
    /// @param capture from [#newCapture], one per thread
    /// @return bytes read
    public static long pread(int fd, long address, long length, long fileOffset, MemorySegment capture, Object what) {
        try {
            long done = 0;
            while (done < length) {
                long n = (long) PREAD.invokeExact(capture, fd, address + done, length - done, fileOffset + done);
                if (n == 0) {
                    break;
                }
                if (n < 0 && errno(capture) != EINTR) {
                    throw failure("read " + length + " bytes at offset " + fileOffset + " of", what, capture);
                }
                done += Math.max(n, 0);
            }
            return done;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Writes all of `length` bytes.
    public static void pwriteFully(
            int fd, long address, long length, long fileOffset, MemorySegment capture, Object what) {
        try {
            long done = 0;
            while (done < length) {
                long n = (long) PWRITE.invokeExact(capture, fd, address + done, length - done, fileOffset + done);
                if (n < 0 && errno(capture) != EINTR) {
                    throw failure("write " + length + " bytes at offset " + fileOffset + " of", what, capture);
                }
                done += Math.max(n, 0);
            }
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// One `fdatasync`; never repeated after a failure.
    public static void fdatasync(int fd, MemorySegment capture, Object what) {
        try {
            check((int) FDATASYNC.invokeExact(capture, fd), "fdatasync", what, capture);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Where [#pread], [#pwriteFully] and [#fdatasync] find the error number: one per thread.
    public static MemorySegment newCapture() {
        return newCapture(Arena.ofAuto());
    }

    /// The same, for as long as an arena lives.
    static MemorySegment newCapture(Arena arena) {
        return arena.allocate(CAPTURE_BYTES);
    }

    /// A shared mapping.
    ///
    /// @param sync ask for `MAP_SYNC`
    /// @return the address; 0 if `sync` was asked for and the file system has no such thing
    public static long map(int fd, long length, boolean writable, boolean sync, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = arena.allocate(CAPTURE_BYTES);
            long address = (long) MMAP.invokeExact(
                    capture,
                    0L,
                    length,
                    writable ? PROT_READ | PROT_WRITE : PROT_READ,
                    sync ? MAP_SHARED_VALIDATE | MAP_SYNC : MAP_SHARED,
                    fd,
                    0L);
            if (address != -1) {
                return address;
            }
            if (sync && (errno(capture) == EOPNOTSUPP || errno(capture) == EINVAL)) {
                return 0;
            }
            throw failure("map " + length + " bytes of", what, capture);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    public static void unmap(long address, long length) {
        try (Arena arena = Arena.ofConfined()) {
            int ignored = (int) MUNMAP.invokeExact(arena.allocate(CAPTURE_BYTES), address, length);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Maps the pages in, ready to be written. A hint: where the kernel cannot (before 5.14) or a page cannot be
    /// had, they come with the first stores.
    public static void populate(long address, long length) {
        try (Arena arena = Arena.ofConfined()) {
            int ignored =
                    (int) MADVISE.invokeExact(arena.allocate(CAPTURE_BYTES), address, length, MADV_POPULATE_WRITE);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Takes the exclusive lock of the open file description; it goes only when all its descriptors are closed, so
    /// with the process, and no other descriptor of the file can drop it.
    ///
    /// @return false if another description holds it
    public static boolean tryLock(int fd, Object what) {
        return tryLock(fd, 0, 0, what);
    }

    /// The same, for a range of bytes, which need not be there.
    ///
    /// @param lengthBytes 0: to the end, however far the file grows
    public static boolean tryLock(int fd, long offset, long lengthBytes, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = arena.allocate(CAPTURE_BYTES);
            MemorySegment lock = newLock(arena, F_WRLCK, offset, lengthBytes);
            if ((int) FCNTL.invokeExact(capture, fd, F_OFD_SETLK, lock) == 0) {
                return true;
            }
            int errno = errno(capture);
            if (errno == EAGAIN || errno == EACCES) {
                return false;
            }
            throw failure("lock", what, capture);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Gives a range back that this description has locked.
    public static void unlock(int fd, long offset, long lengthBytes, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = arena.allocate(CAPTURE_BYTES);
            MemorySegment lock = newLock(arena, F_UNLCK, offset, lengthBytes);
            check((int) FCNTL.invokeExact(capture, fd, F_OFD_SETLK, lock), "unlock", what, capture);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Whether another open file description holds the exclusive lock.
    public static boolean isLocked(int fd, Object what) {
        return isLocked(fd, 0, 0, what);
    }

    /// Whether another open file description has locked a part of a range.
    public static boolean isLocked(int fd, long offset, long lengthBytes, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = arena.allocate(CAPTURE_BYTES);
            MemorySegment lock = newLock(arena, F_RDLCK, offset, lengthBytes);
            check((int) FCNTL.invokeExact(capture, fd, F_OFD_GETLK, lock), "query the lock of", what, capture);
            return lock.get(JAVA_SHORT, 0) != F_UNLCK;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// A `struct flock`, from the start of the file.
    private static MemorySegment newLock(Arena arena, short type, long offset, long lengthBytes) {
        MemorySegment lock = arena.allocate(32, 8);
        lock.set(JAVA_SHORT, 0, type);
        lock.set(JAVA_LONG, 8, offset);
        lock.set(JAVA_LONG, 16, lengthBytes);
        return lock;
    }

    /// Sleeps while the `i32` at an address holds a value: until [#futexWake], for some time, or for no reason.
    /// Also between processes that share the memory.
    ///
    /// @param timespec {seconds, nanoseconds}, the longest time to sleep
    public static void futexWait(long address, int value, MemorySegment timespec) {
        futex(address, FUTEX_WAIT, value, timespec.address());
    }

    /// Wakes all who sleep on an address.
    public static void futexWake(long address) {
        futex(address, FUTEX_WAKE, Integer.MAX_VALUE, 0);
    }

    private static void futex(long address, int operation, int value, long timespecAddress) {
        try {
            long ignored = (long) FUTEX.invokeExact(SYS_FUTEX, address, operation, value, timespecAddress, 0L, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Lets this process take part in the [#membarrier] of any process.
    ///
    /// @return false where the kernel has no such thing (before 4.16), or forbids it
    public static boolean registerMembarrier() {
        return membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
    }

    /// A full fence in every running thread of every process that has registered.
    ///
    /// @return false where there is no such thing
    public static boolean membarrier() {
        return membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
    }

    private static boolean membarrier(int command) {
        try (Arena arena = Arena.ofConfined()) {
            return 0 == (long) MEMBARRIER.invokeExact(arena.allocate(CAPTURE_BYTES), SYS_MEMBARRIER, command, 0, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    public static Status status(int fd, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment statx = arena.allocate(STATX_BYTES, 8);
            statx(fd, statx, newCapture(arena), what);
            int mode = statx.get(JAVA_SHORT, STATX_MODE_OFFSET) & 0xFFFF;
            return new Status(
                    (mode & 0xF000) == 0x8000,
                    mode & 0xFFF,
                    statx.get(JAVA_INT, STATX_NLINK_OFFSET),
                    statx.get(JAVA_LONG, STATX_SIZE_OFFSET));
        }
    }

    /// The device that a file lies on, as sysfs names it: such as `259:0`.
    static String device(int fd, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment statx = arena.allocate(STATX_BYTES, 8);
            statx(fd, statx, newCapture(arena), what);
            return Integer.toUnsignedString(statx.get(JAVA_INT, STATX_DEVICE_MAJOR_OFFSET))
                    + ':'
                    + Integer.toUnsignedString(statx.get(JAVA_INT, STATX_DEVICE_MAJOR_OFFSET + 4));
        }
    }

    /// Looks at a file that was synced: bytes of a file that was removed or cut off meanwhile are durable nowhere.
    /// Allocates nothing.
    ///
    /// @param length  what the file must have at least
    /// @param buffer  from [#newStatusBuffer]
    /// @param capture from [#newCapture]
    /// @throws JournalException.Io if the file has no name any more, or is shorter
    static void checkWhole(int fd, long length, MemorySegment buffer, MemorySegment capture, Object what) {
        if (!isStated(fd, buffer)) {
            statx(fd, buffer, capture, what); // says why
            throw new JournalException.Io(what + ": stat failed, and when it was repeated it did not", 0);
        }
        long size = buffer.get(JAVA_LONG, STATX_SIZE_OFFSET);
        if (size < length) {
            throw new JournalException.Io(
                    what + ": expected " + length + " bytes, actual " + size
                            + ": the file was truncated under the writer; restore it from a copy",
                    0);
        }
        if (buffer.get(JAVA_INT, STATX_NLINK_OFFSET) == 0) {
            throw new JournalException.Io(
                    what + " was removed under the writer: what is written to it is lost when it is closed", 0);
        }
    }

    /// Raw addresses: nothing to allocate, compiled or not.
    private static boolean isStated(int fd, MemorySegment buffer) {
        try {
            return (int) STATX_UNEXPLAINED.invokeExact(
                            fd, EMPTY.address(), AT_EMPTY_PATH, STATX_TYPE_MODE_NLINK_SIZE, buffer.address())
                    == 0;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    private static void statx(int fd, MemorySegment buffer, MemorySegment capture, Object what) {
        try {
            check(
                    (int) STATX.invokeExact(
                            capture, fd, EMPTY.address(), AT_EMPTY_PATH, STATX_TYPE_MODE_NLINK_SIZE, buffer.address()),
                    "stat",
                    what,
                    capture);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// For [#checkWhole], one per thread.
    static MemorySegment newStatusBuffer() {
        return Arena.ofAuto().allocate(STATX_BYTES, 8);
    }

    /// The magic number of the file system that an open file is on.
    public static long fileSystemMagic(int fd, Object what) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = arena.allocate(CAPTURE_BYTES);
            MemorySegment statfs = arena.allocate(256, 8);
            check((int) FSTATFS.invokeExact(capture, fd, statfs), "statfs", what, capture);
            return statfs.get(JAVA_LONG, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// memcpy in native code: a page that cannot be had stops the process there, instead of losing the store
    /// silently.
    static void copy(long destination, long source, long length) {
        try {
            long ignored = (long) MEMCPY.invokeExact(destination, source, length);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Whether the other end of a pipe or socket has gone, so that what is written would come to nobody.
    public static boolean isHungUp(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = arena.allocate(8, 4);
            request.set(JAVA_INT, 0, fd);
            int count = (int) POLL.invokeExact(request, 1L, 0);
            return count > 0 && (request.get(JAVA_SHORT, 6) & (POLLERR | POLLHUP)) != 0;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /// Writes `CLOCK_REALTIME` as {seconds, nanoseconds} to 16 bytes.
    public static void clockRealtime(long address) {
        try {
            int ignored = (int) CLOCK_GETTIME.invokeExact(CLOCK_REALTIME, address);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    private static int errno(MemorySegment capture) {
        return capture.get(JAVA_INT, ERRNO_OFFSET);
    }

    private static void check(int result, String call, Object what, MemorySegment capture) {
        if (result < 0) {
            throw failure(call, what, capture);
        }
    }

    private static JournalException.Io failure(String call, Object what, MemorySegment capture) {
        int errno = errno(capture);
        return new JournalException.Io("cannot " + call + " " + what + ": " + message(errno) + advice(errno), errno);
    }

    private static String message(int errno) {
        try {
            MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
            return text.reinterpret(1024).getString(0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    private static String advice(int errno) {
        return switch (errno) {
            case ENOSPC -> "; free some space or choose a smaller geometry";
            case EACCES -> "; check the permissions and the owner";
            case ELOOP -> "; symbolic links are refused here: name the real path";
            default -> "";
        };
    }

    private static RuntimeException rethrow(Throwable e) {
        if (e instanceof RuntimeException runtime) {
            return runtime;
        }
        if (e instanceof Error error) {
            throw error;
        }
        throw new AssertionError(e);
    }
}
