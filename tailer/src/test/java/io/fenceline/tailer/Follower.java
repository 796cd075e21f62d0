package io.fenceline.tailer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalSource;
import java.nio.file.Path;

/// Follows a journal and checks all that it is shown: contents, order, and that overruns tell exactly what was
/// missed. As a program it follows the journal in argument 0, opened read-only, up to the sequence in argument 1.
final class Follower implements EntryHandler {
    private static final long TIMEOUT_NS = 120_000_000_000L;

    private final Tailer tailer;
    private long next;
    private long lastPosition = -1;
    private long delivered;
    private long missed;
    private long overruns;

    Follower(JournalSource source, Start start) {
        tailer = Tailer.open(source, start);
        next = tailer.nextSequence();
    }

    @Override
    public void onEntry(Entry entry) {
        assertEquals(next, entry.sequence());
        assertTrue(entry.position() >= lastPosition);
        Journals.check(entry);
        lastPosition = entry.position();
        next++;
        delivered++;
    }

    /// One poll; true if there was anything.
    boolean poll() {
        long from = tailer.position();
        int result = tailer.poll(this, 100);
        if (result == Tailer.OVERRUN) {
            overruns++;
            // The same poll may have stepped over a PAD first, which is not missed.
            assertTrue(tailer.position() - tailer.missedBytes() >= from, () -> "missed bytes " + tailer.missedBytes());
            assertTrue(tailer.missedEntries() > 0, () -> "missed " + tailer.missedEntries());
            missed += tailer.missedEntries();
            next += tailer.missedEntries();
            assertEquals(next, tailer.nextSequence());
            return true;
        }
        assertTrue(result >= 0, () -> "poll returned " + result);
        return result > 0;
    }

    /// Polls until all before a sequence was delivered or missed.
    void follow(long endSequence) {
        long startNs = System.nanoTime();
        while (next < endSequence) {
            if (!poll()) {
                Thread.onSpinWait();
                Thread.yield();
                assertTrue(System.nanoTime() - startNs < TIMEOUT_NS, () -> "stuck before " + next);
            }
        }
    }

    long next() {
        return next;
    }

    long delivered() {
        return delivered;
    }

    long missed() {
        return missed;
    }

    long overruns() {
        return overruns;
    }

    public static void main(String[] arguments) {
        try (JournalSource journal = Journal.openReadOnly(Path.of(arguments[0]))) {
            Follower follower = new Follower(journal, Start.oldest());
            System.out.println("open");
            follower.follow(Long.parseLong(arguments[1]));
            System.out.println("delivered " + follower.delivered + " missed " + follower.missed);
        }
    }
}
