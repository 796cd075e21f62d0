package io.fenceline.tailer;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.positions.Waiter;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntPredicate;
import java.util.function.LongSupplier;
import org.agrona.concurrent.ControlledMessageHandler;
import org.agrona.concurrent.MessageHandler;
import org.jspecify.annotations.Nullable;

/// Reads the entries of a journal, in order or in reverse. It works on a journal that is open for writing in this
/// process and on one that is opened read-only, while a writer in any process appends, rotates, overwrites, dies,
/// recovers and goes on. A replay that reaches the live end goes on live: nothing is to be done for that.
///
/// A tailer stands between two entries. [#poll] delivers the ones behind that place, [#pollBackwards] the ones
/// before it, nearest first, and both move it; they can be mixed. [#skipTo] puts it elsewhere.
///
/// Assumptions:
/// 1. One thread at a time polls, moves or closes; handing over to another needs a happens-before edge of the
///    caller's.
/// 2. The source stays open as long as entries are wanted. A poll under which it is closed returns [#CLOSED], and the
///    JVM may leave the thread marked as interrupted: it does so when it takes shared memory from a thread. (An
///    [#await] takes that mark away.) To be sure, let the polling thread end before the source is closed.
///
/// Guarantees:
/// 1. Only what is published is shown, so nothing that a crash can take back.
/// 2. A handler sees whole, verified entries, in memory of the tailer's own that nobody overwrites.
/// 3. Forwards, sequences strictly increase, positions never decrease. A sequence is left out only where a crash
///    left a gap, after [#OVERRUN], where the [TailerConfig] filters, or where it skips damage, which it then
///    reports. Backwards the same holds in reverse, but for `OVERRUN`: what was overwritten is where the past ends.
/// 4. In steady state nothing is allocated, no system call is made, no lock is taken; the writer never waits.
///
/// Progress: no method but [#await] waits.
///
/// Errors of all polls: [JournalException.Corrupt] if a published frame is not valid (unless
/// [TailerConfig#withSkipDamage]), [JournalException.Unsupported] if a newer version wrote it,
/// [JournalException.Io] if the storage cannot give the bytes: a truncated file, for example. After them the
/// tailer stands at the frame that it could not deliver, and the next poll reads that again.
public final class Tailer implements AutoCloseable {
    /// The ring went past the tailer: entries that were not delivered were overwritten or given up, or the log was
    /// [reset][io.fenceline.journal.Journal#reset] to a greater sequence. [#missedBytes] and [#missedEntries] tell
    /// how many. The tailer stands at the oldest retained entry; poll again.
    public static final int OVERRUN = Window.OVERRUN;

    /// The tailer or its journal is closed. Do not poll again.
    public static final int CLOSED = Window.CLOSED;

    /// The writer took entries out of the log that this tailer had delivered, by
    /// [io.fenceline.journal.Journal#truncate] or [io.fenceline.journal.Journal#reset]: those from
    /// [#nextSequence] on. The tailer stands behind the cut; poll again.
    public static final int TRUNCATED = -3;

    private static final long BOUND_LOOK_NS = 500_000;

    private final JournalSource source;
    private final LogView view;
    private final TailerConfig config;
    private final Forwards forwards;
    private final @Nullable Filter filter;
    private @Nullable Backwards backwards;
    private @Nullable AgronaHandlers agronaHandlers;

    private @Nullable Waiter waiter;

    private Tailer(JournalSource source, TailerConfig config, Seek.Place place) {
        this.source = source;
        this.view = source.view();
        this.config = config;
        this.forwards = new Forwards(view, config, place);
        IntPredicate types = config.types();
        this.filter = types == null ? null : new Filter(types, forwards);
    }

    /// Opens a tailer with [TailerConfig#defaults].
    public static Tailer open(JournalSource source, Start start) {
        return open(source, start, TailerConfig.defaults());
    }

    /// Opens a tailer. Finding a position takes one look at it; finding a sequence or a time, a binary search.
    ///
    /// @throws IllegalArgumentException if there is no frame at the position, or the sequence is not retained any
    ///                                  more, or not written yet
    /// @throws JournalException.Io      if the storage cannot give the bytes
    /// @throws IllegalStateException    if the source is closed
    public static Tailer open(JournalSource source, Start start, TailerConfig config) {
        return new Tailer(source, config, find(source.view(), start));
    }

    /// Opens a named tailer: it goes on where it committed, in the next process too; a new one begins at the oldest
    /// entry. [Cursor#open] with [CursorConfig#defaults].
    ///
    /// @throws IllegalArgumentException as [Cursor#open]
    /// @throws JournalException         as [Cursor#open]
    public static Cursor named(JournalSource source, String name) {
        return Cursor.open(source, name, CursorConfig.defaults());
    }

    /// The same, configured: where a new one begins, whether it holds the ring, when it commits by itself.
    public static Cursor named(JournalSource source, String name, CursorConfig config) {
        return Cursor.open(source, name, config);
    }

    /// Opens a tailer that goes on at a place that was found before.
    static Tailer open(JournalSource source, Seek.Place place, TailerConfig config) {
        return new Tailer(source, config, place);
    }

    /// Waits, without using the processor, until something is published that was not polled yet, by a writer in
    /// this process or another one, or until there is something to tell: [#TRUNCATED] or [#OVERRUN]. A filter may
    /// still leave nothing to deliver. Nobody wakes a tailer when the `until` of its configuration moves: while the
    /// tailer stands there, it looks every half millisecond.
    ///
    /// @param timeoutNs at most so long; 0 or less does not wait
    /// @return whether there is something to poll; false after the timeout, or when the tailer or its source is
    ///         closed
    /// @throws InterruptedException if the thread is interrupted
    public boolean await(long timeoutNs) throws InterruptedException {
        if (forwards.isClosed() || forwards.hasBegun()) {
            return !forwards.isClosed();
        }
        long startNs = System.nanoTime();
        Waiter known = waiter();
        LongSupplier until = config.until();
        if (known == null || (until != null && !awaitBound(until, timeoutNs))) {
            return false;
        }
        return known.await(position(), forwards.generation(), timeoutNs - (System.nanoTime() - startNs));
    }

    /// Waits until the configured bound lies behind the place of the tailer, or there is something to tell.
    private boolean awaitBound(LongSupplier until, long timeoutNs) throws InterruptedException {
        long startNs = System.nanoTime();
        long position = position();
        try {
            while (until.getAsLong() < position + FrameDescriptor.SLOT_LENGTH_BYTES
                    && view.retained() <= position
                    && view.generation() == forwards.generation()) {
                long leftNs = timeoutNs - (System.nanoTime() - startNs);
                if (leftNs <= 0) {
                    return false;
                }
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                LockSupport.parkNanos(Math.min(leftNs, BOUND_LOOK_NS));
            }
            return true;
        } catch (IllegalStateException e) {
            Thread.interrupted(); // the shared words have ended: the JVM's mark, as in Waiter
            return false;
        }
    }

    /// Waits as [#await], for something that is published behind a position, or a cut.
    boolean awaitBehind(long position, long timeoutNs) throws InterruptedException {
        Waiter known = waiter();
        return known != null && known.await(position, view.generation(), timeoutNs);
    }

    /// @return null if the source is closed
    private @Nullable Waiter waiter() {
        Waiter known = waiter;
        if (known == null) {
            try {
                known = new Waiter(view, source.readers().sleepers());
            } catch (JournalException.Io e) {
                known = Waiter.unwoken(view); // no right to write there: it looks again and again
            } catch (IllegalStateException e) {
                return null;
            }
            waiter = known;
        }
        return known;
    }

    private static Seek.Place find(LogView view, Start start) {
        try {
            return new Seek(view).find(start);
        } catch (InternalError e) {
            throw unreadable(e, view, "while looking for " + start);
        }
    }

    /// Goes elsewhere, also while entries are appended; a handler may call it, and the poll goes on from there.
    /// What was missed before is forgotten. If it throws, the tailer stands where it stood.
    ///
    /// @throws IllegalArgumentException as [#open]
    /// @throws JournalException.Io      as [#open]
    /// @throws IllegalStateException    if the tailer or the source is closed
    public void skipTo(Start start) {
        if (forwards.isClosed()) {
            throw new IllegalStateException("the tailer is closed");
        }
        Seek.Place place = find(view, start);
        forwards.stand(place);
    }

    /// Delivers the next entries to a handler.
    ///
    /// A batch may be delivered in parts, over several polls. What cannot be delivered is told by a poll of its
    /// own: if entries were delivered before, this one returns their number, and the next one tells.
    ///
    /// After an exception of the handler the tailer stands behind the entry that was being delivered: it is not
    /// delivered again. So do Agrona's ring buffers and Aeron's images.
    ///
    /// @param limit at most so many entries, 0 or more
    /// @return the number of entries delivered; 0 if no more are published, or none before the configured `until`
    ///         (or the limit is 0); or [#OVERRUN], [#TRUNCATED], [#CLOSED]
    public int poll(EntryHandler handler, int limit) {
        requireLimit(limit);
        try {
            return filter == null ? forwards.poll(handler, limit) : pollFiltered(filter, handler, limit);
        } catch (InternalError e) {
            throw unreadable(e);
        }
    }

    /// Bounded by what is published now, so that a fast writer of other types does not keep it from returning.
    private int pollFiltered(Filter filter, EntryHandler handler, int limit) {
        if (limit == 0) {
            return 0;
        }
        try {
            forwards.bound(view.published());
        } catch (IllegalStateException e) {
            return CLOSED; // the shared words have ended
        }
        filter.to(handler, limit);
        try {
            int result;
            do {
                result = forwards.poll(filter, Integer.MAX_VALUE);
            } while (result > 0 && filter.delivered() == 0);
            return filter.delivered() > 0 ? filter.delivered() : result;
        } finally {
            forwards.bound(Long.MAX_VALUE);
        }
    }

    /// Delivers the entries before the place where the tailer stands, the nearest one first, each batch from its
    /// last entry to its first. [#poll] would deliver them again, in order.
    ///
    /// After an exception of the handler the tailer stands before the entry that was being delivered.
    ///
    /// @param limit at most so many entries, 0 or more
    /// @return the number of entries delivered; 0 if nothing older is retained (or the limit is 0), and for as long
    ///         as the end of the log is being cut off with the place where the tailer stands, which is told then;
    ///         or [#TRUNCATED], [#CLOSED], or [#OVERRUN] if the log was reset
    public int pollBackwards(EntryHandler handler, int limit) {
        requireLimit(limit);
        Backwards way = backwards;
        if (way == null) {
            way = new Backwards(view, config, forwards);
            backwards = way;
        }
        try {
            if (filter == null || limit == 0) {
                return way.poll(handler, limit);
            }
            filter.to(handler, limit);
            int result;
            do {
                result = way.poll(filter, Integer.MAX_VALUE);
            } while (result > 0 && filter.delivered() == 0);
            return filter.delivered() > 0 ? filter.delivered() : result;
        } catch (InternalError e) {
            throw unreadable(e);
        }
    }

    /// Delivers the next entries to a handler of Agrona: type, and a buffer that holds exactly the payload, from
    /// index 0; both valid until it returns. The buffer is to be read only. Agrona's buffers need
    /// `--add-opens java.base/jdk.internal.misc=ALL-UNNAMED`. Else as [#poll(EntryHandler, int)].
    public int poll(MessageHandler handler, int limit) {
        return poll(agrona().plain(handler), limit);
    }

    /// Delivers the next entries to a handler of Agrona that says after each one how to go on:
    ///
    /// | action | the entry | the poll |
    /// |---|---|---|
    /// | `ABORT` | is not counted, and is delivered again by the next poll | ends |
    /// | `BREAK` | is delivered | ends |
    /// | `COMMIT` | is delivered | goes on |
    /// | `CONTINUE` | is delivered | goes on |
    ///
    /// `COMMIT` and `CONTINUE` are the same here: [#position] moves with each entry. Else as
    /// [#poll(MessageHandler, int)].
    public int controlledPoll(ControlledMessageHandler handler, int limit) {
        AgronaHandlers handlers = agrona();
        int result = poll(handlers.controlled(handler), limit);
        return handlers.isAborted() ? result - 1 : result;
    }

    private AgronaHandlers agrona() {
        AgronaHandlers handlers = agronaHandlers;
        if (handlers == null) {
            handlers = new AgronaHandlers(forwards);
            agronaHandlers = handlers;
        }
        return handlers;
    }

    private static void requireLimit(int limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("limit " + limit + ": expected 0 or more");
        }
    }

    private RuntimeException unreadable(InternalError e) {
        long offset = view.superblock().geometry().fileOffset(position());
        RuntimeException problem =
                unreadable(e, view, "from file offset " + offset + " (position " + position() + ") on");
        forwards.distrust();
        if (backwards != null) {
            backwards.forget();
        }
        return problem;
    }

    /// What the machine says of a page that cannot be read, as an exception of the journal. It reports such a fault
    /// some time after the copy that met it, at any safepoint: so this is where it is met for certain.
    private static RuntimeException unreadable(InternalError e, LogView view, String where) {
        if (!String.valueOf(e.getMessage()).contains("unsafe memory access")) {
            throw e;
        }
        return new JournalException.Io(
                view.name() + ": cannot read the mapped bytes " + where
                        + ": the file was truncated, or its storage failed; restore it from a copy (unless the handler"
                        + " reads mapped memory of its own that failed)",
                e);
    }

    /// Position of the frame that holds the next entry, or where the next frame will be. A tailer that is opened
    /// there goes on at the first entry of that frame.
    public long position() {
        return forwards.position();
    }

    /// Sequence of the next entry, as far as it is known: crashes leave gaps. A tailer that is opened there goes
    /// on exactly here. -1 if nothing tells it: behind an overrun that left no entry to look at, or behind damage.
    public long nextSequence() {
        return forwards.nextSequence();
    }

    /// Epoch of the last entry before the next one, or 0.
    int epoch() {
        return forwards.epoch();
    }

    /// Bytes of the stream that the last [#OVERRUN] went over; 0 if there was none.
    public long missedBytes() {
        return forwards.missedBytes();
    }

    /// Entries that the last [#OVERRUN] went over: the difference of sequences, so numbers that a crash left out
    /// count. 0 if there was none. Known when `OVERRUN` is returned, if a frame is retained then; else -1 until
    /// the next entry is delivered.
    public long missedEntries() {
        return forwards.missedEntries();
    }

    /// Ends polling; the source stays open. Closing twice is harmless.
    @Override
    public void close() {
        forwards.close();
    }
}
