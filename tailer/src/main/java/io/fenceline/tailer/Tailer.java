package io.fenceline.tailer;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.positions.Waiter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// Reads the entries of a journal in order: *copy → validate → dispatch*. It works on a journal that is open for
/// writing in this process and on one that is opened read-only, while a writer in any process appends, rotates,
/// overwrites, dies, recovers and goes on.
///
/// Assumptions:
/// 1. One thread at a time polls or closes; handing over to another needs a happens-before edge of the caller's.
/// 2. The source stays open as long as entries are wanted.
///
/// Guarantees:
/// 1. Only what is published is shown, so nothing that a crash can take back.
/// 2. A handler sees whole, verified entries, in memory of the tailer's own that nobody overwrites.
/// 3. Sequences strictly increase, positions never decrease. A sequence is left out only where a crash left a
///    gap, or after [#OVERRUN]; sequences go back only after [#TRUNCATED].
/// 4. In steady state nothing is allocated, no system call is made, no lock is taken; the writer never waits.
///
/// Progress: `poll` never waits.
public final class Tailer implements AutoCloseable {
    /// The ring went past the tailer: entries that were not delivered were overwritten or given up.
    /// [#missedBytes] and [#missedEntries] tell how many. The tailer stands at the oldest retained entry; poll
    /// again.
    public static final int OVERRUN = Window.OVERRUN;

    /// The tailer or its journal is closed. Do not poll again.
    public static final int CLOSED = Window.CLOSED;

    /// The writer took entries out of the log that this tailer had delivered, by
    /// [io.fenceline.journal.Journal#truncate] or [io.fenceline.journal.Journal#reset]: those from
    /// [#nextSequence] on. The tailer stands behind the cut; poll again.
    public static final int TRUNCATED = -3;

    /// A sequence or a number of entries that is not known yet.
    private static final long UNKNOWN = -1;

    /// Attributes that no valid frame has: all flags.
    private static final long NONE = -1;

    private final JournalSource source;
    private final LogView view;
    private final Geometry geometry;
    private final boolean verifyChecksums;
    private final int salt;
    private final int maximumFrameLengthBytes;
    private final Crc32c crc = new Crc32c();
    private final Window window;
    private final Entry entry;
    private ByteBuffer buffer;
    private MemorySegment bytes;

    /// The next frame, or the one that is being delivered: its position, and where the window has it.
    private long position;

    private int offset;
    private int windowEnd;

    /// The frame that is being delivered, and what is left of it; no entries between two frames.
    private int frameOffset;

    private int entriesLeft;
    private int entryIndex;
    private int entryOffset;
    private int frameSlotsLength;

    private long nextSequence;
    private int epoch;

    /// The frame at this position may be begun in its middle.
    private long resumePosition;

    /// Of the log when it was looked at last; another one means that its end was cut off since.
    private long generation;

    /// What lies before the position cannot tell whether it was cut; the sequence of the next frame will.
    private boolean perhapsTruncated;

    /// Of the last frame with one entry that was begun slowly; a frame with the same ones has a fitting epoch, is
    /// DATA with known flags, and has one entry. [#NONE] fits no frame.
    private long usualAttributes = NONE;

    private FrameVerdict verdict = FrameVerdict.EMPTY;
    private int computedChecksum;
    private long missedBytes;
    private long missedEntries;
    private long sequenceBeforeOverrun = UNKNOWN;
    private boolean closed;
    private @Nullable Waiter waiter;

    private Tailer(JournalSource source, boolean verifyChecksums, Seek.Place place) {
        this.source = source;
        this.view = source.view();
        this.verifyChecksums = verifyChecksums;
        this.geometry = view.superblock().geometry();
        this.salt = view.superblock().salt();
        this.maximumFrameLengthBytes = geometry.maximumFrameLengthBytes();
        this.window = new Window(view);
        this.buffer = window.buffer();
        this.bytes = window.bytes();
        this.entry = new Entry(bytes.asReadOnly());
        this.position = place.position();
        this.nextSequence = place.sequence();
        this.resumePosition = place.position();
        this.generation = place.generation();
    }

    /// Opens a tailer that verifies checksums.
    public static Tailer open(JournalSource source, Start start) {
        return open(source, start, true);
    }

    /// Opens a tailer. Finding a position takes one read; finding a sequence, a binary search.
    ///
    /// @param verifyChecksums false leaves out rule (4) of a frame's validity, the checksum, and with it the
    ///                        detection of damage to payloads; lengths, positions, epochs are checked all the same
    /// @throws IllegalArgumentException if there is no frame at the position, or the sequence is not retained any
    ///                                  more, or not written yet
    /// @throws JournalException.Corrupt if the search for a sequence meets a damaged frame
    /// @throws IllegalStateException    if the source is closed
    public static Tailer open(JournalSource source, Start start, boolean verifyChecksums) {
        LogView view = source.view();
        return new Tailer(source, verifyChecksums, new Seek(view).find(start));
    }

    /// Opens a tailer that goes on at a place that was found before.
    static Tailer open(JournalSource source, Seek.Place place) {
        return new Tailer(source, true, place);
    }

    /// Waits, without using the processor, until something is published that was not polled yet, by a writer in
    /// this
    /// process or another one.
    ///
    /// @param timeoutNs at most so long; 0 or less does not wait
    /// @return whether there is something to poll; false after the timeout, or when the tailer or its source is
    ///         closed
    /// @throws InterruptedException if the thread is interrupted
    public boolean await(long timeoutNs) throws InterruptedException {
        if (closed || entriesLeft > 0) {
            return !closed;
        }
        Waiter known = waiter;
        if (known == null) {
            try {
                known = new Waiter(view, source.readers().sleepers());
            } catch (JournalException.Io e) {
                known = Waiter.unwoken(view); // no right to write there: it looks again and again
            } catch (IllegalStateException e) {
                return false;
            }
            waiter = known;
        }
        return known.await(position, timeoutNs);
    }

    /// Delivers the next entries to a handler.
    ///
    /// A batch may be delivered in parts, over several polls. What cannot be delivered is told by a poll of its
    /// own: if entries were delivered before, this one returns their number, and the next one tells.
    ///
    /// After an exception of its own the tailer stands at the frame that it could not deliver, and the next poll
    /// reads that frame again. After an exception of the handler it stands behind the entry that was being
    /// delivered.
    ///
    /// @param limit at most so many entries, 0 or more
    /// @return the number of entries delivered; 0 if no more are published (or the limit is 0); or [#OVERRUN],
    ///         [#TRUNCATED], [#CLOSED]
    /// @throws JournalException.Corrupt     if a published frame is not valid
    /// @throws JournalException.Unsupported if a newer version wrote the frame
    /// @throws JournalException.Io          if the storage cannot give the bytes: a truncated file, for example
    public int poll(EntryHandler handler, int limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("limit " + limit + ": expected 0 or more");
        }
        try {
            return deliver(handler, limit);
        } catch (InternalError e) {
            throw unreadable(e);
        }
    }

    /// What the machine says of a page that cannot be read, as an exception of the journal. It reports such a fault
    /// some time after the copy that met it, at any safepoint: so this is the one place where it is met for
    /// certain.
    private RuntimeException unreadable(InternalError e) {
        if (!String.valueOf(e.getMessage()).contains("unsafe memory access")) {
            throw e;
        }
        if (entriesLeft == 0) {
            offset = windowEnd = 0;
        }
        return new JournalException.Io(
                view.name() + ": cannot read the mapped bytes from file offset " + geometry.fileOffset(position)
                        + " (position " + position + ") on: the file was truncated, or its storage failed; restore it"
                        + " from a copy (unless the handler reads mapped memory of its own that failed)",
                e);
    }

    private int deliver(EntryHandler handler, int limit) {
        int changed = closed ? Window.COPIED : lookForCut();
        if (changed != Window.COPIED) {
            return changed;
        }
        int delivered = 0;
        while (delivered < limit) {
            if (closed) {
                return delivered > 0 ? delivered : CLOSED;
            }
            if (entriesLeft == 0) {
                int room = limit - delivered;
                int usual = verifyChecksums
                        ? deliverUsualFrames(handler, room, true)
                        : deliverUsualFrames(handler, room, false); // constants: compiled once for each
                delivered += usual;
                if (usual > 0) {
                    continue;
                }
                int result = beginFrameSlowly(delivered > 0);
                if (result != Window.COPIED) {
                    return delivered > 0 ? delivered : result;
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
    /// and else as the last one that was begun slowly. What the loop looks at is in local variables, because a
    /// handler that is not inlined makes the compiler forget all fields; they are right whenever the handler runs.
    ///
    /// @return how many were delivered, at most `limit`
    private int deliverUsualFrames(EntryHandler handler, int limit, boolean verify) {
        MemorySegment frames = bytes;
        Entry shown = entry;
        long attributes = usualAttributes;
        int at = offset;
        int end = windowEnd;
        int longest = maximumFrameLengthBytes;
        long framePosition = position;
        long sequence = nextSequence;
        int delivered = 0;
        while (delivered < limit && at < end && FrameDescriptor.attributes(frames, at) == attributes) {
            int length = FrameDescriptor.length(frames, at);
            int payloadLength = FrameDescriptor.entryPayloadLength(frames, at + FrameDescriptor.HEADER_LENGTH_BYTES);
            if (length > end - at
                    || length > longest
                    || payloadLength < 0
                    || FrameDescriptor.frameLength(payloadLength) != length
                    || FrameDescriptor.position(frames, at) != framePosition
                    || FrameDescriptor.sequence(frames, at) != sequence
                    || (verify && computeChecksum(at, length) != FrameDescriptor.checksum(frames, at))) {
                break;
            }
            shown.show(at, at + FrameDescriptor.HEADER_LENGTH_BYTES, 0, sequence);
            int distance = FrameDescriptor.slotAlignedLength(length);
            at += distance;
            framePosition += distance;
            sequence++;
            offset = at;
            position = framePosition;
            nextSequence = sequence;
            delivered++;
            handler.onEntry(shown);
            if (closed || offset != at) {
                break;
            }
        }
        return delivered;
    }

    private void beginEntries(int at, int length, int entries) {
        entriesLeft = entries;
        entryIndex = 0;
        entryOffset = at + FrameDescriptor.HEADER_LENGTH_BYTES;
        frameSlotsLength = FrameDescriptor.slotAlignedLength(length);
        frameOffset = at;
    }

    private int computeChecksum(int at, int checksummedLength) {
        return crc.of(buffer, at + FrameDescriptor.CHECKSUM_START, at + checksummedLength, salt);
    }

    /// Whether the entries end exactly where the frame does; each length is bounded before it is used.
    private boolean doEntriesFill(int at, int length, int entries) {
        int end = at + length;
        int entryAt = at + FrameDescriptor.HEADER_LENGTH_BYTES;
        for (int i = 0; i < entries; i++) {
            int room = end - entryAt - FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;
            if (room < 0) {
                return false;
            }
            int payloadLength = FrameDescriptor.entryPayloadLength(bytes, entryAt);
            if (payloadLength < 0 || payloadLength > room) {
                return false;
            }
            entryAt += FrameDescriptor.entryLength(payloadLength);
        }
        return entries > 0 && entryAt == end;
    }

    /// Copies what is missing, skips what holds no entries, and begins the next frame that does.
    ///
    /// @param mustReturn whether what cannot be delivered is left to the next poll
    /// @return [Window#COPIED] if a frame was begun, else the result of the poll
    private int beginFrameSlowly(boolean mustReturn) {
        try {
            while (true) {
                int result = loadFrame();
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
                if (perhapsTruncated && FrameDescriptor.sequence(bytes, offset) < nextSequence && !isInside()) {
                    return truncated(FrameDescriptor.sequence(bytes, offset));
                }
                if (verdict == FrameVerdict.DATA) {
                    beginAnyFrame();
                    return Window.COPIED;
                }
                skipFrame();
            }
        } catch (IllegalStateException e) {
            return CLOSED; // the shared words have ended
        } catch (JournalException e) {
            if (mustReturn) {
                return Window.EMPTY; // the next poll meets it again
            }
            throw e;
        }
    }

    /// Has the window hold the frame at the position whole, and judges it. What is not valid in bytes that were
    /// copied before is copied and judged again: then it is the file that is damaged.
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
                fresh = true;
            }
            FrameVerdict found = FrameVerdict.ofHeader(bytes, offset, position, geometry, epoch, Integer.MAX_VALUE);
            int length = FrameDescriptor.length(bytes, offset);
            if (found == FrameVerdict.DATA) {
                int whole = FrameDescriptor.slotAlignedLength(
                        FrameDescriptor.checksummedLength(FrameDescriptor.kind(bytes, offset), length));
                if (whole <= windowEnd - offset) {
                    found = judgeWhole(length);
                } else if (needed < whole) {
                    needed = whole;
                    continue;
                } else {
                    found = FrameVerdict.BAD_LENGTH; // it would end beyond published
                }
            }
            if (found.isValid()) {
                verdict = found;
                return Window.COPIED;
            }
            if (fresh) {
                offset = windowEnd = 0;
                throw Refusal.of(found, bytes, view, position, epoch, verifyChecksums ? computedChecksum : 0);
            }
            needed = FrameDescriptor.SLOT_LENGTH_BYTES;
        }
    }

    /// Judges a frame whose header is right and that the window holds whole.
    private FrameVerdict judgeWhole(int length) {
        int kind = FrameDescriptor.kind(bytes, offset);
        if (verifyChecksums) {
            computedChecksum = computeChecksum(offset, FrameDescriptor.checksummedLength(kind, length));
            if (computedChecksum != FrameDescriptor.checksum(bytes, offset)) {
                return FrameVerdict.BAD_CHECKSUM;
            }
        }
        FrameVerdict found = FrameVerdict.ofKind(bytes, offset);
        boolean filled =
                found != FrameVerdict.DATA || doEntriesFill(offset, length, FrameDescriptor.entries(bytes, offset));
        return filled ? found : FrameVerdict.BAD_ENTRIES;
    }

    /// Begins the valid frame at the offset, whose sequence need not be the next one.
    private void beginAnyFrame() {
        long sequence = FrameDescriptor.sequence(bytes, offset);
        int entries = FrameDescriptor.entries(bytes, offset);
        long skipped = 0;
        if (sequence < nextSequence) {
            // Opened at an entry in the middle of a batch, or delivered so far when the log was cut behind it.
            skipped = nextSequence - sequence;
            if (position != resumePosition || skipped >= entries) {
                throw Refusal.ofSequence(view, position, sequence, nextSequence);
            }
        }
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

    /// Whether the next entry is one of the frame at the offset, but not its first.
    private boolean isInside() {
        return position == resumePosition
                && FrameDescriptor.sequence(bytes, offset) + FrameDescriptor.entries(bytes, offset) > nextSequence;
    }

    /// Steps over the valid frame at the offset, which need not be in the window whole.
    private void skipFrame() {
        int distance = FrameDescriptor.slotAlignedLength(FrameDescriptor.length(bytes, offset));
        position += distance;
        offset = distance < windowEnd - offset ? offset + distance : windowEnd;
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
        offset = 0;
        windowEnd = Math.max(copied, 0);
        return copied;
    }

    /// Looks whether the end of the log was cut off since the last time, and whether what is cut was delivered.
    /// Every slot of a cut holds a PAD with SEAL whose sequence is that of the first entry that was cut, so that
    /// the slots before and at the position tell.
    ///
    /// @return [Window#COPIED] to go on, or the result of the poll
    private int lookForCut() {
        try {
            while (view.generation() != generation) {
                generation = view.generation();
                if (entriesLeft > 0) {
                    entriesLeft = 0;
                    resumePosition = position;
                }
                offset = windowEnd = 0;
                usualAttributes = NONE;
                if (LogView.isCutting(generation)) {
                    perhapsTruncated = true; // it is looked at again when the cut is made, or was taken back
                    continue;
                }
                int before = lookForSeal(position - FrameDescriptor.SLOT_LENGTH_BYTES);
                int at = before == Window.COPIED ? before : lookForSeal(position);
                boolean sealed = before == Window.COPIED || at == Window.COPIED;
                perhapsTruncated = before == Window.OVERRUN;
                long sequence = sealed ? FrameDescriptor.sequence(bytes, 0) : UNKNOWN;
                offset = windowEnd = 0;
                if (sealed) {
                    return truncated(sequence);
                }
            } // and again if it was cut meanwhile
            return Window.COPIED;
        } catch (IllegalStateException e) {
            return CLOSED; // the shared words have ended
        }
    }

    /// Looks for a PAD of a cut.
    ///
    /// @return [Window#COPIED] if the slot holds one, else [Window#EMPTY], or as [Window#copy]
    private int lookForSeal(long slot) {
        if (slot < 0) {
            return Window.EMPTY;
        }
        int copied = copy(slot, FrameDescriptor.SLOT_LENGTH_BYTES);
        if (copied <= 0) {
            return copied;
        }
        boolean sealed = FrameVerdict.ofHeader(bytes, 0, slot, geometry, 0, Integer.MAX_VALUE) == FrameVerdict.DATA
                && FrameDescriptor.kind(bytes, 0) == FrameDescriptor.KIND_PAD
                && computeChecksum(0, FrameDescriptor.SLOT_LENGTH_BYTES) == FrameDescriptor.checksum(bytes, 0)
                && FrameVerdict.ofKind(bytes, 0) == FrameVerdict.SEAL
                && FrameDescriptor.sequence(bytes, 0) < nextSequence;
        return sealed ? Window.COPIED : Window.EMPTY;
    }

    private int truncated(long sequence) {
        nextSequence = sequence;
        sequenceBeforeOverrun = UNKNOWN;
        resumePosition = UNKNOWN;
        perhapsTruncated = false;
        usualAttributes = NONE;
        return TRUNCATED;
    }

    /// Goes to the oldest retained frame and looks at its sequence, which tells how many entries were missed;
    /// where nothing is there yet, the state record may know it.
    ///
    /// @return [Window#COPIED] if none was: the ring went over a PAD only; [#OVERRUN] or [#TRUNCATED]
    private int overrun() {
        if (sequenceBeforeOverrun == UNKNOWN) {
            sequenceBeforeOverrun = nextSequence;
        }
        long from = position;
        nextSequence = UNKNOWN;
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
            StateRecord state = view.newestState();
            nextSequence = state.floor() == position ? state.floorSequence() : UNKNOWN;
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
        return OVERRUN;
    }

    /// Position of the frame that holds the next entry, or where the next frame will be. A tailer that is opened
    /// there goes on at the first entry of that frame.
    public long position() {
        return position;
    }

    /// Sequence of the next entry, as far as it is known: crashes leave gaps. A tailer that is opened there goes
    /// on exactly here. -1 if nothing tells it: behind an overrun that left no entry to look at.
    public long nextSequence() {
        return nextSequence;
    }

    /// Bytes of the stream that the last [#OVERRUN] went over; 0 if there was none.
    public long missedBytes() {
        return missedBytes;
    }

    /// Entries that the last [#OVERRUN] went over: the difference of sequences, so numbers that a crash left out
    /// count. 0 if there was none. Known when `OVERRUN` is returned, if a frame is retained then; else -1 until
    /// the next entry is delivered.
    public long missedEntries() {
        return missedEntries;
    }

    /// Ends polling; the source stays open. Closing twice is harmless.
    @Override
    public void close() {
        closed = true;
    }
}
