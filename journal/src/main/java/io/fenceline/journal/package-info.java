/// The journal: create, open, recover, close, and the truth about durability.
///
/// | to | use |
/// |---|---|
/// | create or open for writing | [Journal] |
/// | read beside a writer, or without one | [Journal#openReadOnly] |
/// | learn whether the last entry was kept | [Journal#recovery], a [RecoveryReport] |
/// | learn what an acknowledged entry survives | [JournalSource#durability], a [DurabilityReport] |
///
/// Entries are written with `fenceline-appender` and read with `fenceline-tailer`. Problems are
/// [JournalException]s.
package io.fenceline.journal;
