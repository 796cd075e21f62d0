package io.fenceline.tools;

import io.fenceline.journal.Journal;
import io.fenceline.tailer.Entry;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Takes one end of a journal away.
@Command(
        name = "truncate",
        description = {
            "Take what lies before, or after, an entry out of a journal.",
            "",
            "The entry itself is kept. --after is exact, and cannot be taken back: so what it takes away is copied"
                + " first, to --copy FILE, unless --no-copy. --before gives up whole segments of the ring, as far as"
                + " they lie before the entry. The journal must not be open for writing; it is opened, and recovered"
                + " if its last writer did not close it, before the question. Crash-safe: a truncation is made whole,"
                + " or not at all.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  fenceline truncate orders --after seq:41 --copy cut.dump",
            "  fenceline truncate orders --before 1048576 --yes"
        })
final class Truncate implements Callable<Integer> {
    private final Console console;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "The journal's directory.")
    private Path directory;

    @ArgGroup(exclusive = true, multiplicity = "1")
    private End end;

    /// Which end.
    static final class End {
        @Option(
                names = "--before",
                paramLabel = "WHERE",
                converter = Tail.StartConverter.class,
                description = "Give up the segments before this entry: a POSITION, or seq:N.")
        private Start before;

        @Option(
                names = "--after",
                paramLabel = "WHERE",
                converter = Tail.StartConverter.class,
                description = "Take away all entries behind this one (behind its batch): a POSITION, or seq:N.")
        private Start after;
    }

    @Option(
            names = {"-y", "--yes"},
            description = "Do not ask.")
    private boolean yes;

    @Option(
            names = "--copy",
            paramLabel = "FILE",
            description = "With --after: copy what is taken away to FILE, which must not exist, one entry a line:"
                    + " position, sequence, timestamp, type, payload in hexadecimal (default: DIR.cut-POSITION).")
    private Path copy;

    @Option(names = "--no-copy", description = "With --after: keep no copy.")
    private boolean noCopy;

    Truncate(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        Start where = end.before != null ? end.before : end.after;
        if (where.kind() != Start.Kind.POSITION && where.kind() != Start.Kind.SEQUENCE) {
            throw new ParameterException(spec.commandLine(), "WHERE '" + where + "': expected a POSITION, or seq:N");
        }
        if (end.before != null && (copy != null || noCopy)) {
            throw new ParameterException(spec.commandLine(), "--copy and --no-copy go with --after only");
        }
        try (Journal journal = Journal.open(directory)) {
            return end.before != null ? before(journal, where) : after(journal, where);
        }
    }

    private int before(Journal journal, Start where) {
        long position;
        try (Tailer tailer = open(journal, where)) {
            position = tailer.position();
        }
        if (!confirmed("give up what lies before the segment of position " + position + " in " + directory)) {
            return ExitCodes.USAGE;
        }
        long before = journal.retained();
        long retained = journal.retain(position);
        console.println(
                retained == before
                        ? "nothing was given up: position " + position + " is in the oldest segment"
                        : "gave up " + (retained - before) + " bytes: the oldest position is " + retained);
        return ExitCodes.OK;
    }

    private int after(Journal journal, Start where) {
        Cut cut = find(journal, where);
        if (cut.entries == 0) {
            console.println("nothing is behind " + where + ": nothing was taken away");
            return ExitCodes.OK;
        }
        if (!confirmed("take " + cut.entries + " entries, sequences " + cut.first + " to " + cut.last + ", out of "
                + directory + " for ever")) {
            return ExitCodes.USAGE;
        }
        if (!noCopy) {
            Path file = copy != null
                    ? copy
                    : directory
                            .toAbsolutePath()
                            .normalize()
                            .resolveSibling(
                                    directory.toAbsolutePath().normalize().getFileName() + ".cut-" + cut.position);
            CutCopy.write(journal, cut.position, file);
            console.println("copied to " + Printable.of(file.toString()));
        }
        journal.truncate(cut.position);
        console.println("took away " + cut.entries + " entries, sequences " + cut.first + " to " + cut.last
                + "; the next one gets sequence " + cut.first + ", at position " + journal.published());
        return ExitCodes.OK;
    }

    /// What lies behind an entry.
    private static final class Cut {
        private long position = -1;
        private long entries;
        private long first;
        private long last;
    }

    private Cut find(Journal journal, Start where) {
        Cut cut = new Cut();
        try (Tailer tailer = open(journal, where)) {
            long keep = where.kind() == Start.Kind.SEQUENCE ? where.value() : tailer.nextSequence();
            long[] kept = {-1};
            while (tailer.poll(entry -> add(cut, kept, entry, keep), 1000) > 0) {
                // on
            }
            if (kept[0] < 0) {
                throw new ParameterException(spec.commandLine(), "--after " + where + ": there is no such entry");
            }
        }
        return cut;
    }

    private static void add(Cut cut, long[] kept, Entry entry, long keep) {
        if (entry.sequence() <= keep || entry.position() == kept[0]) {
            kept[0] = entry.position(); // a batch is kept whole
            return;
        }
        if (cut.entries++ == 0) {
            cut.position = entry.position();
            cut.first = entry.sequence();
        }
        cut.last = entry.sequence();
    }

    private Tailer open(Journal journal, Start where) {
        try {
            return Tailer.open(journal, where);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(
                    spec.commandLine(), (end.before != null ? "--before: " : "--after: ") + e.getMessage(), e);
        }
    }

    private boolean confirmed(String what) {
        if (yes) {
            return true;
        }
        console.print(what + "? Type yes: ");
        console.flush();
        try {
            BufferedReader in = new BufferedReader(new InputStreamReader(console.in(), StandardCharsets.UTF_8));
            if ("yes".equals(in.readLine())) {
                return true;
            }
        } catch (IOException e) {
            console.error("nothing was changed: the answer cannot be read (--yes does not ask): " + e.getMessage());
            return false;
        }
        console.error("nothing was changed: the answer was not yes (--yes does not ask)");
        return false;
    }
}
