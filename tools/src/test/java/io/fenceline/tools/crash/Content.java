package io.fenceline.tools.crash;

import io.fenceline.tailer.Entry;
import io.fenceline.tailer.EntryHandler;
import java.util.Arrays;

/// Holds every delivered entry against the workload, and tells of each frame once it was delivered whole.
final class Content implements EntryHandler {
    private final Workload workload;
    private final FrameHandler frames;
    private int entriesOfFrame;
    private long firstSequence;

    /// Takes frames.
    @FunctionalInterface
    interface FrameHandler {
        void onFrame(long position, long firstSequence, int entries, int epoch);
    }

    Content(Workload workload, FrameHandler frames) {
        this.workload = workload;
        this.frames = frames;
    }

    @Override
    public void onEntry(Entry entry) {
        int epoch = entry.epoch();
        long sequence = entry.sequence();
        if (entry.index() == 0) {
            expect(entry, "previous frame delivered whole, entries left over", 0, entriesOfFrame);
            firstSequence = sequence;
            entriesOfFrame = workload.entries(epoch, sequence);
        }
        boolean batched = workload.entries(epoch, firstSequence) > 1;
        expect(entry, "first sequence of its frame", firstSequence, sequence - entry.index());
        expect(entry, "timestamp", workload.timestampNs(epoch, firstSequence), entry.timestampNs());
        expect(entry, "type", workload.type(epoch, sequence), entry.type());
        expect(entry, "length", workload.lengthBytes(epoch, sequence, batched), entry.length());
        byte[] expected = workload.payload(epoch, sequence, batched);
        byte[] actual = entry.toByteArray();
        expect(entry, "first byte that differs", -1, Arrays.mismatch(expected, actual));
        if (--entriesOfFrame == 0) {
            frames.onFrame(entry.position(), firstSequence, entry.index() + 1, epoch);
        }
    }

    /// Forgets a frame that was delivered in part, when the ring went past it.
    void overrun() {
        entriesOfFrame = 0;
    }

    private static void expect(Entry entry, String what, long expected, long actual) {
        if (expected != actual) {
            throw new AssertionError(entry + " of epoch " + entry.epoch() + ": " + what + ": expected " + expected
                    + ", actual " + actual);
        }
    }
}
