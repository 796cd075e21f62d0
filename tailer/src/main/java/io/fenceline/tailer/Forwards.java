package io.fenceline.tailer;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.UsualFrames;
import io.fenceline.journal.positions.LogView;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// Where a tailer stands, and its way forwards: *copy → validate → dispatch*. One thread.
final class Forwards {
    /// A sequence or a number of entries that is not known yet.
    static final long UNKNOWN = -1;

    /// A generation that no log has: the next poll looks whether what lies before the position was cut.
    static final long NEVER = -3;

    /// Attributes that no valid frame has: all flags.
    private static final long NONE = -1;

    private final LogView view;
    private final Geometry geometry;
    private final Judge judge;

    /// Of what a poll decides by, even where checksums of entries are not looked at.
    private final Judge certifier;

    private final UsualFrames usualFrames;
    private final Window window;
    private final @Nullable Damage damage;
    private final Entry entry;
    private ByteBuffer buffer;
    private MemorySegment bytes;

    /// The next frame, or the one that is being delivered: its position, and where the window has it.
    private long position;

    private int offset;
    private int windowEnd;

    /// Up to there, the window holds usual frames that were judged.
    private int runEnd;

    /// The frame that is being delivered, and what is left of it; no entries between two frames.
    private int frameOffset;

    private int entriesLeft;
    private int entryIndex;
    private int entryOffset;
    private int frameSlotsLength;

    private long nextSequence;
    private int epoch;

    /// Sequence of the first entry of the frame at the position, if the tailer stands in its middle and the frame
    /// is to be begun anew; else [#UNKNOWN]. No other frame may be begun in its middle.
    private long insideOf;

    /// Of the log when it was looked at last; another one means that its end was cut off since.
    private long generation;

    /// What lies before the position cannot tell whether it was cut; the sequence of the next frame will.
    private boolean perhapsTruncated;

    /// With that: perhaps the log was reset, for nothing is retained before the position.
    private boolean perhapsReset;

    /// Of the last frame with one entry that was begun slowly; a frame with the same ones has a fitting epoch, is
    /// DATA with known flags, and has one entry. [#NONE] fits no frame.
    private long usualAttributes = NONE;

    private FrameVerdict verdict = FrameVerdict.EMPTY;
    private long missedBytes;
    private long missedEntries;
    private long sequenceBeforeOverrun = UNKNOWN;
    private boolean closed;

    /// Whether the poll that runs ends after this entry.
    private boolean stopped;

    Forwards(LogView view, TailerConfig config, Seek.Place place) {
        this.view = view;
        this.geometry = view.superblock().geometry();
        this.judge = new Judge(view.superblock(), config.verifyChecksums());
        this.certifier = new Judge(view.superblock(), true);
        this.usualFrames = new UsualFrames(view.superblock(), config.verifyChecksums());
        this.window = new Window(view, config.until());
        this.damage = Damage.of(view, config.damageHandler());
        this.buffer = window.buffer();
        this.bytes = window.bytes();
        this.entry = new Entry(bytes.asReadOnly());
        this.position = place.position();
        this.nextSequence = place.sequence();
        this.insideOf = place.insideOf();
        this.epoch = place.epoch();
        this.generation = place.generation();
    }

    /// As [Tailer#poll(EntryHandler, int)], without a filter.
    int poll(EntryHandler handler, int limit) {
        stopped = closed;
        int changed = closed ? Window.COPIED : lookForCut();
        if (changed != Window.COPIED) {
            return changed;
        }
        int delivered = 0;
        while (delivered < limit) {
            if (stopped) {
                return delivered > 0 ? delivered : Window.CLOSED;
            }
            if (entriesLeft == 0) {
                int usual = deliverRun(handler, limit - delivered);
                delivered += usual;
                if (usual > 0) {
                    continue;
                }
                int result = beginFrameSlowly(delivered > 0);
                if (result != Window.COPIED) {
                    return delivered > 0 ? delivered : result;
                }
                if (entriesLeft == 0) {
                    continue; // a run
                }
            }
            showEntry();
            delivered++;
            handler.onEntry(entry);
        }
        return delivered;
    }

    /// Shows the next entry of the frame, and steps behind it.
    private void showEntry() {
        entry.show(frameOffset, entryOffset, entryIndex++, nextSequence++);
        entryOffset += FrameDescriptor.entryLength(FrameDescriptor.entryPayloadLength(bytes, entryOffset));
        if (--entriesLeft == 0) {
            position += frameSlotsLength;
            offset += frameSlotsLength;
        }
    }

    /// Delivers frames as long as they are the usual ones: whole in the window, next in sequence, with one entry,
    /// and else as the last one that was begun slowly. They are judged together. What the loop looks at is in
    /// local variables, because a handler that is not inlined makes the compiler forget all fields; they are right
    /// whenever the handler runs.
    ///
    /// @return how many were delivered, at most `limit`
    private int deliverRun(EntryHandler handler, int limit) {
        if (offset >= runEnd && !findRun()) {
            return 0;
        }
        int at = offset;
        MemorySegment frames = bytes;
        Entry shown = entry;
        int end = runEnd;
        long framePosition = position;
        long sequence = nextSequence;
        int delivered = 0;
        while (delivered < limit && at < end) {
            shown.show(at, at + FrameDescriptor.HEADER_LENGTH_BYTES, 0, sequence);
            int distance = FrameDescriptor.slotAlignedLength(FrameDescriptor.length(frames, at));
            at += distance;
            framePosition += distance;
            sequence++;
            offset = at;
            position = framePosition;
            nextSequence = sequence;
            delivered++;
            handler.onEntry(shown);
            if (stopped || offset != at) {
                break;
            }
        }
        return delivered;
    }

    /// Judges the usual frames from the offset on.
    ///
    /// @return whether there is one
    private boolean findRun() {
        if (usualAttributes == NONE || offset == windowEnd) {
            return false;
        }
        int length = usualFrames.lengthBytes(
                bytes, buffer, offset, windowEnd, position, nextSequence, usualAttributes, window.ahead(offset));
        runEnd = offset + length;
        return length > 0;
    }

    private void beginEntries(int at, int length, int entries) {
        entriesLeft = entries;
        entryIndex = 0;
        entryOffset = at + FrameDescriptor.HEADER_LENGTH_BYTES;
        frameSlotsLength = FrameDescriptor.slotAlignedLength(length);
        frameOffset = at;
    }

    /// Copies what is missing, skips what holds no entries, and begins the next frame that does, unless a run of
    /// usual frames begins there.
    ///
    /// @param mustReturn whether what cannot be delivered is left to the next poll
    /// @return [Window#COPIED] if a frame was begun or a run was found, else the result of the poll
    private int beginFrameSlowly(boolean mustReturn) {
        while (true) {
            try {
                int result = loadFrame();
                if (offset < runEnd) {
                    return result;
                }
                if (result == Window.OVERRUN && !mustReturn) {
                    result = overrun();
                    if (result == Window.COPIED) {
                        continue;
                    }
                }
                if (result == Window.CHANGED) {
                    result = mustReturn ? Window.EMPTY : lookForCut();
                    if (result == Window.COPIED) {
                        continue;
                    }
                }
                if (result <= 0) {
                    return result;
                }
                epoch = FrameDescriptor.epoch(bytes, offset);
                if (perhapsTruncated && nextSequence != UNKNOWN && !isInside()) {
                    long sequence = FrameDescriptor.sequence(bytes, offset);
                    if (sequence < nextSequence) {
                        return truncated(sequence);
                    }
                    if (sequence > nextSequence && perhapsReset) {
                        if (!isLost(sequence - nextSequence)) {
                            return resetTo(sequence);
                        }
                        perhapsReset = false;
                    }
                }
                if (verdict == FrameVerdict.DATA) {
                    beginAnyFrame();
                    return Window.COPIED;
                }
                skipFrame();
            } catch (IllegalStateException e) {
                return Window.CLOSED; // the shared words have ended
            } catch (JournalException e) {
                if (mustReturn) {
                    return Window.EMPTY; // the next poll meets it again
                }
                if (damage == null || !(e instanceof JournalException.Corrupt corrupt)) {
                    throw e;
                }
                skipDamage(damage, corrupt);
                if (stopped) {
                    return closed ? Window.CLOSED : Window.EMPTY;
                }
            }
        }
    }

    /// Has the window hold the frame at the position whole, and judges it, alone or with the run that it begins.
    /// What is not valid in bytes that were copied before is copied and judged again: then it is the file that is
    /// damaged.
    ///
    /// @return [Window#COPIED] if there is a valid frame, else as [Window#copy]
    private int loadFrame() {
        int needed = 0;
        boolean fresh = false;
        while (true) {
            if (offset == windowEnd || needed > 0) {
                int copied = copy(needed);
                if (copied <= 0) {
                    return copied;
                }
                if (findRun()) {
                    return Window.COPIED;
                }
                fresh = true;
            }
            FrameVerdict found = FrameVerdict.ofHeader(bytes, offset, position, geometry, epoch, Integer.MAX_VALUE);
            if (found == FrameVerdict.DATA) {
                int whole = Judge.wholeLength(bytes, offset);
                if (whole <= windowEnd - offset) {
                    found = judge.judge(buffer, bytes, offset);
                } else if (needed < whole) {
                    needed = whole;
                    continue;
                } else if (window.isCutShort(position + whole, generation)) {
                    return Window.EMPTY; // not wanted, or not yet
                } else {
                    found = FrameVerdict.BAD_LENGTH; // it would end beyond published
                }
            }
            if (found.isValid()) {
                verdict = found;
                return Window.COPIED;
            }
            if (fresh) {
                forgetWindow();
                throw Refusal.of(found, bytes, view, position, epoch, judge.computedChecksum());
            }
            needed = FrameDescriptor.SLOT_LENGTH_BYTES;
        }
    }

    /// Begins the valid frame at the offset, whose sequence need not be the next one.
    private void beginAnyFrame() {
        long sequence = FrameDescriptor.sequence(bytes, offset);
        int entries = FrameDescriptor.entries(bytes, offset);
        long skipped = 0;
        if (sequence < nextSequence) {
            // Put at an entry in the middle of a batch, or delivered so far when the log was cut behind it.
            skipped = nextSequence - sequence;
            if (sequence != insideOf || skipped >= entries) {
                throw Refusal.ofSequence(view, position, sequence, nextSequence);
            }
        }
        insideOf = UNKNOWN;
        if (sequenceBeforeOverrun != UNKNOWN) {
            missedEntries = Math.max(UNKNOWN, sequence - sequenceBeforeOverrun);
            sequenceBeforeOverrun = UNKNOWN;
        }
        if (entries == 1) {
            usualAttributes = FrameDescriptor.attributes(bytes, offset);
        }
        perhapsTruncated = false;
        beginEntries(offset, FrameDescriptor.length(bytes, offset), entries);
        nextSequence = sequence;
        for (; skipped > 0; skipped--) {
            showEntry();
        }
    }

    /// Whether the frame at the offset is a PAD where so many entries may have been that a crash left out.
    private boolean isLost(long entries) {
        return FrameDescriptor.kind(bytes, offset) == FrameDescriptor.KIND_PAD
                && entries <= Judge.distance(bytes, offset) / FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;
    }

    /// Whether the frame at the offset is the one in whose middle the tailer stands.
    private boolean isInside() {
        return insideOf != UNKNOWN && FrameDescriptor.sequence(bytes, offset) == insideOf;
    }

    /// Steps over the valid frame at the offset, which need not be in the window whole. If the tailer stood in the
    /// middle of a batch there, that was cut off: what comes behind will tell, or the generation.
    private void skipFrame() {
        int distance = Judge.distance(bytes, offset);
        insideOf = UNKNOWN;
        position += distance;
        offset = distance < windowEnd - offset ? offset + distance : windowEnd;
    }

    /// Goes on behind what is damaged at the position, and reports it, unless the ring went over it meanwhile.
    private void skipDamage(Damage damage, JournalException.Corrupt problem) {
        forgetWindow();
        long from = position;
        long to = damage.end(from, window.end(from), epoch);
        if (view.retained() > from || view.generation() != generation) {
            return; // no damage: the place was reused under the eyes
        }
        position = to;
        insideOf = UNKNOWN;
        usualAttributes = NONE;
        long next = damage.sequence();
        long before = nextSequence;
        if (next == UNKNOWN || next > before) {
            nextSequence = next;
        }
        damage.report(Damage.range(from, to, before, next, problem));
    }

    private int copy(int needed) {
        return copy(position, needed);
    }

    private int copy(long from, int needed) {
        int copied = window.copy(from, needed, generation);
        if (bytes.byteSize() != window.bytes().byteSize()) {
            bytes = window.bytes();
            buffer = window.buffer();
            entry.buffer(bytes.asReadOnly());
        }
        forgetWindow();
        windowEnd = Math.max(copied, 0);
        return copied;
    }

    private void forgetWindow() {
        offset = windowEnd = runEnd = 0;
    }

    /// Looks whether the end of the log was cut off since the last time, and whether what is cut was delivered.
    /// Every slot of a cut holds a PAD with SEAL whose sequence is that of the first entry that was cut, so that
    /// the slots before and at the position tell.
    ///
    /// @return [Window#COPIED] to go on, or the result of the poll
    int lookForCut() {
        try {
            while (view.generation() != generation) {
                generation = view.generation();
                if (entriesLeft > 0) {
                    entriesLeft = 0;
                    insideOf = nextSequence - entryIndex;
                }
                forgetWindow();
                usualAttributes = NONE;
                boolean cutting = LogView.isCutting(generation); // then what can be read is of cuts before it
                // In the middle of a frame only that one can have been cut; before it may be the PAD of an older cut.
                int before =
                        insideOf != UNKNOWN ? Window.EMPTY : lookForSeal(position - FrameDescriptor.SLOT_LENGTH_BYTES);
                int at = before == Window.COPIED ? before : lookForSeal(position);
                boolean sealed = before == Window.COPIED || at == Window.COPIED;
                perhapsTruncated = cutting || before == Window.OVERRUN; // when it is made or taken back, it looks again
                perhapsReset = before == Window.OVERRUN;
                long sequence = sealed ? FrameDescriptor.sequence(bytes, 0) : UNKNOWN;
                forgetWindow();
                if (sealed) {
                    return truncated(sequence);
                }
                int empty = perhapsReset && !cutting ? lookForReset() : Window.COPIED;
                if (empty != Window.COPIED) {
                    return empty;
                }
            } // and again if it was cut meanwhile
            return Window.COPIED;
        } catch (IllegalStateException e) {
            return Window.CLOSED; // the shared words have ended
        }
    }

    /// Looks whether the log was reset to the position, where no frame is yet: then the state record knows the
    /// sequence of the first one. Where there is a frame, that will tell.
    ///
    /// @return [Window#COPIED] to go on, or the result of the poll
    private int lookForReset() {
        if (nextSequence == UNKNOWN || view.published() != position) {
            return Window.COPIED;
        }
        long sequence = view.sequenceOfEmptyLog(position);
        if (sequence == UNKNOWN || sequence == nextSequence) {
            return Window.COPIED;
        }
        return sequence < nextSequence ? truncated(sequence) : resetTo(sequence);
    }

    /// Looks for a PAD of a cut.
    ///
    /// @param slot negative: there is none, as if it were not retained
    /// @return [Window#COPIED] if the slot holds one, else [Window#EMPTY], or as [Window#copy]
    private int lookForSeal(long slot) {
        if (slot < 0) {
            return Window.OVERRUN;
        }
        int copied = copy(slot, FrameDescriptor.SLOT_LENGTH_BYTES);
        if (copied <= 0) {
            return copied;
        }
        boolean sealed = FrameVerdict.ofHeader(bytes, 0, slot, geometry, 0, Integer.MAX_VALUE) == FrameVerdict.DATA
                && FrameDescriptor.kind(bytes, 0) == FrameDescriptor.KIND_PAD
                && certifier.judge(buffer, bytes, 0) == FrameVerdict.SEAL
                && FrameDescriptor.sequence(bytes, 0) < nextSequence;
        return sealed ? Window.COPIED : Window.EMPTY;
    }

    private int truncated(long sequence) {
        nextSequence = sequence;
        sequenceBeforeOverrun = UNKNOWN;
        insideOf = UNKNOWN;
        perhapsTruncated = false;
        usualAttributes = NONE;
        return Tailer.TRUNCATED;
    }

    /// The log was reset to a greater sequence, at the place where the tailer stood.
    private int resetTo(long sequence) {
        missedBytes = 0;
        missedEntries = sequence - nextSequence;
        truncated(sequence);
        return Window.OVERRUN;
    }

    /// Goes to the oldest retained frame and looks at its sequence, which tells how many entries were missed;
    /// where nothing is there yet, the state record may know it.
    ///
    /// @return [Window#COPIED] if none was: the ring went over a PAD only; [Window#OVERRUN] or [Tailer#TRUNCATED]
    private int overrun() {
        if (sequenceBeforeOverrun == UNKNOWN) {
            sequenceBeforeOverrun = nextSequence;
        }
        long from = position;
        nextSequence = UNKNOWN;
        insideOf = UNKNOWN;
        usualAttributes = NONE;
        int copied;
        do {
            generation = view.generation();
            position = view.retained();
            copied = copy(0);
        } while (copied == Window.OVERRUN || copied == Window.CHANGED);
        if (copied > 0
                && FrameVerdict.ofHeader(bytes, 0, position, geometry, epoch, Integer.MAX_VALUE) == FrameVerdict.DATA) {
            nextSequence = FrameDescriptor.sequence(bytes, 0);
        } else if (copied == Window.EMPTY) {
            nextSequence = view.sequenceOfEmptyLog(position);
        }
        boolean known = nextSequence != UNKNOWN && sequenceBeforeOverrun != UNKNOWN;
        missedBytes = position - from;
        if (known && nextSequence < sequenceBeforeOverrun) {
            return truncated(nextSequence);
        }
        if (known && nextSequence == sequenceBeforeOverrun) {
            sequenceBeforeOverrun = UNKNOWN;
            return Window.COPIED;
        }
        missedEntries = known ? nextSequence - sequenceBeforeOverrun : UNKNOWN;
        sequenceBeforeOverrun = known ? UNKNOWN : sequenceBeforeOverrun;
        return Window.OVERRUN;
    }

    /// Puts the tailer elsewhere: at a frame, or at an entry in the middle of a batch. What was missed before is
    /// forgotten.
    ///
    /// @param sequence of the next entry, [#UNKNOWN] if nothing tells it
    /// @param index    of the next entry in the frame
    /// @param epoch    no frame from there on has a lower one
    void stand(long position, long sequence, int index, int epoch) {
        retreat(position, sequence, index, epoch);
        forgetWindow();
        entriesLeft = 0;
        usualAttributes = NONE;
        sequenceBeforeOverrun = UNKNOWN;
        perhapsTruncated = LogView.isCutting(generation);
    }

    /// After [#stand]: one entry further back.
    void retreat(long position, long sequence, int index, int epoch) {
        this.position = position;
        this.nextSequence = sequence;
        this.insideOf = index > 0 ? sequence - index : UNKNOWN;
        this.epoch = epoch;
    }

    void stand(Seek.Place place) {
        stand(place.position(), place.sequence(), 0, place.epoch());
        insideOf = place.insideOf();
        generation = place.generation();
    }

    long generation() {
        return generation;
    }

    /// Whether the place where the tailer stands is perhaps being cut off: that will be told, or taken back.
    boolean isBeingCut() {
        return LogView.isCutting(generation) && view.published() < position;
    }

    /// Puts the tailer before the entry that was shown last, which is still in the window: it is shown again.
    void undo() {
        position = entry.position();
        nextSequence = entry.sequence();
        insideOf = entry.index() > 0 ? nextSequence - entry.index() : UNKNOWN;
        offset = entry.frameOffset();
        entriesLeft = 0;
    }

    /// After a fault of the storage: believes nothing that was copied, unless it was judged already.
    void distrust() {
        if (entriesLeft == 0) {
            forgetWindow();
        }
    }

    /// Ends the poll that runs, after this entry.
    void stop() {
        stopped = true;
    }

    boolean isStopped() {
        return stopped;
    }

    /// Begins a poll that is not [#poll].
    ///
    /// @return false if closed
    boolean start() {
        stopped = closed;
        return !closed;
    }

    void close() {
        closed = true;
        stopped = true;
    }

    /// Whether entries of a frame are left that was begun.
    boolean hasBegun() {
        return entriesLeft > 0;
    }

    boolean isClosed() {
        return closed;
    }

    /// Nothing from that position on is delivered for now.
    void bound(long end) {
        window.bound(end);
    }

    /// Memory that holds the entry that was shown last.
    ByteBuffer buffer() {
        return buffer;
    }

    long position() {
        return position;
    }

    long nextSequence() {
        return nextSequence;
    }

    /// Of the last frame before the next entry, or of the one that holds both; 0 if it was not looked at.
    int epoch() {
        return epoch;
    }

    long missedBytes() {
        return missedBytes;
    }

    long missedEntries() {
        return missedEntries;
    }
}
