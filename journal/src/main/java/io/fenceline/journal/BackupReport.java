package io.fenceline.journal;

/// What a backup holds.
///
/// @param retained     the oldest position in it
/// @param published    everything before it is there
/// @param nextSequence of the entry that would come next
/// @param copiedBytes  so many bytes were copied, some of them twice if the ring went past meanwhile
public record BackupReport(long retained, long published, long nextSequence, long copiedBytes) {}
