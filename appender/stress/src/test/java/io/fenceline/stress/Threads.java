package io.fenceline.stress;

import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.RunFileDescriptor;
import io.fenceline.journal.positions.Reservations;
import io.fenceline.journal.positions.RunFile;
import java.lang.foreign.Arena;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/// A ring of two segments of 4 KiB without bytes: what threads share while they reserve, rotate, publish and help.
///
/// To make one costs more than a sample, and samples are what finds something: so each is used for one sample after
/// another, in segments of its own. Positions in outcomes are counted from the first one's start, [#origin].
final class Threads {
    static final int SEGMENT = 4096;
    static final long CLOSED = -1;

    private static final Queue<Threads> IDLE = new ConcurrentLinkedQueue<>();

    final RunFile run = new RunFile(Arena.ofAuto().allocate(RunFileDescriptor.LENGTH_BYTES, 64));
    final Reservations reservations = new Reservations(Geometry.of(SEGMENT, 2), run, 0, 0);

    /// Where the sample's first segment begins.
    long origin;

    private Threads() {}

    /// @param offset where in a segment the first frame goes
    static Threads at(int offset) {
        Threads idle = IDLE.poll();
        Threads threads = idle == null ? new Threads() : idle;
        threads.begin(offset);
        return threads;
    }

    /// Both threads are through, and nothing was closed.
    void done() {
        IDLE.add(this);
    }

    private void begin(int offset) {
        long word = reservations.word();
        int room = reservations.room(word);
        if (room > 0) {
            append(word, room);
            word = reservations.word();
        }
        origin = Objects.requireNonNull(reservations.rotate(word)).position();
        if (offset > 0) {
            append(reservations.word(), offset);
        }
    }

    /// Takes the next slots, in one thread, and does not publish them.
    void reserve(int lengthBytes) {
        long word = reservations.word();
        reservations.reserve(word, reservations.after(word, lengthBytes, 1));
    }

    /// A position as outcomes have it.
    long fromOrigin(long position) {
        return position < 0 ? position : position - origin;
    }

    /// The steps of an append without bytes and checks, from a guess of the word as appenders have.
    ///
    /// @return the position, from the origin, or [#CLOSED]
    long append(long guess, int lengthBytes) {
        long word = guess;
        while (word >= 0) {
            if (reservations.isFull(word)) {
                reservations.rotate(word);
                word = reservations.word();
                continue;
            }
            Reservations.Base base = reservations.base(word);
            if (base == null) {
                word = reservations.word();
                continue;
            }
            long start = reservations.position(base, word);
            int room = reservations.room(word);
            boolean fits = lengthBytes <= room;
            int length = fits ? lengthBytes : room;
            long found = reservations.reserve(word, reservations.after(word, length, fits ? 1 : 0));
            if (found == word) {
                reservations.published(start, start + length);
                if (fits) {
                    return fromOrigin(start);
                }
                found = reservations.word();
            }
            word = found;
        }
        return CLOSED;
    }
}
