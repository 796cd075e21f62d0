package io.fenceline.tailer;

import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/// A process that sleeps until something is published, polls it, commits after each entry with user data that
/// follows from the sequence, and says so, until it is killed.
///
///     DIR NAME
final class Committer {
    private Committer() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Thread.ofPlatform().daemon().start(Committer::endWithStandardInput);
        CursorConfig config = CursorConfig.defaults().withGating(true);
        try (JournalSource journal = Journal.openReadOnly(Path.of(arguments[0]));
                Cursor cursor = Cursor.open(journal, arguments[1], config)) {
            System.out.println("open " + cursor.committedSequence());
            while (true) {
                if (cursor.await(Long.MAX_VALUE) && cursor.poll(Journals::check, 1) == 1) {
                    cursor.commit(userData(cursor.nextSequence()));
                    System.out.println("done " + cursor.nextSequence());
                }
            }
        }
    }

    private static void endWithStandardInput() {
        try {
            while (System.in.read() >= 0) {
                // until it is killed
            }
        } catch (IOException e) {
            // as if it had ended
        }
        Runtime.getRuntime().halt(0);
    }

    static byte[] userData(long nextSequence) {
        ByteBuffer bytes = ByteBuffer.allocate(32);
        for (int i = 0; i < 4; i++) {
            bytes.putLong(nextSequence * 31 + i);
        }
        return bytes.array();
    }
}
