package io.fenceline.tools;

import io.fenceline.journal.CursorStatus;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.tailer.Cursor;
import io.fenceline.tailer.Start;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Shows, moves and removes named cursors.
@Command(
        name = "cursor",
        synopsisSubcommandLabel = "(ls | set | rm)",
        description = {
            "Show, move or remove the named cursors of a journal.",
            "",
            "A cursor is the place where a named tailer goes on. One that is gating holds the ring: the writer gives"
                    + " up nothing that it has not committed.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  fenceline cursor ls orders",
            "  fenceline cursor set orders billing seq:1000",
            "  fenceline cursor rm orders billing"
        })
final class CursorCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    /// No subcommand.
    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "ls, set or rm is missing");
    }

    /// Lists them.
    @Command(
            name = "ls",
            description = {"List the cursors of a journal, with their lag. Only reads.", ""},
            footer = {"", "Example:", "  fenceline cursor ls orders --json"})
    static final class Ls implements Callable<Integer> {
        private final Console console;

        @Parameters(paramLabel = "DIR", description = "The journal's directory.")
        private Path directory;

        @Option(names = "--json", description = "Print one JSON object.")
        private boolean json;

        Ls(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
                List<CursorStatus> cursors = journal.cursors();
                if (json) {
                    console.println(new JsonObject()
                            .put("published", journal.published())
                            .putObjects("cursors", toJson(cursors))
                            .toString());
                    return ExitCodes.OK;
                }
                for (CursorStatus cursor : cursors) {
                    console.println(describe(cursor));
                }
            }
            return ExitCodes.OK;
        }
    }

    /// One line.
    static String describe(CursorStatus cursor) {
        if (cursor.problem() != null) {
            return "%-20s %s".formatted(cursor.name(), Printable.of(cursor.problem()));
        }
        return "%-20s position %d, sequence %d, lag %d bytes%s, committed %s%s%s%s"
                .formatted(
                        cursor.name(),
                        cursor.position(),
                        cursor.nextSequence(),
                        cursor.lagBytes(),
                        entries(cursor.lagEntries()),
                        Instant.ofEpochSecond(0, cursor.committedNs()),
                        cursor.isGating() ? ", gating" : "",
                        cursor.isOpen() ? ", open" : "",
                        cursor.userData().length == 0
                                ? ""
                                : ", data " + HexFormat.of().formatHex(cursor.userData()));
    }

    /// Cursors for a command that shows more than them: those that cannot be looked at do not end it.
    ///
    /// @param problem why there are none to show, null if there is no problem
    record Seen(List<CursorStatus> cursors, @Nullable String problem) {
        static Seen of(ReadOnlyJournal journal) {
            try {
                return new Seen(journal.cursors(), null);
            } catch (JournalException.Io e) {
                return new Seen(List.of(), "the cursors are not known: " + e.getMessage());
            }
        }
    }

    /// Nothing if it is not known.
    static String entries(long lagEntries) {
        return lagEntries < 0 ? "" : lagEntries == 1 ? " (1 entry)" : " (" + lagEntries + " entries)";
    }

    static List<JsonObject> toJson(List<CursorStatus> cursors) {
        List<JsonObject> all = new ArrayList<>();
        for (CursorStatus cursor : cursors) {
            JsonObject one = new JsonObject().put("name", cursor.name());
            if (cursor.problem() != null) {
                all.add(one.put("problem", cursor.problem()));
                continue;
            }
            all.add(one.put("position", cursor.position())
                    .put("nextSequence", cursor.nextSequence())
                    .put("epoch", cursor.epoch())
                    .put("lagBytes", cursor.lagBytes())
                    .put("lagEntries", cursor.lagEntries())
                    .put("gating", cursor.isGating())
                    .put("open", cursor.isOpen())
                    .put(
                            "committed",
                            Instant.ofEpochSecond(0, cursor.committedNs()).toString())
                    .put("userData", HexFormat.of().formatHex(cursor.userData())));
        }
        return all;
    }

    /// Moves one.
    @Command(
            name = "set",
            description = {
                "Move a cursor, forwards or back; make it if there is none.",
                "",
                "Durable when it returns. Refused while a tailer has the cursor open.",
                ""
            },
            footer = {"", "Example:", "  fenceline cursor set orders billing newest"})
    static final class Set implements Callable<Integer> {
        private final Console console;

        @Spec
        private CommandSpec spec;

        @Parameters(index = "0", paramLabel = "DIR", description = "The journal's directory.")
        private Path directory;

        @Parameters(index = "1", paramLabel = "NAME", description = "The cursor.")
        private String name;

        @Parameters(
                index = "2",
                paramLabel = "WHERE",
                converter = Tail.StartConverter.class,
                description = "Where to: oldest, newest, a POSITION as an append printed it, or seq:N.")
        private Start where;

        Set(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
                long position = Cursor.set(journal, name, where);
                console.println(name + " goes on at position " + position);
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
            }
            return ExitCodes.OK;
        }
    }

    /// Removes one.
    @Command(
            name = "rm",
            description = {
                "Remove a cursor; a gating one lets go of the ring.",
                "",
                "Durable when it returns. Refused while a tailer has the cursor open.",
                ""
            },
            footer = {"", "Example:", "  fenceline cursor rm orders billing"})
    static final class Rm implements Callable<Integer> {
        private final Console console;

        @Spec
        private CommandSpec spec;

        @Parameters(index = "0", paramLabel = "DIR", description = "The journal's directory.")
        private Path directory;

        @Parameters(index = "1", paramLabel = "NAME", description = "The cursor.")
        private String name;

        Rm(Console console) {
            this.console = console;
        }

        @Override
        public Integer call() {
            try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
                if (!Cursor.remove(journal, name)) {
                    throw new ParameterException(
                            spec.commandLine(), "no cursor '" + name + "'; 'fenceline cursor ls' lists them");
                }
                console.println(name + " is removed");
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
            }
            return ExitCodes.OK;
        }
    }
}
