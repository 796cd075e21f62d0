package io.fenceline.bench.limits;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.fenceline.journal.persist.NativeLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Arrays;

/// What the medium itself costs, in C: `limits.c` says what each function does.
///
/// The loops time themselves and return the nanoseconds that `n` frames took: one thread at a time. The functions
/// with addresses handle one frame and time nothing; any thread may call them for memory of its own. They are
/// reached by critical downcalls (some 2.5 ns), as the journal's own kernel is; addresses are not checked.
///
/// A build without a C compiler has none of this: see [#isAvailable].
public final class RawLimits {
    private static final NativeLibrary LIBRARY =
            NativeLibrary.load(RawLimits.class, "libfencelinelimits.so", "fenceline-bench");
    private static final MethodHandle NT = handle("limit_nt", 7);
    private static final MethodHandle FRAMED = handle("limit_framed", 6);
    private static final MethodHandle FRAMED_FOLLOWED = handle("limit_framed_followed", 7);
    private static final MethodHandle FOLLOW = handle("limit_follow", 4);
    private static final MethodHandle MEMCPY = handle("limit_memcpy", 6);
    private static final MethodHandle SYNC = handle(
            "limit_sync",
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle SCAN =
            handle("limit_scan", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT));
    private static final MethodHandle CRC32C =
            handle("limit_crc32c", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle OPEN = handle("limit_open", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    private static final MethodHandle CLOSE = handle("limit_close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle PIN = handle("limit_pin", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle DESCRIBE = handle("limit_describe", FunctionDescriptor.of(ADDRESS));

    private static final MethodHandle STORE = critical("limit_store", JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle STORE_FRAMED =
            critical("limit_store_framed", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle COPY = critical("limit_copy", JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle FENCE = critical("limit_fence");
    private static final MethodHandle PWRITE =
            handle("limit_pwrite", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle FDATASYNC = handle("limit_fdatasync", FunctionDescriptor.of(JAVA_LONG, JAVA_INT));

    private RawLimits() {}

    /// Whether this build has the C side.
    public static boolean isAvailable() {
        return LIBRARY.isLoaded();
    }

    /// Why it is not available; empty if it is.
    public static String problem() {
        return LIBRARY.problem();
    }

    /// @throws IllegalStateException if this build has no C side
    static void require() {
        if (!isAvailable()) {
            throw new IllegalStateException(LIBRARY.problem());
        }
    }

    /// Non-temporal stores of one frame; [#fence] makes them persistent.
    public static void store(long to, long source, long frameLengthBytes) {
        try {
            STORE.invokeExact(to, source, frameLengthBytes);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// Builds a whole frame in a stage of its length, then stores it as [#store] does.
    public static void storeFramed(
            long to, long stage, long sequence, long position, long frameLengthBytes, long payload) {
        try {
            STORE_FRAMED.invokeExact(to, stage, sequence, position, frameLengthBytes, payload);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// `memcpy`.
    public static void copy(long to, long source, long lengthBytes) {
        try {
            COPY.invokeExact(to, source, lengthBytes);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// Orders the stores of this thread: `sfence`.
    public static void fence() {
        try {
            FENCE.invokeExact();
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    public static void pwrite(int fd, long source, long lengthBytes, long offset) {
        try {
            checked((long) PWRITE.invokeExact(fd, source, lengthBytes, offset));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    public static void fdatasync(int fd) {
        try {
            checked((long) FDATASYNC.invokeExact(fd));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// Frames by NT stores, a fence after each `framesPerFence`, and at the end.
    public static long nt(
            MemorySegment ring, long at, long frameLengthBytes, long framesPerFence, long n, MemorySegment source) {
        checkSource(source, frameLengthBytes);
        try {
            return checked((long) NT.invokeExact(
                    ring.address(), ring.byteSize(), at, frameLengthBytes, framesPerFence, n, source.address()));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// Whole frames: payload staged, header, checksum, NT stores, fence.
    public static long framed(MemorySegment ring, long at, long frameLengthBytes, long n, MemorySegment payload) {
        checkSource(payload, frameLengthBytes - 48);
        try {
            return checked((long)
                    FRAMED.invokeExact(ring.address(), ring.byteSize(), at, frameLengthBytes, n, payload.address()));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// The same, and the number of frames stored to a word after each fence.
    static long framedFollowed(
            MemorySegment ring,
            long at,
            long frameLengthBytes,
            long n,
            MemorySegment payload,
            MemorySegment published) {
        checkSource(payload, frameLengthBytes - 48);
        try {
            return checked((long) FRAMED_FOLLOWED.invokeExact(
                    ring.address(), ring.byteSize(), at, frameLengthBytes, n, payload.address(), published.address()));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// Reads each frame up to a word that another thread stores, until that is negative.
    ///
    /// @return how many frames
    static long follow(MemorySegment ring, long frameLengthBytes, MemorySegment published) {
        try {
            return (long) FOLLOW.invokeExact(ring.address(), ring.byteSize(), frameLengthBytes, published.address());
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// A `memcpy` to the mapping for each frame.
    public static long memcpy(MemorySegment ring, long at, long frameLengthBytes, long n, MemorySegment source) {
        checkSource(source, frameLengthBytes);
        try {
            return checked((long)
                    MEMCPY.invokeExact(ring.address(), ring.byteSize(), at, frameLengthBytes, n, source.address()));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// `pwrite` and `fdatasync` for each frame.
    public static long sync(
            int fd, long ringLengthBytes, long at, long frameLengthBytes, long n, MemorySegment source) {
        checkSource(source, frameLengthBytes);
        try {
            return checked((long) SYNC.invokeExact(fd, 0L, ringLengthBytes, at, frameLengthBytes, n, source.address()));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// Walks valid frames that fill the segment and reads their payloads.
    public static long scan(MemorySegment frames, boolean verify) {
        try {
            return checked((long) SCAN.invokeExact(frames.address(), frames.byteSize(), verify ? 1 : 0));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// CRC32C as the loops above compute it.
    public static int crc32c(MemorySegment bytes) {
        try {
            return (int) CRC32C.invokeExact(bytes.address(), bytes.byteSize());
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// A descriptor to read and write a file, for [#sync].
    public static int open(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            return (int) checked((int) OPEN.invokeExact(arena.allocateFrom(file.toString())));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    public static void close(int fd) {
        try {
            checked((int) CLOSE.invokeExact(fd));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// Binds the calling thread to a processor; threads that it starts later inherit that.
    ///
    /// @return whether the system allowed it
    public static boolean pin(int processor) {
        try {
            return (int) PIN.invokeExact(processor) == 0;
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// Which instructions were chosen.
    public static String describe() {
        try {
            return ((MemorySegment) DESCRIBE.invokeExact()).reinterpret(256).getString(0);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private static void checkSource(MemorySegment source, long lengthBytes) {
        if (source.byteSize() < lengthBytes) {
            throw new IllegalArgumentException(
                    "source of " + source.byteSize() + " bytes for frames that need " + lengthBytes);
        }
    }

    private static long checked(long result) {
        if (result < 0) {
            throw new UncheckedIOException(new IOException("the raw limit failed with errno " + -result));
        }
        return result;
    }

    private static RuntimeException failed(Throwable e) {
        if (e instanceof RuntimeException exception) {
            return exception;
        }
        throw e instanceof Error error ? error : new AssertionError(e);
    }

    private static MethodHandle handle(String name, int longs) {
        MemoryLayout[] parameters = new MemoryLayout[longs];
        Arrays.fill(parameters, JAVA_LONG);
        return handle(name, FunctionDescriptor.of(JAVA_LONG, parameters));
    }

    private static MethodHandle handle(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        return LIBRARY.handle(name, descriptor, options);
    }

    private static MethodHandle critical(String name, MemoryLayout... parameters) {
        return handle(name, FunctionDescriptor.ofVoid(parameters), Linker.Option.critical(false));
    }
}
