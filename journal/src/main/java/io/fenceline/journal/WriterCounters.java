package io.fenceline.journal;

import org.jspecify.annotations.Nullable;

/// What the last writer of this boot did that is rare, since it opened the journal; also after it has ended. Read from
/// shared words: nobody is disturbed, and the numbers may be of slightly different moments.
///
/// @param pid             of its process, in that process's own namespace
/// @param isPoisoned      whether an I/O fault ended its acknowledgements
/// @param openedNs        when it opened the journal, ns since the epoch
/// @param verdict         what its recovery found; null if it did not say
/// @param keptEntries     entries behind the floor that its recovery kept
/// @param sealedBytes     bytes that its recovery sealed
/// @param waits           appends that waited for room ([FullPolicy#BLOCK])
/// @param waitedNs        how long, together
/// @param refusedFull     appends that were refused because the ring was full ([AppendResult#FULL])
/// @param refusedHeld     appends that were refused because a gate held the ring ([AppendResult#BACK_PRESSURED])
/// @param records         state records that appends waited for: a longer lease, or segments given up
/// @param recordingNs     how long, together
/// @param reserved        position up to which bytes are reserved, or have been: at least that much. It is what is
///                        published, or was reserved when an append last asked for space, whichever is greater; what
///                        is reserved at this moment, in between, is known in the writer's memory only
public record WriterCounters(
        long pid,
        boolean isPoisoned,
        long openedNs,
        RecoveryReport.@Nullable Verdict verdict,
        long keptEntries,
        long sealedBytes,
        long waits,
        long waitedNs,
        long refusedFull,
        long refusedHeld,
        long records,
        long recordingNs,
        long reserved) {}
