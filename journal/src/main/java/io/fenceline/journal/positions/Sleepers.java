package io.fenceline.journal.positions;

import static io.fenceline.journal.format.ReadersFileDescriptor.FENCED_OFFSET;
import static io.fenceline.journal.format.ReadersFileDescriptor.HEADER_LENGTH_BYTES;
import static io.fenceline.journal.format.ReadersFileDescriptor.SLEEPING_OFFSET;

import io.fenceline.journal.persist.Posix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.nio.ByteOrder;

/// Who sleeps until something is published, in this process or another one, and how they are woken. One futex word:
/// odd while somebody may sleep, and one more with each change.
///
///     writer:   store `published`  ─▶ load the word; if odd: CAS to the next, wake all
///     sleeper:  make the word odd  ─▶ membarrier ─▶ load `published` ─▶ sleep while the word is that odd one
///
/// That is Dekker's pattern, and the sleeper pays for both sides: `membarrier` is a full fence in every running
/// thread of the writer's process. Either the writer was past its store then, and the sleeper sees it; or its load
/// comes later, and sees an odd word. Between the sleeper's last look and its sleep the kernel compares the word
/// once more, so a wake in between is not lost, also if another sleeper has come meanwhile: then it is another odd
/// number. Where there is no `membarrier`, sleeps are short.
///
/// A sleeper that dies leaves an odd word: the next publication costs one system call in vain.
public final class Sleepers {
    private static final VarHandle INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    private static final VarHandle LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    /// For words that nobody shares.
    static final Sleepers NOBODY = new Sleepers(Arena.global().allocate(HEADER_LENGTH_BYTES, HEADER_LENGTH_BYTES));

    private final MemorySegment words;
    private volatile boolean closed;

    Sleepers(MemorySegment words) {
        this.words = words;
    }

    /// Wakes who sleeps; to be called after each store of `published`. Costs a load while nobody sleeps.
    void wake() {
        int word = (int) INT.getAcquire(words, (long) SLEEPING_OFFSET);
        if ((word & 1) != 0) {
            wakeAll(word);
        }
    }

    /// If the CAS fails, another waker was faster, and wakes those who sleep.
    private void wakeAll(int odd) {
        if (INT.compareAndSet(words, (long) SLEEPING_OFFSET, odd, odd + 1)) {
            try {
                Posix.futexWake(words.address() + SLEEPING_OFFSET);
            } finally {
                Reference.reachabilityFence(words);
            }
        }
    }

    /// Announces a sleep.
    ///
    /// @return the odd number to [#sleep] by
    int announce() {
        while (true) {
            int word = (int) INT.getVolatile(words, (long) SLEEPING_OFFSET);
            if ((word & 1) != 0) {
                return word;
            }
            if (INT.compareAndSet(words, (long) SLEEPING_OFFSET, word, word + 1)) {
                return word + 1;
            }
        }
    }

    /// After [#announce]: a full fence in the writer.
    ///
    /// @return false if it could not be had: then a wake may be lost
    boolean fence() {
        return Posix.membarrier() && (long) LONG.getVolatile(words, (long) FENCED_OFFSET) == 1;
    }

    /// Whether somebody may sleep.
    boolean isAnnounced() {
        return ((int) INT.getVolatile(words, (long) SLEEPING_OFFSET) & 1) != 0;
    }

    /// Sleeps while nobody has woken since [#announce].
    void sleep(int announced, MemorySegment timespec) {
        try {
            Posix.futexWait(words.address() + SLEEPING_OFFSET, announced, timespec);
        } finally {
            Reference.reachabilityFence(words);
        }
    }

    /// Makes all who sleep look again, and here and there for nothing.
    void interrupt() {
        wake();
    }

    boolean isClosed() {
        return closed;
    }

    void close() {
        closed = true;
        wake();
    }
}
