package io.fenceline.journal.positions;

/// Pairs (position, sequence), each read from one state of the reservation, that become the floor when everything
/// before them is published.
///
/// Not synchronized: [Positions] holds its monitor. When there are too many, the newest unpromoted one is replaced,
/// so that the oldest still comes through, and the floor advances under any load.
final class FloorCandidates {
    private static final int CAPACITY = 64;

    private final long[] positions = new long[CAPACITY];
    private final long[] sequences = new long[CAPACITY];
    private int head;
    private int count;
    private long newest = -1;
    private long position = -1;
    private long sequence = -1;

    /// Forgets all pairs: the sequences from here on are others.
    void restart(long position, long sequence) {
        count = 0;
        newest = -1;
        this.position = position;
        this.sequence = sequence;
    }

    /// Adds a pair, if it is newer than all before.
    void add(long position, long sequence) {
        if (position <= newest) {
            return;
        }
        newest = position;
        if (count < CAPACITY) {
            count++;
        }
        int at = (head + count - 1) % CAPACITY;
        positions[at] = position;
        sequences[at] = sequence;
    }

    /// Takes the newest pair that is published.
    void promote(long published) {
        while (count > 0 && positions[head] <= published) {
            position = positions[head];
            sequence = sequences[head];
            head = (head + 1) % CAPACITY;
            count--;
        }
    }

    /// Position of the newest promoted pair, -1 if there is none.
    long position() {
        return position;
    }

    /// Its sequence.
    long sequence() {
        return sequence;
    }
}
