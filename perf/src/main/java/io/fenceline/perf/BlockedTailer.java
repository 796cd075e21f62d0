package io.fenceline.perf;

import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.io.IOException;
import java.nio.file.Path;

/// A tailer of the journal in argument 0 that sleeps until something is appended, then is busy elsewhere: for
/// [BlockedProbe].
final class BlockedTailer {
    /// It is about to sleep.
    static final String SLEEPS = "sleeps";

    /// It has been woken, and will not sleep again.
    static final String WOKEN = "woken";

    private BlockedTailer() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        try (ReadOnlyJournal journal = Journal.openReadOnly(Path.of(arguments[0]));
                Tailer tailer = Tailer.open(journal, Start.newest())) {
            if (tailer.await(1_000_000)) {
                throw new IllegalStateException("nothing was appended yet");
            }
            System.out.println(SLEEPS);
            while (!tailer.await(Long.MAX_VALUE)) {
                // on
            }
            System.out.println(WOKEN);
            System.in.read(); // until the parent ends it
        }
    }
}
