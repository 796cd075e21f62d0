package io.fenceline.tools;

import io.fenceline.bench.Bench;
import io.fenceline.bench.BenchPlan;
import io.fenceline.bench.report.HistogramLog;
import io.fenceline.bench.report.ReportPage;
import io.fenceline.bench.report.Results;
import io.fenceline.bench.report.ResultsJson;
import io.fenceline.bench.report.ResultsTable;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.PersistCalibration;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Measures what this machine gives.
@Command(
        name = "bench",
        description = {
            "Measure what this machine gives: latency and throughput of a journal on the storage of DIR, beside the raw"
                    + " limit of that storage in the same run.",
            "",
            "Open loop: entries are due at a fixed rate, and latency counts from then on, so that a stall is seen by"
                    + " every entry that it delays. Saturated: one after the other. Timed are the whole append, each of"
                    + " its stages, and the way to a tailer in another thread and in another process. The journal is a"
                    + " new one in a directory of its own below DIR, and is removed at the end. Ctrl-C prints what was"
                    + " measured so far. The defaults take about one minute and a half.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  fenceline bench /mnt/pmem",
            "  fenceline bench . --sizes 200 --rate 20000 --duration 30s --report orders.html",
            "  fenceline bench /dev/shm --durability memory --emulate-persistent-memory --json a.json",
            "  fenceline bench --calibrate /mnt/pmem/orders",
            "  fenceline bench --from a.json --from b.json --report both.html"
        })
final class BenchCommand implements Callable<Integer> {
    private static final long PATIENCE_S = 60;

    private final Console console;
    private final CountDownLatch printed = new CountDownLatch(1);
    private long nextProgressNs = System.nanoTime();

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "0..1",
            paramLabel = "DIR",
            description = "A directory on the storage to measure (default: the working directory).")
    private @Nullable Path directory;

    @Option(
            names = "--sizes",
            paramLabel = "SIZE",
            split = ",",
            converter = Size.class,
            description = "Payloads, with commas between (default: 64,256,1k,4k).")
    private List<Long> sizes = List.of(64L, 256L, 1024L, 4096L);

    @Option(
            names = "--rate",
            paramLabel = "N",
            split = ",",
            description = "Entries per second of the open loop, with commas between; 0: only saturated (default:"
                    + " 100000; with DEVICE 1000).")
    private @Nullable List<Integer> rates;

    @Option(names = "--no-saturated", description = "Leave the saturated loop out.")
    private boolean noSaturated;

    @Option(
            names = "--duration",
            paramLabel = "TIME",
            converter = TimeSpan.class,
            defaultValue = "1s",
            description = "Of each series, such as 500ms, 10s, 5m (default: ${DEFAULT-VALUE}).")
    private long durationNs;

    @Option(
            names = "--warm-up",
            paramLabel = "TIME",
            converter = TimeSpan.class,
            defaultValue = "300ms",
            description = "Before each series (default: ${DEFAULT-VALUE}).")
    private long warmUpNs;

    @Option(names = "--threads", paramLabel = "N", description = "That append (default: ${DEFAULT-VALUE}).")
    private int threads = 1;

    @Option(names = "--batch", paramLabel = "N", description = "Entries a commit (default: ${DEFAULT-VALUE}).")
    private int batch = 1;

    @Option(
            names = "--durability",
            paramLabel = "LEVEL",
            description = "memory, device or process (default: the strongest that the storage truly gives).")
    private @Nullable Durability durability;

    @Option(
            names = "--emulate-persistent-memory",
            description = "Allow 'memory' where there is none; the results say so.")
    private boolean emulate;

    @Option(names = "--segments", paramLabel = "N", description = "Of the journal (default: ${DEFAULT-VALUE}).")
    private int segmentCount = JournalConfig.DEFAULT_SEGMENT_COUNT;

    @Option(
            names = "--segment-size",
            paramLabel = "SIZE",
            converter = Size.class,
            defaultValue = "64MiB",
            description = "A power of two from 2MiB to 1GiB (default: ${DEFAULT-VALUE}).")
    private long segmentLengthBytes;

    @Option(names = "--no-tailers", description = "Leave append to tailer out.")
    private boolean noTailers;

    @Option(names = "--no-stages", description = "Leave the stages of an append out.")
    private boolean noStages;

    @Option(names = "--no-pin", description = "Do not bind threads to processors.")
    private boolean noPin;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Write everything there as JSON (docs/BENCH.md); '-': print it instead of the table.")
    private @Nullable Path json;

    @Option(names = "--hlog", paramLabel = "FILE", description = "Write a log of HdrHistogram there.")
    private @Nullable Path hlog;

    @Option(names = "--report", paramLabel = "FILE", description = "Write an HTML page with plots there.")
    private @Nullable Path report;

    @Option(
            names = "--from",
            paramLabel = "FILE",
            description = "Measure nothing: draw the page of --report from such a JSON file. May be repeated.")
    private List<Path> from = List.of();

    @Option(
            names = "--calibrate",
            description = "Measure the persist strategies on the journal that DIR is, which nobody has open for"
                    + " writing, and record the result: later openings persist by the fastest.")
    private boolean calibrate;

    BenchCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        if (!from.isEmpty()) {
            return draw();
        }
        if (calibrate) {
            return calibrateJournal();
        }
        BenchPlan plan = plan();
        List<Path> outputs = outputs();
        try {
            report(measure(plan, outputs), outputs);
        } finally {
            printed.countDown();
        }
        return ExitCodes.OK;
    }

    private void report(Results results, List<Path> outputs) throws IOException {
        // First what cannot fail for want of room.
        String file = ResultsJson.of(results);
        boolean printsJson = json != null && isStandardOutput(json);
        if (printsJson) {
            console.print(file);
        } else {
            ResultsTable.of(results).forEach(line -> console.println(Printable.of(line)));
        }
        console.flush();
        if (json != null && !printsJson) {
            write(json, file);
        }
        if (report != null) {
            write(report, ReportPage.of(List.of(file)));
        }
        if (!printsJson) {
            outputs.forEach(output -> console.println("written: " + Printable.of(output.toString())));
            console.flush();
        }
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new CommandException(ExitCodes.STORAGE, "cannot write " + file + ": " + reason(e));
        }
    }

    private Results measure(BenchPlan plan, List<Path> outputs) throws IOException {
        String command = String.join(" ", spec.commandLine().getParseResult().originalArgs());
        try (HistogramLog log = hlog == null ? null : HistogramLog.create(hlog, "fenceline " + command)) {
            Bench bench = new Bench(plan, version(), "fenceline " + command, this::progress, log);
            // Not closed: until what was measured is printed the JVM must not go.
            Interruption interruption = Interruption.then(() -> {
                bench.stop();
                awaitPrinted();
            });
            boolean done = false;
            try {
                Results results = bench.run();
                if (log != null && !log.flush()) {
                    throw new CommandException(ExitCodes.STORAGE, "cannot write " + hlog);
                }
                done = true;
                return results;
            } finally {
                console.control("\r\u001b[K");
                if (!done) {
                    removeEmpty(outputs);
                    interruption.close();
                }
            }
        }
    }

    private void awaitPrinted() {
        try {
            if (!printed.await(PATIENCE_S, TimeUnit.SECONDS)) {
                console.error("gave up waiting for the end of a round");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void progress(String what, double done, long remainingNs) {
        if (System.nanoTime() - nextProgressNs < 0) {
            return;
        }
        nextProgressNs = System.nanoTime() + 200_000_000;
        String left = remainingNs < 0 ? "" : ", %d s left".formatted(Math.round(remainingNs / 1e9));
        console.control("\r%3d %%  %s%s\u001b[K".formatted((int) (100 * done), Printable.of(what), left));
    }

    private static String version() throws IOException {
        return new Fenceline.Version().getVersion()[0];
    }

    /// Before anything is measured: whether the files can be written.
    private List<Path> outputs() {
        List<Path> outputs = new ArrayList<>();
        for (Path output : new Path[] {json, hlog, report}) {
            if (output != null && !isStandardOutput(output)) {
                try {
                    Files.newOutputStream(
                                    output,
                                    java.nio.file.StandardOpenOption.CREATE,
                                    java.nio.file.StandardOpenOption.WRITE)
                            .close();
                } catch (IOException e) {
                    throw new CommandException(ExitCodes.STORAGE, "cannot write " + output + ": " + reason(e));
                }
                outputs.add(output);
            }
        }
        return outputs;
    }

    private static void removeEmpty(List<Path> outputs) {
        for (Path output : outputs) {
            try {
                if (Files.size(output) == 0) {
                    Files.delete(output);
                }
            } catch (IOException e) {
                // It stays, empty.
            }
        }
    }

    private static boolean isStandardOutput(Path path) {
        return path.toString().equals("-");
    }

    private static String reason(IOException e) {
        return switch (e) {
            case java.nio.file.AccessDeniedException denied -> "no permission";
            case java.nio.file.NoSuchFileException none -> "there is no such file or directory";
            case CharacterCodingException bytes -> "not UTF-8";
            case java.nio.file.FileSystemException other when other.getReason() != null -> other.getReason();
            default -> String.valueOf(e.getMessage());
        };
    }

    private int draw() throws IOException {
        if (report == null) {
            throw new ParameterException(spec.commandLine(), "--from goes with --report FILE");
        }
        List<String> files = new ArrayList<>();
        for (Path file : from) {
            try {
                String text = Files.readString(file);
                ResultsJson.check(text);
                files.add(text);
            } catch (IOException e) {
                throw new CommandException(ExitCodes.UNREADABLE, "cannot read " + file + ": " + reason(e));
            } catch (IllegalArgumentException e) {
                throw new CommandException(ExitCodes.UNREADABLE, file + ": " + e.getMessage());
            }
        }
        write(report, ReportPage.of(files));
        console.println("written: " + Printable.of(report.toString()));
        console.flush();
        return ExitCodes.OK;
    }

    private int calibrateJournal() {
        if (directory == null || json != null || hlog != null || report != null) {
            throw new ParameterException(
                    spec.commandLine(), "--calibrate goes with the directory of a journal, and with no other option");
        }
        PersistCalibration calibration = Journal.calibrate(directory);
        console.println("%s: persists by %s from now on, unless it is opened with another strategy"
                .formatted(Printable.of(directory.toString()), calibration.fastest()));
        console.println("measured: " + Printable.of(calibration.describeCosts()));
        console.flush();
        return ExitCodes.OK;
    }

    private BenchPlan plan() {
        Path where = directory == null ? Path.of("") : directory;
        if (!Files.isDirectory(where)) {
            throw new CommandException(
                    ExitCodes.UNREADABLE, where + ": expected a directory that exists, on the storage to measure");
        }
        if (emulate && durability != null && durability != Durability.MEMORY) {
            throw new ParameterException(
                    spec.commandLine(), "--emulate-persistent-memory goes with --durability memory only");
        }
        try {
            List<Integer> given = rates == null || !rates.contains(0) ? rates : List.of();
            JournalConfig config = JournalConfig.defaults()
                    .withSegmentCount(segmentCount)
                    .withSegmentLengthBytes(segmentLengthBytes)
                    .withEmulatePersistentMemory(emulate);
            return new BenchPlan(
                    where.toAbsolutePath(),
                    durability == null ? config : config.withDurability(durability),
                    sizes.stream().distinct().map(BenchCommand::payloadLength).toList(),
                    given == null ? null : given.stream().distinct().toList(),
                    !noSaturated,
                    durationNs,
                    warmUpNs,
                    threads,
                    batch,
                    !noTailers,
                    !noStages,
                    !noPin);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private static int payloadLength(long size) {
        if (size > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "size: " + size + " bytes: expected 0 or more, with frames of at most 1 MiB");
        }
        return (int) size;
    }
}
