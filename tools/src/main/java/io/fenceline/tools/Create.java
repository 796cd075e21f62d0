package io.fenceline.tools;

import io.fenceline.journal.Durability;
import io.fenceline.journal.DurabilityReport;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.format.Geometry;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Creates a journal.
@Command(
        name = "create",
        description = {
            "Create a journal.",
            "",
            "All blocks are allocated and written now, so that a full disk is an error here and never later."
                    + " Without --durability, the journal gets the strongest that the storage truly gives.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  fenceline create orders --segments 8 --segment-size 16MiB",
            "  fenceline create /mnt/pmem/orders --durability memory"
        })
final class Create implements Callable<Integer> {
    private final Console console;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "The journal's directory; must not exist, its parent must.")
    private Path directory;

    @Option(
            names = "--segments",
            paramLabel = "N",
            description = "Segments in the ring, 2 to 65536 (default: ${DEFAULT-VALUE}).")
    private int segmentCount = JournalConfig.DEFAULT_SEGMENT_COUNT;

    @Option(
            names = "--segment-size",
            paramLabel = "SIZE",
            converter = Size.class,
            defaultValue = "64MiB",
            description = "A power of two from 2MiB to 1GiB (default: ${DEFAULT-VALUE}). The largest entry is a"
                    + " quarter of it.")
    private long segmentLengthBytes;

    @Option(
            names = "--durability",
            paramLabel = "LEVEL",
            description = {
                "What an acknowledged entry survives:",
                "memory   a power cut, on persistent memory (DAX)",
                "device   a power cut, on a disk (fdatasync)",
                "process  a crash of the process"
            })
    private @Nullable Durability durability;

    @Option(
            names = "--emulate-persistent-memory",
            description = "Allow 'memory' where there is none, for tests: then a power cut loses data.")
    private boolean emulate;

    Create(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        JournalConfig config = config();
        try (Journal journal = create(config)) {
            console.println("created " + Printable.of(journal.directory().toString()) + ": " + config.segmentCount()
                    + " segments of " + Size.describe(config.segmentLengthBytes()) + ", largest entry "
                    + Size.describe(journal.maximumPayloadLengthBytes()));
            console.println(describe(journal.durability()));
        }
        return ExitCodes.OK;
    }

    private Journal create(JournalConfig config) {
        long total =
                Geometry.of(config.segmentLengthBytes(), config.segmentCount()).fileLengthBytes();
        try (Progress progress = new Progress(console, "creating " + directory, total)) {
            return Journal.create(directory, config.withCreationProgress(progress::update));
        }
    }

    /// The truth about what an acknowledged entry survives, in one line.
    static String describe(DurabilityReport report) {
        return "durability " + Printable.of(report.toString());
    }

    private JournalConfig config() {
        if (emulate && durability != null && durability != Durability.MEMORY) {
            throw new ParameterException(
                    spec.commandLine(), "--emulate-persistent-memory goes with --durability memory only");
        }
        try {
            JournalConfig config = JournalConfig.defaults()
                    .withSegmentCount(segmentCount)
                    .withSegmentLengthBytes(segmentLengthBytes)
                    .withEmulatePersistentMemory(emulate);
            return durability == null ? config : config.withDurability(durability);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
