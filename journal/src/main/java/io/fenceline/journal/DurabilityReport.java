package io.fenceline.journal;

import org.jspecify.annotations.Nullable;

/// A truthful answer to "is my entry safe, and against what".
///
/// @param durability what `append` waits for
/// @param emulated   true where the storage cannot give that level, as when `MEMORY` runs on memory that a power
///                   cut empties: then an entry survives a process crash only
/// @param fileSystem kind of the file system that holds the journal, such as `ext4`
/// @param mapSync    true where the mapping was taken with `MAP_SYNC`
/// @param reason     why this level, in one sentence
/// @param persist    how bytes become persistent at `MEMORY`; null at the other levels
public record DurabilityReport(
        Durability durability,
        boolean emulated,
        String fileSystem,
        boolean mapSync,
        String reason,
        @Nullable PersistReport persist) {
    /// What an append does at `MEMORY`.
    public PersistStrategy strategy() {
        return persist == null ? PersistStrategy.NT : persist.strategy();
    }

    /// Whether an acknowledged entry survives a crash of the kernel or a loss of power.
    public boolean survivesPowerCut() {
        return durability.isPowerSafe() && !emulated;
    }

    /// What an acknowledged entry survives, in words.
    public String survives() {
        return survivesPowerCut() ? "process crash, kernel crash, power cut" : "process crash";
    }

    @Override
    public String toString() {
        return durability + (emulated ? " (emulated)" : "") + " on " + fileSystem + ", survives " + survives() + ": "
                + reason + (persist == null ? "" : "; persists by " + persist.strategy());
    }
}
