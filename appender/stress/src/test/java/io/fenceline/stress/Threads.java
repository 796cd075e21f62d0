package io.fenceline.stress;

import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.RunFileDescriptor;
import io.fenceline.journal.positions.Reservations;
import io.fenceline.journal.positions.RunFile;
import java.lang.foreign.Arena;

/// A ring of two segments of 4 KiB without bytes: what threads share while they reserve, rotate, publish and help.
final class Threads {
    static final int SEGMENT = 4096;
    static final long CLOSED = -1;

    final RunFile run;
    final Reservations reservations;

    /// @param position where the first frame goes
    Threads(long position) {
        run = new RunFile(Arena.ofAuto().allocate(RunFileDescriptor.LENGTH_BYTES, 64));
        run.publish(position);
        reservations = new Reservations(Geometry.of(SEGMENT, 2), run, position, 0);
    }

    /// The steps of an append without bytes and checks, from a guess of the word as appenders have.
    ///
    /// @return the position, or [#CLOSED]
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
                    return start;
                }
                found = reservations.word();
            }
            word = found;
        }
        return CLOSED;
    }
}
