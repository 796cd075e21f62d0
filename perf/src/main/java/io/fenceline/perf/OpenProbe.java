package io.fenceline.perf;

import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Opening a journal: after its writer was killed, or after a clean close. One opening a round.
final class OpenProbe implements Probe {
    private static final int PAYLOAD_LENGTH_BYTES = 16;
    private static final int CRASH_ENTRIES = 200_000;

    private final Path parent;
    private final Path directory;
    private final boolean crashed;
    private final long crashEntries;
    private @Nullable Journal journal;

    /// @param lengthBytes of the ring
    /// @param crashed     whether the last writer dies before each opening
    OpenProbe(Places places, long lengthBytes, boolean crashed) {
        this.crashed = crashed;
        int segmentLength = (int) Math.min(64 << 20, lengthBytes / 4);
        parent = JournalFixture.newDirectory(places.memory());
        directory = parent.resolve("journal");
        Journal.create(
                        directory,
                        JournalFixture.config(
                                Durability.MEMORY, segmentLength, Math.toIntExact(lengthBytes / segmentLength)))
                .close();
        crashEntries = places.scaled(CRASH_ENTRIES);
        CrashedWriter.run(directory, crashEntries, PAYLOAD_LENGTH_BYTES);
        Journal.open(directory).close();
    }

    @Override
    public List<String> columns() {
        return List.of(crashed ? "recovery" : "reopening");
    }

    @Override
    public int rounds() {
        return 15;
    }

    @Override
    public int warmUpRounds() {
        return 3;
    }

    /// What comes before an opening.
    void prepare() {
        if (crashed) {
            CrashedWriter.run(directory, crashEntries, PAYLOAD_LENGTH_BYTES);
        }
    }

    Journal open() {
        journal = Journal.open(directory);
        return journal;
    }

    void closeJournal() {
        if (journal != null) {
            journal.close();
            journal = null;
        }
    }

    @Override
    public double measure(int column) {
        prepare();
        long startNs = System.nanoTime();
        open();
        long endNs = System.nanoTime();
        closeJournal();
        return endNs - startNs;
    }

    @Override
    public long operations() {
        return 0;
    }

    @Override
    public void close() {
        closeJournal();
        JournalFixture.remove(parent);
    }
}
