package io.fenceline.journal.positions;

import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.Persister;

/// Maps the segment ahead of the writer in, on a thread of its own, so that an append meets no page fault. Each
/// segment is populated once a mapping; after the first lap there is nothing left to do, and the thread ends.
final class SegmentPopulator implements AutoCloseable {
    private static final long STEP_LENGTH_BYTES = 2 << 20;

    private final Persister persister;
    private final Geometry geometry;
    private final long end;
    private final Thread thread;
    private long wanted;
    private volatile long populated;
    private volatile boolean closed;

    /// @param position where the writer begins
    SegmentPopulator(Persister persister, Geometry geometry, long position) {
        this.persister = persister;
        this.geometry = geometry;
        populated = position;
        wanted = Math.min(
                geometry.segmentEnd(position) + geometry.segmentLengthBytes(), position + geometry.capacityBytes());
        end = position + geometry.capacityBytes();
        thread = Thread.ofPlatform().daemon().name("fenceline-populate").unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /// The writer enters a segment: asks for the one behind it, and waits until this one is there.
    void enter(long segmentStart) {
        if (populated >= end) {
            return;
        }
        synchronized (this) {
            // A thread that comes late must not take back what a later one has asked for.
            wanted = Math.max(wanted, Math.min(end, segmentStart + 2L * geometry.segmentLengthBytes()));
            notifyAll();
            boolean interrupted = false;
            long needed = Math.min(end, segmentStart + geometry.segmentLengthBytes());
            while (!closed && thread.isAlive() && populated < needed) {
                try {
                    wait(100);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void run() {
        while (!closed && populated < end) {
            long from = populated;
            synchronized (this) {
                while (!closed && from >= wanted) {
                    try {
                        wait();
                    } catch (InterruptedException e) {
                        return;
                    }
                }
            }
            if (closed) {
                return;
            }
            long to = Math.min(Math.min(from + STEP_LENGTH_BYTES, geometry.segmentEnd(from)), end);
            persister.populate(geometry.fileOffset(from), to - from);
            synchronized (this) {
                populated = to;
                notifyAll();
            }
        }
    }

    /// Ends the thread; afterwards nothing touches the mapping.
    @Override
    public void close() {
        closed = true;
        synchronized (this) {
            notifyAll();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
