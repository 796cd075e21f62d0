package io.fenceline.journal.format;

import java.lang.foreign.MemorySegment;

/// What the bytes at a slot are. The numbers are those of the rule in `docs/FORMAT.md`: a frame is valid if and only if
/// (1) its length is within bounds and inside the segment, (2) its position is exactly where it lies, (3) its epoch
/// fits, and (4) its checksum matches.
public enum FrameVerdict {
    /// A valid frame with entries.
    DATA(true, "valid"),
    /// A valid PAD left by rotation.
    PAD(true, "valid"),
    /// A valid PAD left by recovery.
    SEAL(true, "valid"),
    /// A valid frame of an unknown kind that may be skipped.
    SKIPPABLE(true, "valid, of an unknown kind that may be skipped"),
    /// The checksum matches, but kind or flags are unknown to this version and may not be skipped.
    UNKNOWN(false, "of an unknown kind or with unknown flags"),
    /// Nothing was ever written here.
    EMPTY(false, "(0) empty"),
    /// (1) The length is out of bounds or leaves the segment.
    BAD_LENGTH(false, "(1) length out of bounds"),
    /// (2) The position is another one: a stale lap, payload bytes, or a misdirected write.
    BAD_POSITION(false, "(2) position is not where it lies"),
    /// (3) The epoch decreases, or is not the one that the state record names.
    BAD_EPOCH(false, "(3) epoch does not fit"),
    /// (4) The checksum does not match.
    BAD_CHECKSUM(false, "(4) checksum does not match"),
    /// The checksum matches, but the entries do not fill the frame.
    BAD_ENTRIES(false, "entries do not fill the frame"),
    /// The frame is valid, but its sequence is not the one that follows the frame before; found by verify only.
    BAD_SEQUENCE(false, "sequence is not the next one"),
    /// The storage could not read the bytes.
    UNREADABLE(false, "unreadable");

    private final boolean valid;
    private final String text;

    FrameVerdict(boolean valid, String text) {
        this.valid = valid;
        this.text = text;
    }

    /// Whether the slot begins a frame that may be followed to the next one.
    public boolean isValid() {
        return valid;
    }

    /// For people.
    public String text() {
        return text;
    }

    /// Judges a header by (1) to (3), and an empty slot. Nothing beyond the first slot is read.
    ///
    /// @param bytes        hold the slot
    /// @param offset       where they do
    /// @param position     where the slot lies in the stream
    /// @param geometry     of the journal
    /// @param minimumEpoch no smaller one fits
    /// @param maximumEpoch no greater one fits
    /// @return [#DATA] if they hold, whatever the kind; else what is wrong
    public static FrameVerdict ofHeader(
            MemorySegment bytes, long offset, long position, Geometry geometry, int minimumEpoch, int maximumEpoch) {
        int length = FrameDescriptor.length(bytes, offset);
        int kind = FrameDescriptor.kind(bytes, offset);
        long framePosition = FrameDescriptor.position(bytes, offset);
        if (length == 0 && framePosition == 0 && kind == 0) {
            return EMPTY;
        }
        long room = geometry.segmentEnd(position) - position;
        boolean inBounds = kind == FrameDescriptor.KIND_PAD
                ? length >= FrameDescriptor.SLOT_LENGTH_BYTES
                        && length % FrameDescriptor.SLOT_LENGTH_BYTES == 0
                        && length <= room
                : length >= FrameDescriptor.HEADER_LENGTH_BYTES
                        && length <= geometry.maximumFrameLengthBytes()
                        && FrameDescriptor.slotAlignedLength(length) <= room;
        if (!inBounds) {
            return BAD_LENGTH;
        }
        if (framePosition != position) {
            return BAD_POSITION;
        }
        int epoch = FrameDescriptor.epoch(bytes, offset);
        return epoch < minimumEpoch || epoch > maximumEpoch ? BAD_EPOCH : DATA;
    }

    /// Judges kind and flags of a frame whose header and checksum are right.
    public static FrameVerdict ofKind(MemorySegment bytes, long offset) {
        int flags = FrameDescriptor.flags(bytes, offset);
        int kind = FrameDescriptor.kind(bytes, offset);
        if ((flags & ~FrameDescriptor.KNOWN_FLAGS) != 0) {
            return UNKNOWN;
        }
        return switch (kind) {
            case FrameDescriptor.KIND_DATA ->
                FrameDescriptor.entries(bytes, offset) == 0 || FrameDescriptor.sequence(bytes, offset) < 0
                        ? BAD_ENTRIES
                        : DATA;
            case FrameDescriptor.KIND_PAD -> (flags & FrameDescriptor.FLAG_SEAL) != 0 ? SEAL : PAD;
            default -> (kind & FrameDescriptor.KIND_SKIPPABLE_BIT) != 0 ? SKIPPABLE : UNKNOWN;
        };
    }
}
