package io.fenceline.perf;

import java.nio.file.Path;

/// Where benchmarks put their files, and how large they may be.
///
/// @param memory             directory for `MEMORY` and `PROCESS`; a tmpfs makes `MEMORY` emulated
/// @param device             directory on a block device, for `DEVICE`
/// @param segmentLengthBytes of the journals
/// @param segmentCount       of the journals; a raw ring is as long as all segments
/// @param scale              factor on the number of operations of a round: 1 for figures, less for a smoke test
record Places(Path memory, Path device, int segmentLengthBytes, int segmentCount, double scale) {
    /// Directory for `DEVICE`, default `target/perf` of the working directory.
    static final String DEVICE_PROPERTY = "fenceline.perf.dir";

    /// Directory for `MEMORY` and `PROCESS`, default `/dev/shm`.
    static final String MEMORY_PROPERTY = "fenceline.perf.memory";

    static Places ofProperties() {
        return new Places(
                Path.of(System.getProperty(MEMORY_PROPERTY, "/dev/shm")),
                Path.of(System.getProperty(DEVICE_PROPERTY, "target/perf")),
                Integer.getInteger("fenceline.perf.segmentLength", 64 << 20),
                Integer.getInteger("fenceline.perf.segments", 4),
                Double.parseDouble(System.getProperty("fenceline.perf.scale", "1")));
    }

    long capacityBytes() {
        return (long) segmentLengthBytes * segmentCount;
    }

    long scaled(long operations) {
        return Math.max(1, Math.round(operations * scale));
    }
}
