package io.fenceline.appender;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Lets a thread die where the product's text has been made to call [#at]. For threads that run by turns.
public final class Deaths {
    private static volatile @Nullable String place;
    private static volatile @Nullable Error death;
    private static volatile @Nullable Thread mortal;
    private static volatile boolean twice;
    private static int every;
    private static int visits;
    private static boolean dying;
    private static int died;

    private Deaths() {}

    /// From now on a thread that calls [#mortal] dies there, at every n-th visit.
    ///
    /// @param again after its death wherever else it comes, too: so in its own `catch`
    @SuppressWarnings("StaticAssignmentOfThrowable") // what a thread shall die of, made by the test that arms
    static void arm(String there, Error error, int n, boolean again) {
        place = there;
        death = error;
        every = n;
        twice = again;
        visits = 0;
        died = 0;
        dying = false;
        mortal = null;
    }

    /// The calling thread is the one.
    static void mortal() {
        mortal = Thread.currentThread();
    }

    /// Nobody dies any more.
    static void disarm() {
        place = null;
        mortal = null;
    }

    static int died() {
        return died;
    }

    /// Called by the product.
    public static void at(String here) {
        if (Thread.currentThread() != mortal) {
            return;
        }
        if (dying) {
            if (twice) {
                throw Objects.requireNonNull(death);
            }
            return;
        }
        if (here.equals(place) && ++visits % every == 0) {
            dying = true;
            died++;
            throw Objects.requireNonNull(death);
        }
    }

    /// The mortal thread's caller has caught it.
    static void caught() {
        dying = false;
    }
}
