package io.fenceline.tools;

import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.tailer.Entry;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// Reads a journal anew, every checksum verified, and compares it with what was appended and acknowledged.
final class DemoProof {
    private final DemoInput input;
    private final DemoWitness witness;
    private final int total;
    private long entries;
    private long acknowledged;
    private long different;
    private long displaced;
    private long gaps;

    /// @param total how many lines should be there
    DemoProof(DemoInput input, DemoWitness witness, int total) {
        this.input = input;
        this.witness = witness;
        this.total = total;
    }

    DemoProof read(Path directory) {
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory);
                Tailer tailer = Tailer.open(journal, Start.oldest())) {
            int count;
            do {
                count = tailer.poll(this::check, 1000);
            } while (count > 0);
        }
        return this;
    }

    private void check(Entry entry) {
        if (entry.sequence() != entries) {
            gaps++;
        }
        if (entry.payload().mismatch(MemorySegment.ofArray(input.line(entry.sequence()))) != -1) {
            different++;
        }
        long position = witness.position(entry.sequence());
        if (position >= 0) {
            acknowledged++;
            displaced += position == entry.position() ? 0 : 1;
        }
        entries++;
    }

    /// Entries in the journal.
    long entries() {
        return entries;
    }

    /// Acknowledged lines that are not in the journal.
    long lost() {
        return witness.count() - acknowledged;
    }

    /// Entries that differ from the line with their number.
    long different() {
        return different;
    }

    /// Entries that are not where the ack said.
    long displaced() {
        return displaced;
    }

    /// Entries whose number is not the next one: something missing, twice, or out of order.
    long gaps() {
        return gaps;
    }

    boolean holds() {
        return entries == total
                && lost() == 0
                && different == 0
                && displaced == 0
                && gaps == 0
                && witness.disorder() == 0;
    }
}
