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
    private boolean closed;

    private GatingTailer(Tailer tailer, Gate gate) {
        this.tailer = tailer;
        this.gate = gate;
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
            return new GatingTailer(tailer, gate);
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
            gate.move(tailer.position());
        }
        return result;
    }

    /// As [Tailer#await].
    public boolean await(long timeoutNs) throws InterruptedException {
        return tailer.await(timeoutNs);
    }

    /// The tailer, to ask where it is; polling it moves no gate. Nor does the ring wait for one that is put back by
    /// [Tailer#skipTo]: it may be overrun there. To go back, open another gating tailer, then close this one.
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
