package io.fenceline.perf;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;

/// Skips what needs the C libraries: a build without a C compiler holds none, and measures nothing.
final class Libraries {
    private static final List<String> NAMES =
            List.of("journal/persist/native/%s/libfenceline.so", "bench/limits/native/%s/libfencelinelimits.so");

    private Libraries() {}

    static void assumeBuilt() {
        String platform = "linux-" + System.getProperty("os.arch").replace("amd64", "x86_64");
        for (String library : NAMES) {
            String name = "/io/fenceline/" + library.formatted(platform);
            assumeTrue(Libraries.class.getResource(name) != null, "this build holds no " + name);
        }
    }
}
