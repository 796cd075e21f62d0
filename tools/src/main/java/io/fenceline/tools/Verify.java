package io.fenceline.tools;

import io.fenceline.journal.Journal;
import io.fenceline.journal.VerifyReport;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Judges every byte of a journal.
@Command(
        name = "verify",
        description = {
            "Check that a whole journal is whole: every frame, every checksum, every sequence.",
            "",
            "Only reads, and takes no lock: works beside a live writer, where it verifies what was published when it"
                    + " began. What a crashed writer left behind the floor is told, but not judged: that is for"
                    + " recovery.",
            ""
        },
        footer = {"", "Example:", "  fenceline verify orders", "  fenceline verify orders --json"})
final class Verify implements Callable<Integer> {
    private final Console console;

    @Parameters(paramLabel = "DIR", description = "The journal's directory.")
    private Path directory;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Option(
            names = "--direct",
            description = "Read past the page cache (O_DIRECT): what the storage holds, not what memory holds of it.")
    private boolean direct;

    Verify(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        VerifyReport report;
        try (Bar bar = new Bar(console)) {
            report = direct ? Journal.verifyDirect(directory, bar) : Journal.verify(directory, bar);
        }
        if (json) {
            console.println(report.toJson());
        } else {
            report.toString().lines().forEach(line -> console.println(Printable.of(line)));
        }
        return report.isWhole() ? ExitCodes.OK : ExitCodes.CORRUPT;
    }

    /// The total is known only when verification has begun.
    private static final class Bar implements VerifyReport.Progress, AutoCloseable {
        private final Console console;
        private @Nullable Progress progress;

        Bar(Console console) {
            this.console = console;
        }

        @Override
        public void onProgress(long verifiedBytes, long totalBytes) {
            if (progress == null) {
                progress = new Progress(console, "verify", totalBytes);
            }
            progress.update(verifiedBytes);
        }

        @Override
        public void close() {
            if (progress != null) {
                progress.close();
            }
        }
    }
}
