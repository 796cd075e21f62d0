package io.fenceline.tools;

import io.fenceline.journal.CursorStatus;
import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.tailer.Cursor;
import io.fenceline.tailer.CursorConfig;
import io.fenceline.tailer.Entry;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
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
            "  fenceline tail orders --cursor billing --commit"
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
            defaultValue = "oldest",
            description = "Where to begin: oldest, newest, a POSITION as an append printed it, or seq:N (default:"
                    + " ${DEFAULT-VALUE}).")
    private Start from;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on with what is appended later, also by later writers; end with Ctrl-C.")
    private boolean follow;

    @Option(names = "--limit", paramLabel = "N", description = "Stop after N entries.")
    private long limit = Long.MAX_VALUE;

    @Option(
            names = "--cursor",
            paramLabel = "NAME",
            description = "Go on where this cursor was committed; --from counts for a new one only.")
    private @Nullable String name;

    @Option(names = "--commit", description = "Commit to the cursor what was printed; make it if there is none.")
    private boolean commit;

    private final CountDownLatch ended = new CountDownLatch(1);
    private byte[] bytes = new byte[4096];
    private volatile boolean stopped;

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
            throw new ParameterException(spec.commandLine(), "--limit " + limit + ": expected 0 or more");
        }
        if (commit && name == null) {
            throw new ParameterException(spec.commandLine(), "--commit: expected --cursor NAME beside it");
        }
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory);
                Interruption interruption = Interruption.then(this::stop);
                Cursor cursor = name == null ? null : openCursor(journal, name);
                Tailer tailer = cursor == null ? open(journal) : cursor.tailer()) {
            console.warn(journal.warnings());
            print(tailer, cursor, follow ? Long.MAX_VALUE : journal.published());
            console.flush();
            if (!interruption.hasCome()) {
                return ExitCodes.OK;
            }
        } finally {
            ended.countDown();
        }
        return ExitCodes.OK; // The signal decides about the exit code.
    }

    private Tailer open(ReadOnlyJournal journal) {
        try {
            return Tailer.open(journal, from);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--from: " + e.getMessage(), e);
        }
    }

    /// A cursor that is there keeps holding the ring, or not, as before.
    private Cursor openCursor(ReadOnlyJournal journal, String cursorName) {
        CursorStatus known = journal.cursors().stream()
                .filter(status -> status.name().equals(cursorName))
                .findFirst()
                .orElse(null);
        if (known == null && !commit) {
            throw new ParameterException(
                    spec.commandLine(),
                    "no cursor '" + cursorName + "'; with --commit it is made, 'fenceline cursor ls' lists them");
        }
        try {
            CursorConfig config = CursorConfig.defaults().withStart(from).withGating(known != null && known.isGating());
            Cursor cursor = Cursor.open(journal, cursorName, config);
            if (cursor.resumption() == Cursor.Resumption.TRUNCATED) {
                console.error("the log was truncated: what the cursor saw behind sequence " + cursor.nextSequence()
                        + " is not in it any more");
            }
            return cursor;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private void print(Tailer tailer, @Nullable Cursor cursor, long end) {
        long left = limit;
        while (left > 0 && !stopped) {
            int count = tailer.poll(this::print, (int) Math.min(left, POLL_LIMIT));
            if (count != 0 && cursor != null && commit) {
                console.flush(); // printed first: at least once
                cursor.commit();
            }
            if (count > 0) {
                left -= count;
            } else if (count == Tailer.OVERRUN) {
                console.flush();
                console.error(missed(tailer));
            } else if (count == Tailer.TRUNCATED) {
                console.flush();
                console.error("the log was truncated: entries from sequence " + tailer.nextSequence()
                        + " on, which were printed, are not in it any more");
            } else if (count == Tailer.CLOSED) {
                return;
            }
            if (tailer.position() >= end) {
                return;
            }
            if (count == 0) {
                console.flush();
                if (!follow) {
                    return;
                }
                await(tailer);
            }
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

    private static String missed(Tailer tailer) {
        String entries = tailer.missedEntries() < 0 ? "entries" : tailer.missedEntries() + " entries";
        return "the writer went past: missed " + entries + " (" + tailer.missedBytes() + " bytes of the log), going on"
                + " at the oldest one left, position " + tailer.position();
    }

    private void print(Entry entry) {
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
