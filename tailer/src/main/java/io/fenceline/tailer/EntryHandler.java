package io.fenceline.tailer;

/// Takes entries from [Tailer#poll], on the polling thread.
@FunctionalInterface
public interface EntryHandler {
    /// Called once per entry, in order.
    ///
    /// What it throws leaves `poll`; the tailer then stands behind this entry, which is not delivered again. It
    /// may close the tailer; it must not poll it.
    ///
    /// @param entry the same object each time, valid until this method returns
    void onEntry(Entry entry);
}
