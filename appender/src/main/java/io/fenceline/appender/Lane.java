package io.fenceline.appender;

import com.lmax.disruptor.Sequence;
import com.lmax.disruptor.SingleProducerSequencer;
import com.lmax.disruptor.WaitStrategy;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.positions.Activity;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.agrona.DirectBuffer;
import org.jspecify.annotations.Nullable;

/// One producing thread's way to the committing thread: a ring of bytes under a single-producer sequencer of the
/// Disruptor, whose sequence counts units of 8 bytes. Entries lie in it as they will lie in a frame, one behind the
/// other, so that all that has gathered goes over in one copy.
///
///     | entry | entry | order | entry | … | SKIP |        order: a listener, a flush, an expected sequence, an entry
///       ^ taken                         ^ cursor                 that is too long for the ring
///
/// An item is an entry `{length i32, type i32, payload, pad to 8}`, or has a negative number in the place of the
/// length. An order takes 16 bytes; what it is about is an object in `orders`, at the same place; the listener
/// holds for all entries that follow, so a reused one is handed over once.
///
/// Assumptions:
/// 1. One thread claims and publishes, the committing thread takes.
///
/// Guarantees:
/// 1. What was claimed and not published was never there.
/// 2. Neither side allocates, writes a line that the other writes, or waits.
final class Lane {
    private static final int UNIT_LENGTH_BYTES = FrameDescriptor.ENTRY_ALIGNMENT_BYTES;

    private static final int FIRST_LENGTH_BYTES = 16 << 10;
    private static final int GROWTH = 4;
    private static final int ORDER_LENGTH_BYTES = 2 * UNIT_LENGTH_BYTES;

    /// Nothing up to the end of the ring.
    private static final int SKIP = -1;

    /// See `orders`.
    private static final int ORDER = -2;

    /// A commit of all that was handed over before, of which [#waiter] is told.
    private static final Object FLUSHES = new Object();

    /// In the place of a payload's length: claims room for a flush.
    static final int FLUSH = -1;

    private record Expectation(long sequence) {}

    final Thread owner = Thread.currentThread();
    final CommitWaiter waiter = new CommitWaiter();

    /// Whether the owner is handing something over.
    final Activity activity;

    private final WaitStrategy waitStrategy;
    private final int maximumLengthBytes;

    // The owner's. Of a claim: where it begins, and where the lane will end.
    private Ring filling;
    private long claimedEnd;
    private int claimedOffset;
    private int claimedLength;
    private boolean claimed;

    /// Set while something is handed over; for ever, if the owner died at that (its stack was used up, say).
    private boolean publishing;

    private @Nullable MemorySegment longEntry;
    private @Nullable CommitListener handedOver;
    private long expectedSequence = -1;

    // The committing thread's.
    private Ring emptying;
    private @Nullable CommitListener listener;

    /// Where entries lie. A full one is followed by a longer one, up to the maximum: most threads wait for each
    /// entry, and need little.
    private static final class Ring {
        final int lengthBytes;
        final FrameStage stage;
        final @Nullable Object[] orders;
        final SingleProducerSequencer sequencer;
        final Sequence taken = new Sequence();

        /// In bytes, of all that was published.
        long end;

        /// Nothing comes to this one any more.
        volatile @Nullable Ring next;

        Ring(int lengthBytes, WaitStrategy waitStrategy) {
            this.lengthBytes = lengthBytes;
            stage = new FrameStage(lengthBytes);
            orders = new Object[lengthBytes / ORDER_LENGTH_BYTES];
            sequencer = new SingleProducerSequencer(lengthBytes / UNIT_LENGTH_BYTES, waitStrategy);
            sequencer.addGatingSequences(taken);
        }

        int offset(long at) {
            return (int) at & (lengthBytes - 1);
        }

        boolean isEmpty() {
            return sequencer.getCursor() == taken.get() && next == null;
        }
    }

    /// @param maximumLengthBytes a power of two, at least [GroupCommitConfig#MINIMUM_LANE_LENGTH_BYTES]
    Lane(int maximumLengthBytes, WaitStrategy waitStrategy, Activity activity) {
        this.maximumLengthBytes = maximumLengthBytes;
        this.waitStrategy = waitStrategy;
        this.activity = activity;
        filling = new Ring(Math.min(FIRST_LENGTH_BYTES, maximumLengthBytes), waitStrategy);
        emptying = filling;
    }

    /// Entries up to this payload lie in the lane; longer ones get memory of their own.
    private boolean isShort(int payloadLength) {
        return FrameDescriptor.entryLength(payloadLength) <= maximumLengthBytes / 4;
    }

    /// The next entry is appended only if it gets that sequence; -1 for any.
    void expect(long sequence) {
        expectedSequence = sequence;
    }

    long expected() {
        return expectedSequence;
    }

    boolean expects() {
        return expectedSequence >= 0;
    }

    /// Takes room for an entry: to be written to [#offset] of [#bytes], then published. Nothing has happened until
    /// then.
    ///
    /// @return false if the lane is full
    @SuppressWarnings("ReferenceEquality") // one listener, whatever a user's `equals` says
    boolean claim(int payloadLength, CommitListener told) {
        if (payloadLength == FLUSH) {
            return reserve(ORDER_LENGTH_BYTES);
        }
        boolean isShort = isShort(payloadLength);
        int orderCount = (told == handedOver ? 0 : 1) + (expects() ? 1 : 0) + (isShort ? 0 : 1);
        int entry = isShort ? FrameDescriptor.entryLength(payloadLength) : 0;
        if (!reserve(orderCount * ORDER_LENGTH_BYTES + entry)) {
            return false;
        }
        if (orderCount > 0) {
            if (told != handedOver) {
                order(told);
            }
            if (expects()) {
                order(new Expectation(expectedSequence));
            }
            if (!isShort) {
                longEntry = MemorySegment.ofArray(new byte[FrameDescriptor.entryLength(payloadLength)]);
            }
        }
        claimedLength = payloadLength;
        claimed = true;
        return true;
    }

    /// Whether the owner died where it handed something over: whether that was is not known.
    boolean isBroken() {
        return publishing;
    }

    /// @throws IllegalStateException if the thread is just writing another entry, or has died at handing one over
    void checkUnclaimed() {
        if (publishing) {
            throw new IllegalStateException(
                    "this thread died while it handed something to this appender, and whether it"
                            + " was taken is not known: append by another thread, or open another appender");
        }
        if (claimed) {
            throw new IllegalStateException(
                    "an encoder must not append to, flush or close the appender it encodes for");
        }
    }

    /// Contiguous room, in a longer ring if there is none in this one.
    private boolean reserve(int neededBytes) {
        while (!reserveHere(neededBytes)) {
            if (filling.lengthBytes == maximumLengthBytes) {
                return false;
            }
            Ring longer = new Ring(Math.min(GROWTH * filling.lengthBytes, maximumLengthBytes), waitStrategy);
            filling.next = longer;
            filling = longer;
        }
        return true;
    }

    /// Behind a SKIP, if the rest of the ring is too short.
    private boolean reserveHere(int neededBytes) {
        Ring ring = filling;
        int offset = ring.offset(ring.end);
        int rest = ring.lengthBytes - offset;
        int skipped = rest < neededBytes ? rest : 0;
        if (!ring.sequencer.hasAvailableCapacity((skipped + neededBytes) / UNIT_LENGTH_BYTES)) {
            return false;
        }
        if (skipped > 0) {
            ring.stage.entryHeader(offset, SKIP, 0);
            offset = 0;
        }
        claimedOffset = offset;
        claimedEnd = ring.end + skipped + neededBytes;
        return true;
    }

    private void order(Object order) {
        filling.stage.entryHeader(claimedOffset, ORDER, 0);
        filling.orders[claimedOffset / ORDER_LENGTH_BYTES] = order;
        claimedOffset += ORDER_LENGTH_BYTES;
    }

    /// Where the payload of the claimed entry goes.
    MemorySegment bytes() {
        return longEntry == null ? filling.stage.bytes() : longEntry;
    }

    int offset() {
        return entryOffset() + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;
    }

    private int entryOffset() {
        return longEntry == null ? claimedOffset : 0;
    }

    /// Writes the payload of the claimed entry.
    void copyIn(DirectBuffer source, int sourceOffset) {
        if (longEntry == null) {
            filling.stage.copyIn(offset(), source, sourceOffset, claimedLength);
        } else {
            source.getBytes(sourceOffset, longEntry.asByteBuffer(), offset(), claimedLength);
        }
    }

    /// Hands the claimed entry over.
    ///
    /// @param told as in the claim
    void publish(int type, CommitListener told) {
        publishing = true;
        FrameDescriptor.entryHeader(bytes(), entryOffset(), claimedLength, type);
        if (longEntry == null) {
            filling.stage.zeroPad(offset() + claimedLength, FrameDescriptor.ENTRY_ALIGNMENT_BYTES);
        } else {
            order(longEntry);
        }
        publish();
        handedOver = told;
        publishing = false;
    }

    private void publish() {
        filling.end = claimedEnd;
        long last = claimedEnd / UNIT_LENGTH_BYTES - 1;
        filling.sequencer.claim(last);
        filling.sequencer.publish(last);
    }

    /// The owner is done with a claim, whether it was published or not.
    void release() {
        claimed = false;
        longEntry = null;
        expectedSequence = -1;
    }

    /// Hands over a claimed [#FLUSH].
    void publishFlush() {
        publishing = true;
        order(FLUSHES);
        publish();
        publishing = false;
    }

    /// Whether nothing is to be taken. By any thread; a late answer is no.
    boolean isEmpty() {
        return emptying.isEmpty();
    }

    /// By the committing thread: hands everything that is there to the committer, and frees its place.
    ///
    /// @return false if there was nothing
    boolean takeTo(GroupCommitter committer) {
        boolean found = false;
        Ring next;
        do {
            next = emptying.next; // before the cursor, which moves no more then
            found |= takeAll(emptying, committer);
            emptying = next == null ? emptying : next;
        } while (next != null);
        return found;
    }

    private boolean takeAll(Ring ring, GroupCommitter committer) {
        long at = (ring.taken.get() + 1) * UNIT_LENGTH_BYTES;
        long limit = (ring.sequencer.getCursor() + 1) * UNIT_LENGTH_BYTES;
        boolean found = at < limit;
        while (at < limit) {
            int offset = ring.offset(at);
            int kind = FrameDescriptor.entryPayloadLength(ring.stage.bytes(), offset);
            if (kind >= 0) {
                int until = (int) Math.min(ring.lengthBytes, offset + (limit - at));
                at += committer.addAll(ring.stage.bytes(), offset, until, Objects.requireNonNull(listener));
            } else if (kind == SKIP) {
                at += ring.lengthBytes - offset;
            } else {
                at += ORDER_LENGTH_BYTES;
                int index = offset / ORDER_LENGTH_BYTES;
                obey(Objects.requireNonNull(ring.orders[index]), committer);
                ring.orders[index] = null;
            }
            ring.taken.set(at / UNIT_LENGTH_BYTES - 1); // last: what throws on the way is taken again, and told
        }
        return found;
    }

    private void obey(Object order, GroupCommitter committer) {
        switch (order) {
            case CommitListener next -> listener = next;
            case MemorySegment entry ->
                committer.addAll(entry, 0, (int) entry.byteSize(), Objects.requireNonNull(listener));
            case Expectation expectation -> committer.expect(expectation.sequence);
            default -> committer.flush(waiter);
        }
    }
}
