package io.fenceline.journal.recovery;

import io.fenceline.journal.DamagedRange;
import io.fenceline.journal.VerifyReport;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.DirectFile;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.positions.RunFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A journal that is looked at from outside, by system calls that read: live, closed, crashed, damaged or foreign.
///
///     retained                       to                 end
///        |   everything must be whole |   unrecovered    |
///        +----------------------------+------------------+
///
/// `to` is what a live writer has published, else the floor of the newest state record. Between the floor and the
/// lease of a writer that did not close, anything may lie: that is for recovery to judge.
///
/// The positions are those of the moment of [#open], but [#retained] follows a live writer. One thread.
public final class Inspection implements AutoCloseable {
    private static final int SNAPSHOT_ATTEMPTS = 1000;
    private static final long PROGRESS_INTERVAL_BYTES = 1 << 20;

    private final JournalFiles files;
    private final @Nullable DirectFile direct;
    private final LogReader reader;
    private final Head head;
    private final @Nullable RunFile run;
    private final boolean writerAlive;
    private final long generation;
    private final long from;
    private final long to;
    private final long end;
    private final List<String> warnings;
    private final @Nullable DamagedRange lostState;

    private Inspection(JournalFiles files, @Nullable DirectFile direct) {
        this.files = files;
        this.direct = direct;
        this.reader = direct == null ? files::read : direct::read;
        boolean aliveBefore = files.isWriterAlive();
        MemorySegment words = files.mapRun();
        run = words == null ? null : new RunFile(words);
        // Published first, then the record: so its epoch and its lease cover what is published.
        generation = run == null ? 0 : run.generation();
        long[] shared = run == null ? null : snapshot(run);
        head = Head.readLenient(reader, files.logLengthBytes(), files.logPath());
        writerAlive = aliveBefore || files.isWriterAlive();
        warnings = new ArrayList<>(head.warnings());
        Geometry geometry = head.superblock().geometry();
        StateRecord state = head.state();
        boolean current = run != null
                && shared != null
                && run.isCurrent(head.superblock().journalId())
                && isPlausible(geometry, shared[0], shared[1]);
        @Nullable DamagedRange lost = null;
        boolean cut = run != null && (run.isCutting() || run.generation() != generation);
        if (writerAlive && current && shared != null && !cut) {
            from = shared[0];
            to = Math.min(shared[1], state.lease());
            end = to;
            if (shared[1] > state.lease()) {
                lost = new DamagedRange(
                        state.lease(),
                        state.lease(),
                        geometry.fileOffset(state.lease()),
                        FrameVerdict.BAD_POSITION.name(),
                        "journal.run says that all before " + shared[1] + " is published, expected at most the lease "
                                + state.lease() + " of state record " + state.version()
                                + ": a newer state record was lost");
            }
        } else {
            from = state.retained();
            to = state.floor();
            end = state.isClean() || (cut && writerAlive) ? to : state.lease();
            if (!cut && current && shared != null && shared[1] > state.lease()) {
                warnings.add("journal.run says that all before " + shared[1] + " was published, beyond the lease "
                        + state.lease() + " of state record " + state.version()
                        + ": either journal.log is an older copy, or its newest state record was lost");
            }
            if (Recovery.isPowerLost(state, RunFile.bootHash32())) {
                warnings.add("POWER_LOST: the last writer did not close, at level PROCESS, and the machine was started"
                        + " again since: what the operating system had not written back is lost, above the floor and"
                        + " below it; open the journal for writing to recover what is whole");
            }
        }
        lostState = lost;
    }

    /// Opens a journal; reads its head and takes its positions.
    ///
    /// @throws io.fenceline.journal.JournalException.NotAJournal if there is none at the path
    /// @throws io.fenceline.journal.JournalException.Corrupt     if the head is damaged beyond use
    /// @throws io.fenceline.journal.JournalException.Unsupported if a newer version wrote it
    /// @throws io.fenceline.journal.JournalException.Io          if the operating system refuses
    public static Inspection open(Path directory) {
        return open(directory, false);
    }

    /// The same.
    ///
    /// @param direct reads `journal.log` past the page cache
    /// @throws io.fenceline.journal.JournalException.Unsupported if the file system cannot do that, too
    public static Inspection open(Path directory, boolean direct) {
        JournalFiles files = JournalFiles.open(directory, false);
        DirectFile file = null;
        boolean done = false;
        try {
            file = direct ? new DirectFile(files.logPath()) : null;
            Inspection inspection = new Inspection(files, file);
            done = true;
            return inspection;
        } finally {
            if (!done) {
                if (file != null) {
                    file.close();
                }
                files.close();
            }
        }
    }

    /// Retained and published of one moment; null if they keep changing.
    private static long @Nullable [] snapshot(RunFile run) {
        for (int i = 0; i < SNAPSHOT_ATTEMPTS; i++) {
            long retained = run.retained();
            long published = run.published();
            if (run.retained() == retained) {
                return new long[] {retained, published};
            }
        }
        return null;
    }

    private static boolean isPlausible(Geometry geometry, long retained, long published) {
        return 0 <= retained
                && retained == geometry.segmentStart(retained)
                && retained <= published
                && published - retained <= geometry.capacityBytes();
    }

    /// The oldest readable position by now.
    public long retained() {
        long newest = from;
        if (run != null && run.isCurrent(head.superblock().journalId())) {
            long[] shared = snapshot(run);
            if (shared != null && isPlausible(head.superblock().geometry(), shared[0], shared[1])) {
                newest = Math.max(newest, shared[0]);
            }
        }
        return newest;
    }

    /// What lies before it may be other bytes by now: given up, or everything, if the end of the log was cut off
    /// since opening.
    private long unreadable() {
        return run != null && run.generation() != generation ? Long.MAX_VALUE : retained();
    }

    /// A new reader of frames.
    public FrameReader newFrameReader() {
        return new FrameReader(reader, head.superblock());
    }

    /// Walks what must be whole, from a frame's start.
    public FrameWalk walk(long position) {
        return walk(position, to, true);
    }

    /// Walks what is not recovered yet: there, "damaged" only means that no frame is there.
    public FrameWalk walkUnrecovered(long position) {
        return walk(position, end, false);
    }

    private FrameWalk walk(long start, long limit, boolean orderly) {
        return new FrameWalk(
                newFrameReader(),
                head.superblock().geometry(),
                head.state(),
                files.logLengthBytes(),
                this::unreadable,
                start,
                limit,
                orderly);
    }

    /// Position of the frame with the last entry before [#to]; -1 if there is none.
    public long lastFrame() {
        long hint = run == null ? -1 : run.lastFrameHint();
        return new LastEntry(newFrameReader(), head.superblock().geometry(), to, retained(), -1).find(hint);
    }

    /// Judges everything.
    public VerifyReport verify(VerifyReport.Progress progress) {
        return new Verification(this).run(progress, PROGRESS_INTERVAL_BYTES);
    }

    /// A file that was truncated or extended, whatever it cost; null if its length is right.
    @Nullable
    DamagedRange findWrongLength() {
        long expected = head.superblock().geometry().fileLengthBytes();
        if (files.logLengthBytes() == expected) {
            return null;
        }
        return new DamagedRange(
                to,
                to,
                Math.min(files.logLengthBytes(), expected),
                FrameVerdict.UNREADABLE.name(),
                "the file was truncated or extended: expected " + expected + " bytes, actual "
                        + files.logLengthBytes());
    }

    /// A frame of the newest epoch beyond the lease, or a published position there, shows that a newer state record
    /// was lost; null if nothing does.
    @Nullable
    DamagedRange findLostState() {
        StateRecord state = head.state();
        if (lostState != null || writerAlive || head.superblock().isArchive()) {
            return lostState;
        }
        Geometry geometry = head.superblock().geometry();
        FrameReader frames = newFrameReader();
        long limit =
                Math.min(state.retained() + geometry.capacityBytes(), state.lease() + Recovery.BEYOND_LENGTH_BYTES);
        for (long at = state.lease(); at < limit; at += FrameDescriptor.SLOT_LENGTH_BYTES) {
            if (frames.certify(at, state.epoch(), Integer.MAX_VALUE).isValid()) {
                return new DamagedRange(
                        at,
                        at,
                        geometry.fileOffset(at),
                        FrameVerdict.BAD_POSITION.name(),
                        "a valid frame of epoch " + frames.epoch() + " lies beyond the lease " + state.lease()
                                + " of state record " + state.version()
                                + ": expected nothing there, so a newer state record was lost");
            }
        }
        return null;
    }

    public Superblock superblock() {
        return head.superblock();
    }

    /// The newest state record.
    public StateRecord state() {
        return head.state();
    }

    /// Damage that did no harm, a sentence each.
    public List<String> warnings() {
        return List.copyOf(warnings);
    }

    /// Whether a writer had the journal open.
    public boolean isWriterAlive() {
        return writerAlive;
    }

    /// The oldest retained position at opening.
    public long from() {
        return from;
    }

    /// All before it must be whole.
    public long to() {
        return to;
    }

    /// A writer that did not close may have written up to here.
    public long end() {
        return end;
    }

    /// The file, for messages.
    public Path logPath() {
        return files.logPath();
    }

    @Override
    public void close() {
        if (direct != null) {
            direct.close();
        }
        files.close();
    }
}
