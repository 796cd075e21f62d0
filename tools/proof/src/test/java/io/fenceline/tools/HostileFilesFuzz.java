package io.fenceline.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// What Jazzer calls, and a mutator of its own for a JVM with a small heap, which Jazzer does not fit in.
///
///     HostileFilesFuzz SEED RUNS
public final class HostileFilesFuzz {
    private static @Nullable HostileFiles files;

    private HostileFilesFuzz() {}

    /// Before the first input.
    public static void fuzzerInitialize() throws IOException {
        Path shm = Path.of("/dev/shm");
        files = new HostileFiles(Files.isWritable(shm) ? shm : Path.of(System.getProperty("java.io.tmpdir")));
    }

    /// One input.
    public static void fuzzerTestOneInput(byte[] program) throws IOException {
        java.util.Objects.requireNonNull(files).run(program);
    }

    /// After the last one.
    public static void fuzzerTearDown() throws IOException {
        if (files != null) {
            files.close();
        }
    }

    public static void main(String[] args) throws IOException {
        long seed = Long.parseLong(args[0]);
        int runs = Integer.parseInt(args[1]);
        fuzzerInitialize();
        try {
            for (int i = 0; i < runs; i++) {
                Random random = new Random(seed + i);
                byte[] program = new byte[2 + random.nextInt(120)];
                random.nextBytes(program);
                try {
                    fuzzerTestOneInput(program);
                } catch (RuntimeException | Error e) {
                    throw new AssertionError(
                            "seed " + (seed + i) + ", input "
                                    + java.util.HexFormat.of().formatHex(program),
                            e);
                }
            }
            System.out.println(runs + " inputs from seed " + seed + ": " + files);
        } finally {
            fuzzerTearDown();
        }
    }
}
