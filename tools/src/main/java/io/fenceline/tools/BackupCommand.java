package io.fenceline.tools;

import io.fenceline.journal.BackupReport;
import io.fenceline.journal.Journal;
import io.fenceline.journal.VerifyReport;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Copies a journal in use.
@Command(
        name = "backup",
        description = {
            "Copy a journal, also one that is in use, to a new journal.",
            "",
            "The copy holds everything that was published at one moment, as if the journal had been closed then; it"
                + " can be opened, tailed and verified as any other, and is verified before the command ends. It takes"
                + " no lock, and the writer does not wait. It holds the journal's secret: keep it as safe.",
            "",
            "Damage is copied, too: a copy that is not whole is kept, and the exit code is 1.",
            ""
        },
        footer = {"", "Example:", "  fenceline backup orders orders.2026-11-22"})
final class BackupCommand implements Callable<Integer> {
    private final Console console;

    @Parameters(index = "0", paramLabel = "DIR", description = "The journal's directory.")
    private Path directory;

    @Parameters(index = "1", paramLabel = "TO", description = "The copy's directory: must not exist, its parent must.")
    private Path to;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    BackupCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        BackupReport report = Journal.backup(directory, to);
        VerifyReport verified = Journal.verify(to);
        if (json) {
            console.println(new JsonObject()
                    .put("retained", report.retained())
                    .put("published", report.published())
                    .put("nextSequence", report.nextSequence())
                    .put("copiedBytes", report.copiedBytes())
                    .put("entries", verified.entries())
                    .put("whole", verified.isWhole())
                    .toString());
        } else {
            console.println("copied positions " + report.retained() + " to " + report.published() + ": "
                    + verified.entries() + " entries, the next one has sequence " + report.nextSequence());
        }
        if (!verified.isWhole()) {
            console.error(
                    "the copy is not whole, and is kept: `fenceline verify` tells where, and whether the journal is"
                            + " damaged, too");
            return ExitCodes.CORRUPT;
        }
        return ExitCodes.OK;
    }
}
