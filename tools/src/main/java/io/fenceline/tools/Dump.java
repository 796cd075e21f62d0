package io.fenceline.tools;

import io.fenceline.journal.DamagedRange;
import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import io.fenceline.journal.recovery.FrameSeek;
import io.fenceline.journal.recovery.FrameWalk;
import io.fenceline.journal.recovery.Inspection;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Shows every frame of a journal.
@Command(
        name = "dump",
        description = {
            "Show every frame of a journal: live, closed, crashed or damaged.",
            "",
            "Only reads, by system calls, and takes no lock. Ends at what is published, and goes on to what a crashed"
                    + " writer left unrecovered. Damaged ranges are lines of their own; if there were any, the exit"
                    + " code is 1.",
            "",
            "In JSON, each line is an object with position, fileOffset, length, sequence, timestamp, epoch, kind,"
                    + " verdict, entries; each entry has type, and payload or payloadBase64.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  fenceline dump orders --limit 10",
            "  fenceline dump orders --from seq:1000 --format json",
            "  fenceline dump orders --from 4096 --limit 1 --format hex"
        })
final class Dump implements Callable<Integer> {
    /// How frames are shown.
    enum Format {
        TEXT,
        JSON,
        HEX,
        RAW
    }

    private final Console console;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "The journal's directory.")
    private Path directory;

    @Option(
            names = "--from",
            paramLabel = "WHERE",
            converter = Tail.StartConverter.class,
            defaultValue = "oldest",
            description = "Where to begin: oldest, newest (the last frame with entries), a POSITION, seq:N, or"
                    + " time:INSTANT, such as time:2026-11-22T10:00:00Z (default: ${DEFAULT-VALUE}).")
    private Start from;

    @Option(names = "--until", paramLabel = "POSITION", description = "Stop in front of the frame there or behind it.")
    private long until = Long.MAX_VALUE;

    @Option(names = "--limit", paramLabel = "N", description = "Stop after N frames.")
    private long limit = Long.MAX_VALUE;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "text, json, hex (with the bytes of each frame), or raw (payloads only) (default:"
                    + " ${DEFAULT-VALUE}).")
    private Format format;

    private boolean damaged;

    Dump(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        if (limit < 0) {
            throw new ParameterException(spec.commandLine(), "--limit " + limit + ": expected 0 or more");
        }
        try (Inspection inspection = Inspection.open(directory)) {
            console.warn(inspection.warnings());
            FrameOutput output = switch (format) {
                case TEXT -> new FrameOutput.Text(console, inspection);
                case JSON -> new FrameOutput.Json(console, inspection);
                case HEX -> new FrameOutput.Hex(console, inspection);
                case RAW -> new FrameOutput.Raw(console, inspection);
            };
            long start = start(inspection);
            long left = limit;
            if (start < inspection.to() || inspection.end() == inspection.to()) {
                left = print(inspection.walk(start), output, left, false);
            }
            print(inspection.walkUnrecovered(Math.max(start, inspection.to())), output, left, true);
        }
        return damaged ? ExitCodes.CORRUPT : ExitCodes.OK;
    }

    private long start(Inspection inspection) {
        return switch (from.kind()) {
            case OLDEST -> inspection.from();
            case NEWEST -> {
                long last = inspection.lastFrame();
                yield last < 0 ? inspection.to() : last;
            }
            case SEQUENCE -> frameOf(inspection, from.value());
            case POSITION -> frameAt(inspection, from.value());
            case TIME -> frameSince();
        };
    }

    /// The search of a tailer: it needs a journal whose head is whole.
    private long frameSince() {
        try (ReadOnlyJournal journal = Journal.openReadOnly(directory);
                Tailer tailer = Tailer.open(journal, from)) {
            return tailer.position();
        }
    }

    private long frameOf(Inspection inspection, long sequence) {
        long found = new FrameSeek(inspection).sequence(sequence);
        if (found >= inspection.end()) {
            console.error("warning: no entry with sequence " + sequence + " or a later one; nothing to show");
        }
        return found;
    }

    private long frameAt(Inspection inspection, long position) {
        if (position < inspection.from() || position > inspection.end()) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--from " + position + ": expected a position from " + inspection.from() + " (the oldest retained)"
                            + " to " + inspection.end());
        }
        long found = new FrameSeek(inspection).atOrAfter(position);
        if (found != position) {
            console.error("warning: no whole frame begins at position " + position + "; going on at " + found);
        }
        return found;
    }

    private long print(FrameWalk walk, FrameOutput output, long limit, boolean unrecovered) {
        long left = limit;
        while (left > 0) {
            FrameWalk.Step step = walk.next();
            if (step != FrameWalk.Step.END && walk.stepStart() >= until) {
                return 0;
            }
            switch (step) {
                case FRAME -> {
                    boolean rereads = output.frame(walk, unrecovered);
                    if (rereads && walk.isOverwritten()) {
                        output.range(walk.stepStart(), walk.stepEnd(), "OVERWRITTEN", "overwritten while it was shown");
                    }
                    left--;
                }
                case DAMAGED -> {
                    DamagedRange range = walk.damage();
                    damaged |= !unrecovered;
                    output.range(
                            range.from(),
                            range.to(),
                            unrecovered ? "UNRECOVERED" : "DAMAGED",
                            unrecovered ? "unrecovered, no frame: " + range.reason() : range.reason());
                }
                case OVERWRITTEN ->
                    output.range(
                            walk.stepStart(),
                            walk.stepEnd(),
                            "OVERWRITTEN",
                            "overwritten by the writer before it could be shown");
                case END -> {
                    return left;
                }
            }
        }
        return left;
    }
}
