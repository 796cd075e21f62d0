package io.fenceline.peers;

import io.fenceline.journal.Durability;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// All that can be measured. Only what promises the same is compared.
///
/// @param name     on the command line, in its class
/// @param title    in tables
/// @param kind     class of durability
/// @param limit    no journal, but what the medium costs
/// @param promises what an entry survives when the call has returned
/// @param factory  makes one
record Catalog(String name, String title, Kind kind, boolean limit, String promises, Factory factory) {
    /// Classes of durability, as [Durability]; and one for what persists nothing and is there for its latency.
    enum Kind {
        MEMORY,
        PROCESS,
        DEVICE,
        NOTHING
    }

    /// Makes a peer in an empty directory.
    @FunctionalInterface
    interface Factory {
        Peer open(Path directory) throws Exception;
    }

    static final String PRODUCT = "fenceline";

    private static final String POWER = "power cut, kernel and process crash; its checksum is verified";
    private static final String POWER_UNCHECKED = "power cut, kernel and process crash; no checksum";

    /// Every peer by which single appends, tailing, scans are compared; in the order of the tables.
    static final List<Catalog> SINGLE = List.of(
            peer(
                    PRODUCT,
                    "Fenceline",
                    Kind.MEMORY,
                    POWER,
                    directory -> new FencelinePeer(directory, Durability.MEMORY)),
            limit("framed", "limit: framed, C", Kind.MEMORY, LimitPeer.Means.FRAMED),
            limit("raw", "limit: NT stores + fence, C", Kind.MEMORY, LimitPeer.Means.RAW),
            peer(
                    "mashona",
                    "mashona",
                    Kind.MEMORY,
                    "power cut, kernel and process crash; CRC of the payload",
                    MashonaPeer::new),
            peer("pmemlog", "libpmemlog", Kind.MEMORY, POWER_UNCHECKED, PmemlogPeer::new),
            peer(
                    PRODUCT,
                    "Fenceline",
                    Kind.PROCESS,
                    "process crash; its checksum is verified",
                    directory -> new FencelinePeer(directory, Durability.PROCESS)),
            limit("memcpy", "limit: memcpy, C", Kind.PROCESS, LimitPeer.Means.MEMCPY),
            peer(
                    "mapped",
                    "mapped store, Java",
                    Kind.PROCESS,
                    "process crash; no checksum, no recovery",
                    MappedPeer::new),
            peer(
                    "chronicle",
                    "Chronicle Queue",
                    Kind.PROCESS,
                    "process crash; no checksum",
                    directory -> new ChroniclePeer(directory, false)),
            peer(
                    "filechannel",
                    "FileChannel.write",
                    Kind.PROCESS,
                    "process crash; no checksum, no recovery",
                    directory -> new FileChannelPeer(directory, false)),
            peer(
                    "rocksdb",
                    "RocksDB WAL, no sync",
                    Kind.PROCESS,
                    "process crash; CRC",
                    directory -> new RocksDbPeer(directory, false)),
            peer(
                    "aeron",
                    "Aeron Archive, recorded",
                    Kind.PROCESS,
                    "process crash, of this process; no checksum by default",
                    directory -> new AeronArchivePeer(directory, 0)),
            peer(
                    PRODUCT,
                    "Fenceline",
                    Kind.DEVICE,
                    POWER,
                    directory -> new FencelinePeer(directory, Durability.DEVICE)),
            limit("sync", "limit: pwrite + fdatasync, C", Kind.DEVICE, LimitPeer.Means.SYNC),
            peer(
                    "filechannel",
                    "FileChannel, fdatasync",
                    Kind.DEVICE,
                    "power cut, kernel and process crash; no checksum, no recovery",
                    directory -> new FileChannelPeer(directory, true)),
            peer(
                    "rocksdb",
                    "RocksDB WAL, sync",
                    Kind.DEVICE,
                    "power cut, kernel and process crash; CRC",
                    directory -> new RocksDbPeer(directory, true)),
            peer(
                    "artemis",
                    "Artemis journal, sync",
                    Kind.DEVICE,
                    "power cut, kernel and process crash; a trailing size for a checksum",
                    ArtemisPeer::new),
            peer(
                    "aeron",
                    "Aeron Archive, sync level 2",
                    Kind.DEVICE,
                    "power cut, kernel and process crash; no checksum by default",
                    directory -> new AeronArchivePeer(directory, 2)),
            peer(
                    "chronicle",
                    "Chronicle Queue, sync()",
                    Kind.DEVICE,
                    POWER_UNCHECKED,
                    directory -> new ChroniclePeer(directory, true)),
            limit("line", "limit: one cache line", Kind.NOTHING, "nothing; two threads and one long", LinePeer::new),
            peer("aeron-ipc", "Aeron IPC", Kind.NOTHING, "nothing", AeronIpcPeer::new));

    /// Those in which any number of threads wait for their own entries, at `DEVICE`: what group commit is for.
    static final List<Catalog> GROUP = List.of(
            peer(PRODUCT, "Fenceline", Kind.DEVICE, POWER, FencelineGroupPeer::new),
            peer("filechannel", "FileChannel", Kind.DEVICE, POWER_UNCHECKED, GatheredPeer::new),
            find("rocksdb", Kind.DEVICE),
            find("artemis", Kind.DEVICE),
            find("aeron", Kind.DEVICE),
            peer("bare", "bare", Kind.DEVICE, POWER_UNCHECKED, directory -> new FileChannelPeer(directory, true)));

    private static Catalog peer(String name, String title, Kind kind, String promises, Factory factory) {
        return new Catalog(name, title, kind, false, promises, factory);
    }

    private static Catalog limit(String name, String title, Kind kind, LimitPeer.Means means) {
        return limit(
                name, title, kind, "no journal: bytes on their medium", directory -> new LimitPeer(directory, means));
    }

    private static Catalog limit(String name, String title, Kind kind, String promises, Factory factory) {
        return new Catalog(name, title, kind, true, promises, factory);
    }

    /// @throws IllegalArgumentException if there is none
    static Catalog find(String name, Kind kind) {
        return find(SINGLE, name, kind);
    }

    static Catalog find(List<Catalog> catalog, String name, Kind kind) {
        return catalog.stream()
                .filter(entry -> entry.name.equals(name) && entry.kind == kind)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no peer '" + name + "' of class " + kind));
    }

    static List<Catalog> of(Kind kind) {
        List<Catalog> found = new ArrayList<>(SINGLE);
        found.removeIf(entry -> entry.kind != kind);
        return found;
    }

    boolean isProduct() {
        return name.equals(PRODUCT);
    }

    /// Its name in a file or on a command line, one for each.
    String id() {
        return name + "/" + kind;
    }
}
