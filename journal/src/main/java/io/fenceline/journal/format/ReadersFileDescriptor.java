package io.fenceline.journal.format;

/// The shared words of `readers.run`: written by readers and by the writer, mapped by both, never flushed, and
/// never truncated or replaced. What readers say here can hold the ring, and wake nobody; it cannot do harm
/// beyond that.
///
///     +------+-----------+-------+------------------------------------------------------------------------+
///     |   at | field     | type  | meaning                                                                |
///     +------+-----------+-------+------------------------------------------------------------------------+
///     |    0 | magic     | 8 B   | the ASCII bytes FENCERDR                                               |
///     |    8 | version   | i32   | 1                                                                      |
///     |   16 | journalId | 16 B  | as in the superblock                                                   |
///     |   32 | bootHash  | i64   | boot that the words belong to; stored last                             |
///     |   40 | gateCount | i64   | gates from this one on were never used in this boot                    |
///     |  128 | sleeping  | i32   | futex: odd while somebody may sleep; one more with each change         |
///     |  256 | fenced    | i64   | 1 if the writer takes part in membarrier                               |
///     | 4096 | gates     |       | 2048 gates, see GateDescriptor                                         |
///     +------+-----------+-------+------------------------------------------------------------------------+
///
/// The words count only if `bootHash` is that of the running boot and `journalId` is the journal's. Whoever finds
/// that they do not count, clears them and enters the gating cursors, under an exclusive lock of byte 0.
public final class ReadersFileDescriptor {
    /// `FENCERDR`, as a little-endian number.
    public static final long MAGIC = 0x5244_5245_434E_4546L;

    public static final int VERSION = 1;
    public static final int MAGIC_OFFSET = 0;
    public static final int VERSION_OFFSET = 8;
    public static final int JOURNAL_ID_OFFSET = 16;
    public static final int BOOT_HASH_OFFSET = 32;
    public static final int GATE_COUNT_OFFSET = 40;
    public static final int SLEEPING_OFFSET = 128;
    public static final int FENCED_OFFSET = 256;
    public static final int HEADER_LENGTH_BYTES = 4096;

    /// Gates that there are.
    public static final int GATES = 2048;

    public static final int LENGTH_BYTES = HEADER_LENGTH_BYTES + GATES * GateDescriptor.LENGTH_BYTES;

    private ReadersFileDescriptor() {}

    /// Offset of a gate, and of the byte that its owner locks.
    public static int gateOffset(int gate) {
        return HEADER_LENGTH_BYTES + gate * GateDescriptor.LENGTH_BYTES;
    }
}
