package io.fenceline.appender;

import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import java.lang.foreign.MemorySegment;

/// A small journal on a simulated medium, open, with an appender that was used once.
final class OpenJournal {
    private static final JournalConfig CONFIG =
            JournalConfig.defaults().withTimestampMode(TimestampMode.NONE).withFullPolicy(FullPolicy.OVERWRITE);
    static final long POISONED = -5;

    private final SimulatedJournal journal = SimulatedJournal.create(Durability.MEMORY, Geometry.of(4096, 2));
    final Positions positions = journal.open(CONFIG);
    final ConcurrentAppender appender = ConcurrentAppender.open(positions);

    OpenJournal() {
        append();
    }

    /// Appends an entry in one slot.
    ///
    /// @return the position, a result, or [#POISONED]
    long append() {
        try {
            return appender.append(MemorySegment.ofArray(new byte[16]));
        } catch (JournalException.Poisoned e) {
            return POISONED;
        }
    }

    /// Number of entries in the log now.
    long entries() {
        return journal.walk().data().size();
    }

    /// Number of entries after a power cut and a recovery.
    long entriesRecovered() {
        journal.powerCut(journal.medium().afterPowerCut());
        Positions next = journal.open(CONFIG);
        long entries = entries();
        next.close();
        return entries;
    }

    boolean isClean() {
        return journal.state().isClean();
    }
}
