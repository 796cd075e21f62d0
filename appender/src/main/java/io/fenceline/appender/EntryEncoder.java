package io.fenceline.appender;

import java.lang.foreign.MemorySegment;

/// Writes messages of a user's own type as payloads, straight into the memory from which they go to the journal.
///
/// Must be stateless, or used by one thread; should allocate nothing. An exception means that the message is not
/// appended; nothing else is harmed.
public interface EntryEncoder<T> {
    /// Length of the payload, 0 to [io.fenceline.journal.JournalSource#maximumPayloadLengthBytes].
    int lengthBytes(T message);

    /// Writes the payload to `[offset, offset + lengthBytes)`, and nowhere else: what lies around belongs to other
    /// entries. Those bytes are undefined at first. The buffer must not be kept.
    ///
    /// @param offset      a multiple of 8
    /// @param lengthBytes as told by [#lengthBytes]
    void encode(T message, MemorySegment buffer, long offset, int lengthBytes);

    /// Type of the entry, given back to tailers.
    default int type(T message) {
        return Appender.DEFAULT_TYPE;
    }
}
