package io.fenceline.appender;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// One entry that the caller encodes in place, in the appender's staging buffer. It owns no place in the log: until
/// [#commit] nobody waits for it, and [#abort] costs nothing.
///
///     Claim claim = appender.claim(16);
///     claim.buffer().set(JAVA_LONG, claim.offset(), id);
///     claim.buffer().set(JAVA_LONG, claim.offset() + 8, price);
///     long position = claim.commit();
///
/// One thread, the appender's. The buffer must not be used after `commit` or `abort`.
public final class Claim {
    private static final int OFFSET = Appender.PAYLOAD_OFFSET;

    private final Appender appender;
    private final Staging staging;
    private @Nullable MemorySegment buffer;
    private int length;

    Claim(Appender appender, Staging staging) {
        this.appender = appender;
        this.staging = staging;
    }

    Claim begin(int length) {
        this.buffer = staging.stage.bytes();
        this.length = length;
        return this;
    }

    /// Where to encode: `[offset(), offset() + length())` of it.
    ///
    /// @throws IllegalStateException if the claim is not open
    public MemorySegment buffer() {
        if (buffer == null) {
            throw new IllegalStateException("the claim was committed or aborted");
        }
        return buffer;
    }

    /// Where the payload begins in [#buffer]; a multiple of 8.
    public long offset() {
        return OFFSET;
    }

    /// Length of the payload, as claimed.
    public int length() {
        return length;
    }

    /// Commits with type 0 and the journal's timestamp.
    public long commit() {
        return commit(Appender.DEFAULT_TYPE);
    }

    /// Commits with the journal's timestamp.
    public long commit(int type) {
        return commit(type, appender.defaultTimestampNs());
    }

    /// Appends the entry; durable when it returns a position.
    ///
    /// @return the position, or a result of [io.fenceline.journal.AppendResult]: then the claim is still open, to
    ///     be retried or aborted
    /// @throws IllegalStateException if the claim is not open
    public long commit(int type, long timestampNs) {
        buffer();
        long result = appender.commitClaim(staging, length, type, timestampNs);
        if (result >= 0) {
            abort();
        }
        return result;
    }

    /// Forgets the entry. Harmless if the claim is not open.
    public void abort() {
        if (buffer != null) {
            buffer = null;
            staging.inUse = false;
        }
    }
}
