package io.fenceline.journal;

import io.fenceline.journal.format.CursorRecord;
import io.fenceline.journal.persist.CursorFiles;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.positions.ReadersFile;
import io.fenceline.journal.recovery.EntryLag;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/// What readers leave beside a journal: shared words and cursors.
final class Readers {
    private Readers() {}

    static ReadersFile open(JournalFiles files, UUID journalId) {
        return ReadersFile.open(files.openReaders(), journalId, () -> held(files.cursors(), journalId));
    }

    /// The cursors that hold the ring, after a reboot. What is damaged or of another journal holds nothing.
    private static List<ReadersFile.Held> held(CursorFiles cursors, UUID journalId) {
        List<ReadersFile.Held> held = new ArrayList<>();
        for (String name : cursors.names()) {
            try {
                CursorRecord record = cursors.read(name);
                if (record != null && record.isGating() && record.journalId().equals(journalId)) {
                    held.add(new ReadersFile.Held(name, record.position()));
                }
            } catch (JournalException e) {
                // Whoever opens that cursor is told.
            }
        }
        return held;
    }

    static List<CursorStatus> cursors(JournalFiles files, UUID journalId, LogView view) {
        CursorFiles cursors = files.cursors();
        List<CursorStatus> all = new ArrayList<>();
        List<String> names = cursors.names();
        if (names.isEmpty()) {
            return all;
        }
        EntryLag lag = EntryLag.of(view);
        for (String name : names) {
            try {
                CursorRecord record = cursors.read(name);
                if (record != null) {
                    all.add(status(name, record, cursors.isOpen(name), lag, journalId));
                }
            } catch (JournalException e) {
                all.add(new CursorStatus(
                        name, 0, 0, 0, false, false, 0, 0, 0, new byte[0], String.valueOf(e.getMessage())));
            }
        }
        return all;
    }

    static List<GateStatus> gates(ReadersFile readers, LogView view) {
        EntryLag lag = EntryLag.of(view);
        return readers.gates(lag.published(), lag::fromPosition);
    }

    private static CursorStatus status(String name, CursorRecord record, boolean open, EntryLag lag, UUID journalId) {
        boolean own = record.journalId().equals(journalId);
        return new CursorStatus(
                name,
                record.position(),
                record.nextSequence(),
                record.epoch(),
                record.isGating(),
                open,
                Math.max(0, lag.published() - record.position()),
                lag.fromSequence(record.nextSequence()),
                record.timeNs(),
                record.userData(),
                own ? null : "a cursor of another journal, " + record.journalId());
    }
}
