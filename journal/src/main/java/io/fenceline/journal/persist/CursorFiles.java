package io.fenceline.journal.persist;

import io.fenceline.journal.Durability;
import io.fenceline.journal.DurabilityReport;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.CursorRecord;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// The directory `cursors` of a journal: mode 0700, its files 0600, symbolic links refused.
public final class CursorFiles {
    public static final String DIRECTORY = "cursors";

    private final FileLayer layer;
    private final Path directory;
    private final int journalFd;

    /// @param layer     whose descriptor it is
    /// @param journal   the journal's directory
    /// @param journalFd open
    CursorFiles(FileLayer layer, Path journal, int journalFd) {
        this.layer = layer;
        this.directory = journal.resolve(DIRECTORY);
        this.journalFd = journalFd;
    }

    /// A cursor that is open and locked for committing.
    public static final class Open implements AutoCloseable {
        private final DataFile file;
        private @Nullable Persister persister;

        private Open(DataFile file) {
            this.file = file;
        }

        /// The file, for messages.
        public Path path() {
            return file.path();
        }

        /// Maps it.
        ///
        /// @param durability of the journal
        public Persister persister(DurabilityReport durability) {
            Persister known = persister;
            if (known == null) {
                DurabilityReport here = durability;
                if (durability.durability() == Durability.MEMORY) {
                    here = StorageProbe.report(
                            file.layer(),
                            file.fd(),
                            file.path(),
                            file.lengthBytes(),
                            Durability.MEMORY,
                            durability.emulated());
                }
                file.map(here);
                known = file.persister(durability.durability(), durability.strategy(), file.path());
                persister = known;
            }
            return known;
        }

        /// Unlocks.
        @Override
        public void close() {
            file.close();
        }
    }

    /// Opens and locks a cursor.
    ///
    /// @return null if there is none
    /// @throws JournalException.Locked if somebody has it open
    public @Nullable Open open(String name) {
        Path path = directory.resolve(CursorRecord.checkName(name));
        while (true) {
            int fd = openFile(name, Posix.O_RDWR);
            if (fd < 0) {
                return null;
            }
            boolean done = false;
            try {
                if (!layer.tryLock(fd, 0, 0, path)) {
                    throw new JournalException.Locked(
                            "cursor " + path + " is open already, in this process or another; one tailer at a time"
                                    + " commits to a cursor: close that one, or use another name");
                }
                Posix.Status status = layer.status(fd, path);
                if (status.links() == 0) {
                    continue; // it was removed meanwhile
                }
                requireWhole(path, status);
                DataFile file = new DataFile(layer, path, fd, CursorRecord.FILE_LENGTH_BYTES, true);
                CursorRecord newest = newest(file);
                if (newest != null && newest.version() == CursorRecord.FIRST_VERSION) {
                    syncNames(); // whoever created it may have died before
                }
                done = true;
                return new Open(file);
            } finally {
                if (!done) {
                    layer.close(fd);
                }
            }
        }
    }

    /// Makes a cursor with its first record, durable for real; it appears whole or not at all. Not opened.
    ///
    /// @throws JournalException.AlreadyExists if there is one
    public void create(String name, CursorRecord first) {
        Path path = directory.resolve(CursorRecord.checkName(name));
        int directoryFd = openDirectory(true);
        String temporary = "." + name + ".creating-"
                + Long.toHexString(ThreadLocalRandom.current().nextLong());
        int fd = -1;
        boolean done = false;
        try (Arena arena = Arena.ofConfined()) {
            fd = layer.open(directoryFd, temporary, Posix.O_RDWR | Posix.O_CREAT | Posix.O_EXCL, 0600, path);
            layer.allocate(fd, CursorRecord.FILE_LENGTH_BYTES, path);
            MemorySegment bytes = arena.allocate(CursorRecord.FILE_LENGTH_BYTES, 4096);
            long at = CursorRecord.fileOffset(first.version());
            first.encode(bytes.asSlice(at, CursorRecord.LENGTH_BYTES).asByteBuffer(), new Crc32c());
            layer.pwriteFully(fd, bytes.address(), bytes.byteSize(), 0, Posix.newCapture(arena), path);
            layer.fsync(fd, path);
            layer.renameNoReplace(directoryFd, temporary, name, path);
            done = true;
            syncNames(directoryFd);
        } catch (JournalException.Io e) {
            if (e.errno() == Posix.EEXIST) {
                throw new JournalException.AlreadyExists("cursor " + path + " exists already");
            }
            throw e;
        } finally {
            if (fd >= 0) {
                if (!done) {
                    layer.remove(directoryFd, temporary, false);
                }
                layer.close(fd);
            }
            layer.close(directoryFd);
        }
    }

    /// Removes a cursor, durably. Its lock, if the caller has it, is of no use any more.
    ///
    /// @return false if there is none
    public boolean remove(String name) {
        CursorRecord.checkName(name);
        int directoryFd = openDirectory(false);
        if (directoryFd < 0) {
            return false;
        }
        try {
            boolean removed = layer.remove(directoryFd, name, false);
            layer.fsync(directoryFd, directory);
            if (!removed && layer.exists(directory.resolve(name))) {
                throw new JournalException.Io(
                        "cannot remove " + directory.resolve(name) + ": check the permissions and the owner",
                        Posix.EACCES);
            }
            return removed;
        } finally {
            layer.close(directoryFd);
        }
    }

    /// Reads the newest record of a cursor without locking it; what is torn while it is written does not count.
    ///
    /// @return null if there is no such cursor
    /// @throws JournalException.Corrupt if it holds no valid record
    public @Nullable CursorRecord read(String name) {
        Path path = directory.resolve(CursorRecord.checkName(name));
        int fd = openFile(name, Posix.O_RDONLY);
        if (fd < 0) {
            return null;
        }
        try (DataFile file = new DataFile(layer, path, fd, CursorRecord.FILE_LENGTH_BYTES, false)) {
            requireWhole(path, layer.status(fd, path));
            return check(path, newest(file));
        }
    }

    private static @Nullable CursorRecord newest(DataFile file) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(CursorRecord.FILE_LENGTH_BYTES);
        file.read(0, MemorySegment.ofBuffer(bytes), 0, CursorRecord.FILE_LENGTH_BYTES);
        return CursorRecord.newest(bytes);
    }

    private void syncNames() {
        int directoryFd = openDirectory(false);
        if (directoryFd >= 0) {
            try {
                syncNames(directoryFd);
            } finally {
                layer.close(directoryFd);
            }
        }
    }

    /// Those of the cursors, and that of their directory: whoever made it may have died before.
    private void syncNames(int directoryFd) {
        layer.fsync(directoryFd, directory);
        layer.fsync(journalFd, directory);
    }

    /// Whether somebody has the cursor open for committing.
    public boolean isOpen(String name) {
        Path path = directory.resolve(CursorRecord.checkName(name));
        int fd = openFile(name, Posix.O_RDONLY);
        if (fd < 0) {
            return false;
        }
        try {
            return layer.isLocked(fd, 0, 0, path);
        } finally {
            layer.close(fd);
        }
    }

    /// Names of all cursors, sorted.
    ///
    /// @throws JournalException.Io if they cannot be looked at
    public List<String> names() {
        if (layer.isSymbolicLink(directory)) {
            throw new JournalException.Io(directory + " is a symbolic link, which is refused", Posix.ELOOP);
        }
        List<String> names = new ArrayList<>();
        try {
            for (String name : layer.names(directory)) {
                if (isName(name)) {
                    names.add(name);
                }
            }
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (AccessDeniedException e) {
            throw new JournalException.Io(
                    "cannot list " + directory + ": Permission denied; check the permissions and the owner",
                    Posix.EACCES);
        } catch (IOException e) {
            throw new JournalException.Io("cannot list " + directory + ": " + e, e);
        }
        Collections.sort(names);
        return names;
    }

    private static boolean isName(String name) {
        try {
            CursorRecord.checkName(name);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /// The newest record of a file, if it makes sense.
    ///
    /// @throws JournalException.Corrupt if there is none, or it does not
    public static CursorRecord check(Object path, @Nullable CursorRecord newest) {
        String advice = "; remove the cursor ('fenceline cursor rm') and begin anew, or restore the file from a copy";
        if (newest == null) {
            throw new JournalException.Corrupt("cursor " + path + ": expected a valid record, found none" + advice);
        }
        String problem = newest.problem();
        if (problem != null) {
            throw new JournalException.Corrupt("cursor " + path + ": " + problem + advice);
        }
        return newest;
    }

    private static void requireWhole(Path path, Posix.Status status) {
        if (!status.isRegular() || status.size() != CursorRecord.FILE_LENGTH_BYTES) {
            throw new JournalException.Corrupt("cursor " + path + ": expected a regular file of "
                    + CursorRecord.FILE_LENGTH_BYTES + " bytes, found "
                    + (status.isRegular() ? status.size() + " bytes" : "something else") + "; remove it");
        }
    }

    /// @return -1 if there is no such file
    private int openFile(String name, int flags) {
        int directoryFd = openDirectory(false);
        if (directoryFd < 0) {
            return -1;
        }
        try {
            return layer.open(directoryFd, name, flags | Posix.O_NONBLOCK, 0, directory.resolve(name));
        } catch (JournalException.Io e) {
            if (e.errno() == Posix.ENOENT) {
                return -1;
            }
            throw e;
        } finally {
            layer.close(directoryFd);
        }
    }

    /// @param create make it if it is not there
    /// @return -1 if it is not there
    private int openDirectory(boolean create) {
        while (true) {
            try {
                return layer.open(journalFd, DIRECTORY, Posix.O_RDONLY | Posix.O_DIRECTORY, 0, directory);
            } catch (JournalException.Io e) {
                if (e.errno() != Posix.ENOENT) {
                    throw e;
                }
                if (!create) {
                    return -1;
                }
            }
            try {
                layer.mkdir(journalFd, DIRECTORY, 0700, directory);
            } catch (JournalException.Io e) {
                if (e.errno() != Posix.EEXIST) {
                    throw e;
                }
            }
        }
    }
}
