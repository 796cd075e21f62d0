package io.fenceline.appender;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Journal;
import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.Persister;
import io.fenceline.journal.positions.Positions;
import java.lang.foreign.MemorySegment;
import org.agrona.DirectBuffer;

/// Appends entries, one caller at a time: *reserve* (arithmetic) → *write* → *persist* (one fence, or one `fdatasync`)
/// →
/// *publish*.
///
/// Every `append` and `commit` returns the position of the frame, 0 or greater: then the entry is durable at the
/// journal's level and visible to tailers. A negative result is one of [AppendResult]; nothing happened then.
///
/// Assumptions:
/// 1. One thread at a time; handing over to another thread needs a happens-before edge of the caller's.
/// 2. A journal has one exclusive appender at a time.
///
/// Guarantees:
/// 1. An entry, and a whole batch, is recovered whole or not at all.
/// 2. Each byte of the caller's memory is read once.
/// 3. In steady state nothing is allocated, and at `MEMORY` and `PROCESS` no system call is made, no lock is taken.
///
/// Progress: waits for the storage only, and for room under [io.fenceline.journal.FullPolicy#BLOCK].
///
/// Errors: [IllegalArgumentException] for a payload that is too large; [io.fenceline.journal.JournalException.Poisoned]
/// after an I/O fault, [io.fenceline.journal.JournalException.Io] for the fault itself.
public final class ExclusiveAppender implements AutoCloseable {
    /// Type of an entry when none is given.
    public static final int DEFAULT_TYPE = 0;

    private static final int PAYLOAD_OFFSET =
            FrameDescriptor.HEADER_LENGTH_BYTES + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;

    private final Positions positions;
    private final Persister persister;
    private final Geometry geometry;
    private final int salt;
    private final int epoch;
    private final FrameStage stage = new FrameStage(FrameStage.CHUNK_LENGTH_BYTES);
    private final FrameStage slot = new FrameStage(FrameDescriptor.SLOT_LENGTH_BYTES);
    private final Claim claim = new Claim(this);
    private final Batch batch = new Batch(this);
    private boolean closed;
    private boolean staging;

    private ExclusiveAppender(Positions positions) {
        this.positions = positions;
        this.persister = positions.persister();
        this.geometry = positions.geometry();
        this.salt = positions.superblock().salt();
        this.epoch = positions.epoch();
    }

    /// Takes the journal's one place of an exclusive appender.
    ///
    /// @throws IllegalStateException if it is taken, or the journal is closed
    public static ExclusiveAppender open(Journal journal) {
        return open(journal.positions());
    }

    /// Over positions on any medium; for the crash checker.
    static ExclusiveAppender open(Positions positions) {
        positions.attach();
        return new ExclusiveAppender(positions);
    }

    /// Appends an entry of type 0.
    public long append(MemorySegment payload) {
        return append(payload, DEFAULT_TYPE);
    }

    /// Appends an entry with the journal's timestamp.
    public long append(MemorySegment payload, int type) {
        return append(payload, type, positions.timestampNs());
    }

    /// Appends an entry.
    ///
    /// @param payload     0 bytes up to [io.fenceline.journal.JournalSource#maximumPayloadLengthBytes]; any memory,
    ///                    heap or native, not used after return
    /// @param type        any number, given back to tailers
    /// @param timestampNs any number, by convention ns since the epoch, 0 for none
    /// @return the position, or a result of [AppendResult]
    public long append(MemorySegment payload, int type, long timestampNs) {
        int length = checkedLength(payload.byteSize());
        checkNotStaging();
        if (PAYLOAD_OFFSET + length > FrameStage.CHUNK_LENGTH_BYTES) {
            return appendLarge(payload, length, type, timestampNs);
        }
        stage.entryHeader(FrameDescriptor.HEADER_LENGTH_BYTES, length, type);
        stage.copyIn(PAYLOAD_OFFSET, payload, 0, length);
        return commitOne(length, timestampNs);
    }

    /// Appends an entry of type 0.
    public long append(DirectBuffer buffer, int offset, int length) {
        return append(buffer, offset, length, DEFAULT_TYPE);
    }

    /// Appends an entry with the journal's timestamp.
    public long append(DirectBuffer buffer, int offset, int length, int type) {
        return append(buffer, offset, length, type, positions.timestampNs());
    }

    /// Appends an entry from an Agrona buffer; else as [#append(MemorySegment, int, long)].
    public long append(DirectBuffer buffer, int offset, int length, int type, long timestampNs) {
        checkedLength(length);
        checkNotStaging();
        stage.ensure(FrameDescriptor.slotAlignedLength(PAYLOAD_OFFSET + length), 0);
        stage.entryHeader(FrameDescriptor.HEADER_LENGTH_BYTES, length, type);
        stage.copyIn(PAYLOAD_OFFSET, buffer, offset, length);
        return commitOne(length, timestampNs);
    }

    /// Hands out the staging buffer for one entry of exactly that length, to be encoded in place. Reserves nothing
    /// until [Claim#commit]; the same object each time. Its bytes are undefined at first.
    ///
    /// @throws IllegalArgumentException if the length is negative or too large
    /// @throws IllegalStateException    if a claim or a batch is open
    public Claim claim(int lengthBytes) {
        checkedLength(lengthBytes);
        checkNotStaging();
        stage.ensure(FrameDescriptor.slotAlignedLength(PAYLOAD_OFFSET + lengthBytes), 0);
        staging = true;
        return claim.begin(stage.bytes(), lengthBytes);
    }

    /// Begins a batch: entries that go into one frame, under one fence, all or nothing. The same object each time.
    ///
    /// @throws IllegalStateException if a claim or a batch is open
    public Batch batch() {
        checkNotStaging();
        staging = true;
        return batch.begin(stage, geometry);
    }

    /// The entry of the open claim is staged; it stays so if the result is negative.
    long commitClaim(int length, int type, long timestampNs) {
        stage.entryHeader(FrameDescriptor.HEADER_LENGTH_BYTES, length, type);
        return commitOne(length, timestampNs);
    }

    /// The entries of the open batch are staged; they stay so if the result is negative.
    long commitBatch(int frameLength, int entries, long timestampNs) {
        return commit(frameLength, entries, timestampNs);
    }

    /// The open claim or batch has ended.
    void endStaging() {
        staging = false;
    }

    long defaultTimestampNs() {
        return positions.timestampNs();
    }

    private long commitOne(int payloadLength, long timestampNs) {
        stage.zeroPad(PAYLOAD_OFFSET + payloadLength, FrameDescriptor.ENTRY_ALIGNMENT_BYTES);
        return commit(FrameDescriptor.frameLength(payloadLength), 1, timestampNs);
    }

    /// The whole protocol: reserve, write, persist, publish. The frame is staged, but for its header.
    private long commit(int frameLength, int entries, long timestampNs) {
        int slotsLength = FrameDescriptor.slotAlignedLength(frameLength);
        stage.zeroPad(frameLength, FrameDescriptor.SLOT_LENGTH_BYTES);
        if (closed || !positions.enter()) {
            return AppendResult.CLOSED;
        }
        try {
            long position = reserve(slotsLength);
            if (position < 0) {
                return position;
            }
            long sequence = positions.nextSequence();
            stage.seal(
                    0, frameLength, position, sequence, timestampNs, epoch, FrameDescriptor.KIND_DATA, entries, salt);
            persister.persist(geometry.fileOffset(position), stage.address(), slotsLength);
            positions.publish(position + slotsLength, sequence + entries);
            return position;
        } catch (RuntimeException | Error e) {
            positions.poison(e);
            throw e;
        } finally {
            positions.exit();
        }
    }

    /// Finds the place of a frame: here, or at the start of the next segment, behind a PAD that is stored here and made
    /// durable by the fence of the frame.
    ///
    /// @return the position, or a result of [AppendResult]
    private long reserve(int slotsLength) {
        long start = positions.reserved();
        long end = start + slotsLength;
        long segmentEnd = geometry.segmentEnd(start);
        if (end <= segmentEnd && end <= positions.freeEnd() && start != geometry.segmentStart(start)) {
            return start;
        }
        return reserveSlowly(start, slotsLength, segmentEnd);
    }

    private long reserveSlowly(long start, int slotsLength, long segmentEnd) {
        long position = start + slotsLength <= segmentEnd ? start : segmentEnd;
        if (position + slotsLength > positions.freeEnd()) {
            long result = positions.admit(position + slotsLength);
            if (result != 0) {
                return result;
            }
        }
        if (position == geometry.segmentStart(position)) {
            positions.enterSegment(position);
            positions.candidate(position, positions.nextSequence());
        }
        if (position != start) {
            storePad(start, (int) (position - start));
        }
        return position;
    }

    private void storePad(long position, int distance) {
        MemorySegment bytes = slot.bytes();
        bytes.asSlice(0, FrameDescriptor.SLOT_LENGTH_BYTES).fill((byte) 0);
        slot.seal(0, distance, position, positions.nextSequence(), 0, epoch, FrameDescriptor.KIND_PAD, 0, salt);
        persister.store(geometry.fileOffset(position), slot.address(), FrameDescriptor.SLOT_LENGTH_BYTES);
    }

    /// A frame that is longer than the stage goes through it chunk by chunk; its first slot, which holds the header,
    /// is kept back until the checksum is known. Before the fence the order of stores means nothing.
    private long appendLarge(MemorySegment payload, int length, int type, long timestampNs) {
        int frameLength = FrameDescriptor.frameLength(length);
        int slotsLength = FrameDescriptor.slotAlignedLength(frameLength);
        if (closed || !positions.enter()) {
            return AppendResult.CLOSED;
        }
        boolean userMemory = false; // a fault of the caller's memory is none of the journal
        try {
            long position = reserve(slotsLength);
            if (position < 0) {
                return position;
            }
            long sequence = positions.nextSequence();
            FrameDescriptor.writeHeader(
                    slot.bytes(),
                    0,
                    frameLength,
                    position,
                    sequence,
                    timestampNs,
                    epoch,
                    FrameDescriptor.KIND_DATA,
                    0,
                    1);
            FrameDescriptor.entryHeader(slot.bytes(), FrameDescriptor.HEADER_LENGTH_BYTES, length, type);
            int firstPart = FrameDescriptor.SLOT_LENGTH_BYTES - PAYLOAD_OFFSET;
            userMemory = true;
            slot.copyIn(PAYLOAD_OFFSET, payload, 0, firstPart);
            slot.crc()
                    .start(salt)
                    .add(slot.buffer(), FrameDescriptor.CHECKSUM_START, FrameDescriptor.SLOT_LENGTH_BYTES);
            userMemory = false;
            long fileOffset = geometry.fileOffset(position);
            for (int at = FrameDescriptor.SLOT_LENGTH_BYTES; at < slotsLength; at += FrameStage.CHUNK_LENGTH_BYTES) {
                int fromPayload = Math.min(FrameStage.CHUNK_LENGTH_BYTES, PAYLOAD_OFFSET + length - at);
                int checksummed = Math.min(FrameStage.CHUNK_LENGTH_BYTES, frameLength - at);
                userMemory = true;
                stage.copyIn(0, payload, at - PAYLOAD_OFFSET, fromPayload);
                userMemory = false;
                stage.zeroPad(fromPayload, FrameDescriptor.SLOT_LENGTH_BYTES);
                slot.crc().add(stage.buffer(), 0, checksummed);
                persister.store(
                        fileOffset + at, stage.address(), Bytes.align(fromPayload, FrameDescriptor.SLOT_LENGTH_BYTES));
            }
            FrameDescriptor.checksum(slot.bytes(), 0, slot.crc().value());
            persister.persist(fileOffset, slot.address(), FrameDescriptor.SLOT_LENGTH_BYTES);
            positions.publish(position + slotsLength, sequence + 1);
            return position;
        } catch (RuntimeException | Error e) {
            if (!userMemory) {
                positions.poison(e);
            }
            throw e;
        } finally {
            positions.exit();
        }
    }

    /// The position where the next frame goes, if the segment has room for it.
    public long position() {
        return positions.reserved();
    }

    /// Sequence of the next entry.
    public long nextSequence() {
        return positions.nextSequence();
    }

    private int checkedLength(long length) {
        int maximum = geometry.maximumPayloadLengthBytes();
        if (length < 0 || length > maximum) {
            throw new IllegalArgumentException("payload of " + length + " bytes: expected 0 to " + maximum
                    + ", a quarter of a segment; split it, or create the journal with larger segments");
        }
        return (int) length;
    }

    private void checkNotStaging() {
        if (staging) {
            throw new IllegalStateException("a claim or batch is open: commit or abort it first");
        }
    }

    /// Gives the place back; the journal stays open. An open claim or batch is aborted.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            staging = false;
            positions.detach();
        }
    }
}
