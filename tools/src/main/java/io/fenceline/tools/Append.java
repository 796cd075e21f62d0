package io.fenceline.tools;

import io.fenceline.appender.Batch;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.GateStatus;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Appends lines.
@Command(
        name = "append",
        description = {
            "Append the lines of standard input, one entry per line.",
            "",
            "Any bytes; a line feed ends a line and is not part of it, and the last line may do without. A line that"
                    + " is longer than the journal's largest entry ends the command; what came before it is kept."
                    + " If the reader of the acks goes away, the rest of the input is appended all the same.",
            ""
        },
        footer = {
            "",
            "Example:",
            "  printf 'buy 10\\nsell 5\\n' | fenceline append orders --ack",
            "  fenceline append orders --batch 100 < orders.txt"
        })
final class Append implements Callable<Integer> {
    /// An append waits so long before it is told whom it waits for.
    private static final long TELL_NS = 1_000_000_000;

    private final Console console;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "The journal's directory.")
    private Path directory;

    @Option(
            names = "--ack",
            description = "Print 'POSITION SEQUENCE' for each entry as soon as it is durable at the journal's level.")
    private boolean ack;

    @Option(
            names = "--ack-latency",
            hidden = true,
            description = "Acks as with --ack, with a third column: how many ns the append took.")
    private boolean ackLatency;

    @Option(
            names = "--batch",
            paramLabel = "N",
            description = "Up to N lines, 1 to 65535, in one frame: durable together, all or nothing. Does not wait for"
                    + " lines that are not there yet (default: ${DEFAULT-VALUE}).")
    private int batchSize = 1;

    @Option(
            names = "--when-full",
            paramLabel = "fail|overwrite|block",
            description = "When the ring is full: stop with an error; give up the oldest segment, unless a cursor or an"
                    + " archive holds it; or wait until cursors and archives that hold the ring have passed the oldest"
                    + " segment, and give that up (default: fail).")
    private WhenFull whenFull = WhenFull.FAIL;

    private boolean acksAreRead = true;
    private boolean toldOfWait;
    private long first = -1;

    enum WhenFull {
        FAIL(FullPolicy.FAIL),
        OVERWRITE(FullPolicy.OVERWRITE),
        BLOCK(FullPolicy.BLOCK);

        private final FullPolicy policy;

        WhenFull(FullPolicy policy) {
            this.policy = policy;
        }

        /// Under BLOCK only gates make room: nobody calls `retain`.
        JournalConfig config() {
            return JournalConfig.defaults()
                    .withFullPolicy(policy)
                    .withRetainedForGatesOnly(this == BLOCK)
                    .withBlockTimeoutNs(TELL_NS);
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    Append(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        if (batchSize < 1 || batchSize > 65535) {
            throw new ParameterException(spec.commandLine(), "--batch " + batchSize + ": expected 1 to 65535");
        }
        ack |= ackLatency;
        try (Journal journal = Journal.open(directory, whenFull.config());
                Interruption interruption = Interruption.then(journal::close);
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            console.warn(journal.recovery().warnings());
            LineReader lines = new LineReader(console.in(), journal.maximumPayloadLengthBytes());
            long last = appender.nextSequence() - 1;
            first = last + 1;
            long result =
                    batchSize == 1 ? appendEach(journal, appender, lines) : appendBatches(journal, appender, lines);
            last = appender.nextSequence() - 1;
            if (result == AppendResult.CLOSED && interruption.hasCome()) {
                return ExitCodes.OK; // The signal decides about the exit code.
            }
            check(result, lines, last, journal);
            if (!ack) {
                console.println(summary(last, appender.position()));
            }
        }
        return acksAreRead ? ExitCodes.OK : ExitCodes.CLOSED_OUTPUT;
    }

    /// One frame a line.
    ///
    /// @return 0 or greater, or the [AppendResult] that ended it
    private long appendEach(Journal journal, ExclusiveAppender appender, LineReader lines) throws IOException {
        while (lines.next()) {
            long startNs = ackLatency ? System.nanoTime() : 0;
            long position;
            do {
                position = appender.append(lines.line());
            } while (waitsOn(position, journal));
            if (position < 0) {
                return position;
            }
            if (ack) {
                acknowledge(position, appender.nextSequence() - 1, 1, ackLatency ? System.nanoTime() - startNs : 0);
            }
        }
        return 0;
    }

    /// One frame for as many lines as there are, up to the size of a batch.
    private long appendBatches(Journal journal, ExclusiveAppender appender, LineReader lines) throws IOException {
        boolean more = lines.next();
        while (more) {
            Batch batch = appender.batch();
            boolean fits = batch.add(lines.line());
            more = false;
            while (fits && batch.size() < batchSize && lines.isReady()) {
                more = lines.next();
                if (!more) {
                    break;
                }
                fits = batch.add(lines.line());
            }
            int size = batch.size();
            long startNs = System.nanoTime();
            long position;
            do {
                position = batch.commit();
            } while (waitsOn(position, journal));
            if (position < 0) {
                batch.abort();
                return position;
            }
            if (ack) {
                acknowledge(position, appender.nextSequence() - size, size, System.nanoTime() - startNs);
            }
            // A line that did not fit is the first of the next batch.
            more = !fits || lines.next();
        }
        return 0;
    }

    /// Whether an append that waited in vain is to be tried again; the first time it is told whom it waits for.
    private boolean waitsOn(long result, Journal journal) {
        if (result != AppendResult.FULL || whenFull != WhenFull.BLOCK) {
            return false;
        }
        if (!toldOfWait) {
            toldOfWait = true;
            console.error("the ring is full: waiting for " + holder(journal));
        }
        return true;
    }

    /// Who holds the oldest segment: the slowest of those that hold anything, if there is one.
    private static String holder(Journal journal) {
        return journal.gates().stream()
                .min(Comparator.comparingLong(GateStatus::position))
                .map(gate -> (gate.cursor().isEmpty()
                                ? "a tailer of process " + gate.ownerPid()
                                : "cursor '" + gate.cursor() + "'")
                        + ", which is at position " + gate.position())
                .orElse("a cursor or an archive that holds it, and there is none yet");
    }

    private void acknowledge(long position, long sequence, int entries, long latencyNs) throws IOException {
        if (!acksAreRead) {
            return;
        }
        try {
            OutputStream out = console.out();
            for (int i = 0; i < entries; i++) {
                String line = position + " " + (sequence + i) + (ackLatency ? " " + latencyNs + "\n" : "\n");
                out.write(line.getBytes(StandardCharsets.ISO_8859_1));
            }
            out.flush();
        } catch (ClosedOutputException e) {
            acksAreRead = false;
        }
    }

    private void check(long result, LineReader lines, long last, Journal journal) {
        String kept = summary(last, -1);
        if (result < 0) {
            String held = result == AppendResult.BACK_PRESSURED
                    ? "held by " + holder(journal) + "; --when-full block waits"
                    : "--when-full overwrite gives up the oldest entries instead";
            throw new CommandException(
                    ExitCodes.FULL,
                    "journal " + journal.directory() + " is full: " + journal.retained() + " to " + journal.published()
                            + " of its " + Size.describe(journal.capacityBytes()) + " are in use; " + kept
                            + ", nothing from then on; " + held);
        }
        if (lines.isTooLong()) {
            throw new CommandException(
                    ExitCodes.USAGE,
                    "line " + lines.number() + " of standard input is too long: expected at most "
                            + journal.maximumPayloadLengthBytes() + " bytes, the largest entry of this journal (a"
                            + " quarter of a segment); " + kept + ", nothing from this line on");
        }
    }

    private String summary(long last, long position) {
        long count = last - first + 1;
        if (count == 0) {
            return "no line was appended";
        }
        return count + (count == 1 ? " line was" : " lines were") + " appended, "
                + (count == 1 ? "sequence " + last : "sequences " + first + " to " + last)
                + (position < 0 ? "" : ", up to position " + position);
    }
}
