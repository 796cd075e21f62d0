package io.fenceline.journal.positions;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.CursorRecord;
import io.fenceline.journal.persist.CursorFiles;
import io.fenceline.journal.persist.Persister;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// The records of one cursor: the only code that writes one. A commit is one record, durable when it returns: one
/// fence, or one `fdatasync`.
///
/// *Torn is the previous one:* records alternate between two pages, and none is begun before the one in front of
/// it is durable; so of the two newest one is whole, whatever a crash leaves of the other. *Found is durable:*
/// what was found when the cursor was opened is made durable before it is shown; a process may have died between
/// storing it and its fence. *A version is written once:* a dead process may have left a torn attempt at the next
/// version; the words of another attempt at the same place could make that one whole, so a fresh line is taken.
///
/// Not synchronized: whoever has the cursor's lock, one thread at a time.
public final class CursorLog {
    private final Persister persister;
    private final ByteBuffer line =
            ByteBuffer.allocateDirect(2 * CursorRecord.LENGTH_BYTES).alignedSlice(CursorRecord.LENGTH_BYTES);
    private final long lineAddress = MemorySegment.ofBuffer(line).address();
    private final Crc32c crc = new Crc32c();
    private final CursorRecord found;
    private long version;

    /// Reads the records, and makes the newest one durable.
    ///
    /// @param persister of the cursor's file, of the journal's level
    /// @param name      for messages
    /// @throws JournalException.Corrupt if no valid record is there
    public CursorLog(Persister persister, Object name) {
        this.persister = persister;
        ByteBuffer file = ByteBuffer.allocateDirect(CursorRecord.FILE_LENGTH_BYTES);
        persister.read(0, MemorySegment.ofBuffer(file), 0, CursorRecord.FILE_LENGTH_BYTES);
        found = CursorFiles.check(name, CursorRecord.newest(file));
        version = freshVersion(file, found.version()) - 1;
        persister.rewrite(CursorRecord.fileOffset(found.version()), CursorRecord.LENGTH_BYTES);
        persister.drain();
    }

    /// The first version behind the newest, in the other page, whose line holds an older record or nothing.
    private static long freshVersion(ByteBuffer file, long newest) {
        long steps = (long) CursorRecord.LINES * CursorRecord.PAGES;
        for (long next = newest + 1; next < newest + steps; next += CursorRecord.PAGES) {
            int at = (int) CursorRecord.fileOffset(next);
            int page = at / CursorRecord.PAGE_LENGTH_BYTES;
            int lineOfPage = at % CursorRecord.PAGE_LENGTH_BYTES / CursorRecord.LENGTH_BYTES;
            MemorySegment bytes = MemorySegment.ofBuffer(file.clear()).asSlice(at, CursorRecord.LENGTH_BYTES);
            boolean empty = bytes.mismatch(MemorySegment.ofArray(new byte[CursorRecord.LENGTH_BYTES])) < 0;
            if (empty || CursorRecord.decode(file, page, lineOfPage) != null) {
                return next;
            }
        }
        return newest + 1;
    }

    /// What was there when it was opened.
    public CursorRecord found() {
        return found;
    }

    /// Writes the next record; durable when it returns. Allocates nothing.
    public void commit(
            long position,
            long nextSequence,
            int epoch,
            int flags,
            byte[] userData,
            int userDataOffset,
            int userDataLength,
            long timeNs) {
        version++;
        CursorRecord.encode(
                line,
                crc,
                version,
                found.journalId(),
                position,
                nextSequence,
                epoch,
                flags,
                userData,
                userDataOffset,
                userDataLength,
                timeNs);
        persister.persist(CursorRecord.fileOffset(version), lineAddress, CursorRecord.LENGTH_BYTES);
    }
}
