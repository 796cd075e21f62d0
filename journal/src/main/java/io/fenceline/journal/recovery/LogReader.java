package io.fenceline.journal.recovery;

import java.lang.foreign.MemorySegment;

/// Reads bytes of `journal.log`.
@FunctionalInterface
public interface LogReader {
    /// Reads exactly that many bytes.
    ///
    /// @throws io.fenceline.journal.JournalException.Io if they cannot be read
    void read(long fileOffset, MemorySegment destination, long destinationOffset, long lengthBytes);
}
