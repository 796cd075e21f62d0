package io.fenceline.appender;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.Reservations;
import java.lang.foreign.MemorySegment;
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
///    poisoned.
///
/// Progress: reserving is lock-free; any thread rotates. Waits for room under
/// [io.fenceline.journal.FullPolicy#BLOCK], and, with nothing owned, while more than 64 MiB (or the ring) are
/// reserved and not published.
public final class ConcurrentAppender extends Appender {
    private static final int SPINS = 100;
    private static final long PARK_NS = 50_000;

    private final Reservations reservations;
    private final ThreadLocal<SharedStaging> stagings;
    private volatile boolean closed;
    private volatile boolean drained;

    /// Why a thread died that owns slots and could do nothing about it, not even poison the journal: whoever waits
    /// does.
    private volatile @Nullable Throwable unburied;

    /// A thread's staging buffers, and what it owns in the log right now.
    private static final class SharedStaging {
        final Staging staging;
        long position;
        long end;
        long sequence;
        int entries;
        boolean owns;

        SharedStaging(Staging staging) {
            this.staging = staging;
        }
    }

    private ConcurrentAppender(Positions positions) {
        super(positions);
        reservations = positions.attachShared();
        stagings = ThreadLocal.withInitial(() -> new SharedStaging(new Staging(this, positions.register())));
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
        return stagings.get().staging;
    }

    @Override
    long commit(Staging staging, int frameLength, int entries, long timestampNs) {
        int slotsLength = FrameDescriptor.slotAlignedLength(frameLength);
        staging.stage.zeroPad(frameLength, FrameDescriptor.SLOT_LENGTH_BYTES);
        SharedStaging own = stagings.get();
        if (closed || !positions.enter(staging.activity)) {
            return AppendResult.CLOSED;
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
            try {
                bury(own);
            } catch (RuntimeException | Error again) {
                own.owns = false;
                unburied = e; // no call: perhaps there is no stack left for one
                positions.poison(e);
                e.addSuppressed(again);
            }
            throw e;
        } finally {
            staging.activity.exit();
        }
    }

    @Override
    long appendUnstaged(Staging staging, MemorySegment payload, int length, int type, long timestampNs) {
        int slotsLength = FrameDescriptor.slotAlignedLength(FrameDescriptor.frameLength(length));
        SharedStaging own = stagings.get();
        if (closed || !positions.enter(staging.activity)) {
            return AppendResult.CLOSED;
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
            try {
                bury(own);
            } catch (RuntimeException | Error again) {
                own.owns = false;
                unburied = e; // no call: perhaps there is no stack left for one
                positions.poison(e);
                e.addSuppressed(again);
            }
            throw e;
        } finally {
            staging.activity.exit();
        }
    }

    /// Takes the place of a frame. Whatever must be waited for is waited for before the CAS, with nothing owned.
    ///
    /// @return the position, or a result of [AppendResult]
    private long reserve(SharedStaging own, int slotsLength, int entries) {
        int spins = 0;
        while (true) {
            long word = reservations.word();
            if (word < 0) {
                return AppendResult.CLOSED;
            }
            if (reservations.isFull(word)) {
                rotate(word);
                continue;
            }
            Reservations.Base base = reservations.base(word);
            if (base == null) {
                continue; // the word was late
            }
            long start = reservations.position(base, word);
            boolean fits = slotsLength <= reservations.room(word);
            int length = fits ? slotsLength : reservations.room(word);
            if (start + length > positions.freeEnd()) {
                long result = positions.admit(reservations, start, reservations.sequence(base, word), start + length);
                if (result == 0) {
                    continue;
                }
                if (result != Positions.NOT_YET_PUBLISHED) {
                    return result;
                }
                spins = await(spins);
                continue;
            }
            if (!reservations.isWithinSpan(start)) {
                spins = await(spins);
                continue;
            }
            own.position = start;
            own.end = start + length;
            own.sequence = reservations.sequence(base, word);
            own.entries = fits ? entries : 0;
            own.owns = reservations.reserve(word, length, own.entries); // nothing can go wrong after the CAS
            if (!own.owns) {
                continue;
            }
            if (fits) {
                return start;
            }
            storePad(own.staging, start, length, own.sequence);
            persister.drain();
            publish(own);
        }
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
    /// published.
    private void bury(SharedStaging own) {
        if (!own.owns) {
            return;
        }
        if (!reservations.isOffered(own.position, own.end)) {
            storePad(own.staging, own.position, (int) (own.end - own.position), own.sequence + own.entries);
            persister.drain();
            reservations.published(own.position, own.end);
        } else {
            reservations.help();
        }
        own.owns = false;
    }

    /// Helps, then gives the core up, to the thread that is waited for perhaps.
    private int await(int spins) {
        reservations.help();
        Throwable dead = unburied;
        if (dead != null) {
            positions.poison(dead);
        }
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
    /// @return false if the thread was interrupted, or the appender or the journal was closed, before that
    /// @throws io.fenceline.journal.JournalException.Poisoned if that will never be
    public boolean awaitPublished(long position) {
        Staging staging = staging();
        int spins = 0;
        while (positions.enter(staging.activity)) {
            try {
                boolean last = drained;
                if (positions.run().published() >= position) {
                    return true;
                }
                if (last) {
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
            positions.detach();
        }
    }
}
