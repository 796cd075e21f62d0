package io.fenceline.journal;

import io.fenceline.journal.format.Geometry;
import java.nio.file.Path;

/// Journals with the small segments of the format, which the API does not offer: laps are short in them.
public final class SmallJournals {
    private SmallJournals() {}

    /// Creates one and leaves it closed.
    ///
    /// @param segmentLengthBytes a power of two, 4 KiB or more
    public static void create(Path directory, int segmentLengthBytes, int segmentCount, JournalConfig config) {
        Journal.createFiles(directory, Geometry.of(segmentLengthBytes, segmentCount), config);
    }
}
