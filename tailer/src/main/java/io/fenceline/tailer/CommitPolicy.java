package io.fenceline.tailer;

import java.time.Duration;

/// When a [Cursor] commits by itself: after entries that a handler has returned from. Immutable.
///
/// @param entries so many entries after the last commit; `Long.MAX_VALUE`: not by number
/// @param polls   at the end of each poll that delivered something
/// @param afterNs so many ns after the last commit, looked at when a poll ends; `Long.MAX_VALUE`: not by time
public record CommitPolicy(long entries, boolean polls, long afterNs) {
    /// Only when [Cursor#commit()] is called.
    public static CommitPolicy manual() {
        return new CommitPolicy(Long.MAX_VALUE, false, Long.MAX_VALUE);
    }

    /// After each entry.
    public static CommitPolicy everyEntry() {
        return everyEntries(1);
    }

    /// After each poll that delivered something: a batch of the caller's size.
    public static CommitPolicy everyPoll() {
        return new CommitPolicy(Long.MAX_VALUE, true, Long.MAX_VALUE);
    }

    /// After each `entries` entries.
    ///
    /// @throws IllegalArgumentException if less than 1
    public static CommitPolicy everyEntries(long entries) {
        return new CommitPolicy(entries, false, Long.MAX_VALUE);
    }

    /// At the end of the first poll that comes that long after the last commit, if something is to be committed; so
    /// a cursor that is polled regularly is never older than that and one poll.
    ///
    /// @throws IllegalArgumentException if negative
    public static CommitPolicy every(Duration time) {
        return new CommitPolicy(Long.MAX_VALUE, false, time.toNanos());
    }

    public CommitPolicy {
        if (entries < 1) {
            throw new IllegalArgumentException("commit every " + entries + " entries: expected 1 or more");
        }
        if (afterNs < 0) {
            throw new IllegalArgumentException("commit every " + afterNs + " ns: expected 0 or more");
        }
    }
}
