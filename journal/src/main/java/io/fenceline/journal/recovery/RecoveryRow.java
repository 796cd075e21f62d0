package io.fenceline.journal.recovery;

import io.fenceline.journal.format.FrameVerdict;

/// The decision table of recovery: what to do with a slot that was judged. Exactly one row matches each combination of
/// inputs; a test walks them all.
///
/// | row | zone | slot | ends | dependent | after hole | power-lost | action |
/// |---|---|---|---|---|---|---|---|
/// | UNREADABLE | - | unreadable | - | - | - | - | refuse, advise to copy what can be read |
/// | UNKNOWN | - | unknown | - | - | - | - | refuse, a newer version wrote it |
/// | BEYOND_LEASE | beyond | valid | - | - | - | no | refuse: the newest state record was lost |
/// | END | beyond | valid | - | - | - | yes | nothing |
/// | END | beyond | invalid | - | - | - | - | nothing |
/// | HOLE | window | invalid | - | - | - | - | seal |
/// | STRADDLES_LEASE | window | valid | beyond | - | - | no | refuse: the newest state record was lost |
/// | DROP_POWER_LOST | window | valid | beyond | - | - | yes | drop, seal every slot up to lease |
/// | SEALED | window | seal | within | - | - | - | stays a hole |
/// | DROP_POWER_LOST | window | frame | within | - | yes | yes | drop, seal every slot |
/// | DROP_DEPENDENT | window | frame | within | yes | yes | no | drop, seal every slot |
/// | KEEP | window | frame | within | no | yes | no | keep |
/// | KEEP | window | frame | within | - | no | - | keep |
///
/// A dash means any. *valid* is every valid frame, *seal* a PAD with SEAL, *frame* a valid frame but a seal;
/// *invalid* is what is not valid, UNREADABLE and UNKNOWN excepted. The window is [floor, lease); a slot is *beyond* at
/// or after lease, and a frame *ends* beyond if the next one would begin after lease.
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
