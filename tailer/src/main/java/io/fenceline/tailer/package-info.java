/// Tailers: *poll → validate → dispatch*, in the writer's process or in any other one.
///
/// | type | for |
/// |---|---|
/// | [Tailer] | reads entries, forwards and backwards, while the journal is written or at rest |
/// | [TailerConfig] | how: bounded, by type, over damage |
/// | [Start] | where a tailer begins: oldest, newest, a position, a sequence, a time |
/// | [EntryHandler] | is called once per entry |
/// | [Entry] | one entry, valid during the call |
/// | [DamageHandler], [SkippedRange] | is told what a tailer skips because it is damaged |
///
/// A tailer takes no lock, holds nobody back and writes nothing that others see. Handlers of Agrona are taken, too.
///
/// Behind it: [Forwards] and [Backwards] are the two ways, [Window] the private copies they read from, [Judge]
/// what is valid there; [Seek] finds places by probing single [Slots]; [Damage] gets past what is not valid.
package io.fenceline.tailer;
