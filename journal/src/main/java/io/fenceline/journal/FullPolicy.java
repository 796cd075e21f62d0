package io.fenceline.journal;

/// What an appender does when the ring has no room.
public enum FullPolicy {
    /// Return `FULL`; nothing is lost, nothing waits.
    FAIL,
    /// Wait until [Journal#retain] makes room, or the gates do ([JournalConfig#withRetainedForGatesOnly]), at
    /// most
    /// [JournalConfig#blockTimeoutNs].
    BLOCK,
    /// Give up the oldest segment; while a gate holds it, return `BACK_PRESSURED`.
    OVERWRITE
}
