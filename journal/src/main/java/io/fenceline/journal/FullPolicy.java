package io.fenceline.journal;

/// What an appender does when the ring has no room.
public enum FullPolicy {
    /// Return `FULL`; nothing is lost but what is not to be kept ([JournalConfig#withRetention]), nothing waits.
    FAIL,
    /// Wait until [Journal#retain] makes room, or time or the gates do ([JournalConfig#withRetention],
    /// [JournalConfig#withRetainedForGatesOnly]), at most [JournalConfig#blockTimeoutNs].
    BLOCK,
    /// Give up the oldest segment; while a gate holds it, return `BACK_PRESSURED`.
    OVERWRITE
}
