package io.fenceline.bench.report;

/// What the entries went to.
///
/// @param durability class of durability: `MEMORY`, `DEVICE`, `PROCESS`
/// @param emulated   whether the storage cannot give that class
/// @param fileSystem kind of the file system
/// @param promises   what an entry survives when the call has returned
public record Medium(String durability, boolean emulated, String fileSystem, String promises) {
    /// The class of what persists nothing, and is shown beside all of them.
    public static final String NONE = "none";

    /// Whether a figure from here may be divided by one from there.
    boolean isComparable(Medium other) {
        return durability.equals(other.durability) || other.durability.equals(NONE);
    }

    @Override
    public String toString() {
        return durability + (emulated ? " (emulated)" : "") + " on " + fileSystem;
    }
}
