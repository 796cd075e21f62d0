package io.fenceline.tools;

import io.fenceline.journal.CursorStatus;
import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.WriterCounters;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.recovery.EntryLag;
import java.nio.file.Path;
import java.time.Instant;
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
            "Show the positions of a journal, how fast they move, how far its cursors lag, and what the writer was kept"
                    + " waiting by, once a second.",
            "",
            "It only reads: shared words, the state record and the cursors' files; neither writer nor tailers notice."
                    + " What is reserved this moment is known in the writer's memory only: at least what was when an"
                    + " append last asked for space, at most the lease.",
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
            long nextSequence,
            StateRecord state,
            boolean alive,
            CursorCommand.Seen seen,
            @Nullable Look before) {
        static Look at(ReadOnlyJournal journal, @Nullable Look last) {
            long retained = journal.retained();
            long published = journal.published();
            StateRecord state = journal.view().newestState();
            long nextSequence = EntryLag.of(journal.view()).nextSequence();
            Look before = last == null ? null : last.withoutBefore();
            return new Look(
                    System.nanoTime(),
                    retained,
                    published,
                    nextSequence,
                    state,
                    journal.isWriterAlive(),
                    CursorCommand.Seen.of(journal),
                    before);
        }

        private Look withoutBefore() {
            return new Look(timeNs, retained, published, nextSequence, state, alive, seen, null);
        }

        /// Entries a second that a cursor has committed since the look before; nothing if it was not there.
        String rate(CursorStatus cursor) {
            if (before != null && cursor.problem() == null) {
                for (CursorStatus then : before.seen.cursors()) {
                    if (then.name().equals(cursor.name()) && then.problem() == null) {
                        return ", " + perSecond(cursor.nextSequence(), then.nextSequence()) + " entries/s";
                    }
                }
            }
            return "";
        }

        private String perSecond(long now, long then) {
            long sinceNs = timeNs - (before == null ? 0 : before.timeNs);
            return "%,d".formatted(Math.round((now - then) * 1e9 / Math.max(1, sinceNs)));
        }

        String rate(long now, long then, String unit) {
            return before == null ? "" : "%17s %s/s".formatted(perSecond(now, then), unit);
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
        line("floor", state.floor(), "");
        line("published", look.published(), before == null ? "" : look.rate(look.published(), before.published(), "B"));
        WriterCounters counters = journal.writer();
        if (counters != null) {
            line("reserved", Math.max(look.published(), counters.reserved()), " at least");
        }
        line(
                "lease",
                state.lease(),
                before == null ? "" : look.rate(state.lease(), before.state().lease(), "B"));
        if (look.nextSequence() >= 0) {
            line(
                    "sequence",
                    look.nextSequence(),
                    before == null || before.nextSequence() < 0
                            ? ""
                            : look.rate(look.nextSequence(), before.nextSequence(), "entries"));
        }
        long used = Math.max(0, look.published() - look.retained());
        console.println("%-10s%s of %s (%d %%)"
                .formatted(
                        "used",
                        Size.describe(used),
                        Size.describe(journal.capacityBytes()),
                        100 * used / journal.capacityBytes()));
        writer(counters);
        for (CursorStatus cursor : look.seen().cursors()) {
            console.println("%-10s%s%s".formatted("cursor", CursorCommand.describe(cursor), look.rate(cursor)));
        }
        if (look.seen().problem() != null) {
            console.println(
                    "%-10s%s".formatted("warning", Printable.of(look.seen().problem())));
        }
        if (!once) {
            console.println("");
        }
        console.flush();
    }

    /// What the last writer of this boot was kept waiting by, and what it found.
    private void writer(@Nullable WriterCounters writer) {
        if (writer == null) {
            return;
        }
        console.println("%-10s%s".formatted("stalls", stalls(writer)));
        if (writer.verdict() != null) {
            console.println("%-10s%s".formatted("recovery", recovery(writer)));
        }
    }

    static String stalls(WriterCounters writer) {
        return "%,d waits for room (%,d us), %,d refused: full, %,d refused: held by a gate, %,d state records (%,d us)%s"
                .formatted(
                        writer.waits(),
                        writer.waitedNs() / 1000,
                        writer.refusedFull(),
                        writer.refusedHeld(),
                        writer.records(),
                        writer.recordingNs() / 1000,
                        writer.isPoisoned() ? "; POISONED by an I/O fault" : "");
    }

    static String recovery(WriterCounters writer) {
        return "%s, %,d entries kept behind the floor, %,d bytes sealed; opened %s by process %d"
                .formatted(
                        writer.verdict(),
                        writer.keptEntries(),
                        writer.sealedBytes(),
                        Instant.ofEpochSecond(0, writer.openedNs()),
                        writer.pid());
    }

    private void line(String name, long position, String rate) {
        console.println("%-10s%,22d%s".formatted(name, position, rate));
    }
}
