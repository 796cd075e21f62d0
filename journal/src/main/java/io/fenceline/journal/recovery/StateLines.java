package io.fenceline.journal.recovery;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.persist.Persister;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// What a writer does about the lines of the state record that the one before it left, before it writes its own.
public final class StateLines {
    private StateLines() {}

    /// The version of a writer's first record: in the pair that does not hold the newest one, on the first line
    /// whose mirrors both hold an older record or nothing. A crash may have left another attempt at the next
    /// version there, torn; words that it shares with the new record could make it whole in one mirror, beside the
    /// new one in the other.
    ///
    /// @param newest version of the newest record
    public static long freshVersion(LogReader reader, long newest, int salt) {
        ByteBuffer page = ByteBuffer.allocateDirect(StateRecord.PAGE_LENGTH_BYTES);
        for (long next = newest + 1; next <= newest + StateRecord.LINES; next += StateRecord.PAIRS) {
            if (isFresh(reader, page, next, 0, salt) && isFresh(reader, page, next, 1, salt)) {
                return next;
            }
        }
        return newest + 1;
    }

    private static boolean isFresh(LogReader reader, ByteBuffer page, long version, int mirror, int salt) {
        int pair = (int) (version % StateRecord.PAIRS);
        int line = (int) (version / StateRecord.PAIRS % StateRecord.LINES);
        MemorySegment bytes = MemorySegment.ofBuffer(page.clear());
        try {
            reader.read(StateRecord.pageFileOffset(pair, mirror), bytes, 0, StateRecord.PAGE_LENGTH_BYTES);
        } catch (JournalException.Io e) {
            return true; // storing there may mend it
        }
        MemorySegment lineOfPage = bytes.asSlice((long) line * StateRecord.LENGTH_BYTES, StateRecord.LENGTH_BYTES);
        MemorySegment zeros = MemorySegment.ofArray(new byte[StateRecord.LENGTH_BYTES]);
        return StateRecord.decode(page, pair, line, salt) != null || lineOfPage.mismatch(zeros) < 0;
    }

    /// Makes a record durable that was found: writes it to its lines again, one mirror after the other, so that a
    /// torn write cannot take both.
    public static void rewrite(Persister persister, StateRecord record, int salt) {
        ByteBuffer line =
                ByteBuffer.allocateDirect(2 * StateRecord.LENGTH_BYTES).alignedSlice(StateRecord.LENGTH_BYTES);
        record.encode(line, salt);
        for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
            persister.store(
                    StateRecord.fileOffset(record.version(), mirror),
                    MemorySegment.ofBuffer(line.clear()).address(),
                    StateRecord.LENGTH_BYTES);
            persister.drain();
        }
    }
}
