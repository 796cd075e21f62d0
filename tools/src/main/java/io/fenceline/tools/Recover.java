package io.fenceline.tools;

import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.RecoveryReport;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Recovers a journal, or tells what recovery would do.
@Command(
        name = "recover",
        description = {
            "Recover a journal after a crash, and tell what was found and kept.",
            "",
            "Every opening for writing does the same; the command is for those who want to see the report, or to do it"
                    + " now.",
            ""
        },
        footer = {"", "Example:", "  fenceline recover orders --dry-run", "  fenceline recover orders --json"})
final class Recover implements Callable<Integer> {
    private final Console console;

    @Parameters(paramLabel = "DIR", description = "The journal's directory.")
    private Path directory;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Option(names = "--dry-run", description = "Only tell: writes nothing, takes no lock.")
    private boolean dryRun;

    Recover(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        if (dryRun) {
            inspect();
        } else {
            try (Journal journal = Journal.open(directory)) {
                print(journal.recovery());
            }
        }
        return ExitCodes.OK;
    }

    private void inspect() {
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            print(journal.inspectRecovery());
        } catch (JournalException.Locked e) {
            String reason = "a writer has the journal open now: there is nothing to recover";
            if (json) {
                console.println(new JsonObject()
                        .put("verdict", "IN_USE")
                        .put("reason", reason)
                        .toString());
            } else {
                console.println("verdict     IN_USE: " + reason);
            }
        }
    }

    private void print(RecoveryReport report) {
        if (json) {
            console.println(report.toJson());
        } else {
            report.toString().lines().forEach(line -> console.println(Printable.of(line)));
        }
    }
}
