package io.fenceline.appender;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import java.lang.foreign.MemorySegment;
import org.agrona.DirectBuffer;
import org.jspecify.annotations.Nullable;

/// Entries that go into one frame: one header, one checksum, one fence, all or nothing. They get consecutive
/// sequences in the order in which they were added, and share one position and one timestamp.
///
///     Batch batch = appender.batch();
///     while (more && batch.add(payload)) { … }
///     long position = batch.commit();
///
/// One thread, the appender's.
public final class Batch {
    private final Appender appender;
    private final Staging staging;
    private @Nullable FrameStage stage;
    private int maximumFrameLength;
    private int maximumPayloadLength;
    private int length;
    private int entries;

    Batch(Appender appender, Staging staging) {
        this.appender = appender;
        this.staging = staging;
    }

    Batch begin(Geometry geometry) {
        this.stage = staging.stage;
        this.maximumFrameLength = geometry.maximumFrameLengthBytes();
        this.maximumPayloadLength = geometry.maximumPayloadLengthBytes();
        this.length = FrameDescriptor.HEADER_LENGTH_BYTES;
        this.entries = 0;
        return this;
    }

    /// Adds an entry of type 0; see [#add(MemorySegment, int)].
    public boolean add(MemorySegment payload) {
        return add(payload, Appender.DEFAULT_TYPE);
    }

    /// Adds an entry; its bytes are copied now.
    ///
    /// @return false if the batch is full (65535 entries, or the journal's largest frame): commit, then begin
    /// another
    /// @throws IllegalArgumentException if the payload is too large for any frame
    /// @throws IllegalStateException    if the batch is not open
    public boolean add(MemorySegment payload, int type) {
        return add(payload, payload.byteSize(), type);
    }

    private boolean hasRoom(int lengthBytes) {
        return entries < FrameDescriptor.MAXIMUM_ENTRIES
                && (long) length + FrameDescriptor.entryLength(lengthBytes) <= maximumFrameLength;
    }

    private boolean add(MemorySegment payload, long lengthBytes, int type) {
        FrameStage open = open();
        int payloadLength = next(open, lengthBytes);
        if (payloadLength < 0) {
            return false;
        }
        open.copyIn(length + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES, payload, 0, payloadLength);
        added(open, payloadLength, type);
        return true;
    }

    /// Adds an entry of type 0 from an Agrona buffer; see [#add(MemorySegment, int)].
    public boolean add(DirectBuffer buffer, int offset, int lengthBytes) {
        return add(buffer, offset, lengthBytes, Appender.DEFAULT_TYPE);
    }

    /// Adds an entry from an Agrona buffer; see [#add(MemorySegment, int)].
    public boolean add(DirectBuffer buffer, int offset, int lengthBytes, int type) {
        FrameStage open = open();
        int payloadLength = next(open, lengthBytes);
        if (payloadLength < 0) {
            return false;
        }
        open.copyIn(length + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES, buffer, offset, payloadLength);
        added(open, payloadLength, type);
        return true;
    }

    private int next(FrameStage open, long payloadLength) {
        if (payloadLength < 0 || payloadLength > maximumPayloadLength) {
            throw new IllegalArgumentException(
                    "payload of " + payloadLength + " bytes: expected 0 to " + maximumPayloadLength);
        }
        if (!hasRoom((int) payloadLength)) {
            return -1;
        }
        int end = length + FrameDescriptor.entryLength((int) payloadLength);
        open.ensure(FrameDescriptor.slotAlignedLength(end), length);
        return (int) payloadLength;
    }

    private void added(FrameStage open, int payloadLength, int type) {
        open.entryHeader(length, payloadLength, type);
        int end = length + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES + payloadLength;
        open.zeroPad(end, FrameDescriptor.ENTRY_ALIGNMENT_BYTES);
        length += FrameDescriptor.entryLength(payloadLength);
        entries++;
    }

    /// Number of entries added so far.
    public int size() {
        return entries;
    }

    /// Commits with the journal's timestamp.
    public long commit() {
        return commit(appender.defaultTimestampNs());
    }

    /// Appends all entries; durable, together, when it returns a position.
    ///
    /// @return the position of the frame, or a result of [io.fenceline.journal.AppendResult]: then the batch is
    ///     still open, to be retried or aborted
    /// @throws IllegalStateException if the batch is not open, or empty
    public long commit(long timestampNs) {
        open();
        if (entries == 0) {
            throw new IllegalStateException("the batch is empty: add an entry, or abort it");
        }
        long result = appender.commit(staging, length, entries, timestampNs);
        if (result >= 0) {
            abort();
        }
        return result;
    }

    /// Forgets all entries. Harmless if the batch is not open.
    public void abort() {
        if (stage != null) {
            stage = null;
            staging.inUse = false;
        }
    }

    private FrameStage open() {
        if (stage == null) {
            throw new IllegalStateException("the batch was committed or aborted");
        }
        return stage;
    }
}
