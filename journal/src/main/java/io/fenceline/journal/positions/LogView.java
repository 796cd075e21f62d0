package io.fenceline.journal.positions;

import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.recovery.LogReader;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// What a tailer sees of a journal, in the writer's process or in another one.
///
/// Threads: any number. After the journal was closed, an access to [#mapping] throws `IllegalStateException`.
public final class LogView {
    private final Superblock superblock;
    private final MemorySegment mapping;
    private final LogReader reader;
    private final @Nullable RunFile run;
    private final long fallbackPublished;
    private final long fallbackRetained;
    private final long stalePublished;
    private final Object name;
    private boolean current;

    /// @param superblock of the journal
    /// @param mapping    of `journal.log`, read-only
    /// @param reader     reads `journal.log` by system calls
    /// @param run        the shared words, null if there are none
    /// @param state      the newest state record at opening, for when the words do not count
    /// @param stalePublished `published` of words that do not belong to the log, such as those beside a log that
    /// was
    ///                       restored from an older copy; -1 if they do
    /// @param name       of the file, for messages
    public LogView(
            Superblock superblock,
            MemorySegment mapping,
            LogReader reader,
            @Nullable RunFile run,
            StateRecord state,
            long stalePublished,
            Object name) {
        this.superblock = superblock;
        this.mapping = mapping;
        this.reader = reader;
        this.run = run;
        this.fallbackPublished = state.floor();
        this.fallbackRetained = state.retained();
        this.stalePublished = stalePublished;
        this.name = name;
    }

    /// Everything before it may be read (acquire). Without a writer of this boot, it is the durable floor.
    public long published() {
        return run != null && isCurrent(run) ? run.published() : fallbackPublished;
    }

    /// The oldest byte still readable (acquire).
    public long retained() {
        return run != null && isCurrent(run) ? run.retained() : fallbackRetained;
    }

    /// A writer of this boot may come later, and stays.
    private boolean isCurrent(RunFile run) {
        if (!current) {
            current = run.isCurrent(superblock.journalId()) && run.published() != stalePublished;
        }
        return current;
    }

    public Superblock superblock() {
        return superblock;
    }

    public MemorySegment mapping() {
        return mapping;
    }

    public LogReader reader() {
        return reader;
    }

    /// The file, for messages.
    public Object name() {
        return name;
    }
}
