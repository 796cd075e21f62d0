package io.fenceline.journal.recovery;

import io.fenceline.journal.BackupReport;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.positions.RunFile;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Copies a consistent prefix of a journal that may be in use to a new one, which is like a journal that was
/// closed in order when that prefix was all there was.
///
/// What is copied is published, so it is complete and does not change, unless the ring goes past or the end is
/// cut off: both are looked for after each piece, as a tailer does. Where the ring went past, the copy begins
/// later; where the end was cut off, all begins anew. One thread.
public final class Backup {
    private static final int PIECE_LENGTH_BYTES = 1 << 20;
    private static final int MAXIMUM_ATTEMPTS = 100;

    private final LogView view;
    private final Superblock superblock;
    private final Geometry geometry;
    private final FrameReader frames;
    private final ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_LENGTH_BYTES);
    private long copiedBytes;
    private @Nullable BackupReport report;

    public Backup(LogView view) {
        this.view = view;
        this.superblock = view.superblock();
        this.geometry = superblock.geometry();
        this.frames = new FrameReader(view.reader(), superblock);
    }

    /// Makes it; everything is durable for real when this returns, and if it throws, nothing is there.
    ///
    /// @throws JournalException.AlreadyExists if something is at the path
    /// @throws JournalException.Io            if the operating system refuses
    /// @throws JournalException               if the writer is so fast that the ring goes past again and again
    public BackupReport to(Path directory) {
        JournalFiles.create(
                directory,
                geometry.fileLengthBytes(),
                false,
                (durability, out) -> {
                    BackupReport copied = copy(out);
                    StateRecord state = new StateRecord(
                            1,
                            copied.published(),
                            copied.published(),
                            copied.nextSequence(),
                            copied.retained(),
                            copied.published(),
                            view.newestState().epoch(),
                            StateRecord.FLAG_CLEAN,
                            durability.durability().id(),
                            RunFile.bootHash32());
                    Head.write(superblock, state, out);
                    report = copied;
                },
                writtenBytes -> {},
                null,
                false);
        BackupReport made = report;
        if (made == null) {
            throw new AssertionError("created without a head");
        }
        return made;
    }

    private BackupReport copy(JournalFiles.HeadOutput out) {
        for (int attempt = 0; attempt < MAXIMUM_ATTEMPTS; attempt++) {
            long generation = view.generation();
            long from = view.retained();
            long end = view.published();
            frames.refresh();
            long nextSequence = sequenceAt(end, from);
            long start = nextSequence < 0 ? -1 : copy(from, end, generation, out);
            if (start >= 0) {
                return new BackupReport(start, end, nextSequence, copiedBytes);
            }
        }
        throw new JournalException(view.name() + ": the ring went past the backup " + MAXIMUM_ATTEMPTS + " times before"
                + " it was done; hold the ring with a gate, or copy when less is written");
    }

    /// Copies [from, end), or the part of it that the ring did not go past.
    ///
    /// @return where the copy begins, -1 if it is none
    private long copy(long from, long end, long generation, JournalFiles.HeadOutput out) {
        MemorySegment bytes = MemorySegment.ofBuffer(piece);
        long start = from;
        for (long position = from; position < end; ) {
            long length = Math.min(PIECE_LENGTH_BYTES, Math.min(end, geometry.segmentEnd(position)) - position);
            view.reader().read(geometry.fileOffset(position), bytes, 0, length);
            copiedBytes += length;
            VarHandle.acquireFence();
            if (!view.isUnchanged(generation, end)) {
                return -1;
            }
            long retained = view.retained();
            if (retained > position) {
                if (retained >= end) {
                    return -1;
                }
                start = retained; // of what was copied before, what lies behind it was whole
                position = retained;
            } else {
                out.write(geometry.fileOffset(position), bytes.asSlice(0, length));
                position += length;
            }
        }
        return view.isUnchanged(generation, end) ? start : -1;
    }

    /// Sequence of the next entry at the end of what is published, as the frame before it tells; else the state
    /// record.
    private long sequenceAt(long end, long retained) {
        for (long at = end - FrameDescriptor.SLOT_LENGTH_BYTES;
                at >= retained;
                at -= FrameDescriptor.SLOT_LENGTH_BYTES) {
            FrameVerdict verdict = frames.certify(at, 0, Integer.MAX_VALUE);
            if (verdict.isValid() && frames.nextPosition() == end) {
                return frames.sequence() + (verdict == FrameVerdict.DATA ? frames.entries() : 0);
            }
        }
        StateRecord state = view.newestState();
        return state.floor() == end ? state.floorSequence() : -1;
    }
}
