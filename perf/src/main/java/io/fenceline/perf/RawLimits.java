package io.fenceline.perf;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// The loops of `limits.c`, which time themselves. Each returns the nanoseconds that `n` frames took; what they do is
/// said in that file. One thread at a time.
final class RawLimits {
    private static final SymbolLookup LIBRARY = load();
    private static final MethodHandle NT = handle("limit_nt", 7);
    private static final MethodHandle FRAMED = handle("limit_framed", 6);
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

    private RawLimits() {}

    /// Frames by NT stores, a fence after each `framesPerFence`, and at the end.
    static long nt(
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
    static long framed(MemorySegment ring, long at, long frameLengthBytes, long n, MemorySegment payload) {
        checkSource(payload, frameLengthBytes - 48);
        try {
            return checked((long)
                    FRAMED.invokeExact(ring.address(), ring.byteSize(), at, frameLengthBytes, n, payload.address()));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// A `memcpy` to the mapping for each frame.
    static long memcpy(MemorySegment ring, long at, long frameLengthBytes, long n, MemorySegment source) {
        checkSource(source, frameLengthBytes);
        try {
            return checked((long)
                    MEMCPY.invokeExact(ring.address(), ring.byteSize(), at, frameLengthBytes, n, source.address()));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// `pwrite` and `fdatasync` for each frame.
    static long sync(int fd, long ringLengthBytes, long at, long frameLengthBytes, long n, MemorySegment source) {
        checkSource(source, frameLengthBytes);
        try {
            return checked((long) SYNC.invokeExact(fd, 0L, ringLengthBytes, at, frameLengthBytes, n, source.address()));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// Walks valid frames that fill the segment and reads their payloads.
    static long scan(MemorySegment frames, boolean verify) {
        try {
            return checked((long) SCAN.invokeExact(frames.address(), frames.byteSize(), verify ? 1 : 0));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// CRC32C as the loops above compute it.
    static int crc32c(MemorySegment bytes) {
        try {
            return (int) CRC32C.invokeExact(bytes.address(), bytes.byteSize());
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// A descriptor to read and write a file, for [#sync].
    static int open(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            return (int) checked((int) OPEN.invokeExact(arena.allocateFrom(file.toString())));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    static void close(int fd) {
        try {
            checked((int) CLOSE.invokeExact(fd));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// Binds the calling thread to a processor; threads that it starts later inherit that.
    ///
    /// @return whether the system allowed it
    static boolean pin(int processor) {
        try {
            return (int) PIN.invokeExact(processor) == 0;
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// Which instructions were chosen.
    static String describe() {
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

    private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(LIBRARY.findOrThrow(name), descriptor);
    }

    private static SymbolLookup load() {
        String arch = System.getProperty("os.arch");
        String resource = "native/linux-" + (arch.equals("amd64") ? "x86_64" : arch) + "/libfencelineperf.so";
        try (InputStream library = RawLimits.class.getResourceAsStream(resource)) {
            if (library == null) {
                throw new IllegalStateException("this build has no " + resource
                        + ": the raw limits are compiled on Linux where there is a C compiler (cc)");
            }
            Path file = Files.createTempFile("fencelineperf", ".so");
            try {
                Files.write(file, library.readAllBytes());
                return SymbolLookup.libraryLookup(file, Arena.global());
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
