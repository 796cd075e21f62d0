/// The one door to durability. Nothing outside this package stores to the medium, fences, syncs, or opens a file of a
/// journal.
///
/// | word | meaning, everywhere in Fenceline |
/// |---|---|
/// | *store* | bytes are on their way: visible to this machine, not persistent yet |
/// | *drain* | what this thread stored before is persistent when it returns: one fence, or one `fdatasync` |
/// | *persist* | store and drain |
/// | *rewrite* | bytes that somebody stored, perhaps long ago, are stored again, so that the next drain covers them |
/// | *sync* | the whole file is persistent for real, at every level: `fsync` |
/// | *publish* | tailers may see it (release) |
/// | *poison* | after the first fault nothing is acknowledged any more |
///
/// [Persister] is the door, with one implementation a durability; tests put a simulated medium in its place.
/// [FileLayer] is the same for files: what is created, renamed, locked, read and synced goes through it, so that tests
/// put a simulated or a faulty one in its place. At level `MEMORY` [MemoryStrategy] says by which [Instructions]
/// bytes become persistent, [Calibrator] which is fastest, [PersistenceDomain] whether caches survive. [JournalFiles]
/// finds, creates, locks and maps the files. [Posix] holds the system calls, `fenceline.c` the instructions that Java
/// has not.
package io.fenceline.journal.persist;
