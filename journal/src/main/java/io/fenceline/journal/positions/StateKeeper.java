package io.fenceline.journal.positions;

import io.fenceline.journal.Durability;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.Persister;
import io.fenceline.journal.recovery.StateLines;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// The master copy of the state record, and the only code that writes one.
///
/// Not synchronized: [Positions] holds its monitor around every call, so that one mutex owns the master copy.
/// Fields only advance, except at a clean close and when the log is cut. A record is durable when the method
/// that changed it returns.
final class StateKeeper {
    private final Persister persister;
    private final Geometry geometry;
    private final int salt;
    private final ByteBuffer line =
            ByteBuffer.allocateDirect(2 * StateRecord.LENGTH_BYTES).alignedSlice(StateRecord.LENGTH_BYTES);
    private final MemorySegment lineBytes;
    private final Crc32c crc = new Crc32c();

    private long version;
    private long lease;
    private long floor;
    private long floorSequence;
    private long retained;
    private long epochStart;
    private int epoch;
    private int flags;
    private boolean unwritten;
    private final int durability;
    private final int bootHash;

    /// Takes over after recovery: the record of the next epoch, which [#open] makes durable.
    ///
    /// @param last         the newest record found
    /// @param nextSequence of the entry after what was kept
    StateKeeper(
            Persister persister,
            Superblock superblock,
            StateRecord last,
            long nextSequence,
            Durability durability,
            boolean emulated,
            int bootHash) {
        this.persister = persister;
        this.geometry = superblock.geometry();
        this.salt = superblock.salt();
        this.lineBytes = MemorySegment.ofBuffer(line.slice(0, StateRecord.LENGTH_BYTES));
        this.version = StateLines.freshVersion(persister::read, last.version(), salt) - 1;
        this.lease = last.lease();
        this.floor = last.lease();
        this.floorSequence = nextSequence;
        this.retained = last.retained();
        this.epochStart = last.lease();
        this.epoch = Math.addExact(last.epoch(), 1);
        this.flags = emulated ? StateRecord.FLAG_EMULATED : 0;
        this.durability = durability.id();
        this.bootHash = bootHash;
    }

    /// Makes the record {epoch + 1, not clean, this boot} durable for real, at every level.
    void open() {
        write();
        persister.sync();
    }

    /// Moves the promise forward; `floor` goes to the newest candidate that is published.
    void extend(long lease, long retained, long floor, long floorSequence) {
        assert lease >= this.lease && retained >= this.retained && floor >= this.floor && retained <= floor
                : "state record would go back";
        assert lease <= retained + geometry.capacityBytes() : "lease beyond what is free";
        unwritten = true;
        this.lease = lease;
        this.retained = retained;
        this.floor = floor;
        this.floorSequence = floorSequence;
        write();
        unwritten = false;
    }

    /// Whether [#extend] ended by an exception, and who called it may not even have been able to say so (no stack
    /// left): then the promise here is not the durable one.
    boolean isUnwritten() {
        return unwritten;
    }

    /// Data first, then the clean record, both for real.
    void close(long published, long nextSequence) {
        persister.sync();
        lease = published;
        floor = published;
        floorSequence = nextSequence;
        flags |= StateRecord.FLAG_CLEAN;
        write();
        persister.sync();
    }

    /// Promises, for real, that nothing in [position, end) counts any more; [#cut] ends it.
    ///
    /// @param position a frame's start, at or beyond `retained`
    /// @param sequence of the first entry there
    /// @param end      of everything that was ever written in this lap
    void truncate(long position, long sequence, long end) {
        assert retained <= position && position < end && end <= lease : "cut [" + position + ", " + end + ")";
        floor = position;
        floorSequence = sequence;
        lease = end;
        flags |= StateRecord.FLAG_TRUNCATING;
        write();
        persister.sync();
    }

    /// Makes the PADs of the cut durable; at `PROCESS` for real, else the next record could outlive a power cut
    /// alone.
    void settle() {
        persister.drain();
        if (durability == Durability.PROCESS.id()) {
            persister.sync();
        }
    }

    /// The record of the next epoch, for real: it begins at `position` with `sequence`, and what lies before it
    /// down to `retained` is whole.
    void cut(long position, long sequence, long retained) {
        assert position >= epochStart && retained >= this.retained && retained <= position : "epoch would go back";
        this.retained = retained;
        lease = position;
        floor = position;
        floorSequence = sequence;
        epochStart = position;
        epoch = Math.addExact(epoch, 1);
        flags &= ~StateRecord.FLAG_TRUNCATING;
        write();
        persister.sync();
    }

    /// Both mirrors of the line of the next version, under one drain. No promise is made about a file that is gone.
    private void write() {
        version++;
        StateRecord.encode(
                lineBytes,
                version,
                lease,
                floor,
                floorSequence,
                retained,
                epochStart,
                epoch,
                flags,
                durability,
                bootHash);
        StateRecord.seal(line, crc, salt);
        for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
            persister.store(StateRecord.fileOffset(version, mirror), lineBytes.address(), StateRecord.LENGTH_BYTES);
        }
        persister.drain();
        persister.checkFile();
    }

    long lease() {
        return lease;
    }

    long floor() {
        return floor;
    }

    long floorSequence() {
        return floorSequence;
    }

    long retained() {
        return retained;
    }

    long epochStart() {
        return epochStart;
    }

    int epoch() {
        return epoch;
    }
}
