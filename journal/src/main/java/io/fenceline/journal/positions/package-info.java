/// The positions of a journal and the rules that tie them together:
///
///     retained ≤ floor ≤ published ≤ reserved        every written byte < lease ≤ segmentStart(retained) + capacity
///
/// [Positions] is the writer's side, shared by all appenders; [RunFile] the words that other processes see;
/// [StateKeeper] the master copy of the durable record. May be used by: journal, appender, tailer, tools.
package io.fenceline.journal.positions;
