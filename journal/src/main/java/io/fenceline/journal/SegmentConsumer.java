package io.fenceline.journal;

/// Takes the sealed segments of a journal in order, before the ring reuses their place: the archive hook. What it
/// has taken is confirmed durably in the journal; what was not confirmed before a crash is handed over again.
///
/// Threads: one at a time.
public interface SegmentConsumer {
    /// Takes one segment; when this returns, it is safe, and may be reused. An exception leaves it unconfirmed: it
    /// is handed over again.
    ///
    /// A consumer that has kept bytes asks [SealedSegment#isIntact] behind the last one that it has read, and gives
    /// up what it kept if they are not.
    ///
    /// @param segment valid until this returns; what was taken before at or behind its start is to be replaced
    void accept(SealedSegment segment);

    /// The end of the log was cut off: what was taken at or behind a position does not count any more. The segments
    /// from there on are handed over again when they are sealed.
    ///
    /// @param position start of a segment
    void truncate(long position);
}
