package io.fenceline.journal;

/// How an entry persists, and so what an acknowledged entry survives.
///
/// | | medium | an entry persists by | an acknowledged entry survives |
/// |---|---|---|---|
/// | [#MEMORY] | DAX file system mapped with `MAP_SYNC` | non-temporal stores and one fence | process crash, kernel
/// crash, power cut |
/// | [#DEVICE] | any file system on a block device | `pwrite` and `fdatasync` | process crash, kernel crash, power cut
/// |
/// | [#PROCESS] | the page cache | stores to a shared mapping | process crash |
public enum Durability {
    /// Persistent memory, no kernel code on the data path.
    MEMORY(1, true),
    /// A block device behind a file system.
    DEVICE(2, true),
    /// The page cache.
    PROCESS(3, false);

    private final int id;
    private final boolean powerSafe;

    Durability(int id, boolean powerSafe) {
        this.id = id;
        this.powerSafe = powerSafe;
    }

    /// The number that stands for it in a state record.
    public int id() {
        return id;
    }

    /// Whether an acknowledged entry survives a power cut (where the medium is what it says).
    public boolean isPowerSafe() {
        return powerSafe;
    }

    /// @throws IllegalArgumentException if no level has that number
    public static Durability ofId(int id) {
        for (Durability durability : values()) {
            if (durability.id == id) {
                return durability;
            }
        }
        throw new IllegalArgumentException("no durability has the number " + id);
    }
}
