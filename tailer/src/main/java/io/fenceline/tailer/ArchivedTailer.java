package io.fenceline.tailer;

import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.ReadOnlyJournal;
import java.nio.file.Path;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Reads an [io.fenceline.journal.Archive] and the ring of its journal as one log: positions and sequences are the
/// same in both. What the ring holds is read there, what it has given up in the archive; so it begins in the archive
/// if the start lies there, goes over to the ring, and back if the ring goes past it: then by what was archived
/// meanwhile.
///
/// The archive is read up to what the ring retains, and no further: an archiver may not have noticed yet that the end
/// of the log was cut off, but nothing is cut that the ring has given up.
///
/// Threads: one at a time, as [Tailer], whose results [#poll] returns.
public final class ArchivedTailer implements AutoCloseable {
    private static final int MAXIMUM_ATTEMPTS = 100;

    private final Path directory;
    private final JournalSource ring;
    private final TailerConfig config;
    private final TailerConfig archiveConfig;
    private @Nullable ReadOnlyJournal archive;
    private Tailer tailer;

    private ArchivedTailer(Path directory, JournalSource ring, Start start, TailerConfig config) {
        this.directory = directory;
        this.ring = ring;
        this.config = config;
        LongSupplier until = config.until();
        this.archiveConfig =
                config.withUntil(until == null ? ring::retained : () -> Math.min(until.getAsLong(), ring.retained()));
        this.tailer = begin(start);
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

    /// Again if the ring gives up meanwhile what was looked for there: then it is archived.
    private Tailer begin(Start start) {
        for (int attempt = 1; ; attempt++) {
            long retained = ring.retained();
            Tailer archived = start.kind() == Start.Kind.NEWEST ? null : beginInArchive(start);
            if (archived != null) {
                return archived;
            }
            try {
                Tailer opened = Tailer.open(ring, start, config);
                if (ring.retained() == retained || attempt >= MAXIMUM_ATTEMPTS) {
                    return opened;
                }
                opened.close();
            } catch (IllegalArgumentException e) {
                if (ring.retained() == retained || attempt >= MAXIMUM_ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    /// @return null if the start does not lie in what only the archive has
    private @Nullable Tailer beginInArchive(Start start) {
        if (start.kind() == Start.Kind.POSITION && start.value() >= ring.retained()) {
            return null;
        }
        return inArchive(opened -> {
            try {
                return Tailer.open(opened, start, archiveConfig);
            } catch (IllegalArgumentException e) {
                if (start.kind() == Start.Kind.SEQUENCE || opened.published() < ring.retained()) {
                    return null; // it may lie behind the archive
                }
                throw e;
            }
        });
    }

    /// Opens the archive anew, and goes there if the tailer that is found stands before what the ring retains.
    private @Nullable Tailer inArchive(Function<ReadOnlyJournal, @Nullable Tailer> finder) {
        ReadOnlyJournal opened = Journal.openReadOnly(directory);
        boolean used = false;
        try {
            if (!opened.journalId().equals(ring.journalId())) {
                throw new JournalException.Corrupt("archive " + directory + ": expected one of journal "
                        + ring.journalId() + ", found one of journal " + opened.journalId());
            }
            Tailer found = finder.apply(opened);
            used = found != null && found.position() < Math.min(opened.published(), ring.retained());
            if (used) {
                closeArchive();
                archive = opened;
            }
            return used ? found : null;
        } finally {
            if (!used) {
                opened.close();
            }
        }
    }

    /// As [Tailer#poll(EntryHandler, int)]. [Tailer#OVERRUN] comes only if the ring went past what is archived.
    public int poll(EntryHandler handler, int limit) {
        while (true) {
            Tailer before = tailer;
            long position = before.position();
            long sequence = before.nextSequence();
            int epoch = before.epoch();
            int result = before.poll(handler, limit);
            if (result > 0 || limit == 0) {
                return result;
            }
            ReadOnlyJournal open = archive;
            if (open == null) {
                if (result != Tailer.OVERRUN) {
                    return result;
                }
            } else if (result == 0 && tailer.position() >= Math.min(open.published(), ring.retained())) {
                position = tailer.position();
                sequence = tailer.nextSequence();
                epoch = tailer.epoch();
            } else {
                return result;
            }
            int told = goOver(position, sequence, epoch, open == null);
            if (told != 0) {
                return told;
            }
        }
    }

    /// Goes on at a place where the tailer stood: in the archive if the ring has gone past it, else in the ring.
    ///
    /// @param inRing whether it stands in the ring already, which went past it
    /// @return what is to be told of that, or 0
    private int goOver(long position, long sequence, int epoch, boolean inRing) {
        boolean[] truncated = {false};
        if (ring.retained() > position) {
            Tailer found = inArchive(opened -> {
                Seek.Resumed resumed = new Seek(opened.view()).resume(position, sequence, epoch);
                truncated[0] = resumed.isTruncated();
                return opened.retained() > position ? null : Tailer.open(opened, resumed.place(), archiveConfig);
            });
            if (found != null) {
                tailer.close();
                tailer = found;
                return truncated[0] ? Tailer.TRUNCATED : 0;
            }
        }
        if (inRing) {
            return Tailer.OVERRUN;
        }
        // Nothing that was cut was delivered; what the ring went past is told by the next poll.
        Seek.Place place = new Seek.Place(position, sequence).at(ring.view().generation());
        tailer.close();
        closeArchive();
        tailer = Tailer.open(ring, place, config);
        return 0;
    }

    /// Waits as [Tailer#await]; at once if it stands in the archive.
    public boolean await(long timeoutNs) throws InterruptedException {
        return archive != null || tailer.await(timeoutNs);
    }

    /// As [Tailer#missedBytes].
    public long missedBytes() {
        return tailer.missedBytes();
    }

    /// As [Tailer#missedEntries].
    public long missedEntries() {
        return tailer.missedEntries();
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
