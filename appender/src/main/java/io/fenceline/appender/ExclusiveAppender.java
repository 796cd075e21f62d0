package io.fenceline.appender;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Journal;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.positions.Positions;
import java.lang.foreign.MemorySegment;

/// Appends entries, one caller at a time: *reserve* (arithmetic) → *write* → *persist* (one fence, or one
/// `fdatasync`) → *publish*. When a position is returned, the entry is durable and visible to tailers.
///
/// Assumptions:
/// 1. One thread at a time; handing over to another thread needs a happens-before edge of the caller's.
/// 2. A journal has one exclusive appender at a time, and no concurrent one beside it.
///
/// Guarantees: those of [Appender].
///
/// Progress: waits for the storage only, and for room under [io.fenceline.journal.FullPolicy#BLOCK].
public final class ExclusiveAppender extends Appender {
    private final Staging staging;
    private boolean closed;
    private long committedSequence;

    // Of the segment that is written: up to where nothing is to be asked, and file offset less position.
    private long straightEnd;
    private long fileOffsetDelta;

    private ExclusiveAppender(Positions positions) {
        super(positions);
        staging = new Staging(this, positions.register());
    }

    /// Takes the journal's one place of an exclusive appender.
    ///
    /// @throws IllegalStateException if it is taken, or the journal is closed
    public static ExclusiveAppender open(Journal journal) {
        return open(journal.positions());
    }

    /// Over positions on any medium; for the crash checker.
    static ExclusiveAppender open(Positions positions) {
        // Memory first: where it is short, the place is not taken.
        ExclusiveAppender appender = new ExclusiveAppender(positions);
        positions.attach(appender::moved);
        return appender;
    }

    @Override
    void expecting() {
        straightEnd = 0;
    }

    @Override
    void moved() {
        super.moved();
        straightEnd = 0;
    }

    @Override
    Staging staging() {
        return staging;
    }

    /// The whole protocol: reserve, write, persist, publish.
    @Override
    long commit(Staging staging, int frameLength, int entries, long timestampNs) {
        int slotsLength = FrameDescriptor.slotAlignedLength(frameLength);
        staging.stage.zeroPad(frameLength, FrameDescriptor.SLOT_LENGTH_BYTES);
        if (closed || !positions.enter(staging.activity)) {
            return AppendResult.CLOSED;
        }
        try {
            long position = reserve(slotsLength);
            if (position < 0) {
                return position;
            }
            long sequence = positions.nextSequence();
            persist(
                    staging,
                    position + fileOffsetDelta,
                    frameLength,
                    slotsLength,
                    entries,
                    timestampNs,
                    position,
                    sequence);
            positions.publish(position + slotsLength, sequence + entries);
            committedSequence = sequence;
            return position;
        } catch (RuntimeException | Error e) {
            positions.poison(e);
            throw e;
        } finally {
            staging.activity.exit();
        }
    }

    /// The same for a run of frames: all their stores, then one drain. The run then knows their positions and its
    /// first sequence (what [#nextSequence] says before and after may be of another epoch: the log can be cut
    /// meanwhile).
    ///
    /// @return the position of the first frame, or a result of [AppendResult]
    long commit(FrameRun run, long timestampNs) {
        if (run.frames() == 1) {
            long position = commit(run.staging(), run.frameLength(0), run.entries(0), timestampNs);
            run.position(0, position);
            run.firstSequence(committedSequence);
            return position;
        }
        if (closed || !positions.enter(staging.activity)) {
            return AppendResult.CLOSED;
        }
        try {
            long start;
            long end;
            do {
                start = positions.reserved();
                end = run.place(start);
                if (end > positions.freeEnd()) {
                    long result = positions.admit(end);
                    if (result == Positions.CUT_WAITS) {
                        if (!positions.stepAside(staging.activity)) {
                            return AppendResult.CLOSED;
                        }
                    } else if (result != 0) {
                        return result;
                    }
                }
            } while (start != positions.reserved() || end > positions.freeEnd());
            long sequence = positions.nextSequence();
            int first = start == geometry.segmentStart(start) ? 0 : run.split();
            if (first < run.frames()) {
                positions.enterSegment(run.position(first));
                positions.candidate(run.position(first), run.sequence(first, sequence));
            }
            run.store(persister, sequence, timestampNs, epoch, salt);
            persister.drain();
            int last = run.frames() - 1;
            positions.publish(run.position(last), run.sequence(last, sequence)); // so that the last frame is known
            positions.publish(end, sequence + run.entries());
            run.firstSequence(sequence);
            return run.position(0);
        } catch (RuntimeException | Error e) {
            positions.poison(e);
            throw e;
        } finally {
            staging.activity.exit();
        }
    }

    /// A run in this appender's staging buffer, which is used for nothing else then.
    FrameRun run(int maximumLengthBytes) {
        return new FrameRun(staging, geometry, maximumLengthBytes);
    }

    /// The same for an entry that is not staged.
    @Override
    long appendUnstaged(Staging staging, MemorySegment payload, int length, int type, long timestampNs) {
        int slotsLength = FrameDescriptor.slotAlignedLength(FrameDescriptor.frameLength(length));
        if (closed || !positions.enter(staging.activity)) {
            return AppendResult.CLOSED;
        }
        long position = -1;
        try {
            position = reserve(slotsLength);
            if (position < 0) {
                return position;
            }
            long sequence = positions.nextSequence();
            persistUnstaged(
                    staging, position + fileOffsetDelta, payload, length, type, timestampNs, position, sequence);
            positions.publish(position + slotsLength, sequence + 1);
            return position;
        } catch (RuntimeException | Error e) {
            if (staging.readingUserMemory) {
                // The caller's memory faulted. No header was stored: as if never begun, but for a PAD in front of it.
                staging.readingUserMemory = false;
                keepPad(position);
            } else {
                positions.poison(e);
            }
            throw e;
        } finally {
            staging.activity.exit();
        }
    }

    /// A PAD that was stored is there to stay: what follows it begins with the next segment, and nothing is stored
    /// over it.
    private void keepPad(long position) {
        if (position > positions.reserved()) {
            try {
                persister.drain();
                positions.publish(position, positions.nextSequence());
            } catch (RuntimeException | Error fault) {
                positions.poison(fault);
                throw fault;
            }
        }
    }

    /// Finds the place of a frame: here, or at the start of the next segment, behind a PAD that is stored here and
    /// made durable by the fence of the frame.
    ///
    /// @return the position, or a result of [AppendResult]
    private long reserve(int slotsLength) {
        long start = positions.reserved();
        return start + slotsLength <= straightEnd ? start : reserveSlowly(start, slotsLength);
    }

    private long reserveSlowly(long start, int slotsLength) {
        boolean expects = staging.expects;
        if (expects) {
            staging.expects = false;
            if (!staging.isExpected(start, positions.nextSequence())) {
                return AppendResult.CONFLICT;
            }
        }
        // `straightEnd` is at the end of a segment at most, so a frame that begins a segment always comes here.
        long segmentStart = geometry.segmentStart(start);
        long position = start + slotsLength <= segmentStart + geometry.segmentLengthBytes()
                ? start
                : segmentStart + geometry.segmentLengthBytes();
        if (position + slotsLength > positions.freeEnd()) {
            long result = positions.admit(position + slotsLength);
            if (result == Positions.CUT_WAITS) {
                if (!positions.stepAside(staging.activity)) {
                    return AppendResult.CLOSED;
                }
                staging.expects = expects;
                return reserveSlowly(positions.reserved(), slotsLength);
            }
            if (result != 0) {
                return result;
            }
        }
        if (position == geometry.segmentStart(position)) {
            positions.enterSegment(position);
            positions.candidate(position, positions.nextSequence());
        }
        if (position != start) {
            storePad(staging, start, (int) (position - start), positions.nextSequence());
        }
        straightEnd = Math.min(geometry.segmentEnd(position), positions.freeEnd());
        fileOffsetDelta = geometry.fileOffset(position) - position;
        return position;
    }

    /// The position where the next frame goes, if the segment has room for it.
    public long position() {
        return positions.reserved();
    }

    /// Sequence of the next entry.
    public long nextSequence() {
        return positions.nextSequence();
    }

    /// Gives the place back; the journal stays open. An open claim or batch is aborted.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            staging.claim.abort();
            staging.batch.abort();
            positions.detach();
        }
    }
}
