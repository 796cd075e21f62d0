package io.fenceline.journal.persist;

import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// How bytes of `journal.log` become durable.
///
/// Threads: any number may use it; a drain covers the stores of *its own* thread (at `DEVICE` of every thread).
/// Stores of two threads never overlap: that is the caller's part. After the first fault every call throws
/// [io.fenceline.journal.JournalException.Poisoned], in every thread; a failed sync is never repeated.
///
/// Ordering: `store` alone orders nothing. After `drain` the bytes are persistent and visible to every thread and
/// process that reads a word released later.
public interface Persister {
    /// Stores bytes, whose length and place are multiples of 64 at level `MEMORY`.
    ///
    /// @param fileOffset    where, in `journal.log`
    /// @param sourceAddress native memory, read once
    /// @param lengthBytes   0 or more
    void store(long fileOffset, long sourceAddress, long lengthBytes);

    /// Makes what this thread stored persistent: one fence, one `fdatasync`, or nothing at level `PROCESS`.
    void drain();

    /// `store` and `drain`, in one call where the medium can.
    default void persist(long fileOffset, long sourceAddress, long lengthBytes) {
        store(fileOffset, sourceAddress, lengthBytes);
        drain();
    }

    /// Stores the checksum into a staged frame, then persists the frame. The medium may do both in one pass over
    /// it; what is here is the meaning.
    ///
    /// @param fileOffset       where, in `journal.log`
    /// @param stage            the frame, from index 0, little-endian; its position and limit change
    /// @param stageAddress     address of index 0
    /// @param lengthBytes      of the frame, as in its header
    /// @param slotsLengthBytes the same in whole slots
    /// @param salt             of the journal
    /// @param crc              the caller's
    default void persistFrame(
            long fileOffset,
            ByteBuffer stage,
            long stageAddress,
            int lengthBytes,
            int slotsLengthBytes,
            int salt,
            Crc32c crc) {
        int checksum = crc.of(stage, FrameDescriptor.CHECKSUM_START, lengthBytes, salt);
        stage.clear().putInt(FrameDescriptor.CHECKSUM_OFFSET, checksum);
        persist(fileOffset, stageAddress, slotsLengthBytes);
    }

    /// Whether [#persistEntry] is there: where it is, it saves the way through a staging buffer.
    default boolean takesEntries() {
        return false;
    }

    /// Builds the frame of one entry straight from the caller's memory, each byte of which is loaded once, and
    /// persists it. Only where [#takesEntries].
    ///
    /// @param fileOffset  where, in `journal.log`
    /// @param payload     heap or native memory, not mapped from a file
    /// @param lengthBytes of it, so that the frame is at most 64 KiB
    /// @param epoch       of the frame; what else its header says is DATA, no flags, one entry
    default void persistEntry(
            long fileOffset,
            MemorySegment payload,
            int lengthBytes,
            int type,
            long position,
            long sequence,
            long timestampNs,
            int epoch,
            int salt) {
        throw new IllegalStateException("this medium takes staged frames only");
    }

    /// Stores bytes again that are there already, so that the next drain makes them persistent, whoever stored
    /// them.
    void rewrite(long fileOffset, long lengthBytes);

    /// Makes the whole file persistent for real, at every level.
    void sync();

    /// Looks whether the file is still there and as long as it was: a mapping outlives the name of its file, and takes
    /// stores that nobody will ever find. One system call, so with each state record, not with each append.
    ///
    /// @throws io.fenceline.journal.JournalException.Io if it is not: the fault of this medium then
    default void checkFile() {}

    /// Reads by a system call, never through a mapping: a bad block is an exception, not a signal.
    ///
    /// @throws io.fenceline.journal.JournalException.Io if the bytes cannot be read
    void read(long fileOffset, MemorySegment destination, long destinationOffset, long lengthBytes);

    /// Maps pages in, ahead of their use.
    void populate(long fileOffset, long lengthBytes);

    /// The first fault, or null.
    @Nullable
    Throwable fault();

    /// Declares the medium faulty; the first call counts.
    void poison(Throwable cause);
}
