package io.fenceline.journal.format;

/// A gate, one of an array in `readers.run`: the writer gives nothing up at or behind its position.
///
///     +----+------------+------+--------------------------------------------------------------------------+
///     | at | field      | type | meaning                                                                  |
///     +----+------------+------+--------------------------------------------------------------------------+
///     |  0 | state      | i64  | low 8 bits: 0 free, 1 EPHEMERAL, 2 CURSOR; above: counts its uses        |
///     |  8 | position   | i64  | everything from here on is held                                          |
///     | 16 | ownerPid   | i64  | process id of the owner, in its own namespace; for people                |
///     | 24 | nameLength | i32  | bytes of name; 0 if EPHEMERAL                                            |
///     | 64 | name       | 64 B | ASCII: of the cursor                                                     |
///     +----+------------+------+--------------------------------------------------------------------------+
///
/// An EPHEMERAL gate counts while its owner holds an exclusive lock of its first byte; a CURSOR gate until it is
/// freed.
public final class GateDescriptor {
    public static final int LENGTH_BYTES = 128;
    public static final int STATE_OFFSET = 0;
    public static final int POSITION_OFFSET = 8;
    public static final int OWNER_PID_OFFSET = 16;
    public static final int NAME_LENGTH_OFFSET = 24;
    public static final int NAME_OFFSET = 64;

    public static final int FREE = 0;
    public static final int EPHEMERAL = 1;
    public static final int CURSOR = 2;

    private GateDescriptor() {}

    /// The kind in a state.
    public static int kind(long state) {
        return (int) (state & 0xFF);
    }

    /// The state after a state, with a kind.
    public static long next(long state, int kind) {
        return (state | 0xFF) + 1 + kind;
    }
}
