package io.fenceline.journal.positions;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelector;
import java.util.Set;

/// Sleeps for one thread until something is published, at the cost of no processor time. Allocates nothing per
/// wait.
///
/// An interrupt must end a system call, which the JVM does for selectors: it calls [#wakeup] of the one that a
/// thread is blocked in. So this poses as one.
public final class Waiter extends AbstractSelector {
    /// A net below the protocol: nobody sleeps longer without a look.
    private static final long LONGEST_SLEEP_NS = 1_000_000_000;

    /// Where a wake may be lost.
    private static final long UNFENCED_SLEEP_NS = 500_000;

    /// Looks before the first system call: about as long as that takes.
    private static final int SPINS = 50;

    private final LogView view;
    private final Sleepers sleepers;
    private final long longestSleepNs;
    private final MemorySegment timespec = Arena.ofAuto().allocate(16, 8);

    /// @param view     of the journal
    /// @param sleepers of the same journal
    public Waiter(LogView view, Sleepers sleepers) {
        this(view, sleepers, LONGEST_SLEEP_NS);
    }

    /// One that nobody wakes, and that looks every half millisecond.
    public static Waiter unwoken(LogView view) {
        return new Waiter(view, Sleepers.NOBODY);
    }

    /// Without the net, for a test of the protocol.
    @SuppressWarnings("nullness")
    Waiter(LogView view, Sleepers sleepers, long longestSleepNs) {
        super(null);
        this.view = view;
        this.sleepers = sleepers;
        this.longestSleepNs = longestSleepNs;
    }

    /// Waits until something is published behind a position, or the log has been cut.
    ///
    /// @param generation of the log, as the caller knows it; another one ends the wait
    /// @param timeoutNs at most so long; 0 or less does not wait
    /// @return whether something is; false after the timeout, or when the source was closed
    /// @throws InterruptedException if the thread is interrupted; its status is cleared
    public boolean await(long position, long generation, long timeoutNs) throws InterruptedException {
        for (int spins = 0; spins < SPINS; spins++) {
            if (isMore(position, generation)) {
                return true;
            }
            Thread.onSpinWait();
        }
        if (timeoutNs <= 0) {
            return false;
        }
        begin();
        try {
            return sleep(position, generation, timeoutNs);
        } finally {
            end();
        }
    }

    private boolean sleep(long position, long generation, long timeoutNs) throws InterruptedException {
        long startNs = System.nanoTime();
        while (true) {
            int announced = sleepers.announce();
            boolean fenced = sleepers.fence();
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (isMore(position, generation)) {
                return true;
            }
            long leftNs = timeoutNs - (System.nanoTime() - startNs);
            if (leftNs <= 0 || sleepers.isClosed()) {
                return false;
            }
            long ns = Math.min(leftNs, fenced ? longestSleepNs : UNFENCED_SLEEP_NS);
            timespec.set(ValueLayout.JAVA_LONG, 0, ns / 1_000_000_000);
            timespec.set(ValueLayout.JAVA_LONG, 8, ns % 1_000_000_000);
            sleepers.sleep(announced, timespec);
            if (isMore(position, generation)) {
                return true; // the usual case: nothing is announced again, and no fence is paid for
            }
        }
    }

    private boolean isMore(long position, long generation) {
        try {
            return view.published() > position || view.generation() != generation;
        } catch (IllegalStateException e) {
            // The shared words have ended: the source is being closed. Taking them from a thread that is reading them,
            // the JVM marks it as interrupted; nobody has interrupted it.
            Thread.interrupted();
            return false;
        }
    }

    /// The JVM's hook for an interrupt.
    @Override
    public Selector wakeup() {
        sleepers.interrupt();
        return this;
    }

    @Override
    public int select() throws IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public int select(long timeout) throws IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public int selectNow() {
        return 0;
    }

    @Override
    public Set<SelectionKey> keys() {
        return Set.of();
    }

    @Override
    public Set<SelectionKey> selectedKeys() {
        return Set.of();
    }

    @Override
    protected SelectionKey register(AbstractSelectableChannel channel, int ops, Object attachment) {
        throw new UnsupportedOperationException();
    }

    @Override
    protected void implCloseSelector() {}
}
