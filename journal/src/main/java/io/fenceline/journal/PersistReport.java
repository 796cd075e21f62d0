package io.fenceline.journal;

import org.jspecify.annotations.Nullable;

/// How bytes become persistent at [Durability#MEMORY], and why so.
///
/// @param strategy     what an append does; for a journal that is only read: what an opening for writing would
///                     choose that is not configured otherwise
/// @param instructions which ones this processor has for it, such as `avx512, clwb, crc by vpclmulqdq`
/// @param reason       why this strategy, in some words
/// @param calibration  what was measured, null if nothing was, or it cannot be read
public record PersistReport(
        PersistStrategy strategy,
        String instructions,
        String reason,
        @Nullable PersistCalibration calibration) {
    @Override
    public String toString() {
        return strategy + " (" + instructions + "), " + reason;
    }
}
