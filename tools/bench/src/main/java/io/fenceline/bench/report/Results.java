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
/// @param cost     of the tool itself; null: not measured
/// @param pauses   of the machine; null: not measured
/// @param series   in the order in which they were measured
/// @param scans    readings from the first entry to the last; may be empty
/// @param notRun   what could not be measured
public record Results(
        String tool,
        String title,
        Instant time,
        String command,
        boolean complete,
        Map<String, String> machine,
        List<String> notes,
        @Nullable Cost cost,
        @Nullable Series pauses,
        List<Series> series,
        List<Scan> scans,
        List<NotRun> notRun) {
    /// What the tool itself costs, in nanoseconds: it is inside every latency.
    ///
    /// @param timerNs     one call of the clock
    /// @param emptyLoopNs median latency of an operation that does nothing
    /// @param fullFenceNs one full fence, as stages are timed with
    public record Cost(double timerNs, double emptyLoopNs, double fullFenceNs) {}

    /// Reading what is there as fast as it goes.
    ///
    /// @param system             who read
    /// @param payloadLengthBytes of an entry
    /// @param mode               `verified-first`, `unverified-whole`, …: whether checksums are verified, and
    ///                           whether the first eight bytes are read or the whole payload
    /// @param nsPerEntry         nanoseconds
    public record Scan(String system, int payloadLengthBytes, String mode, double nsPerEntry) {}

    /// @param system what
    /// @param reason why not
    public record NotRun(String system, String reason) {}
}
