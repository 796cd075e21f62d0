/// What a machine gives: the measuring behind `fenceline bench`.
///
///     BenchPlan ─▶ Bench ─▶ group of Measurements, round by round ─▶ Recording ─▶ report.Series
///                            │ threads: Loop around a Workload ─▶ Latencies
///                            └ Reader: stamps arrive in a thread or a process ─▶ Latencies
///
/// | type | holds |
/// |---|---|
/// | [Bench], [BenchPlan] | the order of things; what is measured |
/// | `MeasuringLoop` | open loop and saturated, the only place where operations are timed |
/// | `JournalWorkload`, `BareWorkload` | one operation: of the journal, of the medium alone |
/// | `StageClock`, `StageTimes` | the stages of an append, each ended by a fence |
/// | `Arrival`, `ReaderThread`, `ReaderProcess` | append to tailer, and the cache line that it cannot beat |
/// | `Hiccups`, `OwnCost` | what the machine and the tool themselves do to the figures |
///
/// Times are in nanoseconds of [System#nanoTime], which all processes of a machine share.
@org.jspecify.annotations.NullMarked
package io.fenceline.bench;
