package io.fenceline.journal;

import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.CursorFiles;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.persist.Persister;
import io.fenceline.journal.positions.Events;
import io.fenceline.journal.positions.LogView;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.ReadersFile;
import io.fenceline.journal.positions.RunFile;
import io.fenceline.journal.recovery.Backup;
import io.fenceline.journal.recovery.CutSeek;
import io.fenceline.journal.recovery.Head;
import io.fenceline.journal.recovery.Inspection;
import io.fenceline.journal.recovery.Recovery;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A journal, open for writing by this process. At most one writer has it open; any number of readers may.
///
///     create ─▶ open: lock ─▶ read head ─▶ recover ─▶ durable record of a new epoch ─▶ append … ─▶ close
///
/// Appenders (`fenceline-appender`) and tailers (`fenceline-tailer`) are made from it. After [#create] or [#open]
/// has returned, [#recovery] tells whether the last entry was kept.
///
/// Threads: all methods may be called from any thread. [#close] waits for the append under way, then makes data and
/// a clean record durable; afterwards appenders return [AppendResult#CLOSED].
public final class Journal implements JournalSource {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final JournalFiles files;
    private final DurabilityReport durability;
    private final RecoveryReport recovery;
    private final Positions positions;
    private final LogView view;
    private final ReadersFile readers;
    private boolean closed;

    private Journal(
            JournalFiles files,
            DurabilityReport durability,
            RecoveryReport recovery,
            Positions positions,
            LogView view,
            ReadersFile readers) {
        this.files = files;
        this.durability = durability;
        this.recovery = recovery;
        this.positions = positions;
        this.view = view;
        this.readers = readers;
    }

    /// Creates a journal and opens it. All blocks are allocated and written here: a full disk is an exception now,
    /// not a surprise later; then nothing is left behind.
    ///
    /// @param directory must not exist, its parent must
    /// @throws JournalException.AlreadyExists         if something is at the path
    /// @throws JournalException.DurabilityUnavailable if the storage cannot give the level asked for
    /// @throws JournalException.Io                    if the operating system refuses
    public static Journal create(Path directory, JournalConfig config) {
        Geometry geometry = Geometry.of(config.segmentLengthBytes(), config.segmentCount());
        createFiles(directory, geometry, config);
        return open(directory, config);
    }

    /// Creates the files only; also with the small segments of the format that the API does not offer.
    static void createFiles(Path directory, Geometry geometry, JournalConfig config) {
        Superblock superblock = new Superblock(
                new UUID(RANDOM.nextLong(), RANDOM.nextLong()),
                RANDOM.nextInt(),
                geometry,
                0,
                System.currentTimeMillis() * 1_000_000L);
        JournalFiles.create(
                directory,
                geometry.fileLengthBytes(),
                config.groupReadable(),
                (report, out) -> writeHead(superblock, report, out),
                config.creationProgress(),
                config.durability(),
                config.emulatePersistentMemory());
    }

    private static void writeHead(Superblock superblock, DurabilityReport report, JournalFiles.HeadOutput out) {
        int flags = StateRecord.FLAG_CLEAN | (report.emulated() ? StateRecord.FLAG_EMULATED : 0);
        StateRecord first =
                new StateRecord(1, 0, 0, 0, 0, 0, 0, flags, report.durability().id(), RunFile.bootHash32());
        Head.write(superblock, first, out);
    }

    /// Opens with the durability that the journal had, and defaults for the rest.
    public static Journal open(Path directory) {
        return open(directory, JournalConfig.defaults());
    }

    /// Opens for writing and recovers, if the last writer did not close. Cost is bounded by the lease, whatever the
    /// size of the journal; after a clean close nothing is scanned.
    ///
    /// @throws JournalException.NotAJournal           if there is none at the path
    /// @throws JournalException.Locked                if another writer has it, in this process too
    /// @throws JournalException.Corrupt               if what must be whole is damaged; nothing is changed then
    /// @throws JournalException.Unsupported           if a newer version wrote it
    /// @throws JournalException.DurabilityUnavailable if the storage cannot give the level
    /// @throws JournalException.Io                    if the operating system refuses
    public static Journal open(Path directory, JournalConfig config) {
        JournalFiles files = JournalFiles.open(directory, true);
        ReadersFile readers = null;
        boolean done = false;
        try {
            files.lock();
            Head head = readHead(files);
            if (head.state().version() == StateRecord.FIRST_VERSION) {
                files.syncNames();
            }
            Durability recorded = Durability.ofId(head.state().durability());
            DurabilityReport durability = files.probe(
                    Objects.requireNonNullElse(config.durability(), recorded),
                    config.emulatePersistentMemory() || head.state().isEmulated(),
                    config.persistStrategy());
            readers = Readers.open(files, head.superblock().journalId());
            RunFile run = new RunFile(Objects.requireNonNull(files.mapRun()), readers.sleepers());
            Recovery recovery =
                    new Recovery(files::read, head, run.lastFrameHint(), RunFile.bootHash32(), files.logPath());
            RecoveryReport report = recovery.scan();
            files.map(durability);
            Persister persister = files.persister(durability.durability(), durability.strategy());
            if (durability.durability() != recorded || head.state().isEmulated() != durability.emulated()) {
                // What the journal holds may be less durable than what this level will promise of it.
                persister.sync();
            }
            recovery.repair(persister);
            readers.writerOpens();
            run.lastFrameHint(report.lastPosition());
            Positions positions = new Positions(
                    persister,
                    head.superblock(),
                    head.state(),
                    report.nextSequence(),
                    run,
                    readers,
                    durability.durability(),
                    durability.emulated(),
                    config);
            LogView view = new LogView(
                    head.superblock(), files.mapping(), files::read, run, () -> run, head.state(), -1, files.logPath());
            done = true;
            run.recovered(report, System.currentTimeMillis() * 1_000_000L);
            Events.recovered(head.superblock().journalId(), report);
            return new Journal(files, durability, report, positions, view, readers);
        } finally {
            if (!done) {
                if (readers != null) {
                    readers.close();
                }
                files.close();
            }
        }
    }

    /// The head of a journal that is to be written.
    private static Head readHead(JournalFiles files) {
        Head head = Head.read(files::read, files.logLengthBytes(), files.logPath());
        if (head.superblock().isArchive()) {
            throw new JournalException.Unsupported(files.logPath() + " is an archive, which is read only: append to"
                    + " the journal that is archived, or open this one read-only");
        }
        if (head.superblock().readOnlyCompatible() != 0) {
            throw new JournalException.Unsupported("%s has features (0x%x) that this version can only read; open it"
                            .formatted(files.logPath(), head.superblock().readOnlyCompatible())
                    + " read-only, or use a newer Fenceline");
        }
        return head;
    }

    /// Opens for reading, beside a writer or without one.
    ///
    /// @throws JournalException.NotAJournal if there is none at the path
    /// @throws JournalException.Corrupt     if the head is damaged beyond use
    /// @throws JournalException.Unsupported if a newer version wrote it
    /// @throws JournalException.Io          if the operating system refuses
    public static ReadOnlyJournal openReadOnly(Path directory) {
        return ReadOnlyJournal.open(directory);
    }

    /// Reads a whole journal and judges every byte of it: live (beside a writer), closed, crashed, or damaged.
    /// Takes no lock and writes nothing.
    ///
    /// @throws JournalException.NotAJournal if there is none at the path
    /// @throws JournalException.Corrupt     if the head is damaged beyond use
    /// @throws JournalException.Unsupported if a newer version wrote it
    /// @throws JournalException.Io          if the operating system refuses
    public static VerifyReport verify(Path directory) {
        return verify(directory, (verifiedBytes, totalBytes) -> {});
    }

    /// As [#verify(Path)], and tells now and then how far it is.
    public static VerifyReport verify(Path directory, VerifyReport.Progress progress) {
        try (Inspection inspection = Inspection.open(directory)) {
            return inspection.verify(progress);
        }
    }

    /// The same past the page cache (`O_DIRECT`): judges what the storage holds, where [#verify] may judge what memory
    /// holds of it. What was written and not yet written back is written back first, by the operating system.
    ///
    /// @throws JournalException.Unsupported also if the file system cannot do that, such as tmpfs
    public static VerifyReport verifyDirect(Path directory, VerifyReport.Progress progress) {
        try (Inspection inspection = Inspection.open(directory, true)) {
            return inspection.verify(progress);
        }
    }

    /// Measures what each [PersistStrategy] costs on the scratch page of a journal's head, and records it: later
    /// openings persist by the fastest, unless they are configured otherwise. [#create] has done the same; it
    /// is worth doing again on another machine. Some milliseconds. The journal may be crashed or clean, and
    /// stays so.
    ///
    /// @throws JournalException.NotAJournal           if there is none at the path
    /// @throws JournalException.Locked                if a writer has it open
    /// @throws JournalException.Corrupt               if the head is damaged beyond use
    /// @throws JournalException.Unsupported           if a newer version wrote it, or it is an archive
    /// @throws JournalException.DurabilityUnavailable if it is not at level `MEMORY`, or the storage cannot
    ///                                                give that level
    /// @throws JournalException.Io                    if the operating system refuses
    public static PersistCalibration calibrate(Path directory) {
        try (JournalFiles files = JournalFiles.open(directory, true)) {
            files.lock();
            Head head = readHead(files);
            Durability level = Durability.ofId(head.state().durability());
            if (level != Durability.MEMORY) {
                throw new JournalException.DurabilityUnavailable(files.directory() + " is at level " + level
                        + ", where no persist strategy matters: only a journal at level MEMORY is calibrated");
            }
            return files.calibrate(files.probe(level, head.state().isEmulated(), null));
        }
    }

    /// Copies what is published of a journal, in use or not, to a new journal: as if it had been closed at that
    /// moment. Takes no lock; a writer does not wait. The copy has the identity and the secret of the journal,
    /// and the strongest durability that its storage gives. Durable for real when this returns; if it throws,
    /// nothing is there.
    ///
    /// If the ring goes past meanwhile, the copy begins at what is retained then.
    ///
    /// @param from a journal
    /// @param to   must not exist, its parent must
    /// @throws JournalException.NotAJournal   if there is none
    /// @throws JournalException.AlreadyExists if something is at `to`
    /// @throws JournalException.Corrupt       if the head is damaged beyond use
    /// @throws JournalException.Io            if the operating system refuses
    /// @throws JournalException               if the ring goes past again and again
    public static BackupReport backup(Path from, Path to) {
        try (ReadOnlyJournal source = openReadOnly(from)) {
            return new Backup(source.view()).to(to);
        }
    }

    /// Gives up everything before the segment that holds `position`, so that the ring can reuse it. Durable when it
    /// returns; never gives up what is not published, nor what a gate holds ([#gates]).
    ///
    /// @param position from 0 to [#published]
    /// @return the oldest position that is readable now: the start of a segment, at or before `position`
    public long retain(long position) {
        return positions.retain(position);
    }

    /// Takes every entry from the frame at `position` on out of the log: its end becomes what it was when that
    /// frame was appended. Durable for real when it returns, and crash-safe: after a crash all of them are
    /// there, or none.
    ///
    /// The positions that are cut are not used again: the next frame goes where the next one would have gone,
    /// and their place in the ring comes back with retention only. Sequences go on from the first entry that
    /// was cut.
    ///
    /// Appenders may stay open: an append that has begun is waited for, one that waits for room lets the cut go
    /// first, and appends that come meanwhile wait. Tailers are told by their result TRUNCATED, in other processes
    /// too, if they have delivered what is cut.
    ///
    /// Cost: a store of every slot that is cut, and three syncs.
    ///
    /// @param position from [#retained] to [#published], of a frame, or [#published] itself: then nothing is
    /// cut
    /// @return where the cut ended and the next frame goes: the [#published] of before
    /// @throws IllegalArgumentException if no frame begins there
    /// @throws IllegalStateException    if the journal is closed, or an append has been under way for 10 s
    /// @throws JournalException         if the storage fails: the journal is poisoned, and the next opening
    ///                                  completes the truncation, or takes it back
    public synchronized long truncate(long position) {
        CutSeek seek = new CutSeek(files::read, view.superblock());
        return positions.truncate(
                (retained, end, nextSequence) -> seek.position(position, retained, end, nextSequence));
    }

    /// The same, from the entry with a sequence on, which gives the next entry that sequence.
    ///
    /// @param sequence of the first entry of a frame that is retained, or of the next entry: then nothing is
    /// cut
    /// @throws IllegalArgumentException if there is no such entry, or it lies inside a batch, which is cut whole or
    ///                                  not at all
    public synchronized long truncateFromSequence(long sequence) {
        CutSeek seek = new CutSeek(files::read, view.superblock());
        return positions.truncate(
                (retained, end, nextSequence) -> seek.sequence(sequence, retained, end, nextSequence));
    }

    /// Gives up the whole log and goes on with `nextSequence`, as after the installation of a snapshot. Durable
    /// for real when it returns, and crash-safe: after a crash all is there, or nothing. Else as [#truncate].
    ///
    /// No gate keeps it: gating readers are told by OVERRUN or TRUNCATED, and an archiver that had not
    /// confirmed all begins a new archive.
    ///
    /// @param nextSequence sequence of the next entry, 0 or more; may be less than before
    /// @return where the next frame goes: the start of a segment, and [#retained], too
    public synchronized long reset(long nextSequence) {
        if (nextSequence < 0 || nextSequence > StateRecord.LARGEST) {
            throw new IllegalArgumentException(
                    "reset(" + nextSequence + "): expected a sequence from 0 to " + StateRecord.LARGEST);
        }
        return positions.reset(nextSequence);
    }

    /// What opening found and did.
    public RecoveryReport recovery() {
        return recovery;
    }

    @Override
    public Path directory() {
        return files.directory();
    }

    @Override
    public DurabilityReport durability() {
        return durability;
    }

    @Override
    public UUID journalId() {
        return view.superblock().journalId();
    }

    @Override
    public long published() {
        return positions.run().published();
    }

    @Override
    public long retained() {
        return positions.run().retained();
    }

    @Override
    public int maximumPayloadLengthBytes() {
        return positions.geometry().maximumPayloadLengthBytes();
    }

    @Override
    public long capacityBytes() {
        return positions.geometry().capacityBytes();
    }

    /// Whether an I/O fault ended this opening: nothing is acknowledged any more.
    public boolean isPoisoned() {
        return positions.persister().fault() != null;
    }

    /// For appenders.
    @SuppressWarnings("exports")
    public Positions positions() {
        return positions;
    }

    @Override
    @SuppressWarnings("exports")
    public LogView view() {
        return view;
    }

    @Override
    public List<CursorStatus> cursors() {
        return Readers.cursors(files, journalId(), view);
    }

    @Override
    public List<GateStatus> gates() {
        return Readers.gates(readers, view);
    }

    @Override
    @SuppressWarnings("exports")
    public ReadersFile readers() {
        return readers;
    }

    @Override
    @SuppressWarnings("exports")
    public CursorFiles cursorFiles() {
        return files.cursors();
    }

    @Override
    public @Nullable WriterCounters writer() {
        return view.writer();
    }

    @Override
    public boolean isWriterAlive() {
        return true;
    }

    /// Closes in order: waits for the append under way, syncs the data, makes the clean record durable, unlocks. A
    /// poisoned journal is only unlocked, and recovered at its next opening. Closing twice is harmless.
    ///
    /// @throws JournalException if the storage fails: the journal is unlocked all the same; or if an append is
    ///                          still under way after 10 s: then it is not closed
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        try {
            if (!positions.close()) {
                throw new JournalException(
                        "journal " + files.directory() + " cannot be closed: an append has been under"
                                + " way for 10 s; it stays locked; see what holds that thread, then close again");
            }
            closed = true;
        } finally {
            if (closed || positions.persister().fault() != null) {
                closed = true;
                files.close();
                readers.close();
            }
        }
    }
}
