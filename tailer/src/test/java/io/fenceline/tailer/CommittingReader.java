package io.fenceline.tailer;

import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;

/// A cursor in a process of its own that polls and commits until it is killed, by a policy of commits that follows from
/// a seed. What it is shown and told it writes down, each thing by one call, before it commits that.
///
///     DIR NAME FILE SEED
final class CommittingReader {
    private final OutputStream file;

    private CommittingReader(OutputStream file) {
        this.file = file;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        SplittableRandom random = new SplittableRandom(Long.parseLong(arguments[3]));
        try (ReadOnlyJournal journal = Journal.openReadOnly(Path.of(arguments[0]));
                OutputStream file = new FileOutputStream(arguments[2], true);
                Cursor cursor = Cursor.open(journal, arguments[1], config(random.nextInt(4)))) {
            new CommittingReader(file).run(cursor, random);
        }
    }

    private static CursorConfig config(int policy) {
        CursorConfig config = CursorConfig.defaults();
        return switch (policy) {
            case 0 -> config;
            case 1 -> config.withCommitPolicy(CommitPolicy.everyEntry());
            case 2 -> config.withCommitPolicy(CommitPolicy.everyPoll());
            default -> config.withCommitPolicy(CommitPolicy.every(Duration.ZERO));
        };
    }

    private void run(Cursor cursor, SplittableRandom random) throws InterruptedException {
        write("opened " + cursor.nextSequence());
        System.out.println("open");
        while (true) {
            int limit = 1 + random.nextInt(random.nextBoolean() ? 2 : 50); // into batches
            int result =
                    cursor.poll(entry -> write("entry " + entry.sequence() + " " + Journals.longOf(entry, 8)), limit);
            if (result < 0) {
                write("told " + cursor.nextSequence() + " " + result);
            }
            if (random.nextInt(8) == 0) {
                cursor.commit();
            }
            if (result == 0) {
                cursor.await(1_000_000);
            }
        }
    }

    private void write(String line) {
        try {
            file.write((line + "\n").getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
