package io.fenceline.journal.persist;

import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Superblock;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;

/// Frames alike that follow each other, of one entry each: what most logs consist of. They are judged as a
/// stretch, by the C kernel where there is one: their checksums do not depend on each other, and a processor that
/// need not come back between two of them computes several at a time (`docs/adr/0004`).
///
/// One thread.
public final class UsualFrames {
    private static final boolean IN_C = NativeKernel.isAvailable();

    /// A call of the kernel delays the JVM's safepoints: bounded.
    private static final int MAXIMUM_STRETCH_BYTES = 64 << 10;

    private final int longest;
    private final int salt;
    private final boolean verify;
    private final Crc32c crc = new Crc32c();

    /// @param verify whether checksums are looked at; else payloads may be damaged
    public UsualFrames(Superblock superblock, boolean verify) {
        this.longest = superblock.geometry().maximumFrameLengthBytes();
        this.salt = superblock.salt();
        this.verify = verify;
    }

    /// How many bytes from a place on are valid frames of one entry that follow each other, and are alike. No
    /// length that a frame tells is believed before it is bounded.
    ///
    /// @param bytes      native memory that nobody stores into meanwhile
    /// @param buffer     the same memory
    /// @param from       a multiple of a slot
    /// @param to         nothing behind it is looked at: a multiple of a slot
    /// @param position   of the first frame
    /// @param sequence   of the first frame; the others follow it
    /// @param attributes of all of them: of frames of kind DATA with one entry
    /// @param ahead      address of bytes that are wanted next, as many as the stretch has; 0 for none
    /// @return whole slots, 0 if the first frame is not like that
    public int lengthBytes(
            MemorySegment bytes,
            ByteBuffer buffer,
            int from,
            int to,
            long position,
            long sequence,
            long attributes,
            long ahead) {
        int end = Math.min(to, from + MAXIMUM_STRETCH_BYTES);
        return IN_C
                ? inC(bytes, from, end, position, sequence, attributes, ahead)
                : inJava(bytes, buffer, from, end, position, sequence, attributes);
    }

    int inC(MemorySegment bytes, int from, int to, long position, long sequence, long attributes, long ahead) {
        try {
            return NativeKernel.run(
                    bytes.address() + from, to - from, position, sequence, attributes, longest, verify, salt, ahead);
        } finally {
            Reference.reachabilityFence(bytes);
        }
    }

    int inJava(
            MemorySegment bytes, ByteBuffer buffer, int from, int to, long position, long sequence, long attributes) {
        int at = from;
        while (to - at >= FrameDescriptor.SLOT_LENGTH_BYTES) {
            int length = FrameDescriptor.length(bytes, at);
            int payloadLength = FrameDescriptor.entryPayloadLength(bytes, at + FrameDescriptor.HEADER_LENGTH_BYTES);
            if (length < 0
                    || length > to - at
                    || length > longest
                    || payloadLength < 0
                    || FrameDescriptor.frameLength(payloadLength) != length
                    || FrameDescriptor.position(bytes, at) != position
                    || FrameDescriptor.sequence(bytes, at) != sequence
                    || FrameDescriptor.attributes(bytes, at) != attributes
                    || (verify
                            && crc.of(buffer, at + FrameDescriptor.CHECKSUM_START, at + length, salt)
                                    != FrameDescriptor.checksum(bytes, at))) {
                break;
            }
            int distance = FrameDescriptor.slotAlignedLength(length);
            at += distance;
            position += distance;
            sequence++;
        }
        return at - from;
    }
}
