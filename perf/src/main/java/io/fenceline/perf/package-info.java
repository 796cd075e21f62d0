/// Benchmarks, each beside the raw limit of the same medium in the same run.
///
/// | to do | run |
/// |---|---|
/// | the table of all figures, rounds of product and limit interleaved | `perf/bin/limits` ([LimitTable]) |
/// | laps 1 to 100 of a ring, beside the raw loop | `perf/bin/limits --laps` ([LapTable]) |
/// | one benchmark under JMH | `perf/bin/limits --jmh NAME -prof gc` |
///
///     LimitTable ─▶ forks: LimitFork ─▶ Probe: product │ limit │ product │ limit …   ─▶ Figure: ratio, target, met
///
/// [io.fenceline.bench.limits.RawLimits] is the C side; [io.fenceline.bench.limits.RawRing] a file and its mapping for
/// it; [JournalFixture] a journal for the product's
/// side. Class path only.
@org.jspecify.annotations.NullMarked
package io.fenceline.perf;
