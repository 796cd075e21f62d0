package io.fenceline.appender;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// One place of the ring between producers and the committing thread.
final class GroupCell {
    /// What a cell asks for.
    enum Order {
        APPEND,
        /// Commit what was gathered, now.
        FLUSH,
        /// Nothing: the producer's memory faulted, or its encoder threw.
        NONE
    }

    private final MemorySegment memory;
    private MemorySegment payload;
    private int length;
    private int type;
    private Order order = Order.NONE;
    private @Nullable CommitListener listener;

    GroupCell(int lengthBytes) {
        memory = MemorySegment.ofArray(new byte[lengthBytes]);
        payload = memory;
    }

    /// By the producer that owns the cell. A payload that is longer than the cell gets memory of its own.
    <T> void append(T message, EntryEncoder<? super T> encoder, int length, int type, CommitListener listener) {
        order = Order.NONE;
        MemorySegment target = length <= memory.byteSize() ? memory : MemorySegment.ofArray(new byte[length]);
        encoder.encode(message, target, 0, length);
        payload = target;
        this.length = length;
        this.type = type;
        this.listener = listener;
        order = Order.APPEND;
    }

    void flush(CommitListener listener) {
        this.listener = listener;
        order = Order.FLUSH;
    }

    /// By the committing thread.
    void takeTo(GroupCommitter committer) {
        CommitListener told = listener;
        listener = null;
        switch (order) {
            case APPEND -> {
                committer.add(payload, length, type, told);
                payload = memory;
            }
            case FLUSH -> {
                committer.commit();
                committer.tellFlushed(told);
            }
            case NONE -> {}
        }
    }
}
