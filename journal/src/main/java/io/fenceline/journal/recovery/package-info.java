/// What is read back: head, frames, and the log after a crash. Reads by system calls only, never through the mapping,
/// and trusts no length before it is bounded.
///
///     Head ─▶ superblock, newest state record
///     FrameReader ─▶ FrameVerdict of the bytes at one position
///     Recovery: scan [floor, lease) ─▶ classify (RecoveryRow) ─▶ persist what is kept ─▶ seal
///
/// May be used by: journal, tools.
package io.fenceline.journal.recovery;
