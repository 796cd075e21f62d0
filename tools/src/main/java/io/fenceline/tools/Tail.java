package io.fenceline.tools;

import io.fenceline.journal.CursorStatus;
import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.tailer.ArchivedTailer;
import io.fenceline.tailer.Cursor;
import io.fenceline.tailer.CursorConfig;
import io.fenceline.tailer.Entry;
import io.fenceline.tailer.SkippedRange;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import io.fenceline.tailer.TailerConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// Prints payloads as lines.
@Command(
        name = "tail",
        description = {
            "Print the entries of a journal, one line each.",
            "",
            "Payloads are printed as they are, each followed by a line feed; on a terminal, control characters and"
                    + " bytes that are no UTF-8 are escaped. Works beside a live writer, which it never holds up.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  fenceline tail orders --limit 10",
            "  fenceline tail orders --from newest -f",
            "  fenceline tail orders --from time:2026-11-22T10:00:00Z --until time:2026-11-22T10:05:00Z --type 1,2",
            "  fenceline tail orders --backwards --limit 1",
            "  fenceline tail orders --cursor billing --commit",
            "  fenceline tail orders --archive orders.archive --from seq:0"
        })
final class Tail implements Callable<Integer> {
    private static final int POLL_LIMIT = 256;
    private static final long STOP_LOOK_NS = 100_000_000;
    private static final long END_TIMEOUT_S = 2;

    private final Console console;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "The journal's directory.")
    private Path directory;

    @Option(
            names = "--from",
            paramLabel = "WHERE",
            converter = StartConverter.class,
            description = "Where to begin: oldest, newest, a POSITION as an append printed it, seq:N, or time:INSTANT,"
                    + " such as time:2026-11-22T10:00:00Z: the first entry of that time or a later one (default:"
                    + " oldest; newest with --backwards).")
    private @Nullable Start from;

    @Option(
            names = "--until",
            paramLabel = "WHERE",
            converter = StartConverter.class,
            description =
                    "Where to end, as --from says it: in front of that entry; with --backwards, behind it. With -f or"
                        + " --cursor, a time is waited for: the run ends in front of the first entry of that time or a"
                        + " later one.")
    private @Nullable Start until;

    @Option(names = "--backwards", description = "Newest first, from --from back to the oldest entry.")
    private boolean backwards;

    @Option(
            names = "--type",
            paramLabel = "N",
            split = ",",
            description = "Only entries of that type; several, separated by commas.")
    private int @Nullable [] types;

    @Option(
            names = "--skip-damage",
            description = "Go on behind damaged frames, with a line on standard error for each damaged range; then the"
                    + " exit code is 1.")
    private boolean skipDamage;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on with what is appended later, also by later writers; end with Ctrl-C.")
    private boolean follow;

    @Option(names = "--limit", paramLabel = "N", description = "Stop after N entries.")
    private long limit = Long.MAX_VALUE;

    @Option(
            names = "--cursor",
            paramLabel = "NAME",
            description =
                    "Go on where this cursor was committed; --from counts for a new one only. With --type, entries of"
                            + " other types are passed over, and committed with those printed. Not with --backwards,"
                            + " which a cursor does not follow, nor with --skip-damage.")
    private @Nullable String name;

    @Option(names = "--commit", description = "Commit to the cursor what was printed; make it if there is none.")
    private boolean commit;

    @Option(
            names = "--archive",
            paramLabel = "TO",
            description = "Read the archive in that directory and the journal as one log.")
    private @Nullable Path archive;

    private final CountDownLatch ended = new CountDownLatch(1);
    private byte[] bytes = new byte[4096];
    private volatile boolean stopped;
    private boolean damaged;
    private boolean done;
    private long left;
    private long boundPosition;
    private long boundSequence;
    private long boundTimeNs = Long.MAX_VALUE;
    private long firstBeyond;

    /// Reads where to begin.
    static final class StartConverter implements ITypeConverter<Start> {
        @Override
        public Start convert(String text) {
            try {
                return Start.parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }

    Tail(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        if (limit < 0) {
            throw usage("--limit " + limit + ": expected 0 or more");
        }
        if (commit && name == null) {
            throw usage("--commit: expected --cursor NAME beside it");
        }
        if (name != null && (backwards || skipDamage)) {
            throw usage("--cursor excludes --backwards and --skip-damage");
        }
        if (backwards && follow) {
            throw usage("--backwards and --follow exclude each other");
        }
        if (archive != null && (backwards || until != null || name != null || skipDamage)) {
            throw usage("--archive excludes --backwards, --until, --cursor and --skip-damage");
        }
        Start start = from != null ? from : backwards ? Start.newest() : Start.oldest();
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory);
                Interruption interruption = Interruption.then(this::stop)) {
            bound(journal);
            left = limit;
            if (archive != null) {
                printArchived(journal, archive, start);
                return ExitCodes.OK;
            }
            try (Cursor cursor = name == null ? null : openCursor(journal, name, start);
                    Tailer tailer = cursor == null ? open(journal, "--from", start, config()) : cursor.tailer()) {
                console.warn(journal.warnings());
                print(tailer, cursor, backwards || follow ? Long.MAX_VALUE : journal.published());
                console.flush();
                if (!interruption.hasCome()) {
                    return damaged ? ExitCodes.CORRUPT : ExitCodes.OK;
                }
            }
        } finally {
            ended.countDown();
        }
        return ExitCodes.OK; // The signal decides about the exit code.
    }

    private void printArchived(ReadOnlyJournal journal, Path directoryOfArchive, Start start) {
        try (ArchivedTailer tailer = openArchived(journal, directoryOfArchive, start)) {
            while (left > 0 && !done && !stopped) {
                int count = tailer.poll(this::print, (int) Math.min(left, POLL_LIMIT));
                if (count == Tailer.CLOSED || (count == 0 && !follow)) {
                    break;
                }
                if (count == 0) {
                    console.flush();
                    console.requireReader();
                    tailer.await(STOP_LOOK_NS);
                } else if (count < 0) {
                    console.flush();
                    console.error(
                            count == Tailer.OVERRUN
                                    ? "the writer went past what is archived: entries are missing before position "
                                            + tailer.position()
                                    : "the log was truncated: entries from sequence " + tailer.nextSequence()
                                            + " on, which were printed, are not in it any more");
                }
            }
            console.flush();
        } catch (InterruptedException e) {
            stopped = true;
        }
    }

    private ArchivedTailer openArchived(ReadOnlyJournal journal, Path directoryOfArchive, Start start) {
        try {
            return ArchivedTailer.open(directoryOfArchive, journal, start, config());
        } catch (IllegalArgumentException e) {
            throw usage("--from: " + e.getMessage());
        }
    }

    private TailerConfig config() {
        TailerConfig config = TailerConfig.defaults();
        if (types != null && boundTimeNs == Long.MAX_VALUE) {
            config = config.withTypes(this::isWanted); // else it would hide the entry that ends the run
        }
        return skipDamage ? config.withSkipDamage(this::skipped) : config;
    }

    private boolean isWanted(int type) {
        return types == null || Arrays.stream(types).anyMatch(one -> one == type);
    }

    /// The place where `--until` ends the run, as a position and, where that tells more, a sequence or a time.
    private void bound(ReadOnlyJournal journal) {
        boundPosition = backwards ? 0 : follow || name != null ? Long.MAX_VALUE : journal.published();
        boundSequence = backwards ? 0 : Long.MAX_VALUE;
        if (until == null) {
            return;
        }
        switch (until.kind()) {
            case POSITION -> boundPosition = backwards ? until.value() : Math.min(boundPosition, until.value());
            case SEQUENCE -> boundSequence = until.value();
            case OLDEST, NEWEST, TIME -> {
                if (until.kind() == Start.Kind.TIME && (follow || name != null)) {
                    boundTimeNs = until.value(); // its first entry may come later
                    return;
                }
                try (Tailer place = open(journal, "--until", until, TailerConfig.defaults())) {
                    boundPosition = place.position();
                }
            }
        }
    }

    private boolean isBeyond(long position, long sequence) {
        return backwards
                ? position < boundPosition || sequence < boundSequence
                : position >= boundPosition || sequence >= boundSequence;
    }

    private Tailer open(ReadOnlyJournal journal, String option, Start start, TailerConfig config) {
        try {
            return Tailer.open(journal, start, config);
        } catch (IllegalArgumentException e) {
            throw usage(option + ": " + e.getMessage());
        }
    }

    /// A cursor that is there keeps holding the ring, or not, as before.
    private Cursor openCursor(ReadOnlyJournal journal, String cursorName, Start start) {
        CursorStatus known = journal.cursors().stream()
                .filter(status -> status.name().equals(cursorName))
                .findFirst()
                .orElse(null);
        if (known == null && !commit) {
            throw usage("no cursor '" + cursorName + "'; with --commit it is made, 'fenceline cursor ls' lists them");
        }
        try {
            CursorConfig config =
                    CursorConfig.defaults().withStart(start).withGating(known != null && known.isGating());
            Cursor cursor = Cursor.open(journal, cursorName, config);
            if (cursor.resumption() == Cursor.Resumption.TRUNCATED) {
                console.error("the log was truncated: what the cursor saw behind sequence " + cursor.nextSequence()
                        + " is not in it any more");
            }
            return cursor;
        } catch (IllegalArgumentException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private void print(Tailer tailer, @Nullable Cursor cursor, long end) {
        while (left > 0 && !done && !stopped) {
            int most = (int) Math.min(left, POLL_LIMIT);
            int count = backwards ? tailer.pollBackwards(this::print, most) : tailer.poll(this::print, most);
            if (count != 0 && cursor != null && commit && (!done || standBefore(tailer, firstBeyond))) {
                console.flush(); // printed first: at least once
                cursor.commit();
            }
            if (count == Tailer.OVERRUN) {
                console.flush();
                console.error(missed(tailer));
            } else if (count == Tailer.TRUNCATED) {
                console.flush();
                console.error("the log was truncated: entries from sequence " + tailer.nextSequence()
                        + " on, which were printed, are not in it any more");
            } else if (count == Tailer.CLOSED) {
                return;
            }
            if (tailer.position() >= end || (!backwards && isBeyond(tailer.position(), tailer.nextSequence()))) {
                return;
            }
            if (count == 0) {
                console.flush();
                if (!follow) {
                    return;
                }
                console.requireReader();
                await(tailer);
            }
        }
    }

    /// Puts the tailer before the entry at which the run ended, so that no cursor is committed behind it.
    ///
    /// @return false if the ring has gone past it: nothing is committed
    private static boolean standBefore(Tailer tailer, long sequence) {
        try {
            tailer.skipTo(Start.sequence(sequence));
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /// Sleeps until something is published; looks now and then whether it was stopped.
    private void await(Tailer tailer) {
        try {
            tailer.await(STOP_LOOK_NS);
        } catch (InterruptedException e) {
            stopped = true;
        }
    }

    private void skipped(SkippedRange range) {
        damaged = true;
        console.flush();
        console.error("skipped positions " + range.from() + " to " + range.to() + " ("
                + (range.missedEntries() < 0 ? "" : range.missedEntries() + " entries, ") + range.lengthBytes()
                + " bytes of the log): " + range.problem().getMessage());
    }

    private static String missed(Tailer tailer) {
        String entries = tailer.missedEntries() < 0 ? "entries" : tailer.missedEntries() + " entries";
        return "the writer went past: missed " + entries + " (" + tailer.missedBytes() + " bytes of the log), going on"
                + " at the oldest one left, position " + tailer.position();
    }

    private void print(Entry entry) {
        if (done) {
            return;
        }
        if (isBeyond(entry.position(), entry.sequence()) || entry.timestampNs() >= boundTimeNs) {
            firstBeyond = entry.sequence();
            done = true;
            return;
        }
        if (!isWanted(entry.type())) {
            return; // the tailer of a cursor, or of a run that a time ends, delivers all types
        }
        left--;
        int length = entry.length();
        if (length > bytes.length) {
            bytes = new byte[Math.max(length, (int) Math.min(2L * bytes.length, 1 << 28))];
        }
        MemorySegment.copy(entry.buffer(), ValueLayout.JAVA_BYTE, entry.offset(), bytes, 0, length);
        OutputStream out = console.out();
        try {
            if (console.outIsTerminal()) {
                Printable.write(out, bytes, 0, length);
            } else {
                out.write(bytes, 0, length);
            }
            out.write('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Lets the loop end, and waits a little until what was read is written.
    private void stop() {
        stopped = true;
        try {
            boolean done = ended.await(END_TIMEOUT_S, TimeUnit.SECONDS);
            assert done || follow;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
