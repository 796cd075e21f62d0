package io.fenceline.peers;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.rocksdb.CompressionType;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/// RocksDB's write-ahead log: a put, with `sync` or not, which groups the writers itself.
final class RocksDbPeer implements Peer {
    private final Options options = new Options()
            .setCreateIfMissing(true)
            .setCompressionType(CompressionType.NO_COMPRESSION)
            .setWriteBufferSize(256L << 20)
            .setRecycleLogFileNum(4)
            .setEnablePipelinedWrite(true);
    private final WriteOptions writes;
    private final boolean sync;
    private final RocksDB database;
    private final AtomicLong keys = new AtomicLong();

    RocksDbPeer(Path directory, boolean sync) throws RocksDBException {
        this.sync = sync;
        RocksDB.loadLibrary();
        writes = new WriteOptions().setSync(sync);
        database = RocksDB.open(options, directory.resolve("db").toString());
    }

    @Override
    public String description() {
        return "put of a new 8-byte key " + (sync ? "with" : "without")
                + " sync, pipelined writes, recycled logs, memtable of 256 MiB";
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        byte[] key = new byte[Long.BYTES];
        byte[] payload = new byte[payloadLengthBytes];
        return stamp -> {
            ByteBuffer.wrap(payload).putLong(stamp);
            ByteBuffer.wrap(key).putLong(keys.getAndIncrement());
            database.put(writes, key, payload);
        };
    }

    @Override
    public void close() {
        database.close();
        writes.close();
        options.close();
    }
}
