/// The bytes on the medium, described once.
///
/// | type | describes |
/// |---|---|
/// | [Geometry] | where a position lies in `journal.log` |
/// | [Superblock] | what a journal is: identity, salt, geometry, feature words |
/// | [StateRecord] | lease, floor, retained and epoch: the durable promises |
/// | [FrameDescriptor] | the unit of atomicity: one entry, a batch, or padding |
/// | [RunFileDescriptor] | the shared words of `journal.run` |
/// | [ReadersFileDescriptor], [GateDescriptor] | the shared words of `readers.run` |
/// | [CursorRecord] | how far a named tailer has come |
///
/// Nothing outside this package knows an offset. `docs/FORMAT.md` is the normative text; a test holds its drawings
/// against these constants. All numbers are little-endian.
///
/// May be used by: every module of Fenceline; not exported to applications.
package io.fenceline.journal.format;
