package io.fenceline.journal.recovery;

import io.fenceline.journal.format.FrameVerdict;

/// The decision table of recovery: what to do with a slot that was judged. Exactly one row matches each combination of
/// inputs; a test walks them all.
///
/// | row | zone | slot | further | action |
/// |---|---|---|---|---|
/// | UNREADABLE | any | unreadable | | refuse, advise to copy what can be read |
/// | UNKNOWN | any | unknown kind or flags | | refuse, a newer version wrote it |
/// | BEYOND_LEASE | beyond | any valid frame | not power-lost | refuse: the newest state record was lost |
/// | STRADDLES_LEASE | window | valid, ends beyond lease | not power-lost | refuse: the newest state record was lost |
/// | END | beyond | not valid, or power-lost | | stop |
/// | HOLE | window | not valid | | seal |
/// | SEALED | window | PAD with SEAL | ends within lease | stays a hole |
/// | DROP_POWER_LOST | window | valid | power-lost, and after a hole or beyond lease | seal every slot |
/// | DROP_DEPENDENT | window | valid, DEPENDENT | after a hole, not power-lost | seal every slot |
/// | KEEP | window | valid | everything else | keep |
///
/// "Power-lost": a `PROCESS` journal that was open when the machine went down. Its pages came to the medium in any
/// order, so that only what is contiguous means anything.
public enum RecoveryRow {
    UNREADABLE,
    UNKNOWN,
    BEYOND_LEASE,
    STRADDLES_LEASE,
    END,
    HOLE,
    SEALED,
    DROP_POWER_LOST,
    DROP_DEPENDENT,
    KEEP;

    /// Finds the row.
    ///
    /// @param beyond     the slot is at or beyond the lease, else in [floor, lease)
    /// @param verdict    of the slot
    /// @param dependent  the DEPENDENT flag of a valid frame
    /// @param straddles  a valid frame that begins before the lease and ends beyond it
    /// @param afterHole  something between floor and here is not kept
    /// @param powerLost  see above
    public static RecoveryRow of(
            boolean beyond,
            FrameVerdict verdict,
            boolean dependent,
            boolean straddles,
            boolean afterHole,
            boolean powerLost) {
        if (verdict == FrameVerdict.UNREADABLE) {
            return UNREADABLE;
        }
        if (verdict == FrameVerdict.UNKNOWN) {
            return UNKNOWN;
        }
        if (beyond) {
            return verdict.isValid() && !powerLost ? BEYOND_LEASE : END;
        }
        if (!verdict.isValid()) {
            return HOLE;
        }
        if (straddles) {
            return powerLost ? DROP_POWER_LOST : STRADDLES_LEASE;
        }
        if (verdict == FrameVerdict.SEAL) {
            return SEALED;
        }
        if (afterHole && powerLost) {
            return DROP_POWER_LOST;
        }
        return afterHole && dependent ? DROP_DEPENDENT : KEEP;
    }
}
