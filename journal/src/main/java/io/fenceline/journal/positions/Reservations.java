package io.fenceline.journal.positions;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// Who owns which bytes, when many threads append: one word for the reservation, and the way from "durable" to
/// "published" in the order of positions.
///
///     word   [ closed 1 | segment tag | entries in segment, k - 3 bits | slots in segment, k - 5 bits ]     segment
/// 2^k
///
/// One CAS on the word hands out position *and* sequence. The word holds only what happens within one segment;
/// where that segment begins, and with which sequence, is the *base*, which changes once a segment.
///
/// **Rotation** has two steps. The CAS that makes `slots` full (an exact fit, or a PAD over the rest) freezes
/// `entries`: no CAS can succeed on a full word but the one that goes to the next tag. Then *anyone* computes the
/// next base from the frozen word, the same for all, installs it over the old one only, and CASes the word to {tag
/// + 1, 0, 0}. A thread that sees a word whose tag is not the base's has read one of them late, and reads again.
///
/// **Publication.** A thread whose frame is durable tries to move `published` from the start of its frame to the end
/// by a CAS. If `published` is less than the start, that fails: then it stores the end of its frame into the
/// availability ring (volatile), and looks at `published` again. Whoever has moved `published` looks at the
/// availability entry there afterwards, and goes on, by a CAS a frame, while it is greater.
///
/// *No publication is lost:* let P be the thread that moves `published` to p, and T the one whose frame starts at
/// p. T's first CAS either moves `published` on, or came before P's. Then: P writes `published`, then loads the entry
/// of p; T stores the entry of p, then loads `published`. Both writes are volatile, so in the total order of these
/// four accesses one write comes first, and the other thread's load sees it: P sees the entry, or T sees p, and looks
/// at the entry itself. *No gap is published:* `published` moves from p only to the end of the
/// frame that starts at p. *Laps are not confused:* entries are absolute ends, and of two frames whose starts share
/// an entry the later one starts at or beyond the end of the earlier one; an old entry is never greater than
/// `published`.
///
/// **Shared lines.** Between two cores that append in turn two lines go to and fro: the word's, and `published`'s. Each
/// is taken once an append, for writing at once: a load in front of the CAS would fetch the line twice, shared, then
/// for writing. So threads guess the word (where they left it themselves), and let the CAS tell what it is; the
/// same value is the same state, because a tag returns only after 2 TiB or more. [#publishedSeen] is for checks that an
/// old value passes, too.
///
/// Assumptions:
/// 1. A thread calls [#published(long, long)] once for each reservation, after the bytes are durable, or padded.
///
/// Guarantees:
/// 1. Reservations are disjoint, contiguous, and in the order of their sequences.
/// 2. `published` only grows, and everything before it is durable.
///
/// Progress: reserving is lock-free. Publishing is wait-free but for helping, at most one step a frame published
/// meanwhile. A thread that is off its core delays the publication of what lies behind it, and nobody's durability.
public final class Reservations {
    /// The most that may be reserved and not published.
    private static final long MAXIMUM_SPAN_LENGTH_BYTES = 64 << 20;

    private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();
    private static final VarHandle ENTRY = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle BASE;
    private static final int LINE = 128;

    static {
        try {
            BASE = MethodHandles.lookup().findVarHandle(Reservations.class, "base", Base.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /// Where a segment begins.
    ///
    /// @param tag      of the word while it is the current segment
    /// @param position its start
    /// @param sequence of its first entry
    public record Base(long tag, long position, long sequence) {}

    private final RunFile run;
    private final long segmentLengthBytes;
    private final int segmentSlots;
    private final int slotBits;
    private final long slotMask;
    private final long entryMask;
    private final long tagMask;
    private final long spanLengthBytes;
    private final long[] availability;
    private final int availabilityMask;
    private final int availabilityBits;
    private final int spreadShift;
    private final int tagShift;
    private final MemorySegment words = Arena.ofAuto().allocate(2 * LINE, LINE);

    @SuppressWarnings("UnusedVariable") // through BASE, too
    private volatile Base base;

    private static final long CLOSED = 1L << 63;

    /// @param geometry of the ring
    /// @param run      where `published` lives
    /// @param position where the writer begins
    /// @param sequence of the next entry
    public Reservations(Geometry geometry, RunFile run, long position, long sequence) {
        this.run = run;
        segmentLengthBytes = geometry.segmentLengthBytes();
        segmentSlots = geometry.segmentLengthBytes() / FrameDescriptor.SLOT_LENGTH_BYTES;
        int k = Integer.numberOfTrailingZeros(geometry.segmentLengthBytes());
        slotBits = k - 5;
        int entryBits = k - 3;
        slotMask = (1L << slotBits) - 1;
        entryMask = (1L << entryBits) - 1;
        tagShift = slotBits + entryBits;
        tagMask = (1L << (63 - tagShift)) - 1;
        spanLengthBytes = Long.highestOneBit(Math.min(MAXIMUM_SPAN_LENGTH_BYTES, geometry.capacityBytes()));
        availability = new long[(int) (spanLengthBytes / FrameDescriptor.SLOT_LENGTH_BYTES)];
        availabilityMask = availability.length - 1;
        availabilityBits = Integer.numberOfTrailingZeros(availability.length);
        spreadShift = availabilityBits - Math.min(4, availabilityBits / 2);
        long segmentStart = geometry.segmentStart(position);
        base = new Base(0, segmentStart, sequence);
        WORD.setVolatile(words, 0L, (position - segmentStart) / FrameDescriptor.SLOT_LENGTH_BYTES);
    }

    /// The reservation word: a snapshot of position and sequence. Negative once closed.
    public long word() {
        return (long) WORD.getVolatile(words, 0L);
    }

    /// Where the segment of a snapshot begins; null if the snapshot is late: read the word again.
    public @Nullable Base base(long word) {
        Base current = base;
        return current.tag == tag(word) ? current : null;
    }

    /// Position of the next byte that nobody owned when the word was read.
    public long position(Base base, long word) {
        return base.position + (long) slots(word) * FrameDescriptor.SLOT_LENGTH_BYTES;
    }

    /// Sequence of the next entry when the word was read.
    public long sequence(Base base, long word) {
        return base.sequence + entries(word);
    }

    /// Whether nothing fits into the segment any more: call [#rotate].
    public boolean isFull(long word) {
        return slots(word) == segmentSlots;
    }

    /// Bytes left in the segment.
    public int room(long word) {
        return (segmentSlots - slots(word)) * FrameDescriptor.SLOT_LENGTH_BYTES;
    }

    /// What the word is after a reservation.
    ///
    /// @param word        snapshot, or guess
    /// @param lengthBytes whole slots
    /// @param entries     in the frame, 0 for a PAD
    public long after(long word, int lengthBytes, int entries) {
        return word + lengthBytes / FrameDescriptor.SLOT_LENGTH_BYTES + ((long) entries << slotBits);
    }

    /// Takes the next bytes, if the word is what the caller believes.
    ///
    /// @param word snapshot or guess that was checked: open, not full, of the current base, the bytes fit, may be
    ///             written, and are in the span
    /// @param next [#after] it
    /// @return what the word was: `word` if the bytes are taken, else a newer snapshot
    public long reserve(long word, long next) {
        return (long) WORD.compareAndExchange(words, 0L, word, next);
    }

    /// Goes over to the next segment; any number of threads may do so at once.
    ///
    /// @param full a snapshot with a full word
    /// @return the new base, if this thread was the one that made it current, else null
    public @Nullable Base rotate(long full) {
        installNextBase(full);
        return enterNextSegment(full);
    }

    /// The first step: from a full word everybody computes the same base. Nobody has anything in its segment yet.
    ///
    /// @return the next base, null if the snapshot is late
    public @Nullable Base installNextBase(long full) {
        Base current = base;
        long tag = tag(full);
        if (current.tag == tag) {
            Base next = new Base(
                    (tag + 1) & tagMask, current.position + segmentLengthBytes, current.sequence + entries(full));
            BASE.compareAndSet(this, current, next);
            current = base;
        }
        return current.tag == ((tag + 1) & tagMask) ? current : null;
    }

    /// The second step; fails if another thread was faster, or the reservation has ended.
    private @Nullable Base enterNextSegment(long full) {
        Base next = base;
        boolean moved =
                next.tag == ((tag(full) + 1) & tagMask) && WORD.compareAndSet(words, 0L, full, next.tag << tagShift);
        return moved ? next : null;
    }

    /// Goes on at another position, with another sequence. Nobody is between a load of the word and its
    /// publication, nor comes meanwhile.
    void moveTo(long position, long sequence) {
        Base current = base;
        long tag = (current.tag + 1) & tagMask; // an old word fits nothing any more
        long segmentStart = position & -segmentLengthBytes;
        base = new Base(tag, segmentStart, sequence);
        long closed = word() & CLOSED;
        WORD.setVolatile(
                words, 0L, closed | tag << tagShift | (position - segmentStart) / FrameDescriptor.SLOT_LENGTH_BYTES);
    }

    /// Ends all reservations.
    ///
    /// @return the last word
    public long close() {
        long word = word();
        while (word >= 0 && !WORD.compareAndSet(words, 0L, word, word | CLOSED)) {
            word = word();
        }
        return word();
    }

    /// Position after everything reserved, by the last word. If the reservation ended between the two steps of a
    /// rotation, the base is that of the next segment already, which begins where the full one ends.
    public long lastPosition(long word) {
        Base last = base;
        return last.tag == tag(word) ? position(last, word) : last.position;
    }

    /// Sequence after everything reserved, by the last word.
    public long lastSequence(long word) {
        Base last = base;
        return last.tag == tag(word) ? sequence(last, word) : last.sequence;
    }

    /// Whether a start is near enough to what is published for its availability entry to be free.
    ///
    /// @param published now, or at any time before: it only grows
    public boolean isWithinSpan(long start, long published) {
        return start < published + spanLengthBytes;
    }

    /// Everything before it is published.
    public long publishedSeen() {
        return run.published();
    }

    /// What lies in [start, end) is durable: publishes it if everything before it is, and what is ready behind it.
    public void published(long start, long end) {
        if (run.advance(start, end) == start) {
            advance(end);
            return;
        }
        ENTRY.setVolatile(availability, index(start), end);
        advance(run.publishedVolatile());
    }

    /// Whether [#published(long, long)] has come so far that others may show the frame.
    public boolean isOffered(long start, long end) {
        return run.published() > start || (long) ENTRY.getVolatile(availability, index(start)) == end;
    }

    /// Moves `published` over everything that is ready.
    public void help() {
        advance(run.published());
    }

    private void advance(long from) {
        long published = from;
        while (true) {
            long end = (long) ENTRY.getVolatile(availability, index(published));
            if (end <= published) {
                return;
            }
            long found = run.advance(published, end);
            published = found == published ? end : found;
        }
    }

    /// Neighbours lie in different cache lines: the low bits of the slot number become the high bits of the index.
    private int index(long position) {
        int slot = (int) (position / FrameDescriptor.SLOT_LENGTH_BYTES) & availabilityMask;
        return ((slot << spreadShift) & availabilityMask) | (slot >>> (availabilityBits - spreadShift));
    }

    private int slots(long word) {
        return (int) (word & slotMask);
    }

    private long entries(long word) {
        return (word >>> slotBits) & entryMask;
    }

    private long tag(long word) {
        return (word & ~CLOSED) >>> tagShift;
    }
}
