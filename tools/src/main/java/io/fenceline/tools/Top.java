package io.fenceline.tools;

import io.fenceline.journal.CursorStatus;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.format.StateRecord;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Shows how a journal moves.
@Command(
        name = "top",
        description = {
            "Show the positions of a journal, how fast they move, and how far its cursors lag, once a second.",
            "",
            "It only reads: shared words, the state record and the cursors' files; neither writer nor tailers notice."
                    + " What is reserved is known in the writer's memory only: it lies between published and lease.",
            ""
        },
        footer = {"", "Example:", "  fenceline top orders", "  fenceline top orders --once"})
final class Top implements Callable<Integer> {
    private static final long REFRESH_MS = 1000;
    private static final String CLEAR = "\u001b[H\u001b[2J";

    private final Console console;
    private final CountDownLatch stopped = new CountDownLatch(1);

    @Parameters(paramLabel = "DIR", description = "The journal's directory.")
    private Path directory;

    @Option(names = "--once", description = "Look once, and show no rates.")
    private boolean once;

    Top(Console console) {
        this.console = console;
    }

    /// What is seen at one moment.
    private record Look(
            long timeNs,
            long retained,
            long published,
            StateRecord state,
            boolean alive,
            @Nullable Look before) {
        static Look at(ReadOnlyJournal journal, @Nullable Look last) {
            long retained = journal.retained();
            long published = journal.published();
            StateRecord state = journal.view().newestState();
            Look before = last == null
                    ? null
                    : new Look(last.timeNs, last.retained, last.published, last.state, last.alive, null);
            return new Look(System.nanoTime(), retained, published, state, journal.isWriterAlive(), before);
        }

        String rate(long now, long then, String unit) {
            if (before == null) {
                return "";
            }
            long perSecond = Math.round((now - then) * 1e9 / Math.max(1, timeNs - before.timeNs));
            return "%,17d %s/s".formatted(perSecond, unit);
        }
    }

    @Override
    public Integer call() throws InterruptedException {
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory);
                Interruption interruption = Interruption.then(stopped::countDown)) {
            Look look = Look.at(journal, null);
            print(journal, look);
            while (!once && !interruption.hasCome() && !stopped.await(REFRESH_MS, TimeUnit.MILLISECONDS)) {
                console.requireReader();
                look = Look.at(journal, look);
                print(journal, look);
            }
        }
        return ExitCodes.OK;
    }

    private void print(ReadOnlyJournal journal, Look look) {
        StateRecord state = look.state();
        Look before = look.before();
        if (console.outIsTerminal() && !once) {
            console.print(CLEAR);
        }
        console.println("%s: %s, epoch %d, %s"
                .formatted(
                        Printable.of(journal.directory().toString()),
                        look.alive() ? "a writer has it open" : "no writer",
                        state.epoch(),
                        Printable.of(journal.durability().toString())));
        line("retained", look.retained(), before == null ? "" : look.rate(look.retained(), before.retained(), "B"));
        line(
                "floor",
                state.floor(),
                before == null
                        ? ""
                        : look.rate(state.floorSequence(), before.state().floorSequence(), "entries"));
        line("published", look.published(), before == null ? "" : look.rate(look.published(), before.published(), "B"));
        line(
                "lease",
                state.lease(),
                before == null ? "" : look.rate(state.lease(), before.state().lease(), "B"));
        long used = Math.max(0, look.published() - look.retained());
        console.println("%-10s%s of %s (%d %%)"
                .formatted(
                        "used",
                        Size.describe(used),
                        Size.describe(journal.capacityBytes()),
                        100 * used / journal.capacityBytes()));
        for (CursorStatus cursor : cursors(journal)) {
            console.println("%-10s%s".formatted("cursor", CursorCommand.describe(cursor)));
        }
        if (!once) {
            console.println("");
        }
        console.flush();
    }

    private static Iterable<CursorStatus> cursors(ReadOnlyJournal journal) {
        try {
            return journal.cursors();
        } catch (JournalException.Io e) {
            return List.of(); // no right to look
        }
    }

    private void line(String name, long position, String rate) {
        console.println("%-10s%,22d%s".formatted(name, position, rate));
    }
}
