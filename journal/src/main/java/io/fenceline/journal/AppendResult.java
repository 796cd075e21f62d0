package io.fenceline.journal;

/// Results of an append that are no position: negative, named, and each with what the caller should do. A position,
/// 0 or greater, means: durable at the journal's level.
public final class AppendResult {
    /// The ring is full and the policy is [FullPolicy#FAIL], or [FullPolicy#BLOCK] timed out. Nothing happened.
    /// Make room with [Journal#retain], then retry.
    public static final long FULL = -1;

    /// The appender or its journal is closed. Nothing happened. Do not retry.
    public static final long CLOSED = -2;

    /// The thread was interrupted while it waited for room; its interrupt flag is set. Nothing happened.
    public static final long INTERRUPTED = -3;

    /// A ring in front of the journal is full, or under [FullPolicy#OVERWRITE] a gate holds the oldest segment:
    /// [JournalSource#gates] tells which. Nothing happened. Retry later.
    public static final long BACK_PRESSURED = -4;

    /// An I/O fault ended this opening of the journal; only asynchronous appends say it so, the others throw
    /// [JournalException.Poisoned]. Nothing is acknowledged any more until the journal is opened again.
    public static final long POISONED = -5;

    /// The append was conditional, and the log does not end where the caller expected: something came between.
    /// Nothing happened (but a PAD, perhaps, at the end of a segment). Look at what came, then expect anew.
    public static final long CONFLICT = -6;

    private AppendResult() {}

    /// The name of a result, or the position in digits.
    public static String describe(long result) {
        if (result >= 0) {
            return Long.toString(result);
        }
        return switch ((int) result) {
            case (int) FULL -> "FULL";
            case (int) CLOSED -> "CLOSED";
            case (int) INTERRUPTED -> "INTERRUPTED";
            case (int) BACK_PRESSURED -> "BACK_PRESSURED";
            case (int) POISONED -> "POISONED";
            case (int) CONFLICT -> "CONFLICT";
            default -> "unknown result " + result;
        };
    }
}
