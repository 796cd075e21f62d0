package io.fenceline.tools.crash;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// Starts JVMs ahead, so that a round does not wait for one: a JVM takes longer to start than it lives here.
/// All children are ended when this is closed. One thread.
final class Children implements AutoCloseable {
    private final Deque<ChildProcess> spares = new ArrayDeque<>();
    private final List<ChildProcess> taken = new ArrayList<>();

    /// @param ahead number of JVMs that wait for a command
    Children(int ahead) {
        for (int i = 0; i < ahead; i++) {
            spares.add(ChildProcess.start());
        }
    }

    /// A writer that reports each entry that was acknowledged to it.
    ///
    /// @param policy one of [io.fenceline.journal.FullPolicy], or RETAIN
    /// @param count  frames to append
    /// @param end    wait, or close
    ChildProcess writer(JournalUnderTest journal, String policy, long count, String end) {
        return take().send("write %d %d %s %d %s %s"
                .formatted(journal.seed(), journal.maximumLengthBytes(), policy, count, end, journal.directory()));
    }

    /// A process that tails.
    ChildProcess tailer(JournalUnderTest journal, String start) {
        return take().send("tail %d %d %s %s"
                .formatted(journal.seed(), journal.maximumLengthBytes(), start, journal.directory()));
    }

    private ChildProcess take() {
        taken.removeIf(child -> {
            boolean over = !child.isAlive();
            if (over) {
                child.close();
            }
            return over;
        });
        spares.add(ChildProcess.start());
        ChildProcess child = spares.remove();
        taken.add(child);
        return child;
    }

    @Override
    public void close() {
        spares.forEach(ChildProcess::close);
        taken.forEach(ChildProcess::close);
    }
}
