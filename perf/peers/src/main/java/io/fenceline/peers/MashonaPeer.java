package io.fenceline.peers;

import io.mashona.logwriting.AppendOnlyLogImpl;
import io.mashona.logwriting.AppendOnlyLogImplConfig;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;

/// mashona over persistent memory, emulated: a buffer that is mapped from any file is told that it is mapped with
/// `MAP_SYNC`, so that `force` writes cache lines back, as on DAX, and calls no `msync`.
final class MashonaPeer implements Peer {
    private static final int ROOM_BYTES = 4096;

    private final AppendOnlyLogImpl log;

    MashonaPeer(Path directory) throws IOException, ReflectiveOperationException {
        MappedByteBuffer buffer;
        try (FileChannel channel = FileChannel.open(
                directory.resolve("log"),
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            buffer = channel.map(FileChannel.MapMode.READ_WRITE, 0, Room.LENGTH_BYTES);
        }
        // Needs --add-opens java.base/java.nio=ALL-UNNAMED.
        Field isSync = MappedByteBuffer.class.getDeclaredField("isSync");
        isSync.setAccessible(true);
        isSync.setBoolean(buffer, true);
        log = new AppendOnlyLogImpl(
                buffer, 0, Room.LENGTH_BYTES, new AppendOnlyLogImplConfig(true, true, false, false));
    }

    @Override
    public String description() {
        return "AppendOnlyLogImpl of 256 MiB, blocks padded, linear ordering, no checkpoints; cleared when full,"
                + " which is not measured";
    }

    @Override
    public void prepare(long lengthBytes) {
        // Padded to blocks of 256 bytes, an entry takes up to four times what was asked for.
        if (log.remaining() < 4 * lengthBytes + ROOM_BYTES) {
            log.clear();
        }
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        ByteBuffer payload = ByteBuffer.allocateDirect(payloadLengthBytes).order(ByteOrder.nativeOrder());
        return stamp -> log.put(payload.clear().putLong(0, stamp));
    }

    @Override
    public Reading reading(ReadMode mode) {
        Iterator<ByteBuffer> entries = log.iterator();
        return new Reading() {
            @Override
            public int poll(Values values) {
                int polled = 0;
                while (polled < 1024 && entries.hasNext()) {
                    ByteBuffer entry = entries.next();
                    long sum = entry.getLong(0);
                    if (mode.whole()) {
                        for (int i = Long.BYTES; i < entry.remaining(); i += Long.BYTES) {
                            sum += entry.getLong(i);
                        }
                    }
                    values.on(sum);
                    polled++;
                }
                return polled;
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void close() {}
}
