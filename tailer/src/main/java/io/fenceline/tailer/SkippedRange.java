package io.fenceline.tailer;

import io.fenceline.journal.JournalException;

/// What a tailer skipped because it is damaged: bytes that were published, and are no valid frames any more.
///
/// @param from          position of the first damaged byte
/// @param to            position where the tailer goes on: of the next frame that certifies itself, of the
///                      segment's end, or of the end of what was published; backwards, where the damage ends
/// @param missedEntries how many entries are lost: the difference of the sequences around the range, so numbers
///                      that a crash left out count; 0 if it held none, -1 if nothing tells it
/// @param problem       what is wrong at `from`
public record SkippedRange(long from, long to, long missedEntries, JournalException.Corrupt problem) {
    /// Bytes
    /// of the stream that were skipped.
    public long lengthBytes() {
        return to - from;
    }
}
