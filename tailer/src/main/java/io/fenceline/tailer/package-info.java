/// Tailers: *poll → validate → dispatch*, in the writer's process or in any other one.
///
/// | type | for |
/// |---|---|
/// | [Tailer] | reads entries in order, while the journal is written or at rest |
/// | [Start] | where a tailer begins: oldest, newest, a position, a sequence |
/// | [EntryHandler] | is called once per entry |
/// | [Entry] | one entry, valid during the call |
///
/// A tailer takes no lock, holds nobody back and writes nothing that others see.
package io.fenceline.tailer;
