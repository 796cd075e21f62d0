package io.fenceline.journal;

import org.jspecify.annotations.Nullable;

/// How far a named tailer has come.
///
/// @param name         of the cursor
/// @param position     of the frame that holds its next entry, as committed
/// @param nextSequence of its next entry
/// @param epoch        writer generation of the last entry before it; 0 if there was none
/// @param isGating     whether it holds the ring
/// @param isOpen       whether a tailer has it open now
/// @param lagBytes     how far it is behind `published`
/// @param lagEntries   the same in entries: a difference of sequences, so numbers that a crash left out count; -1 if
///                     the log is being cut just now
/// @param committedNs  when it was committed, ns since the epoch
/// @param userData     what was committed with it: 0 to 32 bytes
/// @param problem      why the rest says nothing: the file is damaged, or of another journal; null if nothing
///                     is wrong
@SuppressWarnings("ArrayRecordComponent")
public record CursorStatus(
        String name,
        long position,
        long nextSequence,
        int epoch,
        boolean isGating,
        boolean isOpen,
        long lagBytes,
        long lagEntries,
        long committedNs,
        byte[] userData,
        @Nullable String problem) {}
