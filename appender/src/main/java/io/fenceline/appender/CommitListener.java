package io.fenceline.appender;

/// Told what became of an entry that was appended asynchronously.
@FunctionalInterface
public interface CommitListener {
    /// Called on the committing thread, in the order of positions; must be quick and must not append to the same
    /// journal in a way that waits. An exception of it is handed to the appender's error handler.
    ///
    /// @param result   the position of the frame: the entry is durable; or a result of
    ///                 [io.fenceline.journal.AppendResult]: the entry was not appended (after a fault: that is not
    ///                 known before the journal is opened again)
    /// @param sequence of the entry, -1 with a negative result
    void onCommit(long result, long sequence);
}
