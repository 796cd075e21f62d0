package io.fenceline.tailer;

import java.util.function.IntPredicate;

/// Lets entries of certain types through, and ends the poll when there were enough of them. One thread.
final class Filter implements EntryHandler {
    private static final EntryHandler NOBODY = entry -> {};

    private final IntPredicate types;
    private final Forwards forwards;
    private EntryHandler handler = NOBODY;
    private int limit;
    private int delivered;

    Filter(IntPredicate types, Forwards forwards) {
        this.types = types;
        this.forwards = forwards;
    }

    /// Begins a poll.
    Filter to(EntryHandler handler, int limit) {
        this.handler = handler;
        this.limit = limit;
        this.delivered = 0;
        return this;
    }

    /// Entries let through in this poll.
    int delivered() {
        return delivered;
    }

    @Override
    public void onEntry(Entry entry) {
        if (types.test(entry.type())) {
            if (++delivered == limit) {
                forwards.stop();
            }
            handler.onEntry(entry);
        }
    }
}
