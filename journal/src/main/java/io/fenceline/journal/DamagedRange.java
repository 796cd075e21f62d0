package io.fenceline.journal;

/// A range of the log, inside one segment, that is not whole.
///
/// @param from       the first position; always a multiple of 64
/// @param to         the first position after it where a frame is whole again, or where the segment or what is
///                   published ends; equal to `from` if no bytes are damaged, but entries are missing there
/// @param fileOffset of `from` in `journal.log`; the range is contiguous there
/// @param verdict    what is wrong with the first of its slots: the name of a rule of the format
/// @param reason     the same for people, with what was expected and found
public record DamagedRange(long from, long to, long fileOffset, String verdict, String reason) {
    /// Number of bytes.
    public long lengthBytes() {
        return to - from;
    }

    /// Offset in `journal.log` of the first byte after the range.
    public long fileOffsetEnd() {
        return fileOffset + lengthBytes();
    }

    @Override
    public String toString() {
        return "[" + from + ", " + to + "), file offsets [" + fileOffset + ", " + fileOffsetEnd() + "): " + reason;
    }
}
