package io.fenceline.tools;

import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/// What [HostileFiles] must not let pass, and Jazzer must report.
public final class HostileFilesCanary {
    /// Kinds of it.
    static final int EXCESSES = 3;

    /// Of the finding.
    static final String MESSAGE = "took too much, as it was told to";

    private static final long MARGIN_NS = 200_000_000;

    private HostileFilesCanary() {}

    /// Takes too much processor time, or memory, or waits too long.
    static void take(int what) {
        long startNs = System.nanoTime();
        switch (what) {
            case 0 -> {
                while (System.nanoTime() - startNs < 3 * HostileFiles.MAXIMUM_NS) {
                    Thread.onSpinWait();
                }
            }
            case 1 -> {
                for (int i = 0; i <= 64; i++) {
                    keep(new byte[(int) (HostileFiles.MAXIMUM_ALLOCATED_BYTES / 64)]);
                }
            }
            default -> {
                while (System.nanoTime() - startNs < HostileFiles.MAXIMUM_NS + MARGIN_NS) {
                    LockSupport.parkNanos(HostileFiles.MAXIMUM_NS + MARGIN_NS);
                }
            }
        }
    }

    private static void keep(byte[] bytes) {
        if (bytes[bytes.length - 1] != 0) {
            throw new AssertionError("new memory is zero");
        }
    }

    /// As [HostileFilesFuzz], for an input of some length.
    public static void fuzzerTestOneInput(byte[] program) throws IOException {
        if (program.length > 2 && !HostileFiles.excess(() -> take(1)).isEmpty()) {
            throw new AssertionError(MESSAGE);
        }
    }
}
