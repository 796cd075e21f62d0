package io.fenceline.appender;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.positions.Activity;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.Reservations;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Appends entries from any number of threads, at `MEMORY` and `PROCESS`: *reserve* (one CAS gives position and
/// sequence) → *write* → *persist* (one fence, by the thread itself) → *publish* (in the order of positions;
/// threads help each other). [Reservations] holds the protocol and its proof.
///
/// When a position is returned, the entry is durable. Tailers see it when everything before it is durable, too:
/// [#awaitPublished] waits for that.
///
/// Assumptions:
/// 1. A journal has one appender object; all threads share it.
/// 2. Each appending thread keeps a staging buffer; use platform threads, or few virtual ones.
///
/// Guarantees, besides those of [Appender]:
/// 1. Positions are in the order of sequences, and each thread's in the order of its appends.
/// 2. A thread that is off its core delays the publication of what lies behind it, never another thread's durable
/// append.
/// 3. A thread that dies between *reserve* and *publish* seals its slots with a PAD; if it cannot, the journal is
///    poisoned: at the latest by the next thread that appends, waits, or closes.
/// 4. Once closed, nothing but the caller keeps the appender alive, whatever threads have used it.
///
/// Progress: reserving is lock-free; any thread rotates. Waits for room under
/// [io.fenceline.journal.FullPolicy#BLOCK], and, with nothing owned, while more than 64 MiB (or the ring) are
/// reserved and not published.
public final class ConcurrentAppender extends Appender {
    private static final int SPINS = 100;
    private static final long PARK_NS = 50_000;

    private final Reservations reservations;

    @SuppressWarnings("ThreadLocalUsage") // of this appender; forgetStagings is what static would be for
    private final ThreadLocal<Slot> slots = new ThreadLocal<>();

    // Guarded by itself: one for each thread, so that closing can take away what its thread would keep alive.
    private final List<WeakReference<Slot>> known = new ArrayList<>();

    // Set once and for all: nothing is reserved any more, because of a close, or of slots that nobody will publish.
    private volatile boolean stopped;
    private volatile @Nullable Throwable unburied;

    // What kept a dead thread's slots from being padded and published, or it from helping: see `bury`.
    private volatile @Nullable Throwable hindrance;
    private volatile boolean closed;
    private volatile boolean drained;

    /// What a thread keeps: as long as it lives nothing but this, once the appender is closed.
    private static final class Slot {
        @Nullable
        SharedStaging staging;
    }

    /// A thread's staging buffers, and what it owns in the log right now.
    private static final class SharedStaging extends Staging {
        long position;
        long end;
        long sequence;
        int entries;
        boolean owns;

        /// Where this thread left the reservation word: a guess of what it is.
        long word;

        /// Not more than what is published.
        long publishedSeen;

        SharedStaging(ConcurrentAppender appender, Activity activity) {
            super(appender, activity);
            word = appender.reservations.word();
            publishedSeen = appender.reservations.publishedSeen();
        }
    }

    private ConcurrentAppender(Positions positions) {
        super(positions);
        reservations = positions.attachShared(this::moved);
    }

    /// Takes the journal's one place of an appender.
    ///
    /// @throws IllegalStateException    if it is taken, or the journal is closed
    /// @throws IllegalArgumentException if the journal's durability is `DEVICE`
    public static ConcurrentAppender open(Journal journal) {
        if (journal.durability().durability() == Durability.DEVICE) {
            throw new IllegalArgumentException("journal " + journal.directory()
                    + " has durability DEVICE: a concurrent appender needs MEMORY or PROCESS, where each thread"
                    + " persists for itself; share an ExclusiveAppender under a lock instead");
        }
        return open(journal.positions());
    }

    /// Over positions on any medium; for the crash checker.
    static ConcurrentAppender open(Positions positions) {
        return new ConcurrentAppender(positions);
    }

    @Override
    Staging staging() {
        Slot slot = slots.get();
        SharedStaging staging = slot == null ? null : slot.staging;
        return staging == null ? newStaging() : staging;
    }

    private Staging newStaging() {
        SharedStaging staging = new SharedStaging(this, positions.register(Thread.currentThread()));
        synchronized (known) {
            if (!closed) {
                Slot slot = new Slot();
                slot.staging = staging;
                slots.set(slot);
                known.removeIf(reference -> reference.get() == null);
                known.add(new WeakReference<>(slot));
            }
        }
        return staging;
    }

    /// Else the value of each living thread's entry of the [ThreadLocal] would keep its key alive, and so itself.
    private void forgetStagings() {
        synchronized (known) {
            for (WeakReference<Slot> reference : known) {
                Slot slot = reference.get();
                if (slot != null) {
                    slot.staging = null;
                }
            }
            known.clear();
        }
    }

    @Override
    long commit(Staging staging, int frameLength, int entries, long timestampNs) {
        int slotsLength = FrameDescriptor.slotAlignedLength(frameLength);
        staging.stage.zeroPad(frameLength, FrameDescriptor.SLOT_LENGTH_BYTES);
        SharedStaging own = (SharedStaging) staging;
        if (stopped || !positions.enter(staging.activity)) {
            return refused();
        }
        try {
            long position = reserve(own, slotsLength, entries);
            if (position < 0) {
                return position;
            }
            persist(
                    staging,
                    geometry.fileOffset(position),
                    frameLength,
                    slotsLength,
                    entries,
                    timestampNs,
                    position,
                    own.sequence);
            publish(own);
            return position;
        } catch (RuntimeException | Error e) {
            if (own.owns) {
                try {
                    bury(own, e);
                } catch (RuntimeException | Error again) {
                    unburied = e; // no call: perhaps there is no stack left for one
                    stopped = true;
                }
            }
            throw e;
        } finally {
            staging.activity.exit();
        }
    }

    @Override
    long appendUnstaged(Staging staging, MemorySegment payload, int length, int type, long timestampNs) {
        int slotsLength = FrameDescriptor.slotAlignedLength(FrameDescriptor.frameLength(length));
        SharedStaging own = (SharedStaging) staging;
        if (stopped || !positions.enter(staging.activity)) {
            return refused();
        }
        try {
            long position = reserve(own, slotsLength, 1);
            if (position < 0) {
                return position;
            }
            persistUnstaged(
                    staging, geometry.fileOffset(position), payload, length, type, timestampNs, position, own.sequence);
            publish(own);
            return position;
        } catch (RuntimeException | Error e) {
            staging.readingUserMemory = false;
            if (own.owns) {
                try {
                    bury(own, e);
                } catch (RuntimeException | Error again) {
                    unburied = e; // no call: perhaps there is no stack left for one
                    stopped = true;
                }
            }
            throw e;
        } finally {
            staging.activity.exit();
        }
    }

    /// Of what the thread died that was to clean up after a death, if one did: the reason of the poison, beside that
    /// death. (An error that the JVM itself has made takes no suppressed one.)
    @Nullable
    Throwable hindrance() {
        return hindrance;
    }

    /// Nothing is appended any more: why?
    private long refused() {
        checkBuried();
        return AppendResult.CLOSED;
    }

    /// @throws io.fenceline.journal.JournalException.Poisoned if slots are left that nobody will publish
    private void checkBuried() {
        Throwable cause = unburied;
        if (cause != null) {
            positions.poison(cause);
            positions.checkFault();
        }
    }

    /// Takes the place of a frame. Whatever must be waited for is waited for before the CAS, with nothing owned.
    ///
    /// @return the position, or a result of [AppendResult]
    private long reserve(SharedStaging own, int slotsLength, int entries) {
        boolean expects = own.expects;
        own.expects = false;
        long word = expects ? reservations.word() : own.word; // a guess may be late, and would tell of a conflict
        int spins = 0;
        while (true) {
            if (word < 0) {
                return AppendResult.CLOSED;
            }
            if (reservations.isFull(word)) {
                rotate(word);
                word = reservations.word();
                continue;
            }
            Reservations.Base base = reservations.base(word);
            if (base == null) {
                word = reservations.word();
                continue;
            }
            long start = reservations.position(base, word);
            if (expects && !own.isExpected(start, reservations.sequence(base, word))) {
                return AppendResult.CONFLICT;
            }
            boolean fits = slotsLength <= reservations.room(word);
            int length = fits ? slotsLength : reservations.room(word);
            if (start + length > positions.freeEnd() && !positions.isGrantedMeanwhile(start + length)) {
                long result = positions.admit(reservations, start, reservations.sequence(base, word), start + length);
                if (result == Positions.NOT_YET_PUBLISHED) {
                    spins = await(spins);
                } else if (result == Positions.CUT_WAITS) {
                    if (!positions.stepAside(own.activity)) {
                        return refused();
                    }
                } else if (result != 0) {
                    return result;
                }
                word = reservations.word();
                continue;
            }
            if (!reservations.isWithinSpan(start, own.publishedSeen)) {
                own.publishedSeen = reservations.publishedSeen();
                if (!reservations.isWithinSpan(start, own.publishedSeen)) {
                    spins = await(spins);
                    word = reservations.word();
                    continue;
                }
            }
            own.position = start;
            own.end = start + length;
            own.sequence = reservations.sequence(base, word);
            own.entries = fits ? entries : 0;
            long next = reservations.after(word, length, own.entries);
            long found = reservations.reserve(word, next);
            if (found != word) {
                word = found;
                continue;
            }
            own.owns = true; // nothing can go wrong since the CAS
            own.word = next;
            if (fits) {
                return start;
            }
            storePad(own, start, length, own.sequence);
            persister.drain();
            publish(own);
            word = next;
            own.expectedPosition = own.expectedPosition == start ? own.end : own.expectedPosition; // the PAD is ours
        }
    }

    /// Where the next frame goes, if the segment has room for it and no thread is faster.
    public long position() {
        return reservations.lastPosition(reservations.word());
    }

    /// Sequence of the next entry, if no thread is faster.
    public long nextSequence() {
        return reservations.lastSequence(reservations.word());
    }

    /// The start of the next segment is a candidate for the floor before anybody can write there: else a
    /// [Positions#retain] of all that is published could find no floor to go to, and nobody would call it again.
    private void rotate(long word) {
        Reservations.Base next = reservations.installNextBase(word);
        if (next != null) {
            positions.enterSegment(next.position());
            positions.candidate(next.position(), next.sequence());
            reservations.rotate(word);
        }
    }

    private void publish(SharedStaging own) {
        reservations.published(own.position, own.end);
        own.owns = false;
    }

    /// The thread dies, or its caller's memory faulted, somewhere between reserve and publish: what it owns becomes
    /// a PAD, unless others may show it already. If not even that can be done, nothing behind it can ever be
    /// published: the journal is poisoned. And if that cannot be done either, because the stack is used up again,
    /// the caller of this leaves it in [#unburied], without a call, to whoever comes next.
    private void bury(SharedStaging own, Throwable cause) {
        try {
            if (!reservations.isOffered(own.position, own.end)) {
                storePad(own, own.position, (int) (own.end - own.position), own.sequence + own.entries);
                persister.drain();
                reservations.published(own.position, own.end);
            } else {
                reservations.help();
            }
        } catch (RuntimeException | Error e) {
            hindrance = e;
            positions.poison(cause);
            if (!e.equals(cause)) {
                cause.addSuppressed(e);
            }
        }
        own.owns = false;
    }

    /// Helps, then gives the core up, to the thread that is waited for perhaps.
    private int await(int spins) {
        reservations.help();
        checkBuried();
        positions.checkFault();
        if (spins < SPINS) {
            Thread.onSpinWait();
        } else if (Thread.currentThread().isInterrupted()) {
            Thread.yield(); // parking would return at once
        } else {
            LockSupport.parkNanos(PARK_NS);
        }
        return spins + 1;
    }

    /// Waits until tailers can see everything before a position.
    ///
    /// @return false if the thread was interrupted, or the appender or the journal was closed, before that; the
    ///         interrupt is kept
    /// @throws io.fenceline.journal.JournalException.Poisoned if that will never be
    public boolean awaitPublished(long position) {
        return awaitPublished(position, Long.MAX_VALUE);
    }

    /// The same, for a time.
    ///
    /// @param timeoutNs at most so long; 0 or less does not wait
    /// @return false, too, if the time was over before that
    /// @throws io.fenceline.journal.JournalException.Poisoned if that will never be
    public boolean awaitPublished(long position, long timeoutNs) {
        Staging staging = staging();
        long startNs = System.nanoTime();
        int spins = 0;
        while (positions.enter(staging.activity)) {
            try {
                boolean last = drained;
                if (positions.run().published() >= position) {
                    return true;
                }
                if (last || System.nanoTime() - startNs >= timeoutNs) {
                    return false;
                }
                spins = await(spins);
            } finally {
                staging.activity.exit();
            }
            if (Thread.currentThread().isInterrupted()) {
                return false;
            }
        }
        return false;
    }

    /// Ends all reservations and all waits for room, waits until what is under way is published (or the journal is
    /// poisoned, or closed), gives the place back. The journal stays open. An interrupt does not end it.
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        stopped = true;
        long end = reservations.lastPosition(reservations.close());
        positions.endWaits();
        Staging staging = staging();
        int spins = 0;
        try {
            while (persister.fault() == null && positions.enter(staging.activity)) {
                try {
                    if (positions.run().published() >= end) {
                        break;
                    }
                    spins = await(spins);
                } finally {
                    staging.activity.exit();
                }
            }
        } catch (JournalException.Poisoned e) {
            // Whoever appends is told; there is nothing to wait for.
        } finally {
            drained = true;
            forgetStagings();
            positions.detach();
        }
    }
}
