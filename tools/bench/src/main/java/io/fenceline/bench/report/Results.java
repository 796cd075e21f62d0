package io.fenceline.bench.report;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One run: what `docs/BENCH.md` describes as the file of `--json`.
///
/// @param tool     name and version of what measured
/// @param title    a line for people
/// @param time     when it began
/// @param command  how it was called
/// @param complete false: it was ended early
/// @param machine  facts, in the order in which they are shown
/// @param notes    what a reader of the figures must know
/// @param cost     of the tool itself
/// @param pauses   of the machine; null: not measured
/// @param series   in the order in which they were measured
/// @param notRun   what could not be measured
public record Results(
        String tool,
        String title,
        Instant time,
        String command,
        boolean complete,
        Map<String, String> machine,
        List<String> notes,
        Cost cost,
        @Nullable Series pauses,
        List<Series> series,
        List<NotRun> notRun) {
    /// What the tool itself costs, in nanoseconds: it is inside every latency.
    ///
    /// @param timerNs     one call of the clock
    /// @param emptyLoopNs median latency of an operation that does nothing
    /// @param fullFenceNs one full fence, as stages are timed with
    public record Cost(double timerNs, double emptyLoopNs, double fullFenceNs) {}

    /// @param system what
    /// @param reason why not
    public record NotRun(String system, String reason) {}
}
