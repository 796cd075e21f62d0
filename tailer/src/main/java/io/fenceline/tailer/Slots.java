package io.fenceline.tailer;

import io.fenceline.journal.format.Bytes;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.recovery.LogReader;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/// Looks at single slots of the mapped ring, anywhere in what is published: is there a frame, and what does its
/// header say? What is judged is a private copy, taken by the rule of [Window].
///
/// Two grades of certainty. [#certify] needs to know nothing: a slot that certifies begins a frame. [#glance] is
/// for places where a frame is known to begin (a segment's start, the end of the frame before), and does not read
/// through a long one.
///
/// One thread. After the journal was closed, every method throws `IllegalStateException`.
final class Slots {
    /// No frame was found, because the search was given up: slots that claim to begin a long
    /// frame, and do not, would make it take the square of its length.
    static final long LOST = -1;

    private static final int MAXIMUM_FAILURES = 16;
    private static final int CHUNK_LENGTH_BYTES = 64 << 10;
    private static final int SLOT = FrameDescriptor.SLOT_LENGTH_BYTES;

    private final LogView view;
    private final Geometry geometry;
    private final MemorySegment mapping;
    private final int salt;
    private final Crc32c crc = new Crc32c();
    private final ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_LENGTH_BYTES);
    private final MemorySegment chunkBytes = MemorySegment.ofBuffer(chunk);
    private final MemorySegment header = MemorySegment.ofBuffer(ByteBuffer.allocateDirect(SLOT));
    private long position;
    private int failures;
    private long slotsRead;

    /// The ring went past what was looked at.
    static final class Overtaken extends RuntimeException {
        private static final long serialVersionUID = 1;

        Overtaken() {
            super(null, null, false, false);
        }
    }

    Slots(LogView view) {
        this.view = view;
        this.geometry = view.superblock().geometry();
        this.mapping = view.mapping();
        this.salt = view.superblock().salt();
    }

    /// Reads the mapped bytes; what it reads may be overwritten meanwhile.
    static LogReader reader(LogView view) {
        return (fileOffset, destination, destinationOffset, lengthBytes) ->
                copy(view.mapping(), fileOffset, destination, destinationOffset, lengthBytes);
    }

    /// In pieces: a copy is one leaf call, during which no safepoint is possible.
    private static void copy(MemorySegment from, long fileOffset, MemorySegment to, long toOffset, long length) {
        for (long done = 0; done < length; done += CHUNK_LENGTH_BYTES) {
            long piece = Math.min(CHUNK_LENGTH_BYTES, length - done);
            MemorySegment.copy(from, fileOffset + done, to, toOffset + done, piece);
        }
    }

    /// Judges a slot by its header.
    ///
    /// @return DATA if it is right, whatever the kind
    FrameVerdict header(long position) {
        this.position = position;
        slotsRead++;
        MemorySegment.copy(mapping, geometry.fileOffset(position), header, 0, SLOT);
        requireRetained(position);
        return FrameVerdict.ofHeader(header, 0, position, geometry, 0, Integer.MAX_VALUE);
    }

    /// Judges a slot where a frame is known to begin: a long one by its header only.
    FrameVerdict glance(long position) {
        FrameVerdict found = header(position);
        if (found != FrameVerdict.DATA) {
            return found;
        }
        return checksummedLength() > CHUNK_LENGTH_BYTES ? FrameVerdict.ofKind(header, 0) : judge();
    }

    /// Judges any slot.
    FrameVerdict certify(long position) {
        FrameVerdict found = header(position);
        return found == FrameVerdict.DATA ? judge() : found;
    }

    private FrameVerdict judge() {
        int end = checksummedLength();
        long fileOffset = geometry.fileOffset(position);
        crc.start(salt);
        for (int done = 0; done < end; done += CHUNK_LENGTH_BYTES) {
            int piece = Math.min(CHUNK_LENGTH_BYTES, end - done);
            MemorySegment.copy(mapping, fileOffset + done, chunkBytes, 0, piece);
            crc.add(chunk, done == 0 ? FrameDescriptor.CHECKSUM_START : 0, piece);
        }
        requireRetained(position);
        return crc.value() == FrameDescriptor.checksum(header, 0)
                ? FrameVerdict.ofKind(header, 0)
                : FrameVerdict.BAD_CHECKSUM;
    }

    private int checksummedLength() {
        return FrameDescriptor.checksummedLength(kind(), FrameDescriptor.length(header, 0));
    }

    private void requireRetained(long position) {
        VarHandle.acquireFence();
        if (view.retained() > position) {
            throw new Overtaken();
        }
    }

    /// The first slot in [from, to) that begins a frame, which was judged last.
    ///
    /// @return `to` if there is none, or [#LOST]
    long first(long from, long to) {
        failures = 0;
        long at = from;
        while (at < to) {
            long end = Math.min(to, geometry.segmentEnd(at));
            long toFile = geometry.fileOffset(at) - at;
            for (; at < end; at += SLOT) {
                if (claims(at, toFile)) {
                    if (certify(at).isValid()) {
                        return at;
                    }
                    if (isLost()) {
                        return LOST;
                    }
                }
            }
        }
        return to;
    }

    /// The last slot in [from, to), within one segment, that begins a frame, which was judged last.
    ///
    /// @return [#LOST] if there is none, or none was found
    long last(long from, long to) {
        failures = 0;
        long toFile = geometry.fileOffset(from) - from;
        for (long at = to - SLOT; at >= from; at -= SLOT) {
            if (claims(at, toFile)) {
                if (certify(at).isValid()) {
                    return at;
                }
                if (isLost()) {
                    return lastOfChain(geometry.segmentStart(from), from, to);
                }
            }
        }
        return LOST;
    }

    /// Forwards, from a place where a frame begins: the payloads do not count.
    private long lastOfChain(long start, long from, long to) {
        long found = LOST;
        long at = start;
        while (at < to && header(at) == FrameVerdict.DATA) {
            found = at;
            at = next();
        }
        return found >= from && certify(found).isValid() ? found : LOST;
    }

    /// Whether a slot names the position where it lies.
    private boolean claims(long at, long toFile) {
        slotsRead++;
        return mapping.get(Bytes.I64, toFile + at + FrameDescriptor.POSITION_OFFSET) == at;
    }

    private boolean isLost() {
        return checksummedLength() > CHUNK_LENGTH_BYTES && ++failures >= MAXIMUM_FAILURES;
    }

    /// Where the frame ends that was judged last.
    long next() {
        return position + Judge.distance(header, 0);
    }

    long sequence() {
        return FrameDescriptor.sequence(header, 0);
    }

    long timestamp() {
        return FrameDescriptor.timestamp(header, 0);
    }

    int entries() {
        return FrameDescriptor.entries(header, 0);
    }

    int epoch() {
        return FrameDescriptor.epoch(header, 0);
    }

    int kind() {
        return FrameDescriptor.kind(header, 0);
    }

    /// Slots looked at so far.
    long slotsRead() {
        return slotsRead;
    }
}
