package io.fenceline.peers;

/// How much every peer may write before it goes round, or begins anew: the same for all.
final class Room {
    /// A test takes less; figures are measured with the default.
    static final int LENGTH_BYTES = Integer.getInteger("fenceline.peers.room", 256 << 20);

    private Room() {}
}
