package io.fenceline.journal.persist;

import io.fenceline.journal.Durability;
import io.fenceline.journal.DurabilityReport;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.PersistCalibration;
import io.fenceline.journal.PersistStrategy;
import io.fenceline.journal.format.ReadersFileDescriptor;
import io.fenceline.journal.format.RunFileDescriptor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// The files of one journal: created, found, locked, mapped. Symbolic links are refused at the directory and at
/// each file; modes are 0700 and 0600 (0750 and 0640 by configuration).
///
/// Threads: [#read] may be called by any number; [#close] once, when nobody uses the mapping by raw address any
/// more.
public final class JournalFiles implements AutoCloseable {
    public static final String LOG = "journal.log";
    public static final String RUN = "journal.run";
    public static final String READERS = "readers.run";
    private static final int ZEROS_LENGTH_BYTES = 1 << 20;

    private final FileLayer layer;
    private final Path directory;
    private final int directoryFd;
    private final DataFile log;
    private final boolean writable;
    private final Arena runArena = Arena.ofShared();
    private boolean closed;

    private JournalFiles(
            FileLayer layer, Path directory, int directoryFd, int logFd, long logLengthBytes, boolean writable) {
        this.layer = layer;
        this.directory = directory;
        this.directoryFd = directoryFd;
        this.log = new DataFile(layer, directory.resolve(LOG), logFd, logLengthBytes, writable);
        this.writable = writable;
    }

    /// Creates a journal under a temporary name beside its place, with all blocks written, and renames it when it
    /// is whole and durable. Whatever fails, nothing is left behind.
    ///
    /// @param path          where the directory shall be; must not exist
    /// @param lengthBytes   of `journal.log`
    /// @param groupReadable modes 0750 and 0640
    /// @param head          writes superblocks and first state record, given the durability
    /// @param progress      told the bytes written so far
    /// @param level         durability that was asked for, null for the strongest
    /// @param emulate       whether `MEMORY` may be emulated
    /// @return what the storage gives
    public static DurabilityReport create(
            Path path,
            long lengthBytes,
            boolean groupReadable,
            HeadWriter head,
            LongConsumer progress,
            @Nullable Durability level,
            boolean emulate) {
        return create(path, lengthBytes, lengthBytes, groupReadable, head, progress, level, emulate);
    }

    /// The same, where only the first bytes are allocated and written; the rest of the file is a hole.
    ///
    /// @param allocatedBytes of `journal.log`, at most `lengthBytes`
    public static DurabilityReport create(
            Path path,
            long lengthBytes,
            long allocatedBytes,
            boolean groupReadable,
            HeadWriter head,
            LongConsumer progress,
            @Nullable Durability level,
            boolean emulate) {
        FileLayer layer = FileLayer.current();
        Path directory = path.toAbsolutePath().normalize();
        Path name = directory.getFileName();
        if (layer.exists(directory) || name == null) {
            throw exists(directory);
        }
        int parentFd = openParent(layer, directory);
        String temporary = "." + name + ".creating-"
                + Long.toHexString(ThreadLocalRandom.current().nextLong());
        int temporaryFd = -1;
        int logFd = -1;
        try {
            layer.mkdir(parentFd, temporary, 0700, directory);
            temporaryFd = layer.open(parentFd, temporary, Posix.O_RDONLY | Posix.O_DIRECTORY, 0, directory);
            Path log = directory.resolve(LOG);
            logFd = createFile(layer, temporaryFd, LOG, groupReadable, log);
            DurabilityReport report;
            try (JournalFiles files = new JournalFiles(layer, directory, -1, logFd, lengthBytes, true)) {
                logFd = -1; // closed with the files
                int fd = files.log.fd();
                report = StorageProbe.report(layer, fd, log, lengthBytes, level, emulate);
                layer.allocate(fd, allocatedBytes, log);
                files.writeZeros(0, allocatedBytes, progress);
                if (allocatedBytes < lengthBytes) {
                    files.writeZeros(lengthBytes - 1, lengthBytes, progress); // makes it that long
                }
                head.write(
                        report,
                        (offset, bytes) -> layer.pwriteFully(
                                fd, bytes.address(), bytes.byteSize(), offset, Posix.newCapture(), log));
                if (report.durability() == Durability.MEMORY && layer.device(fd, log) != null) {
                    files.calibrate(report);
                }
                layer.fsync(fd, log);
            }
            int runFd = createFile(layer, temporaryFd, RUN, groupReadable, directory.resolve(RUN));
            try {
                layer.allocate(runFd, RunFileDescriptor.LENGTH_BYTES, directory.resolve(RUN));
                layer.fsync(runFd, directory.resolve(RUN));
            } finally {
                layer.close(runFd);
            }
            layer.chmod(temporaryFd, groupReadable ? 0750 : 0700, directory);
            layer.fsync(temporaryFd, directory);
            layer.renameNoReplace(parentFd, temporary, name.toString(), directory);
            temporary = "";
            layer.fsync(parentFd, directory);
            return report;
        } catch (JournalException.Io e) {
            throw e.errno() == Posix.EEXIST ? exists(directory) : e;
        } finally {
            if (logFd >= 0) {
                layer.close(logFd);
            }
            if (temporaryFd >= 0) {
                if (!temporary.isEmpty()) {
                    layer.remove(temporaryFd, LOG, false);
                    layer.remove(temporaryFd, RUN, false);
                }
                layer.close(temporaryFd);
            }
            if (!temporary.isEmpty()) {
                layer.remove(parentFd, temporary, true);
            }
            layer.close(parentFd);
        }
    }

    /// Writes the head of a new `journal.log`.
    @FunctionalInterface
    public interface HeadWriter {
        /// @param report what the storage gives
        /// @param out    takes bytes for a file offset
        void write(DurabilityReport report, HeadOutput out);
    }

    /// Takes bytes for a file offset.
    @FunctionalInterface
    public interface HeadOutput {
        void write(long fileOffset, MemorySegment bytes);
    }

    /// Opens the files of a journal; nothing is mapped or locked yet.
    ///
    /// @throws JournalException.NotAJournal if there is none
    public static JournalFiles open(Path path, boolean writable) {
        FileLayer layer = FileLayer.current();
        Path directory = path.toAbsolutePath().normalize();
        if (layer.isSymbolicLink(directory)) {
            throw new JournalException.NotAJournal(
                    directory + " is a symbolic link, which is refused; name the journal's real path");
        }
        int directoryFd;
        try {
            directoryFd = layer.open(-1, directory.toString(), Posix.O_RDONLY | Posix.O_DIRECTORY, 0, directory);
        } catch (JournalException.Io e) {
            if (e.errno() == Posix.ENOENT) {
                throw new JournalException.NotAJournal(
                        "no journal at " + directory + ": there is no such directory; create one first");
            }
            if (e.errno() == Posix.ENOTDIR) {
                throw new JournalException.NotAJournal(
                        directory + " is not a journal: expected a directory that holds " + LOG + ", found a file");
            }
            throw e;
        }
        Path log = directory.resolve(LOG);
        int logFd = -1;
        boolean done = false;
        try {
            logFd = layer.open(directoryFd, LOG, (writable ? Posix.O_RDWR : Posix.O_RDONLY) | Posix.O_NONBLOCK, 0, log);
            Posix.Status status = layer.status(logFd, log);
            if (!status.isRegular()) {
                throw new JournalException.NotAJournal(log + " is not a regular file");
            }
            done = true;
            return new JournalFiles(layer, directory, directoryFd, logFd, status.size(), writable);
        } catch (JournalException.Io e) {
            if (e.errno() == Posix.ENOENT) {
                throw new JournalException.NotAJournal(directory + " is not a journal: it holds no " + LOG);
            }
            throw e;
        } finally {
            if (!done) {
                if (logFd >= 0) {
                    layer.close(logFd);
                }
                layer.close(directoryFd);
            }
        }
    }

    /// Takes the writer's lock, which dies with the process.
    ///
    /// @throws JournalException.Locked if another writer has it
    public void lock() {
        if (!layer.tryLock(log.fd(), 0, 0, logPath())) {
            throw new JournalException.Locked("journal " + directory
                    + " is open for writing already, in this process or another; one writer at a time: close that one,"
                    + " or open this journal read-only");
        }
    }

    /// Makes the names durable, of the files and of the directory itself: whoever created the journal may have died
    /// before that. To be called before anything is promised of a journal that was never written.
    ///
    /// @throws JournalException.Io if that fails
    public void syncNames() {
        layer.fsync(directoryFd, directory);
        int parentFd = openParent(layer, directory);
        try {
            layer.fsync(parentFd, directory);
        } finally {
            layer.close(parentFd);
        }
    }

    /// Whether a writer has the journal open.
    public boolean isWriterAlive() {
        return layer.isLocked(log.fd(), 0, 0, logPath());
    }

    /// What the storage gives.
    ///
    /// @param level    null asks for the strongest
    /// @param strategy how to persist at `MEMORY`, null as it was measured
    public DurabilityReport probe(@Nullable Durability level, boolean emulate, @Nullable PersistStrategy strategy) {
        return withPersist(
                StorageProbe.report(layer, log.fd(), logPath(), log.lengthBytes(), level, emulate), strategy);
    }

    private DurabilityReport withPersist(DurabilityReport report, @Nullable PersistStrategy strategy) {
        return report.durability() != Durability.MEMORY
                ? report
                : new DurabilityReport(
                        report.durability(),
                        report.emulated(),
                        report.fileSystem(),
                        report.mapSync(),
                        report.reason(),
                        Calibrator.report(log, strategy));
    }

    /// Measures what the strategies of `MEMORY` cost here, and records it; the writer's lock is taken.
    ///
    /// @param report of [#probe], for `MEMORY`
    public PersistCalibration calibrate(DurabilityReport report) {
        return Calibrator.calibrate(log, report.mapSync());
    }

    /// What to say of the durability of a journal that is only read; never refused.
    public DurabilityReport describe(Durability level, boolean emulated) {
        return withPersist(StorageProbe.describe(layer, log.fd(), logPath(), log.lengthBytes(), level, emulated), null);
    }

    /// Maps `journal.log` whole; writable for `MEMORY` and `PROCESS` writers, else read-only.
    public void map(DurabilityReport durability) {
        log.map(durability);
    }

    /// The persister of a level; [#map] came before.
    ///
    /// @param strategy counts at `MEMORY`
    public Persister persister(Durability durability, PersistStrategy strategy) {
        return log.persister(durability, strategy, directory);
    }

    /// Maps `journal.run`.
    ///
    /// @return null if there is none that can be used, and this is a reader
    public @Nullable MemorySegment mapRun() {
        Path run = directory.resolve(RUN);
        int fd;
        try {
            fd = layer.open(
                    directoryFd,
                    RUN,
                    (writable ? Posix.O_RDWR | Posix.O_CREAT : Posix.O_RDONLY) | Posix.O_NONBLOCK,
                    0600,
                    run);
        } catch (JournalException.Io e) {
            if (!writable && e.errno() == Posix.ENOENT) {
                return null;
            }
            throw e;
        }
        try {
            Posix.Status status = layer.status(fd, run);
            if (!status.isRegular()) {
                throw new JournalException.NotAJournal(run + " is not a regular file");
            }
            if (status.size() < RunFileDescriptor.LENGTH_BYTES) {
                if (!writable) {
                    return null;
                }
                layer.allocate(fd, RunFileDescriptor.LENGTH_BYTES, run);
            }
            long address = layer.map(fd, RunFileDescriptor.LENGTH_BYTES, writable, false, run);
            MemorySegment words = MemorySegment.ofAddress(address)
                    .reinterpret(
                            RunFileDescriptor.LENGTH_BYTES,
                            runArena,
                            mapped -> layer.unmap(mapped.address(), RunFileDescriptor.LENGTH_BYTES));
            return writable ? words : words.asReadOnly();
        } finally {
            layer.close(fd);
        }
    }

    /// Opens and maps `readers.run`, which is made if it is not there: readers do so, too.
    ///
    /// @throws JournalException.Io if this process may not write there
    public SharedFile openReaders() {
        Path readers = directory.resolve(READERS);
        int flags = Posix.O_RDWR | Posix.O_CREAT | Posix.O_NONBLOCK;
        int fd = layer.open(directoryFd, READERS, flags, 0600, readers);
        int probeFd = -1;
        boolean done = false;
        try {
            Posix.Status status = layer.status(fd, readers);
            if (!status.isRegular()) {
                throw new JournalException.NotAJournal(readers + " is not a regular file");
            }
            long length = ReadersFileDescriptor.LENGTH_BYTES;
            if (status.size() < length) {
                layer.allocate(fd, length, readers);
            }
            probeFd = layer.open(directoryFd, READERS, Posix.O_RDWR | Posix.O_NONBLOCK, 0, readers);
            long address = layer.map(fd, length, true, false, readers);
            MemorySegment words = MemorySegment.ofAddress(address)
                    .reinterpret(length, Arena.ofAuto(), mapped -> layer.unmap(mapped.address(), length));
            done = true;
            return new SharedFile(layer, readers, fd, probeFd, words);
        } finally {
            if (!done) {
                layer.close(fd);
                if (probeFd >= 0) {
                    layer.close(probeFd);
                }
            }
        }
    }

    /// The cursors of this journal.
    public CursorFiles cursors() {
        return new CursorFiles(layer, directory, directoryFd);
    }

    /// Reads exactly that many bytes.
    ///
    /// @throws JournalException.Io if they cannot be read, or the file ends before
    public void read(long fileOffset, MemorySegment destination, long destinationOffset, long lengthBytes) {
        log.read(fileOffset, destination, destinationOffset, lengthBytes);
    }

    /// A native buffer aligned to pages; freed when it is unreachable.
    public MemorySegment newBuffer(long lengthBytes) {
        return DataFile.newBuffer(lengthBytes);
    }

    /// The read-only mapping of `journal.log`; safe to use in Java after close, which then throws.
    public MemorySegment mapping() {
        return log.mapping();
    }

    public Path directory() {
        return directory;
    }

    public Path logPath() {
        return log.path();
    }

    public long logLengthBytes() {
        return log.lengthBytes();
    }

    /// Unmaps, closes and unlocks.
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        runArena.close();
        log.close();
        if (directoryFd >= 0) {
            layer.close(directoryFd);
        }
    }

    private static int createFile(FileLayer layer, int directoryFd, String name, boolean groupReadable, Path what) {
        int fd = layer.open(directoryFd, name, Posix.O_RDWR | Posix.O_CREAT | Posix.O_EXCL, 0600, what);
        layer.chmod(fd, groupReadable ? 0640 : 0600, what);
        return fd;
    }

    private static int openParent(FileLayer layer, Path directory) {
        Path parent = directory.getParent();
        try {
            Path real = parent == null ? directory : layer.realPath(parent);
            return layer.open(-1, real.toString(), Posix.O_RDONLY | Posix.O_DIRECTORY, 0, real);
        } catch (NoSuchFileException e) {
            throw new JournalException.Io(
                    "cannot create journal " + directory + ": there is no directory " + parent, Posix.ENOENT);
        } catch (IOException e) {
            throw new JournalException.Io("cannot create journal " + directory + ": " + e, e);
        }
    }

    private void writeZeros(long from, long to, LongConsumer progress) {
        MemorySegment zeros = newBuffer(ZEROS_LENGTH_BYTES);
        MemorySegment capture = Posix.newCapture();
        long done = from;
        while (done < to) {
            long chunk = Math.min(ZEROS_LENGTH_BYTES, to - done);
            layer.pwriteFully(log.fd(), zeros.address(), chunk, done, capture, logPath());
            done += chunk;
            progress.accept(done);
        }
    }

    private static JournalException.AlreadyExists exists(Path directory) {
        return new JournalException.AlreadyExists("cannot create journal " + directory
                + ": something is there already; choose a new path (the directory is made by the creation itself)");
    }
}
