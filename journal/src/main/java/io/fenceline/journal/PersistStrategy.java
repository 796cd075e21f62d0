package io.fenceline.journal;

/// How bytes become persistent at [Durability#MEMORY]: the instructions that take them past the processor's
/// caches. All three promise the same; which is fastest depends on the processor, the memory, and the length of
/// entries.
///
/// - [#NT]: non-temporal stores, past the caches, and a fence.
/// - [#WRITE_BACK]: stores, a write-back of each cache line (`clwb`, else `clflushopt`, else `clflush`; on
///   aarch64 `DC CVAP`), and a fence.
/// - [#FENCE_ONLY]: stores and a fence, where the caches are in the persistence domain: when the power fails they
///   are saved (eADR, CXL with global persistent flush).
public enum PersistStrategy {
    /// Non-temporal stores and a fence. The default. (On aarch64 these are stores and a write-back, too.)
    NT(1),
    /// Stores, a write-back of the lines, and a fence.
    WRITE_BACK(2),
    /// Stores and a fence. Loses what was acknowledged where the caches do *not* survive a power cut: taken only
    /// if the platform says that they do, or by configuration, on the configurer's word.
    FENCE_ONLY(3);

    private final int id;

    PersistStrategy(int id) {
        this.id = id;
    }

    /// The number that stands for it in a calibration record.
    public int id() {
        return id;
    }
}
