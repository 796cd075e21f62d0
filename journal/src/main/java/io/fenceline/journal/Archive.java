package io.fenceline.journal;

import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.FileLayer;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.persist.Persister;
import io.fenceline.journal.positions.RunFile;
import io.fenceline.journal.recovery.FrameReader;
import io.fenceline.journal.recovery.Head;
import io.fenceline.journal.recovery.StateLines;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.UUID;

/// Keeps the sealed segments of a journal in a directory that is a journal itself: of the same identity and secret,
/// with a ring so long that nothing is overwritten, in a sparse file. So whatever reads a journal reads an archive,
/// at the same positions: tailers, cursors, `tail`, `dump`, `verify`, `info`. It cannot be opened for writing.
///
///     read ─▶ write ─▶ certify every frame, as written ─▶ fdatasync ─▶ record {floor = end} ─▶ fdatasync
///
/// Crash-safe: an archive ends at the floor of its newest record, and what lies beyond is written again.
///
/// Threads: one at a time, and one archiver: it takes the lock of a writer. Readers see an archive as it was when
/// they opened it.
public final class Archive implements SegmentConsumer, AutoCloseable {
    /// 1 TiB of log, as far as 65536 segments hold so much.
    public static final long DEFAULT_CAPACITY_BYTES = 1L << 40;

    private static final int PIECE_LENGTH_BYTES = 1 << 20;

    private final Path directory;
    private final Runnable closing;
    private final Superblock superblock;
    private final Geometry geometry;
    private final Persister persister;
    private final FrameReader frames;
    private final ByteBuffer piece;
    private final ByteBuffer line = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES);
    private StateRecord state;
    private long nextVersion;
    private boolean closed;

    /// Over any medium, as `DEVICE`; for crash tests.
    ///
    /// @param lengthBytes of the file
    /// @param closing     gives the file back
    Archive(Persister persister, long lengthBytes, Path directory, Runnable closing) {
        this.directory = directory;
        this.closing = closing;
        this.persister = persister;
        Head head = Head.read(persister::read, lengthBytes, directory);
        this.superblock = head.superblock();
        this.geometry = superblock.geometry();
        this.frames = new FrameReader(persister::read, superblock);
        this.piece = ByteBuffer.allocateDirect(Math.min(PIECE_LENGTH_BYTES, geometry.segmentLengthBytes()));
        this.state = head.state();
        // What a process left that has died may not be durable yet; from here on it is.
        StateLines.rewrite(persister, state, superblock.salt());
        this.nextVersion = StateLines.freshVersion(persister::read, state.version(), superblock.salt());
    }

    /// Opens the archive of a journal, with [#DEFAULT_CAPACITY_BYTES] if it is to be made.
    ///
    /// @param directory of the archive; made if it is not there, its parent must be
    /// @param source    the journal
    /// @throws JournalException.Locked      if another archiver has it
    /// @throws JournalException.Unsupported if a journal is there that is no archive
    /// @throws JournalException.NotAJournal if something else is there
    /// @throws JournalException.Corrupt     if its head is damaged, or it belongs to another journal
    /// @throws JournalException.Io          if the operating system refuses
    public static Archive open(Path directory, JournalSource source) {
        return open(directory, source, DEFAULT_CAPACITY_BYTES);
    }

    /// The same.
    ///
    /// @param capacityBytes how much an archive can hold that is made now: whole segments, at most 65536
    /// @throws IllegalArgumentException if that is less than two segments
    public static Archive open(Path directory, JournalSource source, long capacityBytes) {
        Superblock ring = source.view().superblock();
        if (!FileLayer.current().exists(directory)) {
            create(directory, ring, capacityBytes);
        }
        JournalFiles files = JournalFiles.open(directory, true);
        boolean done = false;
        try {
            Head found = Head.read(files::read, files.logLengthBytes(), files.logPath());
            if (!found.superblock().isArchive()) {
                throw new JournalException.Unsupported(
                        directory + " is a journal, not an archive: choose a new path for the archive");
            }
            files.lock();
            if (found.state().version() == StateRecord.FIRST_VERSION) {
                files.syncNames();
            }
            Persister persister =
                    files.persister(Durability.DEVICE, PersistStrategy.NT); // pwrite and fdatasync, whatever lies below
            Archive archive = new Archive(persister, files.logLengthBytes(), files.directory(), files::close);
            archive.requireSame(source.journalId());
            done = true;
            return archive;
        } finally {
            if (!done) {
                files.close();
            }
        }
    }

    private static void create(Path directory, Superblock ring, long capacityBytes) {
        int length = ring.geometry().segmentLengthBytes();
        long count = Math.min(capacityBytes / length, Geometry.MAXIMUM_SEGMENT_COUNT);
        if (count < 2) {
            throw new IllegalArgumentException(
                    "archive of " + capacityBytes + " bytes: expected two segments or more, " + 2L * length + " bytes");
        }
        Superblock superblock = new Superblock(
                ring.journalId(),
                ring.salt(),
                new Geometry(length, (int) count, ring.geometry().maximumFrameLengthBytes()),
                Superblock.READ_ONLY_ARCHIVE,
                System.currentTimeMillis() * 1_000_000L);
        JournalFiles.create(
                directory,
                superblock.geometry().fileLengthBytes(),
                Geometry.HEAD_LENGTH_BYTES,
                false,
                (report, out) -> {
                    int durability = report.durability().id();
                    StateRecord first = new StateRecord(
                            1, 0, 0, 0, 0, 0, 0, StateRecord.FLAG_CLEAN, durability, RunFile.bootHash32());
                    Head.write(superblock, first, out);
                },
                writtenBytes -> {},
                null,
                false);
    }

    private void requireSame(UUID journalId) {
        if (!superblock.journalId().equals(journalId)) {
            throw new JournalException.Corrupt("archive " + directory + ": expected one of journal " + journalId
                    + ", found one of journal " + superblock.journalId() + "; choose another path");
        }
    }

    /// Copies a segment; durable for real when this returns.
    ///
    /// @throws JournalException.Corrupt if the segment is not whole, or does not follow what is archived
    /// @throws JournalException         if the archive is full, or the segment was given up or cut off meanwhile
    @Override
    public void accept(SealedSegment segment) {
        requireOpen();
        requireSame(segment.journalId());
        long start = segment.start();
        boolean empty = end() == retained();
        if (!empty && (start > end() || start < retained())) {
            throw new JournalException("archive " + directory + " holds positions " + retained() + " to " + end()
                    + ", and the next segment of the journal begins at " + start
                    + ": the ring went past the archive, or this is an older copy of it; begin a new archive");
        }
        long retained = empty ? start : retained();
        if (segment.end() > retained + geometry.capacityBytes()) {
            throw new JournalException("archive " + directory + " is full: it holds " + geometry.capacityBytes()
                    + " bytes of the log, positions " + retained() + " to " + end() + "; begin a new archive");
        }
        if (start < end()) {
            truncate(start);
        }
        copy(segment);
        frames.refresh();
        long expected = end() == retained() ? -1 : state.floorSequence();
        long next = certify(start, segment.end(), expected);
        if (!segment.isIntact()) {
            throw new JournalException(
                    "segment " + start + " was given up or cut off while it was archived: try again");
        }
        persister.drain();
        record(retained, segment.end(), next, Math.max(state.epoch(), frames.epoch()));
    }

    /// Forgets what was archived at or behind a position; durable for real when this returns.
    @Override
    public void truncate(long position) {
        requireOpen();
        if (position >= end()) {
            return;
        }
        long to = Math.max(position, retained());
        frames.refresh();
        long sequence = to > retained() ? certify(to - geometry.segmentLengthBytes(), to, -1) : 0;
        record(retained(), to, sequence, state.epoch());
    }

    private void copy(SealedSegment segment) {
        MemorySegment bytes = MemorySegment.ofBuffer(piece);
        long length = segment.end() - segment.start();
        for (long done = 0; done < length; ) {
            long chunk = Math.min(piece.capacity(), length - done);
            segment.read(done, bytes, 0, chunk);
            persister.store(geometry.fileOffset(segment.start()) + done, bytes.address(), chunk);
            done += chunk;
        }
    }

    /// Reads a segment of the archive back, and judges every frame.
    ///
    /// @param sequence expected first, -1 if any is right
    /// @return sequence of the entry behind it
    private long certify(long from, long to, long sequence) {
        long next = sequence;
        boolean gapAllowed = sequence < 0;
        int epoch = 0;
        for (long position = from; position < to; position = frames.nextPosition()) {
            FrameVerdict verdict = frames.certify(position, epoch, Integer.MAX_VALUE);
            if (!verdict.isValid() || frames.nextPosition() > to) {
                throw new JournalException.Corrupt("position " + position + " of segment " + from + ", as copied to "
                        + directory + ": expected a whole frame, found: " + verdict.text()
                        + "; `fenceline verify` tells what the journal holds there");
            }
            epoch = frames.epoch();
            if (verdict == FrameVerdict.SKIPPABLE) {
                gapAllowed = true;
                continue;
            }
            boolean entries = verdict == FrameVerdict.DATA;
            if (frames.sequence() < next || (frames.sequence() > next && entries && !gapAllowed)) {
                throw new JournalException.Corrupt("position " + position + " of segment " + from + ": sequence "
                        + frames.sequence() + ", expected " + next + " behind what is archived in " + directory
                        + "; was the log cut off while nobody archived? begin a new archive");
            }
            next = frames.sequence() + (entries ? frames.entries() : 0);
            gapAllowed = !entries;
        }
        return Math.max(0, next);
    }

    private void record(long retained, long end, long nextSequence, int epoch) {
        StateRecord next = new StateRecord(
                nextVersion++,
                end,
                end,
                nextSequence,
                retained,
                end,
                epoch,
                StateRecord.FLAG_CLEAN,
                state.durability(),
                RunFile.bootHash32());
        write(next);
        state = next;
    }

    private void write(StateRecord record) {
        record.encode(line, superblock.salt());
        long address = MemorySegment.ofBuffer(line.clear()).address();
        for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
            persister.store(StateRecord.fileOffset(record.version(), mirror), address, StateRecord.LENGTH_BYTES);
        }
        persister.drain();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the archive is closed");
        }
    }

    /// The oldest position that it holds.
    public long retained() {
        return state.retained();
    }

    /// Where it ends: what lies before it is safe.
    public long end() {
        return state.floor();
    }

    /// Closes and unlocks; nothing is left to be written.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            closing.run();
        }
    }
}
