package io.fenceline.tailer;

import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.ReadOnlyJournal;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Reads an [io.fenceline.journal.Archive] and the ring of its journal as one log: positions and sequences are the
/// same in both. It begins in the archive if the start lies there, goes over to the ring at the archive's end, and
/// back if the ring goes past it: then by what was archived meanwhile.
///
/// Threads: one at a time, as [Tailer], whose results [#poll] returns.
public final class ArchivedTailer implements AutoCloseable {
    private final Path directory;
    private final JournalSource ring;
    private final TailerConfig config;
    private @Nullable ReadOnlyJournal archive;
    private Tailer tailer;

    private ArchivedTailer(Path directory, JournalSource ring, Start start, TailerConfig config) {
        this.directory = directory;
        this.ring = ring;
        this.config = config;
        Tailer begun = start.kind() == Start.Kind.NEWEST ? null : openArchive(start);
        this.tailer = begun != null ? begun : Tailer.open(ring, start, config);
    }

    /// Opens it.
    ///
    /// @param directory of the archive
    /// @param ring      stays open as long as entries are wanted; not closed by this
    /// @throws IllegalArgumentException       as [Tailer#open]
    /// @throws JournalException.NotAJournal   if there is no archive
    /// @throws JournalException.Corrupt       if it is one of another journal
    public static ArchivedTailer open(Path directory, JournalSource ring, Start start, TailerConfig config) {
        return new ArchivedTailer(directory, ring, start, config);
    }

    /// @return null if the archive ends before the start, which the ring may have
    private @Nullable Tailer openArchive(Start start) {
        ReadOnlyJournal opened = Journal.openReadOnly(directory);
        boolean used = false;
        try {
            if (!opened.journalId().equals(ring.journalId())) {
                throw new JournalException.Corrupt("archive " + directory + ": expected one of journal "
                        + ring.journalId() + ", found one of journal " + opened.journalId());
            }
            boolean inRing = start.kind() == Start.Kind.POSITION && start.value() >= opened.published();
            Tailer found = inRing ? null : find(opened, start);
            if (found != null && found.position() < opened.published()) {
                closeArchive();
                archive = opened;
                used = true;
                return found;
            }
            return null;
        } finally {
            if (!used) {
                opened.close();
            }
        }
    }

    /// A sequence may lie behind the archive.
    private @Nullable Tailer find(ReadOnlyJournal opened, Start start) {
        try {
            return Tailer.open(opened, start, config);
        } catch (IllegalArgumentException e) {
            if (start.kind() == Start.Kind.SEQUENCE) {
                return null;
            }
            throw e;
        }
    }

    /// As [Tailer#poll(EntryHandler, int)]. [Tailer#OVERRUN] comes only if the ring went past what is archived.
    public int poll(EntryHandler handler, int limit) {
        while (true) {
            long position = tailer.position();
            long sequence = tailer.nextSequence();
            int result = tailer.poll(handler, limit);
            if (result > 0 || limit == 0) {
                return result;
            }
            ReadOnlyJournal open = archive;
            if (open != null && result == 0 && tailer.position() >= open.published()) {
                toRing(tailer.position(), tailer.nextSequence());
            } else if (open != null || result != Tailer.OVERRUN || !toArchive(position, sequence)) {
                return result;
            }
        }
    }

    private void toRing(long position, long sequence) {
        if (ring.retained() > position && toArchive(position, sequence)) {
            return; // it has grown since it was opened
        }
        tailer.close();
        closeArchive();
        boolean given = ring.retained() > position;
        tailer = Tailer.open(ring, given ? Start.oldest() : Start.position(position), config);
    }

    /// @return false if the archive does not have what comes next
    private boolean toArchive(long position, long sequence) {
        Tailer found = openArchive(sequence >= 0 ? Start.sequence(sequence) : Start.position(position));
        if (found == null) {
            return false;
        }
        tailer.close();
        tailer = found;
        return true;
    }

    /// Waits as [Tailer#await]; at once if it stands in the archive.
    public boolean await(long timeoutNs) throws InterruptedException {
        return archive != null || tailer.await(timeoutNs);
    }

    /// As [Tailer#position].
    public long position() {
        return tailer.position();
    }

    /// As [Tailer#nextSequence].
    public long nextSequence() {
        return tailer.nextSequence();
    }

    /// Whether it stands in the archive now.
    public boolean isInArchive() {
        return archive != null;
    }

    private void closeArchive() {
        ReadOnlyJournal open = archive;
        if (open != null) {
            archive = null;
            open.close();
        }
    }

    /// Closes it, and the archive.
    @Override
    public void close() {
        tailer.close();
        closeArchive();
    }
}
