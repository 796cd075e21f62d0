package io.fenceline.tools;

/// A progress bar on standard error, where that is a terminal and the work takes a while.
///
/// Threads: one.
final class Progress implements AutoCloseable {
    private static final long FIRST_NS = 300_000_000L;
    private static final long INTERVAL_NS = 100_000_000L;
    private static final int WIDTH = 30;

    private final Console console;
    private final String what;
    private final long total;
    private long nextNs = System.nanoTime() + FIRST_NS;
    private boolean shown;

    /// @param total what [#update] counts up to
    Progress(Console console, String what, long total) {
        this.console = console;
        this.what = what;
        this.total = Math.max(1, total);
    }

    /// Shows how much is done, if it is time to.
    void update(long done) {
        if (!console.errIsTerminal() || System.nanoTime() - nextNs < 0) {
            return;
        }
        nextNs = System.nanoTime() + INTERVAL_NS;
        shown = true;
        double part = Math.clamp((double) done / total, 0, 1);
        int filled = (int) (part * WIDTH);
        console.control("\r%s [%s%s] %3d %%"
                .formatted(Printable.of(what), "#".repeat(filled), ".".repeat(WIDTH - filled), (int) (part * 100)));
    }

    /// Wipes the bar away.
    @Override
    public void close() {
        if (shown) {
            console.control("\r\u001b[K");
        }
    }
}
