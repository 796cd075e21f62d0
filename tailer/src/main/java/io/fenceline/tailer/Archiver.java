package io.fenceline.tailer;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.SealedSegment;
import io.fenceline.journal.SegmentConsumer;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.positions.LogView;

/// Hands the sealed segments of a journal to a consumer, in order, before the ring reuses them.
///
///     try (Archive archive = Archive.open(path, journal);
///             Archiver archiver = Archiver.open(journal, "archive", archive)) {
///         archiver.poll(Integer.MAX_VALUE);
///     }
///
/// What the consumer has taken is confirmed by a gating [Cursor], durable by the journal's level: the writer reuses
/// nothing behind that, also while no archiver runs, until the cursor is removed or further behind than
/// [io.fenceline.journal.JournalConfig#withGateLagLimitBytes]. After a crash, segments that were not confirmed are
/// handed over again: *at least once*.
///
/// The segment that is written now is not sealed: an archive ends where that begins, and the ring goes on there
/// ([ArchivedTailer] reads both as one log).
///
/// Threads: one at a time; in the writer's process or in another one, one archiver of a name.
public final class Archiver implements AutoCloseable {
    private static final long UNKNOWN = Long.MIN_VALUE;

    private final JournalSource source;
    private final LogView view;
    private final Geometry geometry;
    private final String name;
    private final SegmentConsumer consumer;
    private Cursor cursor;
    private long generation = UNKNOWN;
    private boolean closed;

    private Archiver(JournalSource source, String name, SegmentConsumer consumer) {
        this.source = source;
        this.view = source.view();
        this.geometry = view.superblock().geometry();
        this.name = name;
        this.consumer = consumer;
        this.cursor = openCursor();
    }

    /// Goes on where the cursor of that name was committed, or makes it at the oldest segment; from now on the ring
    /// is held there.
    ///
    /// @param name     as of a [Cursor]
    /// @param consumer not closed by the archiver
    /// @throws JournalException.Locked if an archiver of that name is open
    /// @throws JournalException        as [Cursor#open]
    public static Archiver open(JournalSource source, String name, SegmentConsumer consumer) {
        return new Archiver(source, name, consumer);
    }

    private Cursor openCursor() {
        Cursor opened = Cursor.open(source, name, CursorConfig.defaults().withGating(true));
        if (opened.resumption() == Cursor.Resumption.NEW && opened.position() < source.retained()) {
            opened.commitAt(source.retained()); // a fast writer went past it before the gate was there
        }
        return opened;
    }

    /// Hands over what is sealed by now.
    ///
    /// @param limit at most so many segments
    /// @return how many were handed over and confirmed
    /// @throws JournalException if the ring went past (it was not held any more), if the storage fails, or what the
    ///                          consumer throws
    public int poll(int limit) {
        requireOpen();
        int handed = 0;
        while (handed < limit && source.published() != confirmed()) {
            if (view.generation() != generation && !resume()) {
                break;
            }
            long start = geometry.segmentStart(confirmed());
            if (source.published() < start + geometry.segmentLengthBytes()) {
                break;
            }
            SealedSegment segment = seal(start);
            consumer.accept(segment);
            if (view.generation() == generation) {
                cursor.commitAt(segment.end());
                handed++;
            }
        }
        return handed;
    }

    private SealedSegment seal(long start) {
        if (source.retained() > start) {
            throw new JournalException(view.name() + ": segments from position " + start + " to " + source.retained()
                    + " were given up before they were archived: the ring was not held, or the archiver was beyond the"
                    + " lag limit; remove cursor '" + name + "' and begin a new archive");
        }
        return new SealedSegment(view, start);
    }

    /// Looks whether the end of the log was cut off, perhaps before what was confirmed.
    ///
    /// @return false while that is under way
    private boolean resume() {
        long now = view.generation();
        if (LogView.isCutting(now) && now >= 0) {
            return false;
        }
        cursor.close();
        cursor = openCursor();
        if (cursor.resumption() == Cursor.Resumption.TRUNCATED) {
            consumer.truncate(geometry.segmentStart(cursor.position()));
            cursor.commit();
        }
        generation = now;
        return true;
    }

    /// Waits, without using the processor, for something that is published behind what is confirmed and sealed. To
    /// be called after a [#poll] that returned 0.
    ///
    /// @param timeoutNs at most so long
    /// @return whether a segment may be sealed now
    /// @throws InterruptedException if the thread is interrupted
    public boolean await(long timeoutNs) throws InterruptedException {
        requireOpen();
        long end = geometry.segmentEnd(confirmed());
        long startNs = System.nanoTime();
        for (long seen = source.published(); seen < end; seen = source.published()) {
            long leftNs = timeoutNs - (System.nanoTime() - startNs);
            if (leftNs <= 0) {
                return false;
            }
            if (cursor.tailer().awaitBehind(seen, leftNs) && source.published() < end) {
                Thread.sleep(1); // so that not each entry that does not fill the segment yet wakes it
            }
        }
        return true;
    }

    /// Everything before it is safe with the consumer, durably known.
    public long confirmed() {
        return cursor.committedPosition();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the archiver is closed");
        }
    }

    /// Ends; the ring stays held at what is confirmed.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            cursor.close();
        }
    }
}
