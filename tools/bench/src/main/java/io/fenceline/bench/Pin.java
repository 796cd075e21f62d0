package io.fenceline.bench;

import io.fenceline.bench.limits.Processors;
import io.fenceline.bench.limits.RawLimits;
import java.util.List;

/// Which thread is bound to which processor: appending threads from the last one down, then readers. Only where
/// each gets its own.
record Pin(List<Integer> processors, boolean enabled) {
    /// No processor in particular.
    static final int ANY = -1;

    static Pin of(boolean wanted) {
        List<Integer> allowed = Processors.allowed();
        return new Pin(allowed, wanted && RawLimits.isAvailable());
    }

    /// For the thread of that number, of so many.
    int processor(int thread, int threads) {
        return enabled && threads <= processors.size() ? processors.get(processors.size() - 1 - thread) : ANY;
    }

    /// Binds the calling thread.
    static void current(int processor) {
        if (processor != ANY) {
            RawLimits.pin(processor);
        }
    }

    /// What was done, for a note.
    String describe(int threads) {
        if (!enabled) {
            return "threads are not bound to processors";
        }
        if (threads > processors.size()) {
            return "threads are not bound to processors: %d append, and there are %d processors"
                    .formatted(threads, processors.size());
        }
        StringBuilder text = new StringBuilder(threads == 1 ? "the appending thread is" : "appending threads are")
                .append(" bound to processor ")
                .append(processors.getLast());
        if (threads > 1) {
            text.append(" and down");
        }
        if (threads < processors.size()) {
            text.append(", a tailer to ").append(processor(threads, threads + 1));
        } else {
            text.append("; a tailer finds no processor of its own, and waits for theirs");
        }
        return text.toString();
    }
}
