package io.fenceline.peers;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.rocksdb.CompressionType;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/// RocksDB's write-ahead log: a put with `sync`, which groups the writers itself.
final class RocksDbPeer implements Peer {
    private final Options options = new Options()
            .setCreateIfMissing(true)
            .setCompressionType(CompressionType.NO_COMPRESSION)
            .setWriteBufferSize(256L << 20)
            .setRecycleLogFileNum(4)
            .setEnablePipelinedWrite(true);
    private final WriteOptions writes = new WriteOptions().setSync(true);
    private final RocksDB database;
    private final AtomicLong keys = new AtomicLong();

    RocksDbPeer(Path directory) throws RocksDBException {
        RocksDB.loadLibrary();
        database = RocksDB.open(options, directory.resolve("db").toString());
    }

    @Override
    public String description() {
        return "put of a new 8-byte key with sync, pipelined writes, recycled logs, memtable of 256 MiB";
    }

    @Override
    public void append(byte[] payload) throws RocksDBException {
        byte[] key = ByteBuffer.allocate(8).putLong(keys.getAndIncrement()).array();
        database.put(writes, key, payload);
    }

    @Override
    public void close() {
        database.close();
        writes.close();
        options.close();
    }
}
