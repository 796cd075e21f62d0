package io.fenceline.journal.persist;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

/// Skips tests that need the C kernel, where the build has left it out.
public final class Kernel {
    private Kernel() {}

    /// Whether `MEMORY` can be had at all.
    public static boolean isAvailable() {
        return NativeKernel.isAvailable();
    }

    /// Skips the calling test, visibly, where there is no kernel.
    public static void assumeAvailable() {
        assumeTrue(isAvailable(), "this build holds no native kernel (there was no C compiler)");
    }
}
