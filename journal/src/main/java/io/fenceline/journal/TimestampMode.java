package io.fenceline.journal;

/// Where the timestamp of a frame comes from when the caller gives none.
public enum TimestampMode {
    /// A word that a thread refreshes every half millisecond while a journal is open: costs nothing, at most about 1 ms
    /// old.
    CACHED,
    /// `clock_gettime(CLOCK_REALTIME)` at each append: some 25 ns.
    PRECISE,
    /// No timestamp (0).
    NONE
}
