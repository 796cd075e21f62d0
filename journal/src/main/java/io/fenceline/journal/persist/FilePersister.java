package io.fenceline.journal.persist;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Crc32c;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// A persister over a real file: reading, syncing, and the first fault, which ends everything.
abstract class FilePersister implements Persister {
    /// No downcall copies more: a critical one delays the JVM's safepoints.
    static final int CHUNK_LENGTH_BYTES = 64 << 10;

    final DataFile file;
    private final Path owner;
    private final AtomicReference<@Nullable Throwable> fault = new AtomicReference<>();
    final MemorySegment capture = Posix.newCapture(); // under the lock of this
    private final MemorySegment status = Posix.newStatusBuffer();

    /// @param owner the journal's directory, for messages
    FilePersister(DataFile file, Path owner) {
        this.file = file;
        this.owner = owner;
    }

    @Override
    public void read(long fileOffset, MemorySegment destination, long destinationOffset, long lengthBytes) {
        file.read(fileOffset, destination, destinationOffset, lengthBytes);
    }

    @Override
    public synchronized void sync() {
        check();
        try {
            file.layer().fsync(file.fd(), file.path());
        } catch (JournalException.Io e) {
            poison(e);
            throw e;
        }
    }

    @Override
    public synchronized void checkFile() {
        check();
        try {
            file.layer().checkWhole(file.fd(), file.lengthBytes(), status, capture, file.path());
        } catch (JournalException.Io e) {
            poison(e);
            throw e;
        }
    }

    @Override
    public void populate(long fileOffset, long lengthBytes) {
        Posix.populate(file.mappedAddress() + fileOffset, lengthBytes);
    }

    @Override
    public final @Nullable Throwable fault() {
        return fault.get();
    }

    @Override
    public final void poison(Throwable cause) {
        fault.compareAndSet(null, cause);
    }

    /// Nothing persists after the first fault.
    final void check() {
        Throwable first = fault.get();
        if (first != null) {
            throw new JournalException.Poisoned(
                    "journal " + owner + " was poisoned by an earlier fault (" + first.getMessage()
                            + "); nothing more is acknowledged: close it, see to the storage, open it again",
                    first);
        }
    }

    /// `PROCESS`: plain stores to the shared mapping, from native code.
    static final class ProcessPersister extends FilePersister {
        private static final Instructions KERNEL = NativeKernel.kernel();
        private static final boolean HAS_KERNEL = NativeKernel.isAvailable();

        private final long base;

        ProcessPersister(DataFile file, Path owner) {
            super(file, owner);
            base = file.mappedAddress();
        }

        @Override
        public void store(long fileOffset, long sourceAddress, long lengthBytes) {
            check();
            long done = 0;
            while (done < lengthBytes) {
                long chunk = Math.min(CHUNK_LENGTH_BYTES, lengthBytes - done);
                Posix.copy(base + fileOffset + done, sourceAddress + done, chunk);
                done += chunk;
            }
        }

        @Override
        public void drain() {
            check();
        }

        @Override
        public void persistFrame(
                long fileOffset,
                ByteBuffer stage,
                long stageAddress,
                int lengthBytes,
                int slotsLengthBytes,
                int salt,
                Crc32c crc) {
            if (HAS_KERNEL && slotsLengthBytes <= CHUNK_LENGTH_BYTES) {
                check();
                KERNEL.storeFrame(base + fileOffset, stageAddress, lengthBytes, slotsLengthBytes, salt);
            } else {
                super.persistFrame(fileOffset, stage, stageAddress, lengthBytes, slotsLengthBytes, salt, crc);
            }
        }

        @Override
        public boolean takesEntries() {
            return KERNEL.hasEntry();
        }

        @Override
        public void persistEntry(
                long fileOffset,
                MemorySegment payload,
                int lengthBytes,
                int type,
                long position,
                long sequence,
                long timestampNs,
                int epoch,
                int salt) {
            check();
            KERNEL.storeEntry(
                    base + fileOffset, payload, lengthBytes, type, position, sequence, timestampNs, epoch, salt);
        }

        /// The page cache holds the bytes for as long as this level promises.
        @Override
        public void rewrite(long fileOffset, long lengthBytes) {
            check();
        }
    }

    /// `DEVICE`: `pwrite` and `fdatasync`. Both go through one lock, and an error becomes poison before the lock is
    /// released: Linux reports a write-back error once per descriptor, so that of two overlapping syncs one would
    /// return success. A sync of a file that was removed or cut off under the writer is no success either.
    static final class DevicePersister extends FilePersister {
        DevicePersister(DataFile file, Path owner) {
            super(file, owner);
        }

        @Override
        public synchronized void store(long fileOffset, long sourceAddress, long lengthBytes) {
            check();
            try {
                file.layer().pwriteFully(file.fd(), sourceAddress, lengthBytes, fileOffset, capture, file.path());
            } catch (JournalException.Io e) {
                poison(e);
                throw e;
            }
        }

        @Override
        public synchronized void drain() {
            check();
            try {
                file.layer().fdatasync(file.fd(), capture, file.path());
            } catch (JournalException.Io e) {
                poison(e);
                throw e;
            }
            super.checkFile();
        }

        /// Each drain has done so.
        @Override
        public synchronized void checkFile() {
            check();
        }

        /// Writes the same bytes again: that also dirties pages that a failed sync has marked clean.
        @Override
        public synchronized void rewrite(long fileOffset, long lengthBytes) {
            check();
            MemorySegment buffer = DataFile.newBuffer(CHUNK_LENGTH_BYTES);
            long done = 0;
            while (done < lengthBytes) {
                long chunk = Math.min(CHUNK_LENGTH_BYTES, lengthBytes - done);
                read(fileOffset + done, buffer, 0, chunk);
                store(fileOffset + done, buffer.address(), chunk);
                done += chunk;
            }
        }

        /// The mapping is only read.
        @Override
        public void populate(long fileOffset, long lengthBytes) {}
    }
}
