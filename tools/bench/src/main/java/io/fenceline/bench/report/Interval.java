package io.fenceline.bench.report;

/// A piece of time of one series.
///
/// @param endSeconds since the series began
/// @param count      operations in it
/// @param p50Ns      their median latency
/// @param p99Ns      and the 99th percentile
/// @param maxNs      and the longest
public record Interval(double endSeconds, long count, long p50Ns, long p99Ns, long maxNs) {}
