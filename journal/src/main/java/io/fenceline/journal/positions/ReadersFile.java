package io.fenceline.journal.positions;

import static io.fenceline.journal.format.ReadersFileDescriptor.BOOT_HASH_OFFSET;
import static io.fenceline.journal.format.ReadersFileDescriptor.FENCED_OFFSET;
import static io.fenceline.journal.format.ReadersFileDescriptor.GATES;
import static io.fenceline.journal.format.ReadersFileDescriptor.GATE_COUNT_OFFSET;
import static io.fenceline.journal.format.ReadersFileDescriptor.JOURNAL_ID_OFFSET;
import static io.fenceline.journal.format.ReadersFileDescriptor.LENGTH_BYTES;
import static io.fenceline.journal.format.ReadersFileDescriptor.MAGIC;
import static io.fenceline.journal.format.ReadersFileDescriptor.MAGIC_OFFSET;
import static io.fenceline.journal.format.ReadersFileDescriptor.VERSION;
import static io.fenceline.journal.format.ReadersFileDescriptor.VERSION_OFFSET;
import static io.fenceline.journal.format.ReadersFileDescriptor.gateOffset;

import io.fenceline.journal.GateStatus;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.CursorRecord;
import io.fenceline.journal.format.GateDescriptor;
import io.fenceline.journal.persist.Posix;
import io.fenceline.journal.persist.SharedFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongUnaryOperator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The words of `readers.run`: gates that hold the ring, and whether somebody sleeps. See
/// `docs/adr/0010-readers-run.md`.
///
/// A gate is registered against reuse by Dekker's pattern: a reader stores the gate, full fence, loads how far
/// the writer is about to reclaim; the writer stores how far it is about to reclaim ([RunFile#reclaim], full
/// fence), then loads the gates. One of them sees the other: the reader finds that it came too late and takes
/// another place, or the writer finds the gate and gives up less.
///
/// An *ephemeral* gate is released by proof of death: its owner holds a lock of the gate's first byte, which goes
/// with the process. No timeout stands for death. The gate of a *cursor* stays until [#free].
///
/// Threads: any number.
public final class ReadersFile implements AutoCloseable {
    private static final VarHandle LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final int HEADER_LOCK_OFFSET = 0;
    private static final long PARK_NS = 50_000;
    private static final int SPINS = 1000;

    private final SharedFile file;
    private final MemorySegment words;
    private final UUID journalId;
    private final Sleepers sleepers;
    private final BitSet owned = new BitSet();
    private boolean closed;

    /// A cursor that holds the ring, for a file that is begun anew.
    public record Held(String name, long position) {}

    private ReadersFile(SharedFile file, UUID journalId) {
        this.file = file;
        this.words = file.words();
        this.journalId = journalId;
        this.sleepers = new Sleepers(words);
    }

    /// Takes the file over; closes it if that fails.
    ///
    /// @param cursors the gating cursors, asked for if the words are from another boot
    public static ReadersFile open(SharedFile file, UUID journalId, Supplier<List<Held>> cursors) {
        boolean done = false;
        try {
            ReadersFile readers = new ReadersFile(file, journalId);
            while (!readers.isCurrent()) {
                if (file.tryLock(HEADER_LOCK_OFFSET)) {
                    try {
                        readers.begin(cursors);
                    } finally {
                        file.unlock(HEADER_LOCK_OFFSET);
                    }
                } else {
                    LockSupport.parkNanos(PARK_NS); // who has the lock begins the words, or dies and loses it
                }
            }
            done = true;
            return readers;
        } finally {
            if (!done) {
                file.close();
            }
        }
    }

    private boolean isCurrent() {
        return (long) LONG.getAcquire(words, (long) BOOT_HASH_OFFSET) == RunFile.bootHash()
                && words.get(Bytes.I64, MAGIC_OFFSET) == MAGIC
                && words.get(Bytes.I32, VERSION_OFFSET) == VERSION
                && words.get(Bytes.I64, JOURNAL_ID_OFFSET) == journalId.getMostSignificantBits()
                && words.get(Bytes.I64, JOURNAL_ID_OFFSET + 8) == journalId.getLeastSignificantBits();
    }

    /// Nobody owns anything in another boot's words. The boot hash goes last.
    private void begin(Supplier<List<Held>> cursors) {
        if (isCurrent()) {
            return;
        }
        LONG.setVolatile(words, (long) BOOT_HASH_OFFSET, 0L);
        words.asSlice(0, LENGTH_BYTES).fill((byte) 0);
        words.set(Bytes.I64, MAGIC_OFFSET, MAGIC);
        words.set(Bytes.I32, VERSION_OFFSET, VERSION);
        words.set(Bytes.I64, JOURNAL_ID_OFFSET, journalId.getMostSignificantBits());
        words.set(Bytes.I64, JOURNAL_ID_OFFSET + 8, journalId.getLeastSignificantBits());
        List<Held> held = cursors.get();
        if (held.size() > GATES) {
            throw new JournalException(file.path() + ": " + held.size() + " cursors hold the ring, at most " + GATES
                    + " can; remove some ('fenceline cursor rm')");
        }
        for (int i = 0; i < held.size(); i++) {
            fill(i, GateDescriptor.CURSOR, held.get(i).name(), held.get(i).position());
        }
        LONG.setVolatile(words, (long) BOOT_HASH_OFFSET, RunFile.bootHash());
    }

    /// Where sleepers are woken, and sleep.
    public Sleepers sleepers() {
        return sleepers;
    }

    /// The writer says whether it takes part in `membarrier`; before it publishes anything.
    public void writerOpens() {
        LONG.setVolatile(words, (long) FENCED_OFFSET, Posix.registerMembarrier() ? 1L : 0L);
    }

    /// Registers a gate for a reader of this process, with a lock that proves that it lives.
    ///
    /// @param position where the reader begins
    /// @throws JournalException if all gates are taken
    public synchronized Gate registerEphemeral(long position) {
        int gate = lockFree();
        owned.set(gate);
        fill(gate, GateDescriptor.EPHEMERAL, "", position);
        return new Gate(this, gate);
    }

    /// Registers the gate of a cursor whose file the caller has locked, or finds the one that it has.
    ///
    /// @param position for a new one
    public synchronized Gate registerCursor(String name, long position) {
        Gate known = findCursor(name);
        if (known != null) {
            return known;
        }
        int gate = lockFree();
        try {
            fill(gate, GateDescriptor.CURSOR, name, position);
            return new Gate(this, gate);
        } finally {
            file.unlock(gateOffset(gate));
        }
    }

    /// Locks a gate that is free, or whose owner is dead.
    private int lockFree() {
        for (int gate = 0; gate < GATES; gate++) {
            if (owned.get(gate) || isCursor(gate) || !file.tryLock(gateOffset(gate))) {
                continue;
            }
            if (!isCursor(gate)) {
                return gate;
            }
            file.unlock(gateOffset(gate)); // a cursor was faster
        }
        throw allTaken();
    }

    private boolean isCursor(int gate) {
        return GateDescriptor.kind(state(gate)) == GateDescriptor.CURSOR;
    }

    /// Whether a gate of this kind has an owner: a cursor, or somebody who lives.
    private boolean isOwned(int gate, int kind) {
        return kind == GateDescriptor.CURSOR || (kind == GateDescriptor.EPHEMERAL && file.isLocked(gateOffset(gate)));
    }

    /// The gate of a cursor; null if it has none.
    public @Nullable Gate findCursor(String name) {
        for (int gate = 0; gate < gateCount(); gate++) {
            if (isCursor(gate) && name(gate).equals(name)) {
                return new Gate(this, gate);
            }
        }
        return null;
    }

    private JournalException allTaken() {
        return new JournalException(file.path() + ": all " + GATES + " gates are taken; close gating tailers or remove"
                + " gating cursors ('fenceline cursor ls' shows them)");
    }

    /// Name and position first; then the count, then the state (full fence).
    private void fill(int gate, int kind, String name, long position) {
        int at = gateOffset(gate);
        long state = state(gate);
        byte[] ascii = name.getBytes(StandardCharsets.US_ASCII);
        words.set(
                Bytes.I64,
                at + GateDescriptor.OWNER_PID_OFFSET,
                ProcessHandle.current().pid());
        words.set(Bytes.I32, at + GateDescriptor.NAME_LENGTH_OFFSET, ascii.length);
        MemorySegment.copy(MemorySegment.ofArray(ascii), 0, words, at + GateDescriptor.NAME_OFFSET, ascii.length);
        LONG.setVolatile(words, (long) at + GateDescriptor.POSITION_OFFSET, position);
        long count = gateCount();
        while (count <= gate && !LONG.compareAndSet(words, (long) GATE_COUNT_OFFSET, count, gate + 1L)) {
            count = gateCount();
        }
        LONG.setVolatile(words, (long) at + GateDescriptor.STATE_OFFSET, GateDescriptor.next(state, kind));
        VarHandle.fullFence();
    }

    /// Frees a gate. After [#close] it is somebody else's perhaps.
    synchronized void free(int gate) {
        if (closed) {
            return;
        }
        long state = state(gate);
        LONG.setVolatile(
                words,
                (long) gateOffset(gate) + GateDescriptor.STATE_OFFSET,
                GateDescriptor.next(state, GateDescriptor.FREE));
        if (owned.get(gate)) {
            owned.clear(gate);
            file.unlock(gateOffset(gate));
        }
    }

    long position(int gate) {
        return (long) LONG.getAcquire(words, (long) gateOffset(gate) + GateDescriptor.POSITION_OFFSET);
    }

    /// What lies before is not needed any more (release). After [#close] the gate is somebody else's perhaps.
    synchronized void move(int gate, long position) {
        if (closed) {
            return;
        }
        LONG.setRelease(words, (long) gateOffset(gate) + GateDescriptor.POSITION_OFFSET, position);
    }

    /// Moves a gate to where its reader begins, and tells whether the ring is held from there on. If not, nothing
    /// is promised: find another place, and hold again.
    ///
    /// @param isWriterAlive whether there is a writer, which then ends what it is at; asked while it reclaims
    boolean hold(int gate, long position, LogView view, BooleanSupplier isWriterAlive) {
        move(gate, position);
        VarHandle.fullFence();
        for (int spins = 0; ; spins++) {
            // In this order: it reclaims further, gives it up, and says so.
            long reclaimed = view.reclaimed();
            if (view.retained() > position) {
                return false;
            }
            if (reclaimed <= position || (spins > SPINS && !isWriterAlive.getAsBoolean())) {
                return true; // the next writer looks at the gates before it reclaims anything
            }
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(PARK_NS);
            }
        }
    }

    /// The lowest position that is held, for the writer, after a full fence. Gates of the dead are freed on the
    /// way.
    ///
    /// @param below       only gates before it are looked at
    /// @param retained    gates before it hold nothing any more
    /// @param oldestHeld  cursors before it hold nothing: their lag is past the limit
    /// @return `Long.MAX_VALUE` if nothing before `below` is held
    public long lowest(long below, long retained, long oldestHeld) {
        long lowest = Long.MAX_VALUE;
        int count = gateCount();
        for (int gate = 0; gate < count; gate++) {
            long state = state(gate);
            int kind = GateDescriptor.kind(state);
            if (kind != GateDescriptor.EPHEMERAL && kind != GateDescriptor.CURSOR) {
                continue;
            }
            long position = position(gate);
            if (position >= below || position < retained || position < oldestHeld) {
                continue;
            }
            if (kind == GateDescriptor.EPHEMERAL && !file.isLocked(gateOffset(gate))) {
                reap(gate, state);
                continue;
            }
            lowest = Math.min(lowest, position);
        }
        return lowest;
    }

    /// Whether there is a gate at all, whose owner lives.
    public boolean isAnyHeld() {
        for (int gate = 0; gate < gateCount(); gate++) {
            if (isOwned(gate, GateDescriptor.kind(state(gate)))) {
                return true;
            }
        }
        return false;
    }

    /// The owner is dead. A new one may have come: then the state is another one.
    private void reap(int gate, long state) {
        LONG.compareAndSet(
                words,
                (long) gateOffset(gate) + GateDescriptor.STATE_OFFSET,
                state,
                GateDescriptor.next(state, GateDescriptor.FREE));
    }

    /// All gates that hold, or would.
    ///
    /// @param lagEntries of a position
    public List<GateStatus> gates(long published, LongUnaryOperator lagEntries) {
        List<GateStatus> gates = new ArrayList<>();
        for (int gate = 0; gate < gateCount(); gate++) {
            int kind = GateDescriptor.kind(state(gate));
            if (isOwned(gate, kind)) {
                long position = position(gate);
                gates.add(new GateStatus(
                        kind == GateDescriptor.CURSOR ? name(gate) : "",
                        position,
                        Math.max(0, published - position),
                        lagEntries.applyAsLong(position),
                        words.get(Bytes.I64, gateOffset(gate) + GateDescriptor.OWNER_PID_OFFSET)));
            }
        }
        return gates;
    }

    /// What is no name reads as one that no cursor has.
    private String name(int gate) {
        int at = gateOffset(gate);
        int length = words.get(Bytes.I32, at + GateDescriptor.NAME_LENGTH_OFFSET);
        if (length < 1 || length > CursorRecord.MAXIMUM_NAME_LENGTH) {
            return "?";
        }
        byte[] ascii = new byte[length];
        MemorySegment.copy(words, ValueLayout.JAVA_BYTE, at + GateDescriptor.NAME_OFFSET, ascii, 0, length);
        return new String(ascii, StandardCharsets.US_ASCII);
    }

    private long state(int gate) {
        return (long) LONG.getVolatile(words, (long) gateOffset(gate) + GateDescriptor.STATE_OFFSET);
    }

    private int gateCount() {
        return (int) Math.clamp((long) LONG.getVolatile(words, (long) GATE_COUNT_OFFSET), 0L, GATES);
    }

    /// Gives all locks back, and so all ephemeral gates; wakes who sleeps, so that they see that it is closed.
    @Override
    public synchronized void close() {
        for (int gate = owned.nextSetBit(0); gate >= 0; gate = owned.nextSetBit(gate + 1)) {
            free(gate);
        }
        closed = true;
        file.close();
        sleepers.close();
    }
}
