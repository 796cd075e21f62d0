package io.fenceline.journal.persist;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.PersistStrategy;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// The C kernel `fenceline.c`, reached by critical downcalls: no state transition, some 2.5 ns.
///
/// Loaded from the jar when it is needed first: by an appender, or by a tailer. The handles are constants, and
/// addresses travel as `long`, so that the call compiles to a plain one.
final class NativeKernel extends Instructions {
    private static final Linker.Option CRITICAL = Linker.Option.critical(false);
    private static final NativeLibrary LIBRARY =
            NativeLibrary.load(NativeKernel.class, "libfenceline.so", "fenceline-journal");
    private static final NativeKernel KERNEL = new NativeKernel();
    private static final MethodHandle COPY =
            handle("fl_copy", FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle PERSIST =
            handle("fl_persist", FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle WRITE_BACK =
            handle("fl_write_back", FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG));
    private static final MethodHandle FLUSH = handle("fl_flush", FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG));
    private static final MethodHandle FENCE = handle("fl_fence", FunctionDescriptor.ofVoid());
    private static final MethodHandle PERSIST_FRAME =
            handle("fl_persist_frame", FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT));
    private static final MethodHandle STORE_FRAME =
            handle("fl_store_frame", FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT));
    private static final MethodHandle PERSIST_ENTRY = entryHandle("fl_persist_entry");
    private static final MethodHandle STORE_ENTRY = entryHandle("fl_store_entry");
    private static final MethodHandle HAS_ENTRY = handle("fl_has_entry", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle CRC32C =
            handle("fl_crc32c", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle COPY_CRC32C =
            handle("fl_copy_crc32c", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle RUN = handle(
            "fl_run",
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle TIME =
            handle("fl_time", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle DESCRIBE = handle("fl_describe", FunctionDescriptor.of(ADDRESS));

    private NativeKernel() {}

    /// The kernel; callers have seen to it that there is one.
    static NativeKernel kernel() {
        return KERNEL;
    }

    /// Whether this build and this machine have a kernel.
    static boolean isAvailable() {
        return LIBRARY.isLoaded();
    }

    /// @throws JournalException.DurabilityUnavailable if this build or this machine has no kernel
    static void require() {
        if (!isAvailable()) {
            throw new JournalException.DurabilityUnavailable(
                    "MEMORY durability needs the native kernel: " + LIBRARY.problem() + ", or use DEVICE or PROCESS");
        }
    }

    @Override
    void copy(long destination, long source, long length) {
        try {
            COPY.invokeExact(destination, source, length);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    void persist(long destination, long source, long length) {
        try {
            PERSIST.invokeExact(destination, source, length);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    void store(long destination, long source, long length) {
        Posix.copy(destination, source, length);
    }

    @Override
    void flush(long address, long length) {
        try {
            FLUSH.invokeExact(address, length);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    void writeBack(long address, long length) {
        try {
            WRITE_BACK.invokeExact(address, length);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    void fence() {
        try {
            FENCE.invokeExact();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    void persistFrame(long destination, long source, long length, long slotsLength, int salt) {
        try {
            PERSIST_FRAME.invokeExact(destination, source, length, slotsLength, salt);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    void storeFrame(long destination, long source, long length, long slotsLength, int salt) {
        try {
            STORE_FRAME.invokeExact(destination, source, length, slotsLength, salt);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    boolean hasEntry() {
        try {
            return isAvailable() && (int) HAS_ENTRY.invokeExact() != 0;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    void persistEntry(
            long destination,
            MemorySegment payload,
            long length,
            int type,
            long position,
            long sequence,
            long timestampNs,
            int epoch,
            int salt) {
        try {
            PERSIST_ENTRY.invokeExact(
                    destination, payload, entry(length, type), position, sequence, timestampNs, seal(epoch, salt));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    void storeEntry(
            long destination,
            MemorySegment payload,
            long length,
            int type,
            long position,
            long sequence,
            long timestampNs,
            int epoch,
            int salt) {
        try {
            STORE_ENTRY.invokeExact(
                    destination, payload, entry(length, type), position, sequence, timestampNs, seal(epoch, salt));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static long entry(long length, int type) {
        return length | (long) type << 32;
    }

    /// The epoch is above: it counts recoveries and cuts, so that the bits are never those of a NaN.
    private static double seal(int epoch, int salt) {
        return Double.longBitsToDouble((long) epoch << 32 | (salt & 0xFFFF_FFFFL));
    }

    @Override
    int crc32c(int crc, long address, long length) {
        try {
            return (int) CRC32C.invokeExact(crc, address, length);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    int copyCrc32c(int crc, long destination, long source, long length) {
        try {
            return (int) COPY_CRC32C.invokeExact(crc, destination, source, length);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// As [UsualFrames#lengthBytes].
    static int run(
            long address,
            long length,
            long position,
            long sequence,
            long attributes,
            int longest,
            boolean verify,
            int salt,
            long ahead) {
        long limits = (verify ? 0 : Long.MIN_VALUE) | (long) longest << 32 | (salt & 0xFFFF_FFFFL);
        try {
            return (int) (long) RUN.invokeExact(address, length, position, sequence, attributes, limits, ahead);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// Persists a page of 4096 bytes in frames of a length.
    ///
    /// @return the nanoseconds that took
    static long time(PersistStrategy strategy, long destination, long source, long frameLength) {
        try {
            return (long) TIME.invokeExact(strategy.id(), destination, source, frameLength);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /// Which instructions were chosen.
    static String describe() {
        try {
            return ((MemorySegment) DESCRIBE.invokeExact()).reinterpret(256).getString(0);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
        return LIBRARY.handle(name, descriptor, CRITICAL);
    }

    /// Everything about an entry travels in registers, six words and a `double` that is 8 bytes and no number: what
    /// goes by the stack costs the next append some 3 % (ADR 0008).
    private static MethodHandle entryHandle(String name) {
        FunctionDescriptor descriptor =
                FunctionDescriptor.ofVoid(JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_DOUBLE);
        return LIBRARY.handle(name, descriptor, Linker.Option.critical(true));
    }
}
