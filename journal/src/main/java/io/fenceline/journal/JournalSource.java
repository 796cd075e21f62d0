package io.fenceline.journal;

import io.fenceline.journal.positions.LogView;
import java.nio.file.Path;
import java.util.UUID;

/// What a tailer reads from: a journal open for writing in this process, or one opened read-only.
public sealed interface JournalSource extends AutoCloseable permits Journal, ReadOnlyJournal {
    /// The journal's directory, absolute.
    Path directory();

    /// The truth about how entries persist.
    DurabilityReport durability();

    /// Identity of the journal, given at creation.
    UUID journalId();

    /// Everything before this position may be read: contiguous, and durable at the journal's level.
    long published();

    /// The oldest position that may still be read.
    long retained();

    /// The largest payload of one entry.
    int maximumPayloadLengthBytes();

    /// Bytes that the ring holds.
    long capacityBytes();

    /// For tailers.
    @SuppressWarnings("exports")
    LogView view();

    @Override
    void close();
}
