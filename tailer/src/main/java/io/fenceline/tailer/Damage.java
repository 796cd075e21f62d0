package io.fenceline.tailer;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.recovery.FrameReader;
import org.jspecify.annotations.Nullable;

/// How a tailer gets past damage: at the next frame that certifies itself, whatever its checksum option. Looking
/// for it takes time in proportion to the damage, whatever the bytes are. One thread.
final class Damage {
    private final LogView view;
    private final Geometry geometry;
    private final DamageHandler handler;
    private @Nullable FrameReader frames;
    private long sequence;

    private Damage(LogView view, DamageHandler handler) {
        this.view = view;
        this.geometry = view.superblock().geometry();
        this.handler = handler;
    }

    /// @return null without a handler: then damage is an exception
    static @Nullable Damage of(LogView view, @Nullable DamageHandler handler) {
        return handler == null ? null : new Damage(view, handler);
    }

    /// Where the damage ends that begins at a position.
    ///
    /// @param limit        at most here, in the same segment
    /// @param minimumEpoch of frames behind it
    /// @throws IllegalStateException if the journal is closed
    long end(long from, long limit, int minimumEpoch) {
        FrameReader reader = frames;
        if (reader == null) {
            reader = new FrameReader(Slots.reader(view), view.superblock());
            frames = reader;
        }
        reader.refresh();
        sequence = Forwards.UNKNOWN;
        long end = Math.min(limit, geometry.segmentEnd(from));
        for (long at = from + FrameDescriptor.SLOT_LENGTH_BYTES; at < end; at += FrameDescriptor.SLOT_LENGTH_BYTES) {
            if (reader.certify(at, minimumEpoch, Integer.MAX_VALUE).isValid()) {
                sequence = reader.sequence();
                return at;
            }
        }
        return end;
    }

    /// Sequence of the frame that the last [#end] found; [Forwards#UNKNOWN] if none.
    long sequence() {
        return sequence;
    }

    static SkippedRange range(
            long from, long to, long sequenceBefore, long sequenceBehind, JournalException.Corrupt problem) {
        boolean known = sequenceBefore != Forwards.UNKNOWN && sequenceBehind >= sequenceBefore;
        return new SkippedRange(from, to, known ? sequenceBehind - sequenceBefore : Forwards.UNKNOWN, problem);
    }

    void report(SkippedRange range) {
        handler.onDamage(range);
    }
}
