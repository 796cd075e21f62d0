package io.fenceline.journal;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.recovery.FrameReader;

/// How much of a journal is kept: the newest bytes, the youngest entries, or both, in whole segments. Immutable;
/// each `with…` returns a changed copy.
///
///     Retention keep = Retention.everything().withMaximumLengthBytes(1L <<
/// 30).withMaximumAgeNs(Duration.ofDays(7).toNanos());
///     keep.apply(journal); // now and then: by whoever appends, or by a timer
///
/// What one of the limits does not keep is given up by [#apply], through [Journal#retain], or by the writer itself
/// when the ring needs room ([JournalConfig#withRetention]). Gates, such as those of an archiver, are stronger.
public final class Retention {
    private static final Retention EVERYTHING = new Retention(Long.MAX_VALUE, Long.MAX_VALUE);

    private final long maximumLengthBytes;
    private final long maximumAgeNs;

    private Retention(long maximumLengthBytes, long maximumAgeNs) {
        this.maximumLengthBytes = maximumLengthBytes;
        this.maximumAgeNs = maximumAgeNs;
    }

    /// Gives nothing up.
    public static Retention everything() {
        return EVERYTHING;
    }

    /// Keeps that many bytes of the log, or up to a segment more.
    ///
    /// @throws IllegalArgumentException if negative
    public Retention withMaximumLengthBytes(long maximumLengthBytes) {
        if (maximumLengthBytes < 0) {
            throw new IllegalArgumentException("maximum length " + maximumLengthBytes + " bytes: expected 0 or more");
        }
        return new Retention(maximumLengthBytes, maximumAgeNs);
    }

    /// Keeps entries whose frames' timestamps are no older than that, and older ones as long as they share a
    /// segment with one that is kept. A segment counts as young as the next frame with entries behind it, or as
    /// young as can be if that has no timestamp (0, [TimestampMode#NONE]); the segment that is written is always
    /// kept. Timestamps are taken for ns since the epoch.
    ///
    /// @throws IllegalArgumentException if negative
    public Retention withMaximumAgeNs(long maximumAgeNs) {
        if (maximumAgeNs < 0) {
            throw new IllegalArgumentException("maximum age " + maximumAgeNs + " ns: expected 0 or more");
        }
        return new Retention(maximumLengthBytes, maximumAgeNs);
    }

    /// Gives up what is not to be kept now. Durable when it returns; reads one frame of each segment that may be
    /// too old.
    ///
    /// @return the oldest position that is readable now
    public long apply(Journal journal) {
        return apply(journal, System.currentTimeMillis() * 1_000_000L);
    }

    /// The same at another time, in ns since the epoch.
    public long apply(Journal journal, long nowNs) {
        LogView view = journal.view();
        long position = oldestKept(
                new FrameReader(view.reader(), view.superblock()),
                view.superblock().geometry(),
                view.retained(),
                journal.published(),
                nowNs);
        return position > journal.retained() ? journal.retain(position) : journal.retained();
    }

    /// Whether nothing is ever given up.
    public boolean isEverything() {
        return maximumLengthBytes == Long.MAX_VALUE && maximumAgeNs == Long.MAX_VALUE;
    }

    /// Everything before the segment of the position that this returns is not to be kept.
    @SuppressWarnings("exports")
    public long oldestKept(FrameReader frames, Geometry geometry, long retained, long published, long nowNs) {
        long position = Math.max(0, published - Math.min(published, maximumLengthBytes));
        return maximumAgeNs == Long.MAX_VALUE
                ? position
                : Math.max(position, oldestYoung(frames, geometry, retained, published, nowNs));
    }

    /// The start of the oldest segment behind which no frame is too old.
    private long oldestYoung(FrameReader frames, Geometry geometry, long retained, long published, long nowNs) {
        frames.refresh();
        long start = retained;
        for (long next = geometry.segmentEnd(start); next < published; next = geometry.segmentEnd(next)) {
            if (!findEntries(frames, next, Math.min(published, geometry.segmentEnd(next)))) {
                continue; // PADs only: as old as what comes behind them
            }
            if (frames.timestamp() == 0 || nowNs - frames.timestamp() <= maximumAgeNs) {
                break;
            }
            start = next;
        }
        return start;
    }

    /// Goes to the first frame with entries in a segment.
    ///
    /// @return false if there is none
    private static boolean findEntries(FrameReader frames, long from, long to) {
        for (long position = from; position < to; ) {
            FrameVerdict verdict = frames.certify(position, 0, Integer.MAX_VALUE);
            if (verdict == FrameVerdict.DATA) {
                return true;
            }
            position = verdict.isValid() ? frames.nextPosition() : position + FrameDescriptor.SLOT_LENGTH_BYTES;
        }
        return false;
    }
}
