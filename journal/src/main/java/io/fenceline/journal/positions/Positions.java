package io.fenceline.journal.positions;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.Persister;
import io.fenceline.journal.recovery.FrameReader;
import io.fenceline.journal.recovery.Seals;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The writer's positions, and the rules under which an appender may write.
///
///     appender:  [#enter] ─▶ (slow: [#admit]) ─▶ store, drain through [#persister] ─▶ [#publish] ─▶ exit
///
/// Assumptions:
/// 1. One exclusive appender at a time ([#attach]), used by one thread at a time; `retain` and `close` come from
/// any.
/// 2. Between `enter` and `exit` runs no code of a user.
///
/// Guarantees:
/// 1. When `admit` returns 0, every byte before its `end` lies below a *persisted* lease, and in no segment that is
///    still retained: the caller may store there.
/// 2. `retained` is stored, then the record that says so is persisted, and only then does `admit` return.
/// 3. After [#close] has returned, no append is between `enter` and `exit`, and none enters.
///
/// Progress: `enter`, `publish`, `exit` never wait. `admit` waits for the storage, and for room under
/// [FullPolicy#BLOCK].
public final class Positions {
    /// Result of [#admit]: what would have to be given up is not published yet. Help to publish, then ask again.
    public static final long NOT_YET_PUBLISHED = -100;

    /// Result of [#admit]: the log is being cut, which waits for this append. [#stepAside], then reserve anew.
    public static final long CUT_WAITS = -101;

    /// The first lease of a writer.
    public static final long FIRST_LEASE_LENGTH_BYTES = 64 << 10;

    private static final long STRIDE_LENGTH_BYTES = 1 << 20;
    private static final long DEVICE_STRIDE_LENGTH_BYTES = 16 << 20;
    private static final long CLOSE_TIMEOUT_NS = 10_000_000_000L;

    /// How often who waits for room looks at the gates, which move without a word.
    private static final long GATE_LOOK_MS = 1;

    /// How often who waits for room looks whether entries have become old.
    private static final long AGE_LOOK_MS = 10;

    private static final VarHandle FREE_END;

    static {
        try {
            FREE_END = MethodHandles.lookup().findVarHandle(Positions.class, "freeEnd", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Persister persister;
    private volatile Persister appendersPersister;
    private final Superblock superblock;
    private final Geometry geometry;
    private final RunFile run;
    private final @Nullable ReadersFile gates;
    private final JournalConfig config;
    private final StateKeeper keeper;
    private final SegmentPopulator populator;
    private final MemorySegment timespec = CachedClock.newTimespec();
    private final boolean cachedTimestamps;
    private final boolean preciseTimestamps;
    private final long strideLengthBytes;
    private final Object monitor = new Object();

    // Owned by the attached appender.
    private long reserved;
    private long lastReserved = -1;
    private long nextSequence;
    private long freeEnd;

    // A thread is making the lease longer; up to `leaseSeen` it is durable already.
    private volatile boolean extending;
    private volatile long leaseSeen;

    private final Activities activities = new Activities();
    private volatile boolean closed;

    /// Whether nobody may enter: closed, or paused.
    private volatile boolean stopped;

    // Guarded by monitor.
    private boolean paused;
    private boolean attached;
    private @Nullable Runnable whenMoved;
    private boolean ending;
    private boolean finished;
    private long leaseLengthBytes = FIRST_LEASE_LENGTH_BYTES;
    private final FloorCandidates candidates = new FloorCandidates();
    private @Nullable Reservations shared;
    private @Nullable FrameReader frames;

    /// Takes over a recovered journal; returns after the record of the new epoch is durable for real.
    ///
    /// @param persister    of `journal.log`
    /// @param superblock   of the journal
    /// @param last         the newest state record found
    /// @param nextSequence of the entry after what recovery kept
    /// @param run          the shared words
    /// @param durability   level of this writer
    /// @param emulated     whether `MEMORY` is emulated
    /// @param config       policies
    public Positions(
            Persister persister,
            Superblock superblock,
            StateRecord last,
            long nextSequence,
            RunFile run,
            Durability durability,
            boolean emulated,
            JournalConfig config) {
        this(persister, superblock, last, nextSequence, run, null, durability, emulated, config);
    }

    /// The same, with gates.
    ///
    /// @param gates readers that hold the ring; null: nobody can
    public Positions(
            Persister persister,
            Superblock superblock,
            StateRecord last,
            long nextSequence,
            RunFile run,
            @Nullable ReadersFile gates,
            Durability durability,
            boolean emulated,
            JournalConfig config) {
        this.persister = persister;
        this.appendersPersister = persister;
        this.gates = gates;
        this.superblock = superblock;
        this.geometry = superblock.geometry();
        this.run = run;
        this.config = config;
        this.cachedTimestamps = config.timestampMode() == TimestampMode.CACHED;
        this.preciseTimestamps = config.timestampMode() == TimestampMode.PRECISE;
        this.strideLengthBytes = durability == Durability.DEVICE ? DEVICE_STRIDE_LENGTH_BYTES : STRIDE_LENGTH_BYTES;
        this.keeper =
                new StateKeeper(persister, superblock, last, nextSequence, durability, emulated, RunFile.bootHash32());
        keeper.open();
        this.reserved = keeper.lease();
        this.nextSequence = nextSequence;
        this.freeEnd = reserved;
        candidates.add(reserved, nextSequence);
        run.begin(superblock.journalId(), reserved, keeper.retained());
        this.populator = new SegmentPopulator(persister, geometry, reserved);
        populator.start();
        CachedClock.acquire();
    }

    /// Takes the one place of an appender.
    ///
    /// @param whenMoved runs when epoch, position and next sequence have become others, with no append under
    /// way
    /// @throws IllegalStateException if there is another, or the journal is closed
    public void attach(Runnable whenMoved) {
        synchronized (monitor) {
            if (closed) {
                throw new IllegalStateException("the journal is closed");
            }
            if (attached) {
                throw new IllegalStateException(
                        "the journal has an appender already; close that one first, or share a ConcurrentAppender");
            }
            attached = true;
            this.whenMoved = whenMoved;
        }
    }

    /// Takes the place for many threads; else as [#attach].
    public Reservations attachShared(Runnable whenMoved) {
        attach(whenMoved);
        synchronized (monitor) {
            Reservations reservations = new Reservations(geometry, run, reserved, nextSequence);
            shared = reservations;
            return reservations;
        }
    }

    /// Gives the place back. Reservations have ended, and all are published, or the journal is poisoned.
    public void detach() {
        synchronized (monitor) {
            collectShared();
            attached = false;
            whenMoved = null;
            ending = false;
        }
    }

    /// The attached appender is being closed, and has ended its reservations if it is shared: whoever waits for
    /// room gets [AppendResult#CLOSED]. Until [#detach].
    public void endWaits() {
        synchronized (monitor) {
            ending = true;
            monitor.notifyAll();
        }
    }

    /// Takes over from the threads that shared the reservation word.
    private void collectShared() {
        if (shared != null) {
            long word = shared.close();
            reserved = shared.lastPosition(word);
            nextSequence = shared.lastSequence(word);
            shared = null;
        }
    }

    /// Makes an appender's appends known to [#close].
    public Activity register() {
        return activities.register();
    }

    /// Makes one thread's appends known to [#close].
    public Activity register(Thread owner) {
        return activities.register(owner);
    }

    /// Begins an append; [Activity#exit] ends it.
    ///
    /// See [Activities] for why this needs no fence.
    ///
    /// @return false if the journal is closed; nothing was begun
    public boolean enter(Activity activity) {
        activity.enter();
        return !stopped || enterLate(activity);
    }

    /// Lets a cut go first, for an append that owns nothing and has written nothing; position, sequence and epoch
    /// may be others afterwards.
    ///
    /// @return as [#enter]
    public boolean stepAside(Activity activity) {
        activity.exit();
        return enter(activity);
    }

    /// Waits while the log is being cut; an interrupt does not end that.
    private boolean enterLate(Activity activity) {
        boolean interrupted = false;
        boolean open = true;
        while (open && stopped) {
            activity.exit();
            synchronized (monitor) {
                while (paused && !closed) {
                    try {
                        monitor.wait();
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                }
                open = !closed;
            }
            if (open) {
                activity.enter();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return open;
    }

    /// Up to here the appender may write without asking again (acquire).
    public long freeEnd() {
        return (long) FREE_END.getAcquire(this);
    }

    /// Whether a thread that shares the appender may write before `end` without asking, although that lies beyond
    /// [#freeEnd]: another thread is asking for more just now, and so much is granted already. Else all would stand
    /// in a line behind each longer lease.
    public boolean isGrantedMeanwhile(long end) {
        return extending && end <= leaseSeen;
    }

    /// The next byte that nobody owns.
    public long reserved() {
        return reserved;
    }

    /// Sequence of the next entry.
    public long nextSequence() {
        return nextSequence;
    }

    /// Asks for everything before `end`, for the exclusive appender.
    ///
    /// @return 0, [#CUT_WAITS], or a result of [AppendResult]
    public long admit(long end) {
        return admit(null, reserved, nextSequence, end);
    }

    /// Makes sure that everything before `end` may be written: room in the ring, and a persisted lease. Nothing is
    /// owned while this waits, so a failure leaves nothing behind.
    ///
    /// @param shared   of the appender that many threads share, null for the exclusive one
    /// @param reserved position of the next byte that nobody owns
    /// @param sequence of the next entry, from the *same* state of the reservation: together a candidate for the
    /// floor
    /// @param end      where the frame ends, with a PAD in front of it if there is one
    /// @return 0, [#NOT_YET_PUBLISHED], [#CUT_WAITS], or a result of [AppendResult]
    public long admit(@Nullable Reservations shared, long reserved, long sequence, long end) {
        synchronized (monitor) {
            if (keeper.isUnwritten()) {
                poison(new IllegalStateException("a thread died while it wrote a state record"));
            }
            checkFault();
            run.reserved(reserved);
            if (end <= freeEnd) {
                return 0; // another thread has asked meanwhile
            }
            candidates.add(reserved, sequence);
            candidates.promote(run.published());
            long retained = keeper.retained();
            if (end > retained + geometry.capacityBytes()) {
                if (config.fullPolicy() == FullPolicy.OVERWRITE) {
                    retained = roundUpToSegment(end - geometry.capacityBytes());
                    if (retained > floorPosition()) {
                        return NOT_YET_PUBLISHED;
                    }
                    if (!reclaimAll(retained)) {
                        run.refused(true);
                        return AppendResult.BACK_PRESSURED;
                    }
                } else if (reclaimForRoom(end)) {
                    retained = keeper.retained();
                } else {
                    long result = config.fullPolicy() == FullPolicy.BLOCK ? awaitRoom(shared, end) : AppendResult.FULL;
                    if (result != 0) {
                        if (result == AppendResult.FULL) {
                            run.refused(false);
                        }
                        return result;
                    }
                    retained = keeper.retained();
                }
            }
            long lease = Math.max(keeper.lease(), Math.max(end, reserved + leaseLengthBytes));
            lease = Math.min(lease, retained + geometry.capacityBytes());
            if (lease > keeper.lease() || retained > keeper.retained()) {
                long startNs = System.nanoTime();
                changeState(lease, retained);
                run.recorded(System.nanoTime() - startNs);
            }
            boolean capped = lease == retained + geometry.capacityBytes();
            long free = Math.max(end, capped ? lease : lease - leaseLengthBytes / 2);
            FREE_END.setRelease(this, Math.max(free, freeEnd));
            leaseLengthBytes = Math.min(strideLengthBytes, 2 * leaseLengthBytes);
            return 0;
        }
    }

    /// How far `retained` may go, given what gates hold: announced to them first, so that a gate that is registered
    /// just now is seen here, or sees that it comes too late ([ReadersFile]). To be followed by [#changeState] with
    /// that, or by [#endReclaim].
    private long reclaim(long wanted) {
        if (gates == null || wanted <= keeper.retained()) {
            return wanted;
        }
        run.reclaim(wanted);
        long published = run.published();
        boolean done = false;
        try {
            long oldestHeld = published - Math.min(published, config.gateLagLimitBytes());
            long held = gates.lowest(wanted, keeper.retained(), oldestHeld);
            long allowed = held >= wanted ? wanted : Math.max(keeper.retained(), geometry.segmentStart(held));
            run.reclaim(allowed);
            done = true;
            return allowed;
        } finally {
            if (!done) {
                endReclaim();
            }
        }
    }

    /// Nothing more is given up now.
    private void endReclaim() {
        if (gates != null) {
            run.reclaim(keeper.retained());
        }
    }

    /// @return false if a gate holds a part of it: then nothing is given up
    private boolean reclaimAll(long wanted) {
        boolean all = reclaim(wanted) == wanted;
        if (!all) {
            endReclaim();
        }
        return all;
    }

    /// Gives up what is kept for gates only and every gate has passed, or what is not to be kept any more, so that
    /// a frame can end at `end`.
    private boolean reclaimForRoom(long end) {
        long wanted = roundUpToSegment(end - geometry.capacityBytes());
        if (wanted > floorPosition() || !(isForGatesOnly() || isNotKept(wanted)) || !reclaimAll(wanted)) {
            return false;
        }
        changeState(keeper.lease(), wanted);
        return true;
    }

    private boolean isForGatesOnly() {
        return config.isRetainedForGatesOnly() && gates != null && gates.isAnyHeld();
    }

    /// Whether the retention keeps nothing before a segment.
    private boolean isNotKept(long segmentStart) {
        if (config.retention().isEverything()) {
            return false;
        }
        FrameReader reader = frames;
        if (reader == null) {
            reader = new FrameReader(persister::read, superblock);
            frames = reader;
        }
        long oldest = config.retention()
                .oldestKept(
                        reader, geometry, keeper.retained(), run.published(), System.currentTimeMillis() * 1_000_000L);
        return geometry.segmentStart(oldest) >= segmentStart;
    }

    /// How long who waits for room may sleep, if nobody says that there is some.
    private long longestWaitMs() {
        return config.isRetainedForGatesOnly()
                ? GATE_LOOK_MS
                : config.retention().isEverything() ? 3_600_000 : AGE_LOOK_MS; // waits for ever are cut into hours
    }

    /// The newest floor that may be recorded.
    private long floorPosition() {
        return Math.max(keeper.floor(), candidates.position());
    }

    private long roundUpToSegment(long position) {
        return Math.max(keeper.retained(), geometry.segmentStart(position + geometry.segmentLengthBytes() - 1));
    }

    /// Shared word first, then the record; its drain orders both before any store into what they give up.
    private void changeState(long lease, long retained) {
        candidates.promote(run.published());
        boolean newer = candidates.position() > keeper.floor();
        long floor = newer ? candidates.position() : keeper.floor();
        long floorSequence = newer ? candidates.sequence() : keeper.floorSequence();
        if (retained > floor) {
            throw new IllegalStateException("retained " + retained + " would pass the floor " + floor);
        }
        Events.LeaseExtension event = Events.beginLeaseExtension(); // may throw: nothing has been said yet
        if (retained > keeper.retained()) {
            run.retain(retained);
        }
        leaseSeen = keeper.lease(); // durable before, and no more than the ring's length beyond what is retained
        extending = true;
        boolean durable = false;
        try {
            keeper.extend(lease, retained, floor, floorSequence); // no lambda: appends allocate nothing
            durable = true;
        } catch (RuntimeException | Error e) {
            poison(e);
            throw e;
        } finally {
            extending = false;
            if (event != null) {
                Events.end(event, superblock.journalId(), lease, retained, durable);
            }
        }
    }

    private long awaitRoom(@Nullable Reservations shared, long end) {
        Events.Stall event = Events.beginStall();
        long startNs = System.nanoTime();
        try {
            return doAwaitRoom(shared, end);
        } finally {
            run.waited(System.nanoTime() - startNs);
            if (event != null) {
                Events.end(event, superblock.journalId(), end, keeper.retained());
            }
        }
    }

    private long doAwaitRoom(@Nullable Reservations shared, long end) {
        long startNs = System.nanoTime();
        while (end > keeper.retained() + geometry.capacityBytes()) {
            candidates.promote(run.published());
            if (reclaimForRoom(end)) {
                break;
            }
            // Of threads that share, one may come here when the next appender has the place already.
            if (closed || (shared == null ? ending : shared.word() < 0)) {
                return AppendResult.CLOSED;
            }
            if (paused) {
                return CUT_WAITS;
            }
            checkFault();
            long leftNs = config.blockTimeoutNs() - (System.nanoTime() - startNs);
            if (leftNs <= 0) {
                return AppendResult.FULL;
            }
            try {
                monitor.wait(Math.min(leftNs / 1_000_000 + 1, longestWaitMs())); // rounded up
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return AppendResult.INTERRUPTED;
            }
        }
        return closed ? AppendResult.CLOSED : 0;
    }

    /// The appender goes over to the next segment: maps it in, and the one behind it.
    public void enterSegment(long segmentStart) {
        populator.enter(segmentStart);
        Events.rotated(superblock.journalId(), segmentStart);
    }

    /// What the appender wrote up to `end` is durable: tailers may see it (release).
    public void publish(long end, long nextSequence) {
        lastReserved = reserved;
        reserved = end;
        this.nextSequence = nextSequence;
        run.publish(end);
    }

    /// A segment begins at `position`: a candidate for the floor once it is published.
    public void candidate(long position, long sequence) {
        synchronized (monitor) {
            candidates.add(position, sequence);
        }
    }

    /// Gives up everything before the segment of a position; see [io.fenceline.journal.Journal#retain].
    public long retain(long position) {
        synchronized (monitor) {
            if (closed) {
                throw new IllegalStateException("the journal is closed");
            }
            if (position < 0 || position > run.published()) {
                throw new IllegalArgumentException(
                        "retain(" + position + "): expected a position from 0 to published " + run.published());
            }
            candidates.promote(run.published());
            long retained = reclaim(Math.min(geometry.segmentStart(position), geometry.segmentStart(floorPosition())));
            if (retained > keeper.retained()) {
                changeState(keeper.lease(), retained);
                monitor.notifyAll();
            }
            return keeper.retained();
        }
    }

    /// Where a cut begins.
    ///
    /// @param position of a frame, or the end
    /// @param sequence of the first entry there
    public record Cut(long position, long sequence) {}

    /// Finds it, with no append under way.
    @FunctionalInterface
    public interface CutFinder {
        Cut find(long retained, long end, long nextSequence);
    }

    /// Takes everything from a frame to the end out of the log, crash-safe: a recovery told to find nothing.
    /// Appends that come meanwhile wait; their entries go behind what was cut, with the sequences from the cut
    /// on.
    ///
    /// 1. no append is under way, and all is published;
    /// 2. generation odd, `published` = cut: nobody reads what is going to change;
    /// 3. the record {TRUNCATING, floor = cut, lease = end}, durable for real: from here on nothing stops the
    /// cut;
    /// 4. a PAD on every slot of it, durable;
    /// 5. the record of the next epoch, which begins at the end, durable for real;
    /// 6. `published` = end, generation even.
    ///
    /// @return where the cut ends, and the next frame goes; `published` may be beyond it already
    /// @throws IllegalStateException    if the journal is closed, or an append does not end within 10 s
    /// @throws IllegalArgumentException from the finder
    public long truncate(CutFinder finder) {
        pause();
        try {
            synchronized (monitor) {
                long end = quietEnd();
                Cut cut = finder.find(keeper.retained(), end, quietSequence());
                if (cut.position < end) {
                    cut(cut, end);
                }
                return end;
            }
        } finally {
            resume();
        }
    }

    private void cut(Cut cut, long end) {
        try {
            run.beginCut(cut.position);
            keeper.truncate(cut.position, cut.sequence, end);
            new Seals(persister, superblock, keeper.epoch()).cut(cut.position, end, cut.sequence);
            keeper.settle();
            moveTo(end, cut.sequence, keeper.retained());
        } catch (RuntimeException | Error e) {
            poison(e);
            throw e;
        }
    }

    /// Gives up the whole log and goes on with a sequence at the start of the next segment, crash-safe: all is
    /// there, or nothing, by one record.
    ///
    /// @return where it goes on
    /// @throws IllegalStateException if the journal is closed, or an append does not end within 10 s
    public long reset(long nextSequence) {
        pause();
        try {
            synchronized (monitor) {
                long end = quietEnd();
                long position = geometry.segmentStart(end + geometry.segmentLengthBytes() - 1);
                try {
                    run.beginCut(position);
                    moveTo(position, nextSequence, position);
                } catch (RuntimeException | Error e) {
                    poison(e);
                    throw e;
                }
                return position;
            }
        } finally {
            resume();
        }
    }

    private void moveTo(long position, long sequence, long retained) {
        keeper.cut(position, sequence, retained);
        run.retain(retained);
        run.endCut(position);
        reserved = position;
        nextSequence = sequence;
        lastReserved = -1;
        candidates.restart(position, sequence);
        FREE_END.setRelease(this, position);
        if (shared != null) {
            shared.moveTo(position, sequence);
        }
        populator.enter(geometry.segmentStart(position));
        if (whenMoved != null) {
            whenMoved.run();
        }
        monitor.notifyAll();
    }

    /// No append is under way afterwards, and none begins, until [#resume].
    private void pause() {
        synchronized (monitor) {
            if (closed || paused) {
                throw new IllegalStateException(
                        closed ? "the journal is closed" : "another thread is cutting the log: wait for it");
            }
            paused = true;
            stopped = true;
            monitor.notifyAll(); // who waits for room steps aside
        }
        if (!activities.awaitQuiet(CLOSE_TIMEOUT_NS)) {
            resume();
            throw new IllegalStateException("an append has been under way for 10 s: nothing was changed;"
                    + " see what holds that thread, then try again");
        }
    }

    private void resume() {
        synchronized (monitor) {
            paused = false;
            stopped = closed;
            monitor.notifyAll();
        }
    }

    /// The end of the log while nobody appends.
    private long quietEnd() {
        checkFault();
        if (closed) {
            throw new IllegalStateException("the journal is closed");
        }
        long end = shared == null ? reserved : shared.lastPosition(shared.word());
        if (run.published() != end) {
            throw new IllegalStateException("published " + run.published() + ", reserved " + end + ", and no append"
                    + " under way: expected them equal");
        }
        return end;
    }

    private long quietSequence() {
        return shared == null ? nextSequence : shared.lastSequence(shared.word());
    }

    private void recordCleanClose() {
        try {
            keeper.close(reserved, nextSequence);
        } catch (RuntimeException | Error e) {
            poison(e);
            throw e;
        }
    }

    /// Ends all acknowledgement until the journal is opened again; who waits for room is told.
    public void poison(Throwable cause) {
        boolean first = !run.isPoisoned();
        persister.poison(cause);
        run.poison();
        if (first) {
            Events.poisoned(superblock.journalId(), cause);
        }
        synchronized (monitor) {
            monitor.notifyAll(); // there will never be room
        }
    }

    /// @throws JournalException.Poisoned after the first fault
    public void checkFault() {
        Throwable fault = persister.fault();
        if (fault != null) {
            throw new JournalException.Poisoned(
                    "the journal was poisoned by an earlier fault (" + fault.getMessage()
                            + "); nothing more is acknowledged: close it, see to the storage, open it again",
                    fault);
        }
    }

    /// Timestamp of a frame whose caller gives none, in ns since the epoch.
    public long timestampNs() {
        return cachedTimestamps ? CachedClock.cachedNs() : preciseTimestamps ? CachedClock.preciseNs(timespec) : 0;
    }

    /// Ends all appends, then makes data and a clean record durable; a poisoned journal is left for recovery.
    ///
    /// @return false if an append did not end within 10 s: then the mapping must stay; call again
    public boolean close() {
        synchronized (monitor) {
            if (finished) {
                return true;
            }
            if (!closed) {
                stopped = true; // first: nobody enters any more who could have seen that it is closed
                closed = true;
                CachedClock.release();
                monitor.notifyAll();
            }
        }
        populator.close();
        if (!activities.awaitQuiet(CLOSE_TIMEOUT_NS)) {
            return false;
        }
        synchronized (monitor) {
            finished = true;
            collectShared();
            if (persister.fault() == null && run.published() == reserved) {
                recordCleanClose();
                if (lastReserved >= 0) {
                    run.lastFrameHint(lastReserved);
                }
            }
        }
        return true;
    }

    /// Whether it is closed; no append that begins after that enters.
    public boolean isClosed() {
        return closed;
    }

    /// What appenders that open now persist their frames through.
    public Persister persister() {
        return appendersPersister;
    }

    /// Puts a persister in front of the medium's for appenders that open later, say to time what they do; the
    /// journal's own records go past it.
    public void persistThrough(UnaryOperator<Persister> front) {
        appendersPersister = front.apply(persister);
    }

    public Superblock superblock() {
        return superblock;
    }

    public Geometry geometry() {
        return geometry;
    }

    public RunFile run() {
        return run;
    }

    public int epoch() {
        return keeper.epoch();
    }

    /// Nothing at or beyond it was ever written in this lap, durably promised.
    public long lease() {
        synchronized (monitor) {
            return keeper.lease();
        }
    }

    /// Everything below it is whole, durably promised.
    public long floor() {
        synchronized (monitor) {
            return keeper.floor();
        }
    }
}
