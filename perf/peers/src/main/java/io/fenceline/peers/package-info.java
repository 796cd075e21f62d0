/// Group commit beside its peers: many threads, each of which waits until its own entry is durable; every peer in a JVM
/// of its own, rounds interleaved, beside one thread that does nothing but `pwrite` and `fdatasync`.
///
/// | type | is |
/// |---|---|
/// | [Peer] | what is measured, as a thread sees it |
/// | [Load] | the threads, and what they found |
/// | [PeerFork] | one JVM: one peer, under each number of threads |
/// | [MemoryFork] | one JVM: `MEMORY`, group commit beside single appends |
/// | [GroupCommitTable] | starts the JVMs, prints the table |
///
/// Run by `perf/bin/group-commit`. Nothing of the library depends on it.
@org.jspecify.annotations.NullMarked
package io.fenceline.peers;
