package io.fenceline.journal.persist;

import java.lang.foreign.MemorySegment;

/// What the processor does to mapped memory: the words in which [MemoryStrategy] says how bytes become persistent.
/// [NativeKernel] is the only one in the product; tests put a simulated medium in its place.
///
/// *Persistent after the fence* means the next [#fence] of the same thread. Destinations are lines (64 bytes), lengths
/// multiples of 64 and at most 64 KiB, where nothing else is said.
abstract class Instructions {
    /// Like memcpy, by stores that bypass the caches: persistent after the fence.
    abstract void copy(long destination, long source, long length);

    /// [#copy], then [#fence].
    abstract void persist(long destination, long source, long length);

    /// Like memcpy, by plain stores: visible, and in a cache until [#writeBack] and the fence, if ever.
    abstract void store(long destination, long source, long length);

    /// Writes the cache lines of a range back, whoever stored them: persistent after the fence. Any range.
    abstract void writeBack(long address, long length);

    /// [#writeBack], then [#fence].
    abstract void flush(long address, long length);

    /// What this thread copied or wrote back before is persistent afterwards; where the caches are in the persistence
    /// domain, what it stored, too.
    abstract void fence();

    /// Goes on with a CRC32C that was begun with 0. Any range.
    abstract int crc32c(int crc, long address, long length);

    /// [#copy] and [#crc32c] in one pass.
    abstract int copyCrc32c(int crc, long destination, long source, long length);

    /// Stores the checksum of a staged frame into it, then [#persist] of its slots.
    abstract void persistFrame(long destination, long source, long length, long slotsLength, int salt);

    /// Stores the checksum of a staged frame into it, then [#store] of its slots.
    abstract void storeFrame(long destination, long source, long length, long slotsLength, int salt);

    /// Whether [#persistEntry] and [#storeEntry] are there.
    abstract boolean hasEntry();

    /// Builds the frame of one entry in registers, and does what [#persistFrame] does.
    ///
    /// @param payload heap or native memory; not mapped from a file, where a fault would be a signal
    /// @param epoch   of the frame, which is one of DATA with one entry
    abstract void persistEntry(
            long destination,
            MemorySegment payload,
            long length,
            int type,
            long position,
            long sequence,
            long timestampNs,
            int epoch,
            int salt);

    /// Builds the frame of one entry in registers, and does what [#storeFrame] does.
    abstract void storeEntry(
            long destination,
            MemorySegment payload,
            long length,
            int type,
            long position,
            long sequence,
            long timestampNs,
            int epoch,
            int salt);
}
