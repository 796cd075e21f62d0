package io.fenceline.tools;

import io.fenceline.journal.CursorStatus;
import io.fenceline.journal.Durability;
import io.fenceline.journal.DurabilityReport;
import io.fenceline.journal.GateStatus;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.PersistReport;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.WriterCounters;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.recovery.Head;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Tells what a journal is and how it stands, from its head alone.
@Command(
        name = "info",
        description = {
            "Show what a journal is, what it promises, and how it stands.",
            "",
            "Only reads; works beside a live writer.",
            ""
        },
        footer = {"", "Example:", "  fenceline info orders", "  fenceline info orders --json"})
@SuppressWarnings("AvoidCommonTypeNames") // the name of the subcommand
final class Info implements Callable<Integer> {
    private final Console console;

    @Parameters(paramLabel = "DIR", description = "The journal's directory.")
    private Path directory;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    Info(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory)) {
            Path log = journal.directory().resolve(JournalFiles.LOG);
            Head head = Head.read(journal.view().reader(), Files.size(log), log);
            if (json) {
                console.println(toJson(journal, head).toString());
            } else {
                print(journal, head);
            }
        }
        return ExitCodes.OK;
    }

    private void print(ReadOnlyJournal journal, Head head) {
        Superblock superblock = head.superblock();
        Geometry geometry = superblock.geometry();
        StateRecord state = head.state();
        boolean alive = journal.isWriterAlive();
        line("journal", Printable.of(journal.directory().toString()));
        line("id", superblock.journalId().toString());
        line("format", "version " + Superblock.VERSION);
        line("created", created(superblock).toString());
        line(
                "geometry",
                geometry.segmentCount() + " segments of " + Size.describe(geometry.segmentLengthBytes())
                        + ", capacity " + Size.describe(geometry.capacityBytes()) + ", largest entry "
                        + Size.describe(geometry.maximumPayloadLengthBytes()));
        line("durability", Printable.of(journal.durability().toString()));
        PersistReport persist = journal.durability().persist();
        if (persist != null) {
            line("persist", persist + (alive ? "; the writer may be configured otherwise" : ""));
        }
        line("state", describeState(state, alive));
        line("epoch", state.epoch() + ", from position " + state.epochStart());
        line("retained", state.retained() + "  (the oldest byte still readable)");
        line("floor", state.floor() + "  (whole below it, durably), next sequence there " + state.floorSequence());
        line("published", journal.published() + "  (readable up to here)");
        line("lease", state.lease() + "  (nothing was ever written from here on)");
        line("used", used(journal, geometry));
        if (state.isClean()) {
            line("last entry", state.floorSequence() == 0 ? "none" : "sequence " + (state.floorSequence() - 1));
        }
        WriterCounters writer = journal.writer();
        if (writer != null && writer.verdict() != null) {
            line("recovery", Top.recovery(writer));
            line("stalls", Top.stalls(writer));
        }
        CursorCommand.Seen seen = CursorCommand.Seen.of(journal);
        for (CursorStatus cursor : seen.cursors()) {
            line("cursor", CursorCommand.describe(cursor));
        }
        for (GateStatus gate : tailers(journal)) {
            line(
                    "gate",
                    "a tailer of process %d, position %d, lag %d bytes%s"
                            .formatted(
                                    gate.ownerPid(),
                                    gate.position(),
                                    gate.lagBytes(),
                                    CursorCommand.entries(gate.lagEntries())));
        }
        for (String warning : head.warnings()) {
            line("warning", Printable.of(warning));
        }
        if (seen.problem() != null) {
            line("warning", Printable.of(seen.problem()));
        }
    }

    /// Gating tailers without a name, which only matter to a writer; nothing is asked, and so nothing written,
    /// without.
    private static List<GateStatus> tailers(ReadOnlyJournal journal) {
        if (!journal.isWriterAlive()) {
            return List.of();
        }
        try {
            return journal.gates().stream()
                    .filter(gate -> gate.cursor().isEmpty())
                    .toList();
        } catch (JournalException.Io e) {
            return List.of(); // no right to look
        }
    }

    private void line(String name, String value) {
        console.println("%-12s%s".formatted(name, value));
    }

    private static String describeState(StateRecord state, boolean alive) {
        if (alive) {
            return "a writer has it open now";
        }
        return state.isClean()
                ? "closed in order, no writer"
                : "not closed in order, no writer: the next opening for writing (or 'fenceline recover') recovers it";
    }

    private static String used(ReadOnlyJournal journal, Geometry geometry) {
        long bytes = Math.max(0, journal.published() - journal.retained());
        return Size.describe(bytes) + " of " + Size.describe(geometry.capacityBytes()) + " ("
                + 100 * bytes / geometry.capacityBytes() + " %)";
    }

    private static Instant created(Superblock superblock) {
        return Instant.ofEpochSecond(0, superblock.creationTimeNs());
    }

    private static JsonObject toJson(ReadOnlyJournal journal, Head head) {
        Superblock superblock = head.superblock();
        Geometry geometry = superblock.geometry();
        StateRecord state = head.state();
        DurabilityReport durability = journal.durability();
        JsonObject result = new JsonObject()
                .put("directory", journal.directory().toString())
                .put("journalId", superblock.journalId().toString())
                .put("formatVersion", Superblock.VERSION)
                .put("created", created(superblock).toString())
                .put("segmentLengthBytes", geometry.segmentLengthBytes())
                .put("segmentCount", geometry.segmentCount())
                .put("capacityBytes", geometry.capacityBytes())
                .put("maximumPayloadLengthBytes", geometry.maximumPayloadLengthBytes())
                .put("durability", durability.durability().name().toLowerCase(Locale.ROOT))
                .put(
                        "recordedDurability",
                        Durability.ofId(state.durability()).name().toLowerCase(Locale.ROOT))
                .put("emulated", durability.emulated())
                .put("survivesPowerCut", durability.survivesPowerCut())
                .put("survives", durability.survives())
                .put("fileSystem", durability.fileSystem())
                .put("reason", durability.reason())
                .put("writerAlive", journal.isWriterAlive())
                .put("clean", state.isClean())
                .put("epoch", state.epoch())
                .put("epochStart", state.epochStart())
                .put("retained", journal.retained())
                .put("floor", state.floor())
                .put("floorSequence", state.floorSequence())
                .put("published", journal.published())
                .put("lease", state.lease());
        PersistReport persist = durability.persist();
        if (persist != null) {
            result.put("persistStrategy", persist.strategy().name().toLowerCase(Locale.ROOT))
                    .put("persistInstructions", persist.instructions())
                    .put("persistReason", persist.reason());
        }
        if (state.isClean()) {
            result.put("lastSequence", state.floorSequence() - 1);
        }
        WriterCounters writer = journal.writer();
        if (writer != null && writer.verdict() != null) {
            result.put("verdict", writer.verdict().name())
                    .put("keptEntries", writer.keptEntries())
                    .put("sealedBytes", writer.sealedBytes())
                    .put("openedNs", writer.openedNs())
                    .put("waits", writer.waits())
                    .put("waitedNs", writer.waitedNs())
                    .put("refusedFull", writer.refusedFull())
                    .put("refusedHeld", writer.refusedHeld())
                    .put("records", writer.records())
                    .put("recordingNs", writer.recordingNs())
                    .put("reservedAtLeast", writer.reserved())
                    .put("poisoned", writer.isPoisoned());
        }
        CursorCommand.Seen seen = CursorCommand.Seen.of(journal);
        result.putObjects("cursors", CursorCommand.toJson(seen.cursors()));
        result.putObjects(
                "gatingTailers",
                tailers(journal).stream()
                        .map(gate -> new JsonObject()
                                .put("pid", gate.ownerPid())
                                .put("position", gate.position())
                                .put("lagBytes", gate.lagBytes())
                                .put("lagEntries", gate.lagEntries()))
                        .toList());
        List<String> warnings = new ArrayList<>(head.warnings());
        if (seen.problem() != null) {
            warnings.add(seen.problem());
        }
        return result.put("warnings", warnings);
    }
}
