package io.fenceline.peers;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/// Maps in all pages of files that somebody else has mapped, so that no page fault is left to be measured.
final class MappedIn {
    private static final int MADV_POPULATE_READ = 22;
    private static final int MADV_POPULATE_WRITE = 23;
    private static final MethodHandle MADVISE = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("madvise"),
                    FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));

    private MappedIn() {}

    /// What this process has mapped of files below a directory. A kernel older than 5.14 does nothing.
    static void populate(Path directory) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
            if (line.contains(directory + "/")) {
                int dash = line.indexOf('-');
                long start = Long.parseUnsignedLong(line.substring(0, dash), 16);
                long end = Long.parseUnsignedLong(line.substring(dash + 1, line.indexOf(' ')), 16);
                advise(start, end - start, line.charAt(line.indexOf(' ') + 2) == 'w');
            }
        }
    }

    private static void advise(long address, long lengthBytes, boolean writable) {
        try {
            int ignored = (int)
                    MADVISE.invokeExact(address, lengthBytes, writable ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
