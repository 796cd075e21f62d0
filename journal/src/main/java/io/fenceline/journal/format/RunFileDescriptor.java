package io.fenceline.journal.format;

/// The shared words of `journal.run`: written by the writer process only, mapped by readers, never flushed, and never
/// truncated or replaced. Words that change often have 128 bytes (two lines: adjacent-line prefetch) to themselves.
///
///     +-----+-----------------+-------+-----------------------------------------------------------------+
///     |  at | field           | type  | meaning                                                         |
///     +-----+-----------------+-------+-----------------------------------------------------------------+
///     |   0 | magic           | 8 B   | the ASCII bytes FENCERUN                                        |
///     |   8 | version         | i32   | 1                                                               |
///     |  16 | journalId       | 16 B  | as in the superblock                                            |
///     |  32 | bootHash        | i64   | boot that the words below belong to; stored last                |
///     |  40 | writerPid       | i64   | process id of the last writer, in its own namespace             |
///     |  48 | poisoned        | i64   | 1 after the writer's first I/O fault                            |
///     |  56 | generation      | i64   | odd while a suffix truncation is under way                      |
///     |  64 | lastFrame       | i64   | a hint: a frame at or shortly before that of the last entry     |
///     | 128 | published       | i64   | everything before it may be read                                |
///     | 256 | retained        | i64   | oldest byte still readable                                      |
///     | 384 | reclaimed       | i64   | how far the writer gives up, or is about to if no gate holds it |
///     | 512 | opened          | i64   | when the writer opened the journal, ns since the epoch          |
///     | 520 | verdict         | i64   | what it found: 1 clean, 2 recovered, 3 power lost               |
///     | 528 | keptEntries     | i64   | entries behind the floor that its recovery kept                 |
///     | 536 | sealedBytes     | i64   | bytes that its recovery sealed                                  |
///     | 544 | waits           | i64   | its appends that waited for room                                |
///     | 552 | waited          | i64   | how long, together, ns                                          |
///     | 560 | refusedFull     | i64   | its appends that were refused: the ring was full                |
///     | 568 | refusedHeld     | i64   | its appends that were refused: a gate held the ring             |
///     | 576 | records         | i64   | state records that its appends waited for                       |
///     | 584 | recording       | i64   | how long, together, ns                                          |
///     | 592 | lastReserved    | i64   | what was reserved when an append last had to ask for space      |
///     +-----+-----------------+-------+-----------------------------------------------------------------+
///
/// The words count only if `bootHash` is that of the running boot and `journalId` is the journal's; else a reader uses
/// `floor` and `retained` of the state record. `lastFrame` is stored when a writer begins and when it closes; it is a
/// hint in any boot, believed only as far as the frames found there bear it out.
public final class RunFileDescriptor {
    /// `FENCERUN`, as a little-endian number.
    public static final long MAGIC = 0x4E55_5245_434E_4546L;

    public static final int VERSION = 1;
    public static final int LENGTH_BYTES = 4096;
    public static final int MAGIC_OFFSET = 0;
    public static final int VERSION_OFFSET = 8;
    public static final int JOURNAL_ID_OFFSET = 16;
    public static final int BOOT_HASH_OFFSET = 32;
    public static final int WRITER_PID_OFFSET = 40;
    public static final int POISONED_OFFSET = 48;
    public static final int GENERATION_OFFSET = 56;
    public static final int LAST_FRAME_OFFSET = 64;
    public static final int PUBLISHED_OFFSET = 128;
    public static final int RETAINED_OFFSET = 256;
    public static final int RECLAIMED_OFFSET = 384;
    public static final int OPENED_OFFSET = 512;
    public static final int VERDICT_OFFSET = 520;
    public static final int KEPT_ENTRIES_OFFSET = 528;
    public static final int SEALED_BYTES_OFFSET = 536;
    public static final int WAITS_OFFSET = 544;
    public static final int WAITED_OFFSET = 552;
    public static final int REFUSED_FULL_OFFSET = 560;
    public static final int REFUSED_HELD_OFFSET = 568;
    public static final int RECORDS_OFFSET = 576;
    public static final int RECORDING_OFFSET = 584;
    public static final int LAST_RESERVED_OFFSET = 592;

    private RunFileDescriptor() {}
}
