package io.fenceline.journal.recovery;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.positions.LogView;

/// How many entries lie between a place in the log and what is published at one moment. Only reads: headers from the
/// durable floor on, which is no further away than a lease, so it costs the same for one reader and for a thousand.
///
/// An entry is counted by its sequence, so numbers that a crash left out count.
public final class EntryLag {
    /// The count cannot be told: the log is being cut, or the place was overwritten meanwhile.
    public static final long UNKNOWN = -1;

    private final FrameReader frames;
    private final long published;
    private final long nextSequence;

    private EntryLag(FrameReader frames, long published, long nextSequence) {
        this.frames = frames;
        this.published = published;
        this.nextSequence = nextSequence;
    }

    /// Looks at the log now.
    public static EntryLag of(LogView view) {
        FrameReader frames = new FrameReader(view.reader(), view.superblock());
        long generation = view.generation();
        StateRecord state = view.newestState();
        long published = view.published();
        long position = state.floor();
        long sequence = state.floorSequence();
        while (position < published) {
            if (frames.certifyHeader(position, 0, Integer.MAX_VALUE) != FrameVerdict.DATA) {
                break;
            }
            if (frames.kind() == FrameDescriptor.KIND_DATA) {
                sequence = frames.sequence() + frames.entries();
            }
            position = frames.nextPosition();
        }
        boolean known = position == published && view.isUnchanged(generation, published);
        return new EntryLag(frames, published, known ? sequence : UNKNOWN);
    }

    /// The position that the lag is counted to.
    public long published() {
        return published;
    }

    /// Sequence of the next entry at that position, or [#UNKNOWN].
    public long nextSequence() {
        return nextSequence;
    }

    /// Entries from the one with a sequence on.
    ///
    /// @return 0 or more, or [#UNKNOWN]
    public long fromSequence(long sequence) {
        return nextSequence == UNKNOWN ? UNKNOWN : Math.max(0, nextSequence - sequence);
    }

    /// Entries from the start of a frame on.
    ///
    /// @return 0 or more, or [#UNKNOWN]
    public long fromPosition(long position) {
        if (position >= published) {
            return 0;
        }
        boolean known = frames.certifyHeader(position, 0, Integer.MAX_VALUE) == FrameVerdict.DATA;
        return known ? fromSequence(frames.sequence()) : UNKNOWN;
    }
}
