package io.fenceline.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// A journal that is measured: any number of threads append, and each waits until its entry is durable.
interface Peer extends AutoCloseable {
    /// Makes one in an empty directory.
    @FunctionalInterface
    interface Factory {
        Peer open(Path directory) throws Exception;
    }

    /// All of them, by the name in the table; the product first.
    static Map<String, Factory> all() {
        Map<String, Factory> all = new LinkedHashMap<>();
        all.put("fenceline", FencelinePeer::new);
        all.put("filechannel", FileChannelPeer::new);
        all.put("rocksdb", RocksDbPeer::new);
        all.put("artemis", ArtemisPeer::new);
        all.put("aeron", AeronArchivePeer::new);
        return all;
    }

    /// What it is, and how it is configured, for the table.
    String description();

    /// Returns when the payload is durable.
    void append(byte[] payload) throws Exception;

    @Override
    void close() throws IOException;
}
