package io.fenceline.bench.report;

/// What the entries went to.
///
/// @param durability class of durability: `MEMORY`, `DEVICE`, `PROCESS`
/// @param emulated   whether the storage cannot give that class
/// @param fileSystem kind of the file system
/// @param promises   what an entry survives when the call has returned
public record Medium(String durability, boolean emulated, String fileSystem, String promises) {
    @Override
    public String toString() {
        return durability + (emulated ? " (emulated)" : "") + " on " + fileSystem;
    }
}
