/// What was measured, as data and for people.
///
/// | type | holds |
/// |---|---|
/// | [Results], [Series], [Subject], [Medium], [Outcome] | the figures |
/// | [ResultsJson] | the file of `--json`: `docs/BENCH.md` |
/// | [ResultsTable] | the table for a terminal |
/// | [HistogramLog] | the `.hlog` of HdrHistogram |
/// | [ReportPage] | one HTML page that draws any such files, and fetches nothing |
///
/// `perf` writes the same files about other journals.
@org.jspecify.annotations.NullMarked
package io.fenceline.bench.report;
