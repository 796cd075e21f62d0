package io.fenceline.tailer;

import io.fenceline.journal.format.FrameDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// One entry, as a view of the tailer's private memory: whole, verified, and not changed by anybody while
/// [EntryHandler#onEntry] runs. Valid until that returns; what is kept longer must be copied, by [#toByteArray]
/// for example.
///
/// Threads: the polling one.
public final class Entry {
    private MemorySegment buffer;
    private int frameOffset;
    private int entryOffset;
    private int index;
    private long sequence;

    Entry(MemorySegment buffer) {
        this.buffer = buffer;
    }

    /// Other memory holds the window now.
    void buffer(MemorySegment buffer) {
        this.buffer = buffer;
    }

    /// The entry to show.
    void show(int frameOffset, int entryOffset, int index, long sequence) {
        this.frameOffset = frameOffset;
        this.entryOffset = entryOffset;
        this.index = index;
        this.sequence = sequence;
    }

    /// Where the memory holds its frame.
    int frameOffset() {
        return frameOffset;
    }

    /// Where the memory holds its payload.
    int payloadOffset() {
        return entryOffset + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;
    }

    /// Position of the frame that holds the entry: what the append or commit returned.
    public long position() {
        return FrameDescriptor.position(buffer, frameOffset);
    }

    /// Number of entries before it in its frame: 0 but in a batch.
    public int index() {
        return index;
    }

    /// Its number, counted from the first entry of the journal, which has 0.
    public long sequence() {
        return sequence;
    }

    /// The timestamp of its frame, by convention ns since the epoch; 0 for none.
    public long timestampNs() {
        return FrameDescriptor.timestamp(buffer, frameOffset);
    }

    /// Generation of the writer that appended it: it grows with every opening.
    public int epoch() {
        return FrameDescriptor.epoch(buffer, frameOffset);
    }

    /// The type that the appender gave it, 0 if none.
    public int type() {
        return FrameDescriptor.entryType(buffer, entryOffset);
    }

    /// Length of the payload in bytes.
    public int length() {
        return FrameDescriptor.entryPayloadLength(buffer, entryOffset);
    }

    /// The memory that holds the payload at [#offset]: read-only, native, little else of meaning around it.
    /// Reading from it allocates nothing.
    public MemorySegment buffer() {
        return buffer;
    }

    /// Where the payload begins in [#buffer]: a multiple of 8.
    public long offset() {
        return (long) entryOffset + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;
    }

    /// The payload as a segment of its own, which is a new object.
    public MemorySegment payload() {
        return buffer.asSlice(offset(), length());
    }

    /// A copy of the payload.
    public byte[] toByteArray() {
        byte[] copy = new byte[length()];
        MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, offset(), copy, 0, copy.length);
        return copy;
    }

    @Override
    public String toString() {
        return "Entry[sequence=" + sequence + ", position=" + position() + ", index=" + index + ", length=" + length()
                + "]";
    }
}
