package io.fenceline.appender;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.Persister;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/// The entries of one commit, in as many frames as they need, staged one behind the other: all of them are
/// stored, one `store` for each part that is contiguous in the file, and then there is *one* drain.
///
///     stage   | frame 0 | frame 1 | frame 2 |
///     log     | frame 0 | frame 1 | PAD | frame 2 |        DEPENDENT: frame 1, PAD, frame 2
///                                       ^ start of a segment: two stores
///
/// Nobody waits for frame 0 before frame 1 is stored, so a crash may leave the second without the first.
/// Therefore all but the first are DEPENDENT, the PAD too: what it says of the next sequence is true only if what
/// is before it is kept.
///
/// One thread, the appender's. A run is never longer than half a segment, or one frame: it meets at most one
/// start of a segment.
final class FrameRun {
    private static final int FIRST_FRAMES = 8;

    private final Staging staging;
    private final Geometry geometry;
    private final int maximumLengthBytes;

    // Of each frame: where it is staged, its length, its number of entries, its place.
    private int[] starts = new int[FIRST_FRAMES];
    private int[] lengths = new int[FIRST_FRAMES];
    private int[] counts = new int[FIRST_FRAMES];
    private long[] positions = new long[FIRST_FRAMES];
    private int frames;

    private int split;
    private long padPosition;
    private int claimed;
    private int addedLength;
    private long firstSequence;

    /// @param staging            of the appender; the run has it for itself
    /// @param maximumLengthBytes of all frames; one entry always fits
    FrameRun(Staging staging, Geometry geometry, int maximumLengthBytes) {
        this.staging = staging;
        this.geometry = geometry;
        this.maximumLengthBytes = Math.min(maximumLengthBytes, geometry.segmentLengthBytes() / 2);
    }

    /// Whether [#claim] would take an entry of that length: into an empty run always.
    boolean hasRoom(int payloadLength) {
        if (frames == 0) {
            return true;
        }
        int start = fitsLast(payloadLength) ? lengthBytes() : alignedLength() + FrameDescriptor.HEADER_LENGTH_BYTES;
        return (long) start + FrameDescriptor.entryLength(payloadLength) <= maximumLengthBytes;
    }

    private boolean fitsLast(int payloadLength) {
        int last = frames - 1;
        return counts[last] < FrameDescriptor.MAXIMUM_ENTRIES
                && (long) lengths[last] + FrameDescriptor.entryLength(payloadLength)
                        <= geometry.maximumFrameLengthBytes();
    }

    /// End of the last frame in the stage.
    private int lengthBytes() {
        return frames == 0 ? 0 : starts[frames - 1] + lengths[frames - 1];
    }

    private int alignedLength() {
        return FrameDescriptor.slotAlignedLength(lengthBytes());
    }

    /// Makes room for an entry, to be written at the returned offset of [#bytes], then [#add]ed; until then it is
    /// not there. To be asked only if it [#hasRoom].
    int claim(int payloadLength) {
        boolean inLast = frames > 0 && fitsLast(payloadLength);
        int entry = inLast ? lengthBytes() : alignedLength() + FrameDescriptor.HEADER_LENGTH_BYTES;
        int end = FrameDescriptor.slotAlignedLength(entry + FrameDescriptor.entryLength(payloadLength));
        staging.stage.ensure(end, lengthBytes());
        claimed = payloadLength;
        return entry + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;
    }

    /// Adds what was claimed last, and written since.
    void add(int type) {
        if (frames == 0 || !fitsLast(claimed)) {
            begin();
        }
        int last = frames - 1;
        int entry = lengthBytes();
        FrameStage stage = staging.stage;
        stage.entryHeader(entry, claimed, type);
        stage.zeroPad(
                entry + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES + claimed, FrameDescriptor.ENTRY_ALIGNMENT_BYTES);
        lengths[last] += FrameDescriptor.entryLength(claimed);
        counts[last]++;
    }

    /// Adds the first bytes of a segment.
    void add(MemorySegment payload, int payloadLength, int type) {
        int offset = claim(payloadLength);
        staging.stage.copyIn(offset, payload, 0, payloadLength);
        add(type);
    }

    /// Adds entries that lie one behind the other as in a frame, up to the first that is none (its length is
    /// negative), as many as there is room for; the first one in any case.
    ///
    /// @param maximumEntries at least 1
    /// @return how many
    int addAll(MemorySegment source, int from, int to, int maximumEntries) {
        addedLength = 0;
        int added = 0;
        do {
            added += addToOneFrame(source, from + addedLength, to, maximumEntries - added);
        } while (added < maximumEntries && from + addedLength < to && mayFollow(source, from + addedLength));
        return added;
    }

    private boolean mayFollow(MemorySegment source, int entry) {
        int payloadLength = FrameDescriptor.entryPayloadLength(source, entry);
        return payloadLength >= 0 && hasRoom(payloadLength);
    }

    private int addToOneFrame(MemorySegment source, int from, int to, int maximumEntries) {
        int used = lengthBytes();
        if (frames == 0 || !fitsLast(FrameDescriptor.entryPayloadLength(source, from))) {
            begin();
        }
        int last = frames - 1;
        int target = lengthBytes();
        int entries = Math.min(maximumEntries, FrameDescriptor.MAXIMUM_ENTRIES - counts[last]);
        int room = Math.min(geometry.maximumFrameLengthBytes() - lengths[last], maximumLengthBytes - target);
        int at = from;
        int added = 0;
        do {
            at += FrameDescriptor.entryLength(FrameDescriptor.entryPayloadLength(source, at));
            added++;
        } while (added < entries
                && at < to
                && fits(FrameDescriptor.entryPayloadLength(source, at), room - (at - from)));
        staging.stage.ensure(FrameDescriptor.slotAlignedLength(target + at - from), used);
        staging.stage.copyIn(target, source, from, at - from);
        lengths[last] += at - from;
        counts[last] += added;
        addedLength += at - from;
        return added;
    }

    private static boolean fits(int payloadLength, int room) {
        return payloadLength >= 0 && FrameDescriptor.entryLength(payloadLength) <= room;
    }

    /// Bytes that the last [#addAll] took.
    int addedLength() {
        return addedLength;
    }

    private void begin() {
        if (frames == starts.length) {
            starts = Arrays.copyOf(starts, 2 * frames);
            lengths = Arrays.copyOf(lengths, 2 * frames);
            counts = Arrays.copyOf(counts, 2 * frames);
            positions = Arrays.copyOf(positions, 2 * frames);
        }
        int end = lengthBytes();
        staging.stage.zeroPad(end, FrameDescriptor.SLOT_LENGTH_BYTES);
        starts[frames] = FrameDescriptor.slotAlignedLength(end);
        lengths[frames] = FrameDescriptor.HEADER_LENGTH_BYTES;
        counts[frames] = 0;
        frames++;
    }

    /// Where entries are written.
    MemorySegment bytes() {
        return staging.stage.bytes();
    }

    Staging staging() {
        return staging;
    }

    int frames() {
        return frames;
    }

    int frameLength(int frame) {
        return lengths[frame];
    }

    int entries(int frame) {
        return counts[frame];
    }

    long position(int frame) {
        return positions[frame];
    }

    void position(int frame, long position) {
        positions[frame] = position;
    }

    /// Sequence of the first entry, once the run is committed.
    long firstSequence() {
        return firstSequence;
    }

    void firstSequence(long sequence) {
        firstSequence = sequence;
    }

    /// All entries.
    int entries() {
        int sum = 0;
        for (int i = 0; i < frames; i++) {
            sum += counts[i];
        }
        return sum;
    }

    /// Gives each frame its place, from a position on.
    ///
    /// @return where the last one ends
    long place(long start) {
        long at = start;
        long end = geometry.segmentEnd(start);
        split = frames;
        padPosition = -1;
        for (int i = 0; i < frames; i++) {
            int slots = FrameDescriptor.slotAlignedLength(lengths[i]);
            if (split == frames && at + slots > end) {
                split = i;
                padPosition = at < end ? at : -1;
                at = end;
            }
            positions[i] = at;
            at += slots;
        }
        return at;
    }

    /// The first frame that lies in another segment than [#place] was given, or [#frames] if none does.
    int split() {
        return split;
    }

    /// Sequence of a frame's first entry.
    long sequence(int frame, long firstSequence) {
        long sequence = firstSequence;
        for (int i = 0; i < frame; i++) {
            sequence += counts[i];
        }
        return sequence;
    }

    /// Stores all frames at their places; the caller drains.
    void store(Persister persister, long firstSequence, long timestampNs, int epoch, int salt) {
        FrameStage stage = staging.stage;
        stage.zeroPad(lengthBytes(), FrameDescriptor.SLOT_LENGTH_BYTES);
        long sequence = firstSequence;
        for (int i = 0; i < frames; i++) {
            FrameDescriptor.writeHeader(
                    stage.bytes(),
                    starts[i],
                    lengths[i],
                    positions[i],
                    sequence,
                    timestampNs,
                    epoch,
                    FrameDescriptor.KIND_DATA,
                    i == 0 ? 0 : FrameDescriptor.FLAG_DEPENDENT,
                    counts[i]);
            stage.checksum(starts[i], starts[i] + lengths[i], salt);
            sequence += counts[i];
        }
        if (split < frames) {
            storeStage(persister, positions[split], starts[split], alignedLength());
        }
        // What lies behind the split is stored: its first slot in the stage is free for the PAD, right behind frame
        // split − 1, so that both go in one store. Before the drain the order of stores means nothing.
        int firstEnd = split < frames ? starts[split] : alignedLength();
        if (padPosition >= 0) {
            stagePad(firstEnd, sequence(split, firstSequence), epoch, salt);
            firstEnd += FrameDescriptor.SLOT_LENGTH_BYTES;
        }
        if (firstEnd > 0) {
            storeStage(persister, split > 0 ? positions[0] : padPosition, 0, firstEnd);
        }
    }

    private void storeStage(Persister persister, long position, int from, int to) {
        persister.store(geometry.fileOffset(position), staging.stage.address() + from, to - from);
    }

    private void stagePad(int offset, long sequence, int epoch, int salt) {
        FrameStage stage = staging.stage;
        stage.zero(offset, offset + FrameDescriptor.SLOT_LENGTH_BYTES);
        FrameDescriptor.writeHeader(
                stage.bytes(),
                offset,
                (int) (geometry.segmentEnd(padPosition) - padPosition),
                padPosition,
                sequence,
                0,
                epoch,
                FrameDescriptor.KIND_PAD,
                split == 0 ? 0 : FrameDescriptor.FLAG_DEPENDENT,
                0);
        stage.checksum(offset, offset + FrameDescriptor.SLOT_LENGTH_BYTES, salt);
    }

    /// Keeps some entries only, in their order: on the rare way of a run that was refused.
    ///
    /// @param kept tells by an entry's index
    void retain(IntPredicate kept) {
        List<byte[]> payloads = new ArrayList<>();
        List<Integer> types = new ArrayList<>();
        int index = 0;
        for (int i = 0; i < frames; i++) {
            int at = starts[i] + FrameDescriptor.HEADER_LENGTH_BYTES;
            for (int k = 0; k < counts[i]; k++) {
                int length = FrameDescriptor.entryPayloadLength(bytes(), at);
                if (kept.test(index++)) {
                    byte[] payload = new byte[length];
                    MemorySegment.copy(
                            bytes(),
                            ValueLayout.JAVA_BYTE,
                            at + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES,
                            payload,
                            0,
                            length);
                    payloads.add(payload);
                    types.add(FrameDescriptor.entryType(bytes(), at));
                }
                at += FrameDescriptor.entryLength(length);
            }
        }
        clear();
        for (int i = 0; i < payloads.size(); i++) {
            add(MemorySegment.ofArray(payloads.get(i)), payloads.get(i).length, types.get(i));
        }
    }

    /// Forgets all entries.
    void clear() {
        frames = 0;
    }
}
