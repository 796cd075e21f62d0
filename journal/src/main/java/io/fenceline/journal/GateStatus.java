package io.fenceline.journal;

/// A reader that holds the ring.
///
/// @param cursor   name of the cursor, which holds until it is removed; empty: a gating tailer, which holds
///                 until it
///                 is closed or its process is dead
/// @param position everything from here on is held
/// @param lagBytes how far it is behind `published`
/// @param ownerPid of the process that registered it, in that process's own namespace
public record GateStatus(String cursor, long position, long lagBytes, long ownerPid) {}
