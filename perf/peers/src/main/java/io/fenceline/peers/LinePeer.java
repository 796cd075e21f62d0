package io.fenceline.peers;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;

/// One cache line handed from one thread to another: below this no tailer gets.
final class LinePeer implements Peer {
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    private final MemorySegment line = Arena.ofAuto().allocate(256, 128);

    LinePeer(Path directory) {}

    @Override
    public String description() {
        return "a release store of one long, an acquire load of it in the other thread";
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        return stamp -> LONG.setRelease(line, 0L, stamp);
    }

    @Override
    public Reading reading(ReadMode mode) {
        return new Reading() {
            private long last;

            @Override
            public int poll(Values values) {
                long now = (long) LONG.getAcquire(line, 0L);
                if (now == last) {
                    return 0;
                }
                last = now;
                values.on(now);
                return 1;
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void close() {}
}
