package io.fenceline.appender;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.Persister;
import io.fenceline.journal.positions.Positions;
import java.lang.foreign.MemorySegment;
import org.agrona.DirectBuffer;

/// What all appenders have in common: how an entry, a claim and a batch become a staged frame. How a frame gets its
/// place is the part of [ExclusiveAppender] and [ConcurrentAppender].
///
/// Every `append` and `commit` returns the position of the frame, 0 or greater: then the entry is durable at the
/// journal's level. A negative result is one of [AppendResult]; nothing happened then.
///
/// Guarantees:
/// 1. An entry, and a whole batch, is recovered whole or not at all.
/// 2. Each byte of the caller's memory is read once.
/// 3. In steady state nothing is allocated, and at `MEMORY` and `PROCESS` no system call is made, no lock is taken.
///
/// Errors: [IllegalArgumentException] for a payload that is too large;
/// [io.fenceline.journal.JournalException.Poisoned] after an I/O fault, [io.fenceline.journal.JournalException.Io]
/// for the fault itself.
public abstract sealed class Appender implements AutoCloseable permits ExclusiveAppender, ConcurrentAppender {
    /// Type of an entry when none is given.
    public static final int DEFAULT_TYPE = 0;

    static final int PAYLOAD_OFFSET = FrameDescriptor.HEADER_LENGTH_BYTES + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;

    final Positions positions;
    final Persister persister;
    final Geometry geometry;
    final int salt;
    int epoch;
    private final int maximumPayloadLengthBytes;
    private final boolean takesEntries;

    Appender(Positions positions) {
        this.positions = positions;
        this.persister = positions.persister();
        this.geometry = positions.geometry();
        this.salt = positions.superblock().salt();
        this.maximumPayloadLengthBytes = geometry.maximumPayloadLengthBytes();
        this.takesEntries = persister.takesEntries();
        beginEpoch();
    }

    /// The log was cut and goes on with another epoch; no append is under way.
    private void beginEpoch() {
        this.epoch = positions.epoch();
    }

    /// The same, and whatever is known about the place of the next frame means nothing any more.
    void moved() {
        beginEpoch();
    }

    /// The calling thread's staging buffers.
    abstract Staging staging();

    /// Reserves, writes, persists and publishes a frame that is staged whole, but for its header.
    ///
    /// @return the position, or a result of [AppendResult]
    abstract long commit(Staging staging, int frameLength, int entries, long timestampNs);

    /// The same for one entry that is not staged: the medium takes it from the caller's memory, or its frame does
    /// not fit the stage.
    abstract long appendUnstaged(Staging staging, MemorySegment payload, int length, int type, long timestampNs);

    /// Makes this thread's next append or commit conditional: it happens only if its first entry gets that
    /// sequence, so that nothing came between; else it returns [AppendResult#CONFLICT]. Holds for one attempt,
    /// whatever it returns.
    ///
    ///     long result = appender.expectSequence(lastSeen + 1).append(payload);
    ///
    /// @param sequence 0 or more
    /// @return this appender
    public final Appender expectSequence(long sequence) {
        return expect(Staging.ANY, sequence, sequence);
    }

    /// The same, if everything before ends at that position: the `position()` of the appender, or of a tailer
    /// that has seen everything. (The frame itself may go to the start of the next segment.)
    ///
    /// @param position 0 or more
    /// @return this appender
    public final Appender expectPosition(long position) {
        return expect(position, Staging.ANY, position);
    }

    private Appender expect(long position, long sequence, long given) {
        if (given < 0) {
            throw new IllegalArgumentException("expected " + given + ": give 0 or more");
        }
        staging().expect(position, sequence);
        expecting();
        return this;
    }

    /// The calling thread's next frame must not take a short way to its place.
    void expecting() {}

    /// Appends an entry of type 0.
    public final long append(MemorySegment payload) {
        return append(payload, DEFAULT_TYPE);
    }

    /// Appends an entry with the journal's timestamp.
    public final long append(MemorySegment payload, int type) {
        return append(payload, type, positions.timestampNs());
    }

    /// Appends an entry.
    ///
    /// @param payload     0 bytes up to [io.fenceline.journal.JournalSource#maximumPayloadLengthBytes]; any memory,
    ///                    (a mapped file that is truncated meanwhile is an exception, as long as the segment knows
    ///                    that it is mapped: one made from an address by `reinterpret` does not, and a fault in it
    ///                    ends the JVM)
    /// @param type        any number, given back to tailers
    /// @param timestampNs any number, by convention ns since the epoch, 0 for none
    /// @return the position, or a result of [AppendResult]
    public final long append(MemorySegment payload, int type, long timestampNs) {
        int length = checkedLength(payload.byteSize());
        Staging staging = staging().checkFree();
        if (PAYLOAD_OFFSET + length > FrameStage.CHUNK_LENGTH_BYTES || (takesEntries && !payload.isMapped())) {
            return appendUnstaged(staging, payload, length, type, timestampNs);
        }
        staging.stage.entryHeader(FrameDescriptor.HEADER_LENGTH_BYTES, length, type);
        try {
            staging.stage.copyIn(PAYLOAD_OFFSET, payload, 0, length);
        } catch (Throwable e) {
            staging.expects = false; // it was the one attempt that it held for
            throw e;
        }
        return commitOne(staging, length, timestampNs);
    }

    /// Appends an entry of type 0.
    public final long append(DirectBuffer buffer, int offset, int length) {
        return append(buffer, offset, length, DEFAULT_TYPE);
    }

    /// Appends an entry with the journal's timestamp.
    public final long append(DirectBuffer buffer, int offset, int length, int type) {
        return append(buffer, offset, length, type, positions.timestampNs());
    }

    /// Appends an entry from an Agrona buffer; else as [#append(MemorySegment, int, long)].
    public final long append(DirectBuffer buffer, int offset, int length, int type, long timestampNs) {
        checkedLength(length);
        Staging staging = staging().checkFree();
        try {
            staging.stage.ensure(FrameDescriptor.slotAlignedLength(PAYLOAD_OFFSET + length), 0);
            staging.stage.entryHeader(FrameDescriptor.HEADER_LENGTH_BYTES, length, type);
            staging.stage.copyIn(PAYLOAD_OFFSET, buffer, offset, length);
        } catch (Throwable e) {
            staging.expects = false;
            throw e;
        }
        return commitOne(staging, length, timestampNs);
    }

    /// Hands out the staging buffer for one entry of exactly that length, to be encoded in place. Reserves nothing
    /// until [Claim#commit]; the same object each time. Its bytes are undefined at first.
    ///
    /// @throws IllegalArgumentException if the length is negative or too large
    /// @throws IllegalStateException    if a claim or a batch is open
    public final Claim claim(int lengthBytes) {
        checkedLength(lengthBytes);
        Staging staging = staging().checkFree();
        staging.stage.ensure(FrameDescriptor.slotAlignedLength(PAYLOAD_OFFSET + lengthBytes), 0);
        staging.inUse = true;
        return staging.claim.begin(lengthBytes);
    }

    /// Begins a batch: entries that go into one frame, under one fence, all or nothing. The same object each time.
    ///
    /// @throws IllegalStateException if a claim or a batch is open
    public final Batch batch() {
        Staging staging = staging().checkFree();
        staging.inUse = true;
        return staging.batch.begin(geometry);
    }

    /// The entry of the open claim is staged; it stays so if the result is negative.
    final long commitClaim(Staging staging, int length, int type, long timestampNs) {
        staging.stage.entryHeader(FrameDescriptor.HEADER_LENGTH_BYTES, length, type);
        return commitOne(staging, length, timestampNs);
    }

    private long commitOne(Staging staging, int payloadLength, long timestampNs) {
        staging.stage.zeroPad(PAYLOAD_OFFSET + payloadLength, FrameDescriptor.ENTRY_ALIGNMENT_BYTES);
        return commit(staging, FrameDescriptor.frameLength(payloadLength), 1, timestampNs);
    }

    final long defaultTimestampNs() {
        return positions.timestampNs();
    }

    /// Seals the staged frame for its place and makes it durable there.
    final void persist(
            Staging staging,
            long fileOffset,
            int frameLength,
            int slotsLength,
            int entries,
            long timestampNs,
            long position,
            long sequence) {
        FrameStage stage = staging.stage;
        FrameDescriptor.writeHeader(
                stage.bytes(),
                0,
                frameLength,
                position,
                sequence,
                timestampNs,
                epoch,
                FrameDescriptor.KIND_DATA,
                0,
                entries);
        persister.persistFrame(
                fileOffset, stage.buffer(), stage.address(), frameLength, slotsLength, salt, stage.crc());
    }

    /// Stores a PAD; the next drain of this thread makes it durable.
    final void storePad(Staging staging, long position, int distance, long sequence) {
        staging.slot.bytes().fill((byte) 0);
        staging.slot.seal(0, distance, position, sequence, 0, epoch, FrameDescriptor.KIND_PAD, 0, salt);
        persister.store(geometry.fileOffset(position), staging.slot.address(), FrameDescriptor.SLOT_LENGTH_BYTES);
    }

    /// Makes an entry durable that is not staged. The caller's memory may fault meanwhile: see
    /// [Staging#readingUserMemory].
    final void persistUnstaged(
            Staging staging,
            long fileOffset,
            MemorySegment payload,
            int length,
            int type,
            long timestampNs,
            long position,
            long sequence) {
        if (PAYLOAD_OFFSET + length > FrameStage.CHUNK_LENGTH_BYTES) {
            persistLarge(staging, fileOffset, payload, length, type, timestampNs, position, sequence);
            return;
        }
        staging.readingUserMemory = true;
        persister.persistEntry(fileOffset, payload, length, type, position, sequence, timestampNs, epoch, salt);
        staging.readingUserMemory = false;
    }

    /// A frame that is longer than the stage goes through it chunk by chunk; its first slot, which holds the
    /// header, is kept back until the checksum is known. Before the fence the order of stores means nothing.
    private void persistLarge(
            Staging staging,
            long fileOffset,
            MemorySegment payload,
            int length,
            int type,
            long timestampNs,
            long position,
            long sequence) {
        FrameStage stage = staging.stage;
        FrameStage slot = staging.slot;
        Crc32c crc = slot.crc();
        int frameLength = FrameDescriptor.frameLength(length);
        int slotsLength = FrameDescriptor.slotAlignedLength(frameLength);
        FrameDescriptor.writeHeader(
                slot.bytes(), 0, frameLength, position, sequence, timestampNs, epoch, FrameDescriptor.KIND_DATA, 0, 1);
        slot.entryHeader(FrameDescriptor.HEADER_LENGTH_BYTES, length, type);
        staging.copyFromUser(slot, PAYLOAD_OFFSET, payload, 0, FrameDescriptor.SLOT_LENGTH_BYTES - PAYLOAD_OFFSET);
        crc.start(salt).add(slot.buffer(), FrameDescriptor.CHECKSUM_START, FrameDescriptor.SLOT_LENGTH_BYTES);
        for (int at = FrameDescriptor.SLOT_LENGTH_BYTES; at < slotsLength; at += FrameStage.CHUNK_LENGTH_BYTES) {
            int fromPayload = Math.min(FrameStage.CHUNK_LENGTH_BYTES, PAYLOAD_OFFSET + length - at);
            int checksummed = Math.min(FrameStage.CHUNK_LENGTH_BYTES, frameLength - at);
            staging.copyFromUser(stage, 0, payload, at - PAYLOAD_OFFSET, fromPayload);
            stage.zeroPad(fromPayload, FrameDescriptor.SLOT_LENGTH_BYTES);
            crc.add(stage.buffer(), 0, checksummed);
            persister.store(
                    fileOffset + at, stage.address(), Bytes.align(fromPayload, FrameDescriptor.SLOT_LENGTH_BYTES));
        }
        FrameDescriptor.checksum(slot.bytes(), 0, crc.value());
        persister.persist(fileOffset, slot.address(), FrameDescriptor.SLOT_LENGTH_BYTES);
    }

    private int checkedLength(long length) {
        if (length < 0 || length > maximumPayloadLengthBytes) {
            staging().expects = false;
            throw new IllegalArgumentException(
                    "payload of " + length + " bytes: expected 0 to " + maximumPayloadLengthBytes
                            + ", a quarter of a segment; split it, or create the journal with larger segments");
        }
        return (int) length;
    }

    /// Gives the appender's place back; the journal stays open.
    @Override
    public abstract void close();
}
