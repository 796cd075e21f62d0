package io.fenceline.tools.crash;

import io.fenceline.appender.Batch;
import io.fenceline.appender.Claim;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.TestLevels;
import io.fenceline.journal.format.Geometry;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.concurrent.UnsafeBuffer;

/// The process that is killed, and the one that tails. Waits on standard input for its command, so that it can be
/// started ahead; ends when standard input ends, so that it never outlives the test. Reports on standard output.
///
///     write SEED MAXIMUM_LENGTH POLICY COUNT wait|close DIR
///     tail SEED MAXIMUM_LENGTH START DIR
///
/// POLICY is one of [FullPolicy], or RETAIN: give half of the ring up when it is full.
///
/// Exit codes: 0 done; 4 locked; 5 any other [JournalException], named on standard error; 9 what was read is wrong.
final class Child {
    static final int LOCKED = 4;
    static final int REFUSED = 5;
    static final int WRONG = 9;
    private static final int ORPHANED = 10;
    private static final int POLL_LIMIT = 256;

    private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private final FileOutputStream out = new FileOutputStream(FileDescriptor.out);
    private final AtomicInteger marks = new AtomicInteger();

    private Child() {}

    private static void tell(Throwable problem) {
        StringWriter text = new StringWriter();
        problem.printStackTrace(new PrintWriter(text));
        System.err.print(text);
    }

    public static void main(String[] args) throws IOException {
        Child child = new Child();
        String command = child.in.readLine();
        if (command == null) {
            return;
        }
        Thread.ofPlatform().daemon().start(child::obey);
        int exit = WRONG;
        try {
            exit = child.run(command.split(" ", 7));
        } catch (JournalException.Locked e) {
            exit = LOCKED;
            tell(e);
        } catch (JournalException e) {
            exit = REFUSED;
            tell(e);
        } catch (Throwable e) {
            tell(e);
        } finally {
            Runtime.getRuntime().halt(exit);
        }
    }

    /// Each further line asks a tailer for a mark.
    private void obey() {
        try {
            while (in.readLine() != null) {
                marks.incrementAndGet();
            }
        } catch (IOException e) {
            tell(e);
        }
        Runtime.getRuntime().halt(ORPHANED);
    }

    private int run(String[] words) throws IOException, InterruptedException {
        Workload workload = new Workload(Long.parseLong(words[1]), Integer.parseInt(words[2]));
        if (words[0].equals("tail")) {
            Path directory =
                    Path.of(String.join(" ", java.util.Arrays.asList(words).subList(4, words.length)));
            try (JournalSource journal = Journal.openReadOnly(directory);
                    Tailer tailer = Tailer.open(journal, Start.parse(words[3]))) {
                tail(tailer, workload);
            }
        }
        boolean retain = words[3].equals("RETAIN");
        JournalConfig config =
                JournalConfig.defaults().withFullPolicy(retain ? FullPolicy.FAIL : FullPolicy.valueOf(words[3]));
        Journal journal = Journal.open(Path.of(words[6]), TestLevels.forced(config));
        int epoch = journal.positions().epoch();
        RecoveryReport recovery = journal.recovery();
        report(Report.Kind.OPENED, recovery.lastPosition(), recovery.lastSequence(), epoch, 0);
        report(Report.Kind.NEXT, recovery.nextPosition(), recovery.nextSequence(), 0, 0);
        write(journal, epoch, workload, retain, Long.parseLong(words[4]));
        if (words[5].equals("close")) {
            journal.close();
            return 0;
        }
        Thread.sleep(Long.MAX_VALUE); // until it is killed
        return 0;
    }

    private void write(Journal journal, int epoch, Workload workload, boolean retain, long count) throws IOException {
        ExclusiveAppender appender = ExclusiveAppender.open(journal);
        for (long i = 0; i < count; ) {
            long sequence = appender.nextSequence();
            long result = append(appender, epoch, sequence, workload);
            if (result >= 0) {
                report(Report.Kind.FRAME, result, sequence, epoch, workload.entries(epoch, sequence));
                i++;
            } else if (result == AppendResult.FULL && retain) {
                giveUpHalf(journal);
            } else if (result == AppendResult.FULL) {
                report(Report.Kind.FULL, journal.published(), sequence, 0, 0);
                return;
            } else {
                throw new AssertionError("append: " + AppendResult.describe(result));
            }
        }
    }

    /// Whole segments: of one that is begun, nothing is given up.
    private static void giveUpHalf(Journal journal) {
        Geometry geometry = journal.view().superblock().geometry();
        long half = journal.published() - journal.capacityBytes() / 2;
        long before = journal.retained();
        long after = journal.retain(Math.min(geometry.segmentEnd(half - 1), journal.published()));
        if (after == before) {
            throw new AssertionError("full, and nothing to give up: retained " + before);
        }
    }

    /// Appends the frame of a sequence in the way that the workload has for it.
    private static long append(ExclusiveAppender appender, int epoch, long sequence, Workload workload) {
        int way = workload.way(epoch, sequence);
        int entries = workload.entries(epoch, sequence);
        long timestampNs = workload.timestampNs(epoch, sequence);
        if ((way & 0x30) == 0) {
            // Nothing of what was aborted may ever be seen.
            Claim claim = appender.claim(100);
            claim.buffer().asSlice(claim.offset(), claim.length()).fill((byte) 0x5A);
            claim.abort();
            Batch batch = appender.batch();
            batch.add(MemorySegment.ofArray(new byte[100]));
            batch.abort();
        }
        if (entries > 1) {
            Batch batch = appender.batch();
            for (int i = 0; i < entries; i++) {
                byte[] payload = workload.payload(epoch, sequence + i, true);
                if (!batch.add(MemorySegment.ofArray(payload), workload.type(epoch, sequence + i))) {
                    throw new AssertionError("batch is full after " + i + " entries");
                }
            }
            long result = batch.commit(timestampNs);
            batch.abort();
            return result;
        }
        byte[] payload = workload.payload(epoch, sequence, false);
        int type = workload.type(epoch, sequence);
        return switch (way & 3) {
            case 0 -> {
                Claim claim = appender.claim(payload.length);
                MemorySegment.copy(MemorySegment.ofArray(payload), 0, claim.buffer(), claim.offset(), payload.length);
                long result = claim.commit(type, timestampNs);
                claim.abort();
                yield result;
            }
            case 1 -> appender.append(new UnsafeBuffer(payload), 0, payload.length, type, timestampNs);
            default -> appender.append(MemorySegment.ofArray(payload), type, timestampNs);
        };
    }

    /// Never returns: tells each frame, and a mark when it was asked for one and has seen all that is published.
    private void tail(Tailer tailer, Workload workload) throws IOException {
        OutputStream buffered = new BufferedOutputStream(out, 1024 * Report.LENGTH_BYTES);
        Content content = new Content(workload, (position, firstSequence, entries, epoch) -> {
            try {
                new Report(Report.Kind.FRAME, position, firstSequence, epoch, entries).writeTo(buffered);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        int marked = 0;
        while (true) {
            int wanted = marks.get();
            int delivered = tailer.poll(content, POLL_LIMIT);
            if (delivered == Tailer.OVERRUN) {
                content.overrun();
                new Report(Report.Kind.OVERRUN, tailer.position(), tailer.nextSequence(), 0, 0).writeTo(buffered);
            } else if (delivered == Tailer.CLOSED) {
                throw new AssertionError("the tailer is closed");
            } else if (delivered == 0) {
                if (marked < wanted) {
                    new Report(Report.Kind.MARK, tailer.position(), tailer.nextSequence(), 0, 0).writeTo(buffered);
                    marked++;
                }
                Thread.yield();
            }
            buffered.flush();
        }
    }

    private void report(Report.Kind kind, long position, long sequence, int high, int low) throws IOException {
        new Report(kind, position, sequence, high, low).writeTo(out);
    }
}
