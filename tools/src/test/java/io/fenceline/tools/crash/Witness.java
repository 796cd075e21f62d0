package io.fenceline.tools.crash;

import io.fenceline.journal.Journal;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.recovery.FrameReader;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;

/// Remembers what was acknowledged and what a tailer saw, outside of the processes that are killed, and holds the
/// recovered journal against it. Numbers in messages are those of the invariants in the design.
final class Witness {
    private final JournalUnderTest journal;
    private final Workload workload;

    /// What the journal holds: acknowledged frames, and those that recovery kept though nobody was told.
    private final ArrayDeque<Frame> truth = new ArrayDeque<>();

    /// What of the truth the tailer has not shown yet.
    private final ArrayDeque<Frame> unseen = new ArrayDeque<>();

    /// What the tailer showed that nobody has acknowledged: the next recovery has to keep it.
    private final Queue<Frame> seenUnacknowledged = new ArrayDeque<>();

    private boolean tailed;
    private boolean overrun;
    private long nextSequence;
    private long lastPosition = -1;
    private int epoch;
    private long acknowledgedFrames;
    private long seenFrames;
    private long overruns;

    record Frame(long position, long sequence, int entries, int epoch) {
        static Frame of(Report report) {
            return new Frame(report.position(), report.sequence(), report.low(), report.high());
        }
    }

    Witness(JournalUnderTest journal) {
        this.journal = journal;
        this.workload = journal.workload();
    }

    /// A tailer follows from here on.
    void tailed() {
        tailed = true;
        unseen.clear();
        overrun = false;
    }

    /// A writer has recovered the journal: OPENED, then NEXT.
    void opened(Report last, Report next) {
        opened(last.position(), last.sequence(), next.position(), next.sequence());
        expect(last.high() > epoch, "epoch " + last.high() + " of a new writer: expected more than " + epoch);
        epoch = last.high();
    }

    void opened(Journal opened) {
        RecoveryReport recovery = opened.recovery();
        opened(recovery.lastPosition(), recovery.lastSequence(), recovery.nextPosition(), recovery.nextSequence());
        expect(opened.published() == recovery.nextPosition(), "published is not where the next frame goes");
        epoch = opened.positions().epoch();
    }

    /// "Was my last entry kept": all that was acknowledged is, and at most the one frame that was under way beside it.
    private void opened(long lastFoundPosition, long lastFoundSequence, long nextPosition, long nextFoundSequence) {
        String found = "recovery found last sequence " + lastFoundSequence + " at position " + lastFoundPosition;
        expect(lastFoundSequence >= nextSequence - 1, "I1: " + found + ": acknowledged is " + (nextSequence - 1));
        expect(nextFoundSequence == lastFoundSequence + 1, found + ", but next sequence " + nextFoundSequence);
        expect(nextPosition >= lastPosition, "I4: next position " + nextPosition + " is before " + lastPosition);
        if (lastFoundSequence >= nextSequence) {
            int entries = workload.entries(epoch, nextSequence);
            expect(
                    lastFoundSequence == nextSequence + entries - 1,
                    "I2, I3: " + found + ": one frame of " + entries + " entries from " + nextSequence
                            + " on was under way");
            add(new Frame(lastFoundPosition, nextSequence, entries, epoch));
        } else {
            expect(lastFoundPosition == lastPosition, found + ": it was acknowledged at " + lastPosition);
        }
        for (Frame frame : seenUnacknowledged) {
            expect(
                    unseen.peek() != null && frame.equals(unseen.peek()),
                    "I5: a tailer was shown " + frame + ", which recovery took back; it has " + unseen.peek() + ", "
                            + found);
            unseen.remove();
        }
        seenUnacknowledged.clear();
    }

    /// The writer was told that a frame is durable.
    void acknowledged(Report report) {
        Frame frame = Frame.of(report);
        expect(frame.epoch == epoch, frame + ": the writer has epoch " + epoch);
        expect(frame.sequence == nextSequence, "I4: " + frame + ": expected sequence " + nextSequence);
        add(frame);
        acknowledgedFrames++;
    }

    private void add(Frame frame) {
        expect(frame.position > lastPosition, "I4: " + frame + " after position " + lastPosition);
        truth.add(frame);
        if (tailed) {
            unseen.add(frame);
        }
        lastPosition = frame.position;
        nextSequence = frame.sequence + frame.entries;
    }

    /// The next frames that a writer reports, as they come.
    ///
    /// @return the last of them
    Report acknowledged(ChildProcess writer, int count) {
        Report last = writer.await(Report.Kind.FRAME);
        acknowledged(last);
        for (int i = 1; i < count; i++) {
            last = writer.await(Report.Kind.FRAME);
            acknowledged(last);
        }
        return last;
    }

    /// All reports of a writer after its opening.
    void acknowledged(List<Report> reports) {
        reports.forEach(this::acknowledged);
    }

    /// Reports of the tailer up to a mark that was asked for when the writer was dead, and the acknowledgements
    /// were in: it has seen all of those, in order, once, and at most one more.
    void seen(List<Report> reports) {
        for (Report report : reports) {
            switch (report.kind()) {
                case OVERRUN -> {
                    overrun = true;
                    overruns++;
                }
                case FRAME -> saw(Frame.of(report));
                case MARK ->
                    expect(
                            overrun || unseen.isEmpty(),
                            "the tailer has seen all up to " + report.sequence() + ", but not " + unseen.peek());
                default -> throw new AssertionError(report);
            }
        }
    }

    private void saw(Frame frame) {
        seenFrames++;
        while (overrun && unseen.peek() != null && unseen.peek().sequence < frame.sequence) {
            unseen.remove();
        }
        overrun = false;
        Frame expected = unseen.poll();
        if (expected == null) {
            expect(
                    frame.sequence == nextSequence && seenUnacknowledged.isEmpty(),
                    "I2: the tailer was shown " + frame + ", acknowledged is what is before " + nextSequence);
            seenUnacknowledged.add(frame);
        } else {
            expect(frame.equals(expected), "I5: the tailer was shown " + frame + ": expected " + expected);
        }
    }

    /// Walks every byte that is retained: each lies in a frame, a PAD or nothing else, and the frames are those that
    /// were acknowledged, at their positions, with their contents.
    void check(Journal opened) {
        long retained = opened.retained();
        expect(
                retained == 0 || opened.published() - retained >= opened.capacityBytes() / 2,
                "I1: retained " + retained + ", published " + opened.published() + ": more was given up than asked");
        while (truth.peek() != null && truth.peek().position < retained) {
            truth.remove();
        }
        Iterator<Frame> expected = truth.iterator();
        for (Frame frame : frames(opened)) {
            expect(expected.hasNext(), "I2: " + frame + " was not appended");
            Frame next = expected.next();
            expect(frame.equals(next), "I1: found " + frame + ": expected " + next);
        }
        expect(!expected.hasNext(), "I1: lost from here on: " + (expected.hasNext() ? expected.next() : ""));
        List<Frame> delivered = new ArrayList<>();
        Content content = new Content(
                workload,
                (position, sequence, entries, epoch) -> delivered.add(new Frame(position, sequence, entries, epoch)));
        try (Tailer tailer = Tailer.open(opened, Start.oldest())) {
            int polled;
            do {
                polled = tailer.poll(content, Integer.MAX_VALUE);
            } while (polled > 0);
            expect(polled == 0, "a tailer without a writer ended with " + polled);
        }
        expect(delivered.equals(List.copyOf(truth)), "a tailer from oldest shows other frames than there are");
    }

    private List<Frame> frames(Journal opened) {
        FrameReader reader =
                new FrameReader(opened.view().reader(), opened.view().superblock());
        List<Frame> frames = new ArrayList<>();
        long published = opened.published();
        for (long position = opened.retained(); position < published; position = reader.nextPosition()) {
            FrameVerdict verdict = reader.certify(position, 0, epoch);
            expect(verdict.isValid(), "I18: position " + position + " below published " + published + ": " + verdict);
            if (verdict == FrameVerdict.DATA) {
                frames.add(new Frame(position, reader.sequence(), reader.entries(), reader.epoch()));
            }
        }
        expect(
                frames.isEmpty() || reader.nextPosition() == published,
                "I18: the last frame ends at " + reader.nextPosition() + ", published is " + published);
        return frames;
    }

    private void expect(boolean condition, String message) {
        if (!condition) {
            throw new AssertionError(journal.directory() + ": " + message);
        }
    }

    long acknowledgedFrames() {
        return acknowledgedFrames;
    }

    long seenFrames() {
        return seenFrames;
    }

    long overruns() {
        return overruns;
    }

    long lastPosition() {
        return lastPosition;
    }

    long nextSequence() {
        return nextSequence;
    }
}
