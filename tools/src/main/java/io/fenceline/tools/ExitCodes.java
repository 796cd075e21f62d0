package io.fenceline.tools;

import io.fenceline.journal.JournalException;
import java.util.LinkedHashMap;
import java.util.Map;

/// Exit codes of every subcommand.
final class ExitCodes {
    /// Done; `verify`: the journal is whole; `demo`: the proof holds.
    static final int OK = 0;

    /// The journal is corrupt; `demo`: the proof failed.
    static final int CORRUPT = 1;

    /// The command line is wrong.
    static final int USAGE = 2;

    /// Not a journal, or one that cannot be read.
    static final int UNREADABLE = 3;

    /// Another writer has the journal.
    static final int LOCKED = 4;

    /// The storage failed.
    static final int STORAGE = 5;

    /// The ring is full.
    static final int FULL = 6;

    /// A bug in Fenceline.
    static final int BUG = 70;

    /// Whoever read standard output has gone, as for a command that SIGPIPE ends.
    static final int CLOSED_OUTPUT = 141;

    private static final int EPERM = 1;
    private static final int ENOENT = 2;
    private static final int EACCES = 13;
    private static final int ENOTDIR = 20;
    private static final int EISDIR = 21;
    private static final int ENAMETOOLONG = 36;
    private static final int ELOOP = 40;

    private ExitCodes() {}

    /// The codes with their meaning, for `--help`.
    static Map<String, String> list() {
        Map<String, String> list = new LinkedHashMap<>();
        list.put(" " + OK, "done; verify: the journal is whole; demo: the proof holds");
        list.put(" " + CORRUPT, "the journal is corrupt; demo: the proof failed");
        list.put(" " + USAGE, "wrong usage, or a line of input that is too long; create: something is at DIR already");
        list.put(" " + UNREADABLE, "not a journal, or it cannot be read: no permission, truncated, of a newer version");
        list.put(" " + LOCKED, "another writer has the journal open");
        list.put(" " + STORAGE, "the storage: full disk, I/O error, durability not to be had");
        list.put(" " + FULL, "append: the ring is full");
        list.put("" + BUG, "a bug in Fenceline; --debug shows where");
        list.put("130, 143", "ended by Ctrl-C, by SIGTERM; what was acknowledged is safe; bench prints what it has");
        list.put("" + CLOSED_OUTPUT, "the reader of standard output has gone (as in: … | head -1)");
        return list;
    }

    /// The code for a problem.
    static int of(Throwable problem) {
        return switch (problem) {
            case ClosedOutputException closed -> CLOSED_OUTPUT;
            case CommandException own -> own.exitCode();
            case JournalException.Truncated truncated -> UNREADABLE;
            case JournalException.Corrupt corrupt -> CORRUPT;
            case JournalException.NotAJournal foreign -> UNREADABLE;
            case JournalException.Unsupported unsupported -> UNREADABLE;
            case JournalException.Locked locked -> LOCKED;
            case JournalException.AlreadyExists exists -> USAGE;
            case JournalException.Io io -> ofErrno(io.errno());
            case JournalException other -> STORAGE;
            case java.io.IOException io -> STORAGE;
            case java.io.UncheckedIOException io -> STORAGE;
            default -> BUG;
        };
    }

    private static int ofErrno(int errno) {
        return switch (errno) {
            case EPERM, ENOENT, EACCES, ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP -> UNREADABLE;
            default -> STORAGE;
        };
    }
}
