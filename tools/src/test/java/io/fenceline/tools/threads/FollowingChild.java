package io.fenceline.tools.threads;

import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalSource;
import io.fenceline.tailer.GatingTailer;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.nio.file.Path;

/// A process that follows with a [Follower]: a gating tailer if nothing may be missed, else one that may be
/// overrun. Says "ready" when it holds its place. Exit code 0: it has seen the last entry, all right.
///
///     FollowingChild DIRECTORY THREADS ENTRIES GAPLESS
final class FollowingChild {
    private FollowingChild() {}

    public static void main(String[] args) {
        int threads = Integer.parseInt(args[1]);
        long entries = Long.parseLong(args[2]);
        boolean gapless = Boolean.parseBoolean(args[3]);
        Follower follower = new Follower(threads, gapless);
        try (JournalSource journal = Journal.openReadOnly(Path.of(args[0]))) {
            if (gapless) {
                try (GatingTailer tailer = GatingTailer.open(journal, Start.oldest())) {
                    follow(follower, tailer::poll, entries);
                }
            } else {
                try (Tailer tailer = Tailer.open(journal, Start.oldest())) {
                    follow(follower, tailer::poll, entries);
                }
            }
        }
    }

    private static void follow(Follower follower, Follower.Poll tailer, long entries) {
        System.out.println("ready");
        follower.follow(tailer, entries, (thread, number, position) -> {}, () -> {});
        System.out.println("saw " + follower.seen());
    }
}
