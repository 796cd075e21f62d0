/// Appenders: *reserve → write → persist → publish*.
///
/// | type | for |
/// |---|---|
/// | [ExclusiveAppender] | one thread at a time; at every durability |
/// | [ConcurrentAppender] | many threads, each persists for itself; at `MEMORY` and `PROCESS` |
/// | [GroupCommitAppender] | many threads, one committing thread, one fence or sync for all that has gathered; at every
/// durability |
/// | [Claim] | one entry, encoded in place by the caller, then committed or aborted |
/// | [Batch] | many entries in one frame: one fence, all or nothing |
///
/// A claim and a batch live in the appender's staging buffer and reserve nothing until they are committed: an
/// encoder that is slow, or dies, stalls nobody.
package io.fenceline.appender;
