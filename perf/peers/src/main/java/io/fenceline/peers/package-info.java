/// Fenceline beside its peers: every peer in JVMs of its own, rounds interleaved, beside the raw limits.
///
/// | type | is |
/// |---|---|
/// | [Peer] | what is measured, as a thread sees it; one adapter for each |
/// | [Catalog] | which there are, in which class of durability, and what they promise |
/// | [Load], [SingleLoad] | the threads, and what they found: group commit; single appends, tailing, scans |
/// | [PeerFork], [Forks] | one JVM with one peer, task after task; how it is started |
/// | [GroupCommitTable], [MemoryFork] | `perf/bin/group-commit` |
/// | [Compare], [Comparison], [CompareTable] | `perf/bin/compare`: its run, what was found, as tables |
/// | [Goals], [CompareResults] | its verdicts, and the file of its results |
///
/// Nothing of the library depends on it.
@org.jspecify.annotations.NullMarked
package io.fenceline.peers;
