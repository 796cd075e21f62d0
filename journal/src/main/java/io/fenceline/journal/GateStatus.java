package io.fenceline.journal;

/// A reader that holds the ring.
///
/// @param cursor   name of the cursor, which holds until it is removed; empty: a gating tailer, which holds until
///                 it is closed or its process is dead
/// @param position everything from here on is held
/// @param lagBytes how far it is behind `published`
/// @param lagEntries the same in entries, from the frame at the position on: a difference of sequences, so numbers
///                 that a crash left out count; -1 if the ring went past it
/// @param ownerPid of the process that registered it, in that process's own namespace
public record GateStatus(String cursor, long position, long lagBytes, long lagEntries, long ownerPid) {}
