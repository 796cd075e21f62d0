/// The raw limits of a medium: what it costs in C, with no journal around it.
///
/// | medium | limit |
/// |---|---|
/// | `MEMORY` | non-temporal stores and a fence; the same *framed*: header, CRC32C, rounding to slots |
/// | `PROCESS` | `memcpy` to the mapping |
/// | `DEVICE` | `pwrite` and `fdatasync` |
///
/// [RawLimits] is the C side; [RawRing] a file and its mapping for it. Used by the benchmark tool and by `perf`.
@org.jspecify.annotations.NullMarked
package io.fenceline.bench.limits;
