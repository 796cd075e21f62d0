package io.fenceline.journal;

import io.fenceline.journal.persist.CursorFiles;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.positions.ReadersFile;
import io.fenceline.journal.positions.RunFile;
import io.fenceline.journal.recovery.Head;
import io.fenceline.journal.recovery.Recovery;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A journal, open for reading only: beside a writer in any process, or without one. Takes no lock and writes
/// nothing, but for tailers that hold the ring, commit cursors or sleep: those write to `readers.run` and
/// `cursors`.
///
/// Threads: all methods may be called from any thread.
public final class ReadOnlyJournal implements JournalSource {
    private final JournalFiles files;
    private final DurabilityReport durability;
    private final LogView view;
    private final List<String> warnings;
    private @Nullable ReadersFile readers;
    private boolean closed;

    private ReadOnlyJournal(
            JournalFiles files, DurabilityReport durability, Head head, @Nullable RunFile run, long stalePublished) {
        this.files = files;
        this.durability = durability;
        this.warnings = head.warnings();
        this.view = new LogView(
                head.superblock(),
                files.mapping(),
                files::read,
                run,
                this::laterRun,
                head.state(),
                stalePublished,
                files.logPath());
    }

    static ReadOnlyJournal open(Path directory) {
        JournalFiles files = JournalFiles.open(directory, false);
        boolean done = false;
        try {
            // The words first: of one journal, a state record that is read later promises at least as much.
            MemorySegment words = files.mapRun();
            RunFile run = words == null ? null : new RunFile(words);
            long generation = run == null ? 0 : run.generation();
            long published = run == null ? -1 : run.published();
            Head head = Head.read(files::read, files.logLengthBytes(), files.logPath());
            DurabilityReport durability = files.describe(
                    Durability.ofId(head.state().durability()), head.state().isEmulated());
            files.map(durability);
            boolean cut = run != null && (run.isCutting() || run.generation() != generation);
            long stalePublished = published > head.state().lease() && !cut ? published : -1;
            ReadOnlyJournal journal = new ReadOnlyJournal(files, durability, head, run, stalePublished);
            done = true;
            return journal;
        } finally {
            if (!done) {
                files.close();
            }
        }
    }

    /// The words that the first writer beside this reader made since it was opened, in a copy for example.
    private synchronized @Nullable RunFile laterRun() {
        MemorySegment words = closed ? null : files.mapRun();
        return words == null ? null : new RunFile(words);
    }

    @Override
    public @Nullable WriterCounters writer() {
        return view.writer();
    }

    @Override
    public boolean isWriterAlive() {
        return files.isWriterAlive();
    }

    /// Damage in the head that did no harm, a sentence each.
    public List<String> warnings() {
        return warnings;
    }

    /// Tells what opening for writing would find, and what it would keep and seal; takes no lock and writes
    /// nothing. The head is read anew.
    ///
    /// @throws JournalException.Locked      if a writer has the journal open: then there is nothing to recover
    /// @throws JournalException.Corrupt     where opening for writing would refuse
    /// @throws JournalException.Unsupported if a newer version wrote it
    /// @throws JournalException.Io          if the operating system refuses
    public RecoveryReport inspectRecovery() {
        if (files.isWriterAlive()) {
            throw new JournalException.Locked(
                    "journal " + files.directory() + " is open for writing: there is nothing to recover");
        }
        Head head = Head.read(files::read, files.logLengthBytes(), files.logPath());
        return new Recovery(files::read, head, RunFile.bootHash32(), files.logPath()).scan();
    }

    @Override
    public Path directory() {
        return files.directory();
    }

    @Override
    public DurabilityReport durability() {
        return durability;
    }

    @Override
    public UUID journalId() {
        return view.superblock().journalId();
    }

    @Override
    public long published() {
        return view.published();
    }

    @Override
    public long retained() {
        return view.retained();
    }

    @Override
    public int maximumPayloadLengthBytes() {
        return view.superblock().geometry().maximumPayloadLengthBytes();
    }

    @Override
    public long capacityBytes() {
        return view.superblock().geometry().capacityBytes();
    }

    @Override
    @SuppressWarnings("exports")
    public LogView view() {
        return view;
    }

    @Override
    public List<CursorStatus> cursors() {
        return Readers.cursors(files, journalId(), view);
    }

    @Override
    public List<GateStatus> gates() {
        return Readers.gates(readers(), view);
    }

    @Override
    @SuppressWarnings("exports")
    public synchronized ReadersFile readers() {
        if (closed) {
            throw new IllegalStateException("the journal is closed");
        }
        ReadersFile known = readers;
        if (known == null) {
            known = Readers.open(files, journalId());
            readers = known;
        }
        return known;
    }

    @Override
    @SuppressWarnings("exports")
    public CursorFiles cursorFiles() {
        return files.cursors();
    }

    @Override
    public synchronized void close() {
        closed = true;
        files.close();
        if (readers != null) {
            readers.close();
        }
    }
}
