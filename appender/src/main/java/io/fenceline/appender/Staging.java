package io.fenceline.appender;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.positions.Activity;
import java.lang.foreign.MemorySegment;

/// The staging buffers of one appending thread, with the one claim and the one batch that live in them.
class Staging {
    static final long ANY = -1;

    /// Where frames are built.
    final FrameStage stage = new FrameStage(FrameStage.CHUNK_LENGTH_BYTES);

    /// Where a PAD, or the first slot of a frame longer than the stage, is built.
    final FrameStage slot = new FrameStage(FrameDescriptor.SLOT_LENGTH_BYTES);

    final Claim claim;
    final Batch batch;

    /// Whether the thread is between `enter` and `exit`.
    final Activity activity;

    /// Whether a claim or batch is open.
    boolean inUse;

    /// Whether the next frame is wanted only where the log ends as below; [#ANY] for what does not matter.
    boolean expects;

    long expectedPosition = ANY;
    long expectedSequence = ANY;

    /// Whether the caller's memory is being read: a fault then is no fault of the journal.
    boolean readingUserMemory;

    Staging(Appender appender, Activity activity) {
        this.activity = activity;
        claim = new Claim(appender, this);
        batch = new Batch(appender, this);
    }

    /// @throws IllegalStateException if a claim or batch is open
    Staging checkFree() {
        if (inUse) {
            throw new IllegalStateException("a claim or batch is open: commit or abort it first");
        }
        return this;
    }

    void expect(long position, long sequence) {
        expectedPosition = position;
        expectedSequence = sequence;
        expects = true;
    }

    /// Whether the log ends as expected.
    boolean isExpected(long position, long sequence) {
        return (expectedPosition == ANY || expectedPosition == position)
                && (expectedSequence == ANY || expectedSequence == sequence);
    }

    void copyFromUser(FrameStage target, int offset, MemorySegment source, long sourceOffset, int lengthBytes) {
        readingUserMemory = true;
        target.copyIn(offset, source, sourceOffset, lengthBytes);
        readingUserMemory = false;
    }
}
