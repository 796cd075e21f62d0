package io.fenceline.journal.recovery;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.JournalFiles;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The head of `journal.log`, judged: which copy and which record to believe.
///
/// @param superblock what the journal is
/// @param state      the newest state record
/// @param warnings   damage that did no harm, a sentence each
public record Head(Superblock superblock, StateRecord state, List<String> warnings) {

    /// Reads superblock and state.
    ///
    /// @param reader          of `journal.log`
    /// @param fileLengthBytes actual length of `journal.log`
    /// @param name            of the file, for messages
    public static Head read(LogReader reader, long fileLengthBytes, Object name) {
        return read(reader, fileLengthBytes, name, false);
    }

    /// The same, but a file of the wrong length is a warning only.
    public static Head readLenient(LogReader reader, long fileLengthBytes, Object name) {
        return read(reader, fileLengthBytes, name, true);
    }

    private static Head read(LogReader reader, long fileLengthBytes, Object name, boolean lenient) {
        List<String> warnings = new ArrayList<>();
        Superblock superblock = readSuperblock(reader, fileLengthBytes, name, warnings);
        long expected = superblock.geometry().fileLengthBytes();
        if (fileLengthBytes != expected) {
            String problem = name + " was truncated or extended: expected " + expected
                    + " bytes by its superblock, actual " + fileLengthBytes;
            if (!lenient) {
                throw new JournalException.Truncated(problem + "; restore it from a copy");
            }
            warnings.add(problem);
            if (fileLengthBytes < StateRecord.pageFileOffset(1, 0) + StateRecord.PAGE_LENGTH_BYTES) {
                throw new JournalException.Truncated(
                        problem + ", with no copy of each pair of state pages left;" + " restore it from a copy");
            }
        }
        StateRecord state = readState(reader, superblock, name, warnings);
        return new Head(superblock, state, List.copyOf(warnings));
    }

    /// Writes the head of a new `journal.log`: the superblock and the first state record, all copies.
    public static void write(Superblock superblock, StateRecord first, JournalFiles.HeadOutput out) {
        ByteBuffer copy = ByteBuffer.allocateDirect(Superblock.LENGTH_BYTES);
        superblock.encode(copy);
        for (int i = 0; i < Superblock.COPIES; i++) {
            out.write(Superblock.fileOffset(i), MemorySegment.ofBuffer(copy.clear()));
        }
        ByteBuffer line = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES);
        first.encode(line, superblock.salt());
        for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
            out.write(StateRecord.fileOffset(first.version(), mirror), MemorySegment.ofBuffer(line.clear()));
        }
    }

    private static Superblock readSuperblock(
            LogReader reader, long fileLengthBytes, Object name, List<String> warnings) {
        @Nullable Superblock found = null;
        List<Superblock.Decoded> problems = new ArrayList<>();
        for (int copy = 0; copy < Superblock.COPIES; copy++) {
            Superblock.Decoded decoded = readCopy(reader, copy, fileLengthBytes);
            Superblock superblock = decoded.superblock();
            if (superblock == null) {
                problems.add(decoded);
                warnings.add("%s: superblock copy %d at offset %d is no use (%s); the other copy is used"
                        .formatted(name, copy, Superblock.fileOffset(copy), decoded.problem()));
            } else if (found != null && !found.equals(superblock)) {
                throw new JournalException.Corrupt(name + ": the two superblock copies (offsets 0 and 1048576) are both"
                        + " whole but differ; expected equal copies; restore the file from a copy");
            } else {
                found = superblock;
            }
        }
        for (Superblock.Decoded decoded : problems) {
            if (decoded.kind() == Superblock.Problem.UNSUPPORTED) {
                throw new JournalException.Unsupported(
                        name + " cannot be used by this version: " + decoded.problem() + "; use a newer Fenceline");
            }
        }
        if (found != null) {
            return found;
        }
        boolean foreign = problems.stream().allMatch(p -> p.kind() == Superblock.Problem.FOREIGN);
        String details = problems.get(0).problem() + " (copy at offset 0), "
                + problems.get(1).problem() + " (copy at offset 1048576)";
        if (foreign) {
            throw new JournalException.NotAJournal(name + " is not a journal: " + details);
        }
        throw new JournalException.Corrupt(
                name + ": both superblock copies are damaged: " + details + "; restore the file from a copy");
    }

    private static Superblock.Decoded readCopy(LogReader reader, int copy, long fileLengthBytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(Superblock.LENGTH_BYTES);
        long offset = Superblock.fileOffset(copy);
        if (offset + Superblock.LENGTH_BYTES > fileLengthBytes) {
            return new Superblock.Decoded(
                    null, Superblock.Problem.FOREIGN, "the file ends before it, at " + fileLengthBytes + " bytes");
        }
        try {
            reader.read(offset, MemorySegment.ofBuffer(buffer), 0, Superblock.LENGTH_BYTES);
        } catch (JournalException.Io e) {
            return new Superblock.Decoded(null, Superblock.Problem.DAMAGED, String.valueOf(e.getMessage()));
        }
        return Superblock.decode(buffer);
    }

    /// Reads the newest valid state record. Two valid lines of one version with different contents, an unknown flag and
    /// senseless fields are refused: an older record is never believed instead.
    public static StateRecord readState(LogReader reader, Superblock superblock, Object name, List<String> warnings) {
        Geometry geometry = superblock.geometry();
        @Nullable StateRecord newest = null;
        ByteBuffer page = ByteBuffer.allocateDirect(StateRecord.PAGE_LENGTH_BYTES);
        for (int pair = 0; pair < StateRecord.PAIRS; pair++) {
            for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
                if (!readPage(reader, pair, mirror, page, name, warnings)) {
                    continue;
                }
                for (int line = 0; line < StateRecord.LINES; line++) {
                    StateRecord record = StateRecord.decode(page, pair, line, superblock.salt());
                    if (record == null) {
                        continue;
                    }
                    if (newest != null && record.version() == newest.version() && !record.equals(newest)) {
                        throw new JournalException.Corrupt(name + ": two valid state records of version "
                                + record.version() + " differ: " + newest + " and " + record
                                + "; expected equal mirrors; restore the file from a copy");
                    }
                    if (newest == null || record.version() > newest.version()) {
                        newest = record;
                    }
                }
            }
        }
        if (newest == null) {
            throw new JournalException.Corrupt(name + ": no valid state record in the head (file offsets 4096, 8192,"
                    + " 1052672, 1056768); restore the file from a copy");
        }
        String problem = newest.problem(geometry);
        if (problem != null) {
            throw new JournalException.Corrupt(name + ": state record " + newest.version() + " cannot be used: "
                    + problem + "; restore the file from a copy");
        }
        return newest;
    }

    private static boolean readPage(
            LogReader reader, int pair, int mirror, ByteBuffer page, Object name, List<String> warnings) {
        long offset = StateRecord.pageFileOffset(pair, mirror);
        try {
            reader.read(offset, MemorySegment.ofBuffer(page.clear()), 0, StateRecord.PAGE_LENGTH_BYTES);
            return true;
        } catch (JournalException.Io e) {
            warnings.add("%s: state page at offset %d is unreadable (%s); its mirror is used"
                    .formatted(name, offset, e.getMessage()));
            return false;
        }
    }
}
