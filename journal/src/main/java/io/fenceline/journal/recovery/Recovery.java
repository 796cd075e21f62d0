package io.fenceline.journal.recovery;

import io.fenceline.journal.Durability;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.RecoveryReport.Verdict;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.Persister;
import java.util.ArrayList;
import java.util.List;

/// Rebuilds the log after a crash: scan, classify, persist what is kept, seal.
///
///     floor                                                     lease
///       |  kept  | kept |  hole  | kept |  torn, never written    |   just beyond: must hold no frame
///       +--------+------+--------+------+-------------------------+- - -
///                       ^^^^^^^^^^       ^^^^^^^^^^^^^^^^^^^^^^^^^^^
///                        sealed by PADs: a position is never written twice in a lap
///
/// [#scan] reads O(lease − floor) and writes nothing. [#repair] then makes durable what is kept, because what is
/// read after a mere process crash may not be durable yet: first the record it was judged by, then the bytes; only
/// then the PADs; and last, by the caller, the record of the next epoch. Cut anywhere, the next recovery concludes
/// the same.
public final class Recovery {
    /// How far beyond the lease a frame of the newest epoch is looked for: the writer's first lease.
    static final int BEYOND_LENGTH_BYTES = 64 << 10;

    private final Superblock superblock;
    private final Geometry geometry;
    private final StateRecord state;
    private final boolean powerLost;
    private final boolean sameBoot;
    private final Object name;
    private final List<String> warnings;
    private final FrameReader frames;
    private final long lastFrameHint;
    private final long startNs = System.nanoTime();
    private final List<Seal> seals = new ArrayList<>();

    private long keptFrames;
    private long keptEntries;
    private long keptBytes;
    private long keptEnd;
    private long holes;
    private long sealedBytes;
    private long droppedFrames;
    private long nextSequence;
    private long lastSequence = -1;
    private long lastPosition = -1;

    /// Slots that are not to be read as frames again.
    ///
    /// @param everySlot some slot in it still certifies, so that each gets a PAD
    private record Seal(long start, long end, long sequence, boolean everySlot) {}

    /// As below, without a hint.
    public Recovery(LogReader reader, Head head, int bootHash, Object name) {
        this(reader, head, -1, bootHash, name);
    }

    /// @param reader   reads `journal.log`
    /// @param head     of the file
    /// @param lastFrameHint where the frame of the last entry may be, anything if that is not known
    /// @param bootHash of the running boot
    /// @param name     of the file, for messages
    public Recovery(LogReader reader, Head head, long lastFrameHint, int bootHash, Object name) {
        this.lastFrameHint = lastFrameHint;
        superblock = head.superblock();
        geometry = superblock.geometry();
        state = head.state();
        warnings = head.warnings();
        sameBoot = state.bootHash() == bootHash;
        powerLost = isPowerLost(state, bootHash);
        this.name = name;
        frames = new FrameReader(reader, superblock);
    }

    /// Whether what a record's writer left may never have reached the medium: level `PROCESS`, not closed, and the
    /// machine was started again since.
    ///
    /// @param bootHash of the running boot
    static boolean isPowerLost(StateRecord state, int bootHash) {
        return state.durability() == Durability.PROCESS.id() && state.bootHash() != bootHash && !state.isClean();
    }

    /// Reads and judges; writes nothing.
    ///
    /// @throws JournalException.Corrupt     if the newest state record was lost, or a block cannot be read
    /// @throws JournalException.Unsupported if a newer version wrote a frame
    public RecoveryReport scan() {
        nextSequence = state.floorSequence();
        keptEnd = state.floor();
        if (state.isTruncating()) {
            sealedBytes = state.lease() - state.floor(); // told to find nothing
        } else if (!state.isClean()) {
            scanWindow();
        }
        checkBeyond();
        if (lastSequence < 0) {
            findLastEntry();
        }
        Verdict verdict = state.isClean() ? Verdict.CLEAN : powerLost ? Verdict.POWER_LOST : Verdict.RECOVERED;
        return report(verdict);
    }

    private void scanWindow() {
        long position = state.floor();
        long lease = state.lease();
        int minimumEpoch = 0;
        boolean afterHole = false;
        long holeStart = -1;
        boolean everySlot = false;
        while (position < lease) {
            int least = position >= state.epochStart() ? state.epoch() : minimumEpoch;
            FrameVerdict verdict = frames.certify(position, least, state.epoch());
            boolean dependent = verdict.isValid() && (frames.flags() & FrameDescriptor.FLAG_DEPENDENT) != 0;
            boolean straddles = verdict.isValid() && frames.nextPosition() > lease;
            RecoveryRow row = RecoveryRow.of(false, verdict, dependent, straddles, afterHole, powerLost);
            switch (row) {
                case UNREADABLE, UNKNOWN, BEYOND_LEASE, STRADDLES_LEASE -> throw refusal(row, position);
                case HOLE -> {
                    holeStart = holeStart < 0 ? position : holeStart;
                    afterHole = true;
                    position += FrameDescriptor.SLOT_LENGTH_BYTES;
                }
                case DROP_POWER_LOST, DROP_DEPENDENT -> {
                    holeStart = holeStart < 0 ? position : holeStart;
                    afterHole = true;
                    everySlot = true;
                    droppedFrames++;
                    position = Math.min(lease, frames.nextPosition());
                }
                case SEALED -> {
                    closeHole(holeStart, position, frames.sequence(), everySlot);
                    long end = frames.nextPosition();
                    seals.add(new Seal(position, end, frames.sequence(), false));
                    sealedBytes += end - position;
                    holeStart = -1;
                    everySlot = false;
                    afterHole = true;
                    position = end;
                }
                case KEEP -> {
                    if (verdict == FrameVerdict.DATA && frames.sequence() < nextSequence) {
                        throw new JournalException.Corrupt(name + ": the frame at position " + position
                                + " has sequence " + frames.sequence() + ", expected " + nextSequence
                                + " or more; restore the file from a copy");
                    }
                    holes += closeHole(holeStart, position, frames.sequence(), everySlot);
                    holeStart = -1;
                    everySlot = false;
                    minimumEpoch = frames.epoch();
                    keep(verdict, position);
                    position = keptEnd;
                }
                case END -> throw new AssertionError(row);
            }
        }
        closeHole(holeStart, lease, nextSequence, everySlot);
    }

    private void keep(FrameVerdict verdict, long position) {
        long end = frames.nextPosition();
        keptFrames++;
        keptBytes += end - position;
        keptEnd = end;
        if (verdict == FrameVerdict.DATA) {
            keptEntries += frames.entries();
            nextSequence = frames.sequence() + frames.entries();
            lastSequence = nextSequence - 1;
            lastPosition = position;
        } else if (verdict == FrameVerdict.PAD) {
            nextSequence = Math.max(nextSequence, frames.sequence()); // the entry before it was lost: see FORMAT
        }
    }

    /// Plans the PADs of one run of slots, one a segment.
    ///
    /// @return 1 if there was such a run, else 0
    private int closeHole(long start, long end, long sequence, boolean everySlot) {
        if (start < 0) {
            return 0;
        }
        sealedBytes += end - start;
        for (long from = start; from < end; ) {
            long to = Math.min(end, geometry.segmentEnd(from));
            seals.add(new Seal(from, to, sequence, everySlot));
            from = to;
        }
        return 1;
    }

    /// A frame of the newest epoch at or beyond the lease was written under a lease that is not in the newest
    /// record found, so there was a newer one.
    private void checkBeyond() {
        // Also where the ring holds what is retained by this record: the lost one may have given it up.
        long end = state.lease() + Math.min(BEYOND_LENGTH_BYTES, geometry.capacityBytes());
        for (long position = state.lease(); position < end; position += FrameDescriptor.SLOT_LENGTH_BYTES) {
            FrameVerdict verdict = frames.certify(position, state.epoch(), Integer.MAX_VALUE);
            RecoveryRow row = RecoveryRow.of(true, verdict, false, false, false, powerLost);
            if (row != RecoveryRow.END) {
                throw refusal(row, position);
            }
        }
    }

    private void findLastEntry() {
        lastSequence = state.floorSequence() - 1;
        if (lastSequence >= 0) {
            lastPosition =
                    new LastEntry(frames, geometry, state.floor(), state.retained(), lastSequence).find(lastFrameHint);
        }
    }

    private JournalException refusal(RecoveryRow row, long position) {
        String where = name + ", position " + position + " (file offset " + geometry.fileOffset(position) + ")";
        return switch (row) {
            case UNREADABLE ->
                new JournalException.Corrupt(where + ": the storage cannot read this block; nothing was changed; copy"
                        + " what can be read (ddrescue, for example) and recover the copy");
            case UNKNOWN ->
                new JournalException.Unsupported(where + ": a valid frame of kind " + frames.kind() + " with flags "
                        + frames.flags() + ", which this version does not know; use a newer Fenceline");
            default ->
                new JournalException.Corrupt(where + ": a valid frame of epoch " + frames.epoch() + " lies "
                        + (row == RecoveryRow.STRADDLES_LEASE ? "across" : "beyond") + " the lease " + state.lease()
                        + " of state record " + state.version()
                        + ": expected nothing there, so a newer state record was lost; nothing was changed; restore"
                        + " the head of the file from a copy");
        };
    }

    /// Makes durable what is kept, then seals the rest. The caller then makes the record of the next epoch durable.
    public void repair(Persister persister) {
        if (sameBoot) {
            // A clean record, too: its writer may have died before the sync, and then both pairs would be in flight.
            StateLines.rewrite(persister, state, superblock.salt());
        }
        if (state.isClean()) {
            return;
        }
        if (sameBoot) {
            for (long from = state.floor(); from < keptEnd; ) {
                long to = Math.min(keptEnd, geometry.segmentEnd(from));
                persister.rewrite(geometry.fileOffset(from), to - from);
                from = to;
            }
            persister.drain();
        }
        if (state.isTruncating() || !seals.isEmpty()) {
            Seals pads = new Seals(persister, superblock, state.epoch());
            if (state.isTruncating()) {
                pads.cut(state.floor(), state.lease(), nextSequence);
            }
            for (Seal seal : seals) {
                if (seal.everySlot) {
                    pads.onEachSlot(seal.start, seal.end, seal.sequence);
                } else {
                    pads.over(seal.start, seal.end, seal.sequence);
                }
            }
            persister.drain();
            if (powerLost || state.isTruncating()) {
                // For real: else the next record could reach the medium without them, and what they cover come back.
                persister.sync();
            }
        }
    }

    private RecoveryReport report(Verdict verdict) {
        String reason = switch (verdict) {
            case CLEAN -> "closed in order";
            case RECOVERED ->
                state.isTruncating()
                        ? "the writer of epoch " + state.epoch() + " ended while it truncated the log to position "
                                + state.floor() + "; the truncation is completed"
                        : "the writer of epoch " + state.epoch() + " ended without closing; what it had acknowledged is"
                                + " kept";
            case POWER_LOST ->
                "the machine went down under a PROCESS journal, which promises to survive a process crash only;"
                        + " what is contiguous from the floor on is kept, entries may be lost before (see"
                        + " verify) and after";
        };
        return new RecoveryReport(
                verdict,
                reason,
                state.floor(),
                state.lease(),
                keptFrames,
                keptEntries,
                keptBytes,
                holes,
                sealedBytes,
                droppedFrames,
                lastSequence,
                lastPosition,
                nextSequence,
                state.lease(),
                frames.bytesRead(),
                System.nanoTime() - startNs,
                warnings);
    }
}
