package io.fenceline.tailer;

/// How a [Cursor] is opened. Immutable; each `with…` returns a changed copy.
///
/// @param start        where a cursor begins that is not there yet
/// @param isGating     whether it holds the ring at what is committed
/// @param commitPolicy when it commits by itself
public record CursorConfig(Start start, boolean isGating, CommitPolicy commitPolicy) {
    private static final CursorConfig DEFAULTS = new CursorConfig(Start.oldest(), false, CommitPolicy.manual());

    /// From the oldest entry, not gating, commits by hand.
    public static CursorConfig defaults() {
        return DEFAULTS;
    }

    /// Where a cursor begins that is not there yet; one that is there goes on where it committed.
    public CursorConfig withStart(Start start) {
        return new CursorConfig(start, isGating, commitPolicy);
    }

    /// Whether the writer keeps what the cursor has not committed, from now on, also while nobody has it open:
    /// until it is removed, opened without, or further behind than
    /// [io.fenceline.journal.JournalConfig#withGateLagLimitBytes].
    public CursorConfig withGating(boolean isGating) {
        return new CursorConfig(start, isGating, commitPolicy);
    }

    /// When it commits by itself.
    public CursorConfig withCommitPolicy(CommitPolicy commitPolicy) {
        return new CursorConfig(start, isGating, commitPolicy);
    }
}
