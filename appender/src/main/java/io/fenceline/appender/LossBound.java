package io.fenceline.appender;

/// How much of what was appended *relaxed* ([GroupCommitAppender#appendRelaxed]) a crash may take: what was accepted
/// and is not durable never exceeds any of these. A durable append, a flush and a close end the waiting before that.
///
/// @param entries     at most so many, 1 to 2^20
/// @param lengthBytes at most so many bytes, 1 to 2^40, and never more than an eighth of a segment; an entry counts
///                    with its 8 bytes of header and rounded up to 8; one that alone is longer is accepted when
///                    nothing else is under way
/// @param delayNs     its commit begins at most so long after the committing thread took it, 0 or more; so it is
///                    durable at most this and the time of two commits after it was accepted
public record LossBound(int entries, long lengthBytes, long delayNs) {
    /// 4096 entries, 1 MiB, 10 ms.
    public static final LossBound DEFAULTS = new LossBound(4096, 1 << 20, 10_000_000);

    static final int MAXIMUM_ENTRIES = 1 << 20;
    static final long MAXIMUM_LENGTH_BYTES = 1L << 40;

    public LossBound {
        if (entries < 1 || entries > MAXIMUM_ENTRIES) {
            throw new IllegalArgumentException("bound of " + entries + " entries: expected 1 to " + MAXIMUM_ENTRIES);
        }
        if (lengthBytes < 1 || lengthBytes > MAXIMUM_LENGTH_BYTES) {
            throw new IllegalArgumentException(
                    "bound of " + lengthBytes + " bytes: expected 1 to " + MAXIMUM_LENGTH_BYTES);
        }
        if (delayNs < 0) {
            throw new IllegalArgumentException("bound of " + delayNs + " ns: expected 0 or more");
        }
    }
}
