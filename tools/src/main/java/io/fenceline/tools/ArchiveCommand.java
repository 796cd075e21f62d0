package io.fenceline.tools;

import io.fenceline.journal.Archive;
import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.tailer.Archiver;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Copies sealed segments to an archive.
@Command(
        name = "archive",
        description = {
            "Copy the sealed segments of a journal, also one that is in use, to an archive, which is made if it is not"
                    + " there.",
            "",
            "From the first run on, the writer reuses no segment that is not archived: also while this command does"
                    + " not run, until the cursor is removed (`fenceline cursor rm DIR archive`). An archive is read"
                    + " as a journal: by tail, dump, verify and info; `fenceline tail DIR --archive TO` reads both as"
                    + " one log. It holds the journal's secret: keep it as safe.",
            ""
        },
        footer = {"", "Example:", "  fenceline archive orders orders.archive -f"})
final class ArchiveCommand implements Callable<Integer> {
    private static final long STOP_LOOK_NS = 100_000_000;

    private final Console console;

    @Parameters(index = "0", paramLabel = "DIR", description = "The journal's directory.")
    private Path directory;

    @Parameters(index = "1", paramLabel = "TO", description = "The archive's directory; its parent must exist.")
    private Path to;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on with segments that are sealed later; end with Ctrl-C.")
    private boolean follow;

    @Option(
            names = "--cursor",
            paramLabel = "NAME",
            description = "The cursor that holds the ring (default: ${DEFAULT-VALUE}).")
    private String name = "archive";

    @Option(names = "--json", description = "Print one JSON object for each pass that archived something.")
    private boolean json;

    private volatile boolean stopped;

    ArchiveCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory);
                Archive archive = Archive.open(to, journal);
                Archiver archiver = Archiver.open(journal, name, archive);
                Interruption interruption = Interruption.then(() -> stopped = true)) {
            print(archiver.poll(Integer.MAX_VALUE), archive);
            while (follow && !stopped && !interruption.hasCome()) {
                if (archiver.await(STOP_LOOK_NS)) {
                    print(archiver.poll(1), archive);
                }
            }
        }
        return ExitCodes.OK;
    }

    private void print(int segments, Archive archive) {
        if (json) {
            console.println(new JsonObject()
                    .put("segments", segments)
                    .put("from", archive.retained())
                    .put("to", archive.end())
                    .toString());
        } else {
            console.println("archived " + segments + (segments == 1 ? " segment" : " segments")
                    + "; the archive holds positions " + archive.retained() + " to " + archive.end());
        }
        console.flush();
    }
}
