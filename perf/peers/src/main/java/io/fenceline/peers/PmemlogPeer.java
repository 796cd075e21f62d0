package io.fenceline.peers;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// libpmemlog of PMDK 1 by FFM, if the system has `libpmemlog.so.1` (Debian: `libpmemlog1`). Off persistent memory the
/// environment must have `PMEM_IS_PMEM_FORCE=1`; else it calls `msync`.
final class PmemlogPeer implements Peer {
    private static final int ROOM_BYTES = 1 << 20;

    private final Arena arena = Arena.ofShared();
    private final MethodHandle append;
    private final MethodHandle rewind;
    private final MethodHandle close;
    private final MemorySegment pool;
    private final long capacityBytes;
    private long usedBytes;

    PmemlogPeer(Path directory) throws IOException {
        SymbolLookup library = library();
        append = handle(library, "pmemlog_append", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG), true);
        rewind = handle(library, "pmemlog_rewind", FunctionDescriptor.ofVoid(ADDRESS), false);
        close = handle(library, "pmemlog_close", FunctionDescriptor.ofVoid(ADDRESS), false);
        MethodHandle create =
                handle(library, "pmemlog_create", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT), false);
        MethodHandle room = handle(library, "pmemlog_nbyte", FunctionDescriptor.of(JAVA_LONG, ADDRESS), false);
        try {
            pool = (MemorySegment) create.invokeExact(
                    arena.allocateFrom(directory.resolve("pool").toString()), (long) Room.LENGTH_BYTES, 0600);
            if (pool.address() == 0) {
                throw new IOException("pmemlog_create failed");
            }
            capacityBytes = (long) room.invokeExact(pool);
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        fill();
    }

    private SymbolLookup library() throws IOException {
        try {
            return SymbolLookup.libraryLookup("libpmemlog.so.1", arena);
        } catch (IllegalArgumentException e) {
            throw new IOException("there is no libpmemlog.so.1 (Debian: apt install libpmemlog1)", e);
        }
    }

    private static MethodHandle handle(
            SymbolLookup library, String name, FunctionDescriptor descriptor, boolean critical) {
        Linker.Option[] options = critical ? new Linker.Option[] {Linker.Option.critical(false)} : new Linker.Option[0];
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), descriptor, options);
    }

    /// Writes all of it once, so that no append meets a page that is not there.
    private void fill() {
        MemorySegment zeros = arena.allocate(ROOM_BYTES);
        while (usedBytes + ROOM_BYTES <= capacityBytes) {
            append(zeros);
        }
        prepare(Room.LENGTH_BYTES);
    }

    private void append(MemorySegment bytes) {
        int result;
        try {
            result = (int) append.invokeExact(pool, bytes, bytes.byteSize());
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        if (result != 0) {
            throw new IllegalStateException("pmemlog_append returned " + result);
        }
        usedBytes += bytes.byteSize();
    }

    @Override
    public String description() {
        return "pool of 256 MiB, pmemlog_append by a critical downcall; rewound when full, which is not measured";
    }

    @Override
    public void prepare(long lengthBytes) {
        if (usedBytes + lengthBytes > capacityBytes) {
            try {
                rewind.invokeExact(pool);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
            usedBytes = 0;
        }
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        MemorySegment payload = arena.allocate(payloadLengthBytes, 64);
        return stamp -> {
            payload.set(JAVA_LONG, 0, stamp);
            append(payload);
        };
    }

    @Override
    public void close() {
        try {
            close.invokeExact(pool);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        arena.close();
    }
}
