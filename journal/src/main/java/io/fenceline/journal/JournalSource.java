package io.fenceline.journal;

import io.fenceline.journal.persist.CursorFiles;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.positions.ReadersFile;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

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

    /// Every named cursor, by name, with its lag; a damaged or foreign one with what is wrong.
    List<CursorStatus> cursors();

    /// Who holds the ring: gating cursors and gating tailers, of all processes.
    ///
    /// @throws JournalException.Io if this process may not open `readers.run`
    List<GateStatus> gates();

    /// Stalls, refusals and recovery of the last writer; null if none had the journal open in this boot.
    @Nullable
    WriterCounters writer();

    /// Whether a writer has the journal open now.
    boolean isWriterAlive();

    /// For tailers.
    @SuppressWarnings("exports")
    LogView view();

    /// For tailers that hold the ring, or sleep.
    ///
    /// @throws JournalException.Io if this process may not write to `readers.run`
    @SuppressWarnings("exports")
    ReadersFile readers();

    /// For tailers.
    @SuppressWarnings("exports")
    CursorFiles cursorFiles();

    @Override
    void close();
}
