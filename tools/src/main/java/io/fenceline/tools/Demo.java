package io.fenceline.tools;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Shows the main job on real input, with a crash in the middle, and proves that it went well.
@Command(
        name = "demo",
        description = {
            "See the main job done on a real text: append, crash, recover, go on, prove.",
            "",
            "One process appends lines and acknowledges each once it is durable, another one tails. Half way the writer"
                    + " is killed with SIGKILL. After recovery a second writer appends the rest. At the end the journal"
                    + " is read anew and compared with what was appended and acknowledged. Takes some seconds.",
            ""
        },
        footer = {"", "Example:", "  fenceline demo", "  fenceline demo /var/log/dpkg.log --dir /mnt/disk --keep"})
final class Demo implements Callable<Integer> {
    private static final int MOST_LINES = 50_000;
    private static final int FEWEST_LINES = 100;
    private static final int FASTEST_LINES_PER_S = 50_000;
    private static final long LARGEST_LENGTH_BYTES = 128 << 20;
    private static final long CALIBRATION_NS = 250_000_000L;
    private static final long TAIL_TIMEOUT_NS = 20_000_000_000L;
    private static final int SIGKILL_CODE = 137;

    /// What a killed writer may leave unused at most, for two of them.
    private static final long BURNT_LENGTH_BYTES = 40 << 20;

    private final Console console;

    @Parameters(
            arity = "0..1",
            paramLabel = "FILE",
            description = "The text (default: a license or a word list of this machine).")
    private @Nullable Path file;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Where the demo makes its directory (default: the system's directory for temporary files).")
    private @Nullable Path parent;

    @Option(names = "--keep", description = "Leave the journal there at the end.")
    private boolean keep;

    private final long startNs = System.nanoTime();

    Demo(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        DemoInput input = file == null ? DemoInput.found() : DemoInput.read(file);
        Path directory = makeDirectory();
        try (Interruption interruption = Interruption.then(() -> remove(directory))) {
            boolean holds = run(input, directory);
            return holds || interruption.hasCome() ? ExitCodes.OK : ExitCodes.CORRUPT;
        } finally {
            remove(directory);
        }
    }

    private boolean run(DemoInput input, Path directory) throws InterruptedException {
        int total = chooseTotal(input, directory);
        Path path = directory.resolve("journal");
        tell("input", Printable.of(input.source()) + ", " + describeLines(input, total));
        try (Journal journal = Journal.create(path, geometry(input, total))) {
            tell(
                    "journal",
                    Printable.of(path.toString()) + ", "
                            + Printable.of(journal.durability().toString()));
        }
        DemoWitness witness = new DemoWitness(total);
        try (DemoTail tail = new DemoTail(path, input)) {
            tell("tailer", "process " + tail.pid() + " follows the journal");
            appendUntilKilled(path, input, witness, total);
            long kept = recover(path, witness);
            appendRest(path, input, witness, kept, total);
            long seen = tail.awaitAndEnd(total, TAIL_TIMEOUT_NS);
            return prove(path, input, witness, total, seen, tail.different());
        }
    }

    private void appendUntilKilled(Path path, DemoInput input, DemoWitness witness, int total)
            throws InterruptedException {
        long killAt = Math.max(1, total / 2 + ThreadLocalRandom.current().nextLong(-total / 10, total / 10 + 1));
        try (DemoWriter writer = new DemoWriter(path, input, witness, 0, total, killAt)) {
            tell("writer", "process " + writer.pid() + " appends, and acknowledges each line once it is durable");
            int code = writer.await();
            if (code != SIGKILL_CODE) {
                throw new CommandException(
                        ExitCodes.CORRUPT, "the writer ended by itself, with code " + code + ", before it was killed");
            }
        }
        tell(
                "crash",
                "SIGKILL to the writer half way; %,d lines are acknowledged (a power cut is not tried here)"
                        .formatted(witness.count()));
    }

    private long recover(Path path, DemoWitness witness) {
        try (Journal journal = Journal.open(path)) {
            RecoveryReport report = journal.recovery();
            tell("recovery", "the journal is opened again; its report:");
            report.toString().lines().forEach(line -> console.println("             | " + Printable.of(line)));
            long kept = report.lastSequence() + 1;
            tell(
                    "kept",
                    "%,d lines: the %,d acknowledged ones, and %,d whose acks the crash cut off"
                            .formatted(kept, witness.count(), kept - witness.count()));
            return kept;
        }
    }

    private void appendRest(Path path, DemoInput input, DemoWitness witness, long kept, int total)
            throws InterruptedException {
        try (DemoWriter writer = new DemoWriter(path, input, witness, kept, total, 0)) {
            tell("writer", "process %d appends the rest, %,d lines".formatted(writer.pid(), total - kept));
            int code = writer.await();
            if (code != ExitCodes.OK) {
                throw new CommandException(ExitCodes.CORRUPT, "the second writer ended with code " + code);
            }
        }
        tell("closed", "in order");
    }

    private boolean prove(Path path, DemoInput input, DemoWitness witness, int total, long seen, long seenDifferent) {
        DemoProof proof = new DemoProof(input, witness, total).read(path);
        boolean tailed = seen == total && seenDifferent == 0;
        tell("proof", "the journal is read anew, every checksum verified:");
        result(proof.entries() == total, "%,d of %,d lines are there".formatted(proof.entries(), total));
        result(
                proof.lost() == 0 && witness.disorder() == 0,
                "%,d were acknowledged, %,d of these are lost".formatted(witness.count(), proof.lost()));
        result(
                proof.different() + proof.gaps() + proof.displaced() == 0,
                "%,d differ from their line, %,d are not in order or not once, %,d are not where the ack said"
                        .formatted(proof.different(), proof.gaps(), proof.displaced()));
        result(
                tailed,
                "the tailer showed %,d lines while they were appended, %,d of them wrong"
                        .formatted(seen, seenDifferent));
        tell("latency", "of an append, as the writers measured it: " + witness.latencies());
        boolean holds = proof.holds() && tailed;
        tell(
                "result",
                holds
                        ? "the proof holds: every acknowledged line is there, in order, once"
                        : "THE PROOF FAILED: the journal is kept at " + Printable.of(path.toString()));
        keep |= !holds;
        if (holds && keep) {
            tell("kept", "look at it with: fenceline info " + Printable.of(path.toString()));
        }
        return holds;
    }

    private void tell(String what, String text) {
        console.println("%6.2f s  %-10s%s".formatted((System.nanoTime() - startNs) / 1e9, what, text));
        console.flush();
    }

    private void result(boolean good, String text) {
        console.println("             " + (good ? "ok    " : "WRONG ") + text);
    }

    private static String describeLines(DemoInput input, int total) {
        int size = input.lines().size();
        String lines = (input.whole() ? "%,d lines" : "its first %,d lines").formatted(size);
        if (total > size) {
            return lines + ", repeated to %,d".formatted(total);
        }
        return total < size ? lines + ", of which the first %,d".formatted(total) : lines;
    }

    /// As many lines as this storage takes in some seconds: the text over and over, or the beginning of it.
    private static int chooseTotal(DemoInput input, Path directory) {
        double linesPerS = Math.min(FASTEST_LINES_PER_S, measure(input, directory));
        long enough = Math.clamp((long) (4 * linesPerS), FEWEST_LINES, MOST_LINES);
        long most = Math.max(enough, (long) (10 * linesPerS));
        long total = Math.min(most, Math.max(enough, input.lines().size()));
        long length = 0;
        for (int i = 0; i < total; i++) {
            length += frameLength(input.line(i));
            if (length > LARGEST_LENGTH_BYTES) {
                return Math.max(2, i);
            }
        }
        return (int) total;
    }

    /// How many appends of such lines the storage takes per second.
    private static double measure(DemoInput input, Path directory) {
        int segmentLength = segmentLength(input);
        JournalConfig config = JournalConfig.defaults()
                .withSegmentLengthBytes(segmentLength)
                .withSegmentCount(2)
                .withFullPolicy(FullPolicy.OVERWRITE);
        try (Journal journal = Journal.create(directory.resolve("calibration"), config);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            long startNs = System.nanoTime();
            long count = 0;
            while (System.nanoTime() - startNs < CALIBRATION_NS) {
                appender.append(MemorySegment.ofArray(input.line(count++)));
            }
            return count * 1e9 / (System.nanoTime() - startNs);
        }
    }

    /// A ring that nothing falls out of.
    private static JournalConfig geometry(DemoInput input, int total) {
        long length = BURNT_LENGTH_BYTES;
        for (int i = 0; i < total; i++) {
            length += frameLength(input.line(i));
        }
        int segmentLength = segmentLength(input);
        // A frame takes a quarter of a segment at most, so that at most a quarter is left over at its end.
        long segments = length * 4 / 3 / segmentLength + 2;
        return JournalConfig.defaults().withSegmentLengthBytes(segmentLength).withSegmentCount((int) segments);
    }

    private static int segmentLength(DemoInput input) {
        int length = Geometry.MINIMUM_API_SEGMENT_LENGTH_BYTES;
        while (length / 4 < input.longestLength()) {
            length *= 2;
        }
        return length;
    }

    private static int frameLength(byte[] line) {
        return FrameDescriptor.slotAlignedLength(FrameDescriptor.frameLength(line.length));
    }

    private Path makeDirectory() throws IOException {
        Path in = parent == null ? Path.of(System.getProperty("java.io.tmpdir")) : parent;
        try {
            return Files.createTempDirectory(in, "fenceline-demo-").toRealPath();
        } catch (NoSuchFileException e) {
            throw new CommandException(ExitCodes.UNREADABLE, "--dir " + in + ": there is no such directory");
        } catch (IOException e) {
            throw new CommandException(ExitCodes.STORAGE, "cannot make a directory in " + in + ": " + e.getMessage());
        }
    }

    private void remove(Path directory) {
        try (Stream<Path> paths = Files.walk(directory)) {
            List<Path> all = paths.sorted(Comparator.reverseOrder())
                    .filter(path -> !keep || path.startsWith(directory.resolve("calibration")))
                    .toList();
            for (Path path : all) {
                Files.deleteIfExists(path);
            }
        } catch (IOException | java.io.UncheckedIOException e) {
            // Gone already, or a directory for temporary files keeps it until the system tidies up.
        }
    }
}
