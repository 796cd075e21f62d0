package io.fenceline.tailer;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.JournalSource;
import io.fenceline.journal.positions.Gate;

/// A tailer that holds the ring: the writer gives nothing up that it has not polled. The gate goes with [#close], or
/// with the death of this process, which its lock proves; no timeout stands for death.
///
/// A gate that is further behind than the writer's
/// [limit][io.fenceline.journal.JournalConfig#withGateLagLimitBytes] holds nothing until it has caught up: then, and
/// only then, a poll may return [Tailer#OVERRUN].
///
/// Threads: one at a time, as [Tailer].
public final class GatingTailer implements AutoCloseable {
    private final Tailer tailer;
    private final Gate gate;
    private final JournalSource source;
    private boolean closed;

    private GatingTailer(Tailer tailer, Gate gate, JournalSource source) {
        this.tailer = tailer;
        this.gate = gate;
        this.source = source;
    }

    /// Opens one. May wait, very briefly, for a writer that is just giving something up.
    ///
    /// @throws IllegalArgumentException as [Tailer#open(JournalSource, Start)]
    /// @throws JournalException.Io      if this process may not write to `readers.run`
    public static GatingTailer open(JournalSource source, Start start) {
        Gate gate = source.readers().registerEphemeral(source.retained());
        boolean done = false;
        try {
            Tailer tailer;
            do {
                tailer = Tailer.open(source, start); // again, if the writer gives its place up meanwhile
            } while (!gate.hold(tailer.position(), source.view(), source::isWriterAlive));
            done = true;
            return new GatingTailer(tailer, gate, source);
        } finally {
            if (!done) {
                gate.free();
            }
        }
    }

    /// As [Tailer#poll]. What was delivered before this call is not held any more once it returns.
    public int poll(EntryHandler handler, int limit) {
        int result = tailer.poll(handler, limit);
        if (!closed) {
            if (result >= 0) {
                gate.move(tailer.position());
            } else if (result != Tailer.CLOSED) {
                hold(); // it was put elsewhere; if that is given up meanwhile, the next poll tells
            }
        }
        return result;
    }

    /// As [Tailer#skipTo], and the ring is held there from then on, also where it lies before what was held. Not
    /// from a handler. May wait, very briefly, for a writer that is just giving something up.
    ///
    /// @throws IllegalArgumentException as [Tailer#skipTo]; the tailer stands where it stood, or, if the place was
    ///                                  given up in this very moment, there, and the next poll returns
    ///                                  [Tailer#OVERRUN]
    /// @throws IllegalStateException    if the tailer or the source is closed
    public void skipTo(Start start) {
        do {
            tailer.skipTo(start); // again, if the writer gives the place up meanwhile
        } while (!hold());
    }

    private boolean hold() {
        return gate.hold(tailer.position(), source.view(), source::isWriterAlive);
    }

    /// As [Tailer#await].
    public boolean await(long timeoutNs) throws InterruptedException {
        return tailer.await(timeoutNs);
    }

    /// The tailer, to ask where it is; polling it moves no gate, nor does putting it elsewhere: see [#skipTo].
    public Tailer tailer() {
        return tailer;
    }

    /// Everything from here on is held.
    public long gatePosition() {
        return gate.position();
    }

    /// Lets the ring go, and closes the tailer.
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            tailer.close();
            gate.free();
        }
    }
}
