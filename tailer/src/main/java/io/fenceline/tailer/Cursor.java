package io.fenceline.tailer;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.format.CursorRecord;
import io.fenceline.journal.persist.CursorFiles;
import io.fenceline.journal.positions.CursorLog;
import io.fenceline.journal.positions.Gate;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A named tailer: it goes on, in the next process too, where it committed.
///
///     try (Cursor cursor = Cursor.open(journal, "billing", CursorConfig.defaults())) {
///         cursor.poll(entry -> bill(entry), 100);
///         cursor.commit();
///     }
///
/// *At least once:* commit after the work is done; what was delivered behind the last commit is delivered again after a
/// crash. *Exactly once:* keep [#position] and [#nextSequence] with the work, in the user's own transaction, and begin
/// with [Start#sequence]; or let the work be a function of the log, and commit its state with it (up to 32 bytes of
/// [user data][#commit(byte\[\])], in one record, whole or not at all).
///
/// **Durable** when `commit` returns, by the journal's level: one fence (`MEMORY`), one `fdatasync` (`DEVICE`), or
/// nothing (`PROCESS`). A torn update is the previous one. A cursor never moves back but by [#set] and [#remove].
///
/// **Gating** ([CursorConfig#withGating]): the ring is held at what is committed, also while nobody has the cursor
/// open, until it is removed or too far behind ([io.fenceline.journal.JournalConfig#withGateLagLimitBytes]).
///
/// Threads: one at a time, as [Tailer]. One cursor of a name at a time, in one process.
public final class Cursor implements AutoCloseable {
    private static final byte[] NO_DATA = {};
    private static final EntryHandler NO_HANDLER = entry -> {};

    /// How a cursor found its place.
    public enum Resumption {
        /// There was no cursor of that name: it was made.
        NEW,
        /// Where it was committed. If the ring went past that, the first poll returns [Tailer#OVERRUN].
        RESUMED,
        /// The log was cut off before what was committed (or restored from an older copy): it goes on at the last frame
        /// that both have, and what it was shown behind that is not in the log any more.
        TRUNCATED
    }

    private final CursorFiles.Open file;
    private final CursorLog log;
    private final Tailer tailer;
    private final @Nullable Gate gate;
    private final Resumption resumption;
    private final CommitPolicy policy;
    private final int flags;
    private final byte[] userData = new byte[CursorRecord.MAXIMUM_USER_DATA_LENGTH_BYTES];
    private int userDataLength;
    private long committedPosition;
    private long committedSequence;
    private int epoch;
    private long uncommittedEntries;
    private long committedAtNs = System.nanoTime();

    /// A result that the next poll tells, because entries were delivered before; and the place behind these.
    private int heldResult;

    private long heldPosition;
    private long heldSequence;
    private int heldEpoch;
    private boolean closed;
    private EntryHandler handler = NO_HANDLER;
    private final EntryHandler counting = this::count;

    private Cursor(
            CursorFiles.Open file,
            CursorLog log,
            Tailer tailer,
            @Nullable Gate gate,
            Resumption resumption,
            CursorConfig config) {
        this.file = file;
        this.log = log;
        this.tailer = tailer;
        this.gate = gate;
        this.policy = config.commitPolicy();
        this.flags = config.isGating() ? CursorRecord.FLAG_GATING : 0;
        this.resumption = resumption;
        CursorRecord found = log.found();
        this.epoch = found.epoch();
        this.committedPosition = found.position();
        this.committedSequence = found.nextSequence();
        keepUserData(found.userData());
    }

    /// Opens a cursor with what was committed to it; makes it if there is none.
    ///
    /// @param name 1 to 64 of `A-Z a-z 0-9 . _ -`, not beginning with `.` or `-`
    /// @throws IllegalArgumentException if the name is none, or a new cursor cannot begin where it should
    /// @throws JournalException.Locked  if the cursor is open, in this process or another
    /// @throws JournalException.Corrupt if its file is damaged, or of another journal
    /// @throws JournalException.Io      if this process may not write there
    public static Cursor open(JournalSource source, String name, CursorConfig config) {
        Resumption made = Resumption.RESUMED;
        CursorFiles.Open file = source.cursorFiles().open(name);
        while (file == null) {
            made = create(source, name, config.start()) ? Resumption.NEW : Resumption.RESUMED;
            file = source.cursorFiles().open(name);
        }
        boolean done = false;
        Gate newGate = null;
        try {
            CursorLog log = log(source, file);
            CursorRecord found = log.found();
            Gate oldGate = source.readers().findCursor(name);
            Gate gate = null;
            if (config.isGating()) {
                gate = oldGate != null ? oldGate : source.readers().registerCursor(name, found.position());
                newGate = oldGate != null ? null : gate;
            }
            Seek.Resumed place;
            do {
                place = new Seek(source.view()).resume(found.position(), found.nextSequence(), found.epoch());
            } while (gate != null && !hold(source, gate, place.place().position()));
            Resumption resumption = place.isTruncated() ? Resumption.TRUNCATED : made;
            Cursor cursor = new Cursor(
                    file, log, Tailer.open(source, place.place(), TailerConfig.defaults()), gate, resumption, config);
            if (found.isGating() != config.isGating()) {
                cursor.write(); // a gate is there before the record says so, and goes after it
            }
            if (gate == null && oldGate != null) {
                oldGate.free();
            }
            done = true;
            return cursor;
        } finally {
            if (!done) {
                if (newGate != null) {
                    newGate.free();
                }
                file.close();
            }
        }
    }

    /// What the ring went past is not held; the first poll tells of it.
    private static boolean hold(JournalSource source, Gate gate, long position) {
        return gate.hold(Math.max(position, source.retained()), source.view(), source::isWriterAlive);
    }

    private static CursorLog log(JournalSource source, CursorFiles.Open file) {
        CursorLog log = new CursorLog(file.persister(source.durability()), file.path());
        UUID found = log.found().journalId();
        if (!found.equals(source.journalId())) {
            throw new JournalException.Corrupt("cursor " + file.path() + ": expected one of journal "
                    + source.journalId() + ", found one of journal " + found
                    + "; it was copied from elsewhere: remove it ('fenceline cursor rm') and begin anew");
        }
        return log;
    }

    /// @return false if another process was faster
    private static boolean create(JournalSource source, String name, Start start) {
        try (Tailer first = Tailer.open(source, start)) {
            source.cursorFiles()
                    .create(
                            name,
                            new CursorRecord(
                                    1,
                                    source.journalId(),
                                    first.position(),
                                    Math.max(0, first.nextSequence()),
                                    first.epoch(),
                                    0,
                                    NO_DATA,
                                    nowNs()));
            return true;
        } catch (JournalException.AlreadyExists e) {
            return false;
        }
    }

    /// Moves a cursor, in either direction, durably; makes it if there is none. Its user data stays.
    ///
    /// @return the position where it goes on
    /// @throws JournalException.Locked  if it is open
    /// @throws IllegalArgumentException as [Tailer#open(JournalSource, Start)], or if the name is none
    public static long set(JournalSource source, String name, Start start) {
        try (CursorFiles.Open file = source.cursorFiles().open(name)) {
            if (file != null) {
                CursorLog log = log(source, file);
                CursorRecord found = log.found();
                Gate gate = source.readers().findCursor(name);
                Tailer there;
                do {
                    there = Tailer.open(source, start);
                } while (gate != null && !hold(source, gate, Math.min(there.position(), found.position())));
                long sequence = Math.max(0, there.nextSequence());
                log.commit(
                        there.position(),
                        sequence,
                        there.epoch(),
                        found.flags(),
                        found.userData(),
                        0,
                        found.userData().length,
                        nowNs());
                if (gate != null) {
                    gate.move(there.position());
                }
                return there.position();
            }
        }
        if (!create(source, name, start)) {
            return set(source, name, start);
        }
        try (Tailer there = Tailer.open(source, start)) {
            return there.position();
        }
    }

    /// Removes a cursor, durably, and lets go of the ring.
    ///
    /// @return false if there is none
    /// @throws JournalException.Locked  if it is open
    /// @throws IllegalArgumentException if the name is none
    public static boolean remove(JournalSource source, String name) {
        CursorFiles.Open file = lockToRemove(source, name);
        try {
            Gate gate = source.readers().findCursor(name);
            if (gate != null) {
                gate.free();
            }
            return source.cursorFiles().remove(name) || gate != null;
        } finally {
            if (file != null) {
                file.close();
            }
        }
    }

    /// A damaged file need not be locked: nobody can have it open.
    private static CursorFiles.@Nullable Open lockToRemove(JournalSource source, String name) {
        try {
            return source.cursorFiles().open(name);
        } catch (JournalException.Corrupt | JournalException.Io e) {
            return null;
        }
    }

    private static long nowNs() {
        return System.currentTimeMillis() * 1_000_000L;
    }

    /// As [Tailer#poll], and commits by the policy. What is committed are entries whose handler has returned. One
    /// that throws is counted as delivered by the tailer: it is not delivered again until the cursor is opened
    /// anew, and the next commit is behind it.
    public int poll(EntryHandler handler, int limit) {
        this.handler = handler;
        int delivered = 0;
        try {
            while (delivered < limit && heldResult == 0) {
                long left = Math.max(1, policy.entries() - uncommittedEntries);
                int wanted = (int) Math.min(limit - delivered, left);
                heldPosition = tailer.position();
                heldSequence = tailer.nextSequence();
                heldEpoch = tailer.epoch();
                int result = tailer.poll(counting, wanted);
                if (result < 0) {
                    heldResult = result;
                }
                delivered += Math.max(result, 0);
                if (uncommittedEntries >= policy.entries()) {
                    commit();
                }
                if (result < wanted) {
                    break;
                }
            }
        } finally {
            this.handler = NO_HANDLER;
        }
        if (isDue(delivered)) {
            commit();
        }
        if (delivered > 0 || limit <= 0) {
            return delivered;
        }
        int result = heldResult;
        heldResult = 0;
        return result;
    }

    /// Behind a result that has not been told yet nothing is committed: after a crash it is told again.
    private boolean isDue(int delivered) {
        return uncommittedEntries > 0
                && heldResult == 0
                && ((policy.polls() && delivered > 0)
                        || (policy.afterNs() != Long.MAX_VALUE
                                && System.nanoTime() - committedAtNs >= policy.afterNs()));
    }

    private void count(Entry entry) {
        handler.onEntry(entry);
        uncommittedEntries++;
    }

    /// As [Tailer#await].
    public boolean await(long timeoutNs) throws InterruptedException {
        return (heldResult != 0 && heldResult != Tailer.CLOSED) || tailer.await(timeoutNs);
    }

    /// Makes the place behind what was delivered durable, with the user data committed last. If the next poll is to
    /// tell of an overrun or a cut, that lies behind it: after a crash it is told, too.
    ///
    /// @throws JournalException if the storage fails; nothing can be committed any more then
    public void commit() {
        if (closed) {
            throw new IllegalStateException("the cursor is closed");
        }
        committedPosition = position();
        committedSequence = Math.max(nextSequence(), 0);
        epoch = heldResult != 0 ? heldEpoch : tailer.epoch();
        write();
        if (gate != null) {
            gate.move(committedPosition);
        }
    }

    /// The same with other user data: both are durable when this returns, or neither is.
    ///
    /// @param userData 0 to 32 bytes, copied
    /// @throws IllegalArgumentException if there is more
    public void commit(byte[] userData) {
        keepUserData(userData);
        commit();
    }

    /// Goes to the start of a frame, or to the end of what is published, and makes that durable.
    void commitAt(long position) {
        tailer.skipTo(Start.position(position));
        commit();
    }

    private void keepUserData(byte[] data) {
        if (data.length > userData.length) {
            throw new IllegalArgumentException(
                    "user data of " + data.length + " bytes: expected at most " + userData.length);
        }
        System.arraycopy(data, 0, userData, 0, data.length);
        userDataLength = data.length;
    }

    private void write() {
        log.commit(committedPosition, committedSequence, epoch, flags, userData, 0, userDataLength, nowNs());
        uncommittedEntries = 0;
        committedAtNs = System.nanoTime();
    }

    /// How it found its place.
    public Resumption resumption() {
        return resumption;
    }

    /// What was committed last, or given to a commit that failed: 0 to 32 bytes, a copy.
    public byte[] userData() {
        return Arrays.copyOf(userData, userDataLength);
    }

    /// Position of the frame that holds the next entry, or where the next frame will be; behind what was delivered,
    /// until what comes next is told.
    public long position() {
        return heldResult != 0 ? heldPosition : tailer.position();
    }

    /// Sequence of the next entry; see [Tailer#nextSequence]. Else as [#position].
    public long nextSequence() {
        return heldResult != 0 ? heldSequence : tailer.nextSequence();
    }

    /// Position that was committed last.
    public long committedPosition() {
        return committedPosition;
    }

    /// Sequence of the next entry, as committed last.
    public long committedSequence() {
        return committedSequence;
    }

    /// The tailer, to ask what it missed; polling it commits nothing. A gating cursor is not held for certain where
    /// it was put back by this: it may be overrun there. To go back, close it and use [#set].
    public Tailer tailer() {
        return tailer;
    }

    /// Closes it; commits nothing. The gate of a gating cursor stays.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            tailer.close();
            file.close();
        }
    }
}
