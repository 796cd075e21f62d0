package io.fenceline.journal.positions;

import io.fenceline.journal.WriterCounters;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.recovery.Head;
import io.fenceline.journal.recovery.LogReader;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What a tailer sees of a journal, in the writer's process or in another one.
///
/// Threads: any number. After the journal was closed, an access to [#mapping] throws `IllegalStateException`.
public final class LogView {
    /// The generation while the words do not count.
    private static final long NOT_CURRENT = -2;

    private static final long RUN_INTERVAL_NS = 1_000_000;

    private final Superblock superblock;
    private final MemorySegment mapping;
    private final LogReader reader;
    private final Supplier<@Nullable RunFile> laterRun;
    private final long fallbackPublished;
    private final long fallbackRetained;
    private final long stalePublished;
    private final Object name;
    private final boolean fallbackIsEnd;
    private @Nullable RunFile run;
    private long lookedForRunNs = System.nanoTime();
    private boolean current;

    /// @param superblock of the journal
    /// @param mapping    of `journal.log`, read-only
    /// @param reader     reads `journal.log` by system calls
    /// @param run        the shared words, null if there are none yet
    /// @param laterRun   looks for them again, while there are none
    /// @param state      the newest state record at opening, for when the words do not count
    /// @param stalePublished `published` of words that do not belong to the log, such as those beside a log that
    ///                       was restored from an older copy; -1 if they do
    /// @param name       of the file, for messages
    public LogView(
            Superblock superblock,
            MemorySegment mapping,
            LogReader reader,
            @Nullable RunFile run,
            Supplier<@Nullable RunFile> laterRun,
            StateRecord state,
            long stalePublished,
            Object name) {
        this.superblock = superblock;
        this.mapping = mapping;
        this.reader = reader;
        this.run = run;
        this.laterRun = laterRun;
        this.fallbackPublished = state.floor();
        this.fallbackRetained = state.retained();
        this.stalePublished = stalePublished;
        this.name = name;
        this.fallbackIsEnd = state.isClean();
    }

    /// Everything before it may be read (acquire). Without a writer of this boot, it is the durable floor;
    /// while the end of the log is being cut off, at most the floor of the newest state record.
    ///
    /// Who copies bytes asks for the [#generation] first and whether it [#isUnchanged] last.
    public long published() {
        RunFile run = currentRun();
        if (run == null) {
            return fallbackPublished;
        }
        // In this order: a generation that is odd makes `published` the position of the cut.
        boolean cutting = RunFile.isCutting(run.generation());
        long published = run.published();
        return cutting ? Math.min(published, newestState().floor()) : published;
    }

    /// The oldest byte still readable (acquire).
    public long retained() {
        RunFile run = currentRun();
        if (run == null) {
            return fallbackRetained;
        }
        return RunFile.isCutting(run.generation()) ? newestState().retained() : run.retained();
    }

    /// Tells whether the end of the log was cut off between two calls: then another number. Odd while that is
    /// under way, by a writer that may have died at it (acquire).
    public long generation() {
        RunFile run = currentRun();
        return run != null ? run.generation() : NOT_CURRENT;
    }

    /// Whether a generation is one of a cut under way.
    public static boolean isCutting(long generation) {
        return RunFile.isCutting(generation);
    }

    /// Whether what was copied since a generation was asked for, up to a position that was published, is what
    /// was published (the caller puts an acquire fence in front).
    public boolean isUnchanged(long generation, long end) {
        return generation() == generation && (!RunFile.isCutting(generation) || published() >= end);
    }

    /// The newest durable promises, read now.
    ///
    /// @throws io.fenceline.journal.JournalException.Corrupt if there are none
    public StateRecord newestState() {
        return Head.readState(reader, superblock, name, new ArrayList<>());
    }

    /// Sequence of the next entry at a position before which nothing is retained, and where nothing is yet: only the
    /// newest state record knows it.
    ///
    /// @return -1 if that is one of another position
    /// @throws io.fenceline.journal.JournalException.Corrupt as [#newestState]
    public long sequenceOfEmptyLog(long position) {
        StateRecord state = newestState();
        return state.floor() == position ? state.floorSequence() : -1;
    }

    /// Whether `published` is where the log ends; not so after a crash that nobody has recovered from in this boot.
    public boolean isEndCertain() {
        return fallbackIsEnd || currentRun() != null;
    }

    /// What the last writer of this boot counted; null if there was none.
    public @Nullable WriterCounters writer() {
        RunFile run = currentRun();
        return run != null ? run.counters() : null;
    }

    /// How far the writer gives up, or is about to if no gate holds it; see [ReadersFile].
    long reclaimed() {
        RunFile run = currentRun();
        return run != null ? run.reclaimed() : fallbackRetained;
    }

    /// The shared words, if they count: a writer of this boot may come later, and stays; so may the file, which the
    /// first one makes.
    private @Nullable RunFile currentRun() {
        RunFile words = run;
        if (words == null) {
            words = lookForRun();
        }
        if (!current) {
            current = words != null
                    && words.isCurrent(superblock.journalId())
                    && words.published() != stalePublished
                    && isPlausible(words);
        }
        return current ? words : null;
    }

    /// Costs a system call, so it is done once a millisecond at most.
    private @Nullable RunFile lookForRun() {
        long nowNs = System.nanoTime();
        if (nowNs - lookedForRunNs < RUN_INTERVAL_NS) {
            return null;
        }
        lookedForRunNs = nowNs;
        RunFile words = laterRun.get();
        run = words;
        return words;
    }

    /// Whether a journal of this geometry could have stored such words: others are damage, and lead out of the ring.
    private boolean isPlausible(RunFile run) {
        Geometry geometry = superblock.geometry();
        long retained = run.retained();
        long published = run.published();
        boolean ordered = 0 <= retained
                && retained == geometry.segmentStart(retained)
                && retained <= published
                && published % FrameDescriptor.SLOT_LENGTH_BYTES == 0;
        // A writer that is under way may have given up segments between the two loads.
        return ordered && (published - retained <= geometry.capacityBytes() || run.retained() != retained);
    }

    public Superblock superblock() {
        return superblock;
    }

    public MemorySegment mapping() {
        return mapping;
    }

    public LogReader reader() {
        return reader;
    }

    /// The file, for messages.
    public Object name() {
        return name;
    }
}
