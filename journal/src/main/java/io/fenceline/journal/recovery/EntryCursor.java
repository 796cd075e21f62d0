package io.fenceline.journal.recovery;

import io.fenceline.journal.format.FrameDescriptor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// Goes through the entries of the frame that a [FrameReader] judged last, in memory of fixed size: an entry is a place
/// in the frame, its payload is read piece by piece.
///
///     cursor.begin(); while (cursor.next()) { …cursor.type(), cursor.payloadLength(), cursor.read(…)… }
///
/// Trusts no length: `next` ends where an entry would leave the frame. One thread.
public final class EntryCursor {
    private static final int WINDOW_LENGTH_BYTES = 64 << 10;
    private static final int FIRST_WINDOW_LENGTH_BYTES = 1 << 10;

    private final FrameReader frames;
    private final MemorySegment window = MemorySegment.ofBuffer(ByteBuffer.allocateDirect(WINDOW_LENGTH_BYTES));
    private long windowStart;
    private long windowEnd;
    private int frameLength;
    private int entries;
    private int index;
    private int next;
    private int payloadOffset;
    private int payloadLength;
    private int type;

    public EntryCursor(FrameReader frames) {
        this.frames = frames;
    }

    /// Begins before the first entry of a frame with entries.
    public void begin() {
        frameLength = frames.length();
        entries = frames.kind() == FrameDescriptor.KIND_DATA ? frames.entries() : 0;
        index = -1;
        next = FrameDescriptor.HEADER_LENGTH_BYTES;
        windowStart = windowEnd = 0;
    }

    /// Goes to the next entry.
    ///
    /// @return false at the end, or where no whole entry is left
    public boolean next() {
        if (index + 1 >= entries || frameLength - next < FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES) {
            return false;
        }
        ensureHeader();
        long at = next - windowStart;
        payloadLength = FrameDescriptor.entryPayloadLength(window, at);
        type = FrameDescriptor.entryType(window, at);
        payloadOffset = next + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;
        if (payloadLength < 0 || payloadLength > frameLength - payloadOffset) {
            return false;
        }
        next = payloadOffset - FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES + FrameDescriptor.entryLength(payloadLength);
        index++;
        return true;
    }

    /// Whether the entries fill the frame exactly; goes through all that are left.
    public boolean fillsFrame() {
        while (next()) {
            // its header is all that counts
        }
        return index + 1 == entries && next == frameLength;
    }

    /// Windows grow while entries are near each other, so that neither many small nor few large ones read much.
    private void ensureHeader() {
        int length = FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;
        if (next >= windowStart && next + length <= windowEnd) {
            return;
        }
        boolean near = windowEnd > 0 && next < windowEnd + WINDOW_LENGTH_BYTES;
        long ahead = near ? Math.min(WINDOW_LENGTH_BYTES, 4 * (windowEnd - windowStart)) : FIRST_WINDOW_LENGTH_BYTES;
        int toRead = (int) Math.min(Math.max(ahead, length), frameLength - next);
        windowStart = windowEnd = 0;
        frames.readFrame(next, window, toRead);
        windowStart = next;
        windowEnd = (long) next + toRead;
    }

    /// Counts from 0.
    public int index() {
        return index;
    }

    public int type() {
        return type;
    }

    public int payloadLength() {
        return payloadLength;
    }

    /// Where the payload begins, counted from the start of the frame.
    public int payloadOffset() {
        return payloadOffset;
    }

    /// Reads a piece of the payload.
    ///
    /// @param from        index of the first byte in the payload
    /// @param destination takes the bytes at its start
    /// @param lengthBytes how many, inside the payload
    /// @throws io.fenceline.journal.JournalException.Io if they cannot be read
    public void read(int from, MemorySegment destination, int lengthBytes) {
        frames.readFrame((long) payloadOffset + from, destination, lengthBytes);
    }
}
