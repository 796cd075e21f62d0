package io.fenceline.appender;

import io.fenceline.journal.Team;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.random.RandomGenerator;

/// A deterministic scheduler: of several threads one runs, until it gives the turn to one that a generator picks. The
/// same seed, the same interleaving.
final class Turns {
    private static final int NOBODY = -1;

    private final RandomGenerator random;
    private final List<Integer> alive = new ArrayList<>();
    private volatile int turn = NOBODY;
    private volatile boolean over;
    private long given;

    Turns(RandomGenerator random) {
        this.random = random;
    }

    /// Another thread, which takes part as that member, from a [#giveAway] before [#run] on until [#end]. It must give
    /// its turns away wherever it waits.
    void invite(int guest) {
        alive.add(guest);
    }

    /// From now on guests run as they like.
    void end() {
        over = true;
    }

    /// Runs members 0 to n - 1 to their ends, by turns.
    void run(int n, IntConsumer member) {
        for (int i = 0; i < n; i++) {
            alive.add(i);
        }
        Team team = Team.of(n, me -> {
            await(me);
            try {
                member.accept(me);
            } finally {
                alive.remove(/* element */ (Integer) me);
                give();
            }
        });
        team.begin();
        give();
        team.join();
    }

    /// The caller, whose turn it is, gives it away, perhaps to itself. A guest that comes for the first time has none.
    void giveAway(int me) {
        if (turn == me) {
            give();
        }
        await(me);
    }

    private void give() {
        given++;
        turn = alive.isEmpty() ? NOBODY : alive.get(random.nextInt(alive.size()));
    }

    private void await(int me) {
        Team.await("the turn of member " + me, () -> turn == me || over);
    }

    /// How often the turn was given.
    long given() {
        return given;
    }
}
