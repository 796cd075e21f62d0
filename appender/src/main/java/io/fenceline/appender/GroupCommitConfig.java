package io.fenceline.appender;

import com.lmax.disruptor.WaitStrategy;
import com.lmax.disruptor.YieldingWaitStrategy;
import java.util.Objects;
import java.util.function.Supplier;

/// How a [GroupCommitAppender] works. Immutable; each `with…` returns a changed copy.
///
/// @param ringSize         entries between producers and the committing thread, a power of two
/// @param cellLengthBytes  preallocated payload bytes of each; a larger payload is copied to memory of its own
/// @param maximumBatch     entries in one commit at most, 1 to 2^20
/// @param maximumBatchLengthBytes bytes in one commit at most, 64 or more; never more than half a segment, never less
///                         than one entry
/// @param maximumDelayNs   how long a commit may wait for more entries to come, 0 for not at all
/// @param lossBound        of relaxed appends
/// @param waitStrategy     how the committing thread waits for entries
public record GroupCommitConfig(
        int ringSize,
        int cellLengthBytes,
        int maximumBatch,
        int maximumBatchLengthBytes,
        long maximumDelayNs,
        LossBound lossBound,
        Supplier<? extends WaitStrategy> waitStrategy) {
    /// 4096 cells of 512 bytes, commits up to 4096 entries and 4 MiB, a delay up to 1 ms, and a committing thread that
    /// yields.
    public static final GroupCommitConfig DEFAULTS =
            new GroupCommitConfig(4096, 512, 4096, 4 << 20, 1_000_000, LossBound.DEFAULTS, YieldingWaitStrategy::new);

    public GroupCommitConfig {
        Objects.requireNonNull(lossBound);
        Objects.requireNonNull(waitStrategy);
        if (ringSize < 2 || Integer.bitCount(ringSize) != 1) {
            throw new IllegalArgumentException("ring size " + ringSize + ": expected a power of two, at least 2");
        }
        if (cellLengthBytes < 0 || (long) cellLengthBytes * ringSize > 1 << 30) {
            throw new IllegalArgumentException(
                    "cell length " + cellLengthBytes + ": expected 0 or more, and at most 1 GiB for all cells");
        }
        if (maximumBatch < 1 || maximumBatch > 1 << 20) {
            throw new IllegalArgumentException("maximum batch " + maximumBatch + ": expected 1 to 1048576");
        }
        if (maximumBatchLengthBytes < 64) {
            throw new IllegalArgumentException(
                    "maximum batch of " + maximumBatchLengthBytes + " bytes: expected 64 or more");
        }
        if (maximumDelayNs < 0) {
            throw new IllegalArgumentException("maximum delay " + maximumDelayNs + " ns: expected 0 or more");
        }
    }

    public GroupCommitConfig withRingSize(int ringSize) {
        return new GroupCommitConfig(
                ringSize,
                cellLengthBytes,
                maximumBatch,
                maximumBatchLengthBytes,
                maximumDelayNs,
                lossBound,
                waitStrategy);
    }

    public GroupCommitConfig withCellLengthBytes(int cellLengthBytes) {
        return new GroupCommitConfig(
                ringSize,
                cellLengthBytes,
                maximumBatch,
                maximumBatchLengthBytes,
                maximumDelayNs,
                lossBound,
                waitStrategy);
    }

    public GroupCommitConfig withMaximumBatch(int maximumBatch) {
        return new GroupCommitConfig(
                ringSize,
                cellLengthBytes,
                maximumBatch,
                maximumBatchLengthBytes,
                maximumDelayNs,
                lossBound,
                waitStrategy);
    }

    public GroupCommitConfig withMaximumBatchLengthBytes(int maximumBatchLengthBytes) {
        return new GroupCommitConfig(
                ringSize,
                cellLengthBytes,
                maximumBatch,
                maximumBatchLengthBytes,
                maximumDelayNs,
                lossBound,
                waitStrategy);
    }

    public GroupCommitConfig withLossBound(LossBound lossBound) {
        return new GroupCommitConfig(
                ringSize,
                cellLengthBytes,
                maximumBatch,
                maximumBatchLengthBytes,
                maximumDelayNs,
                lossBound,
                waitStrategy);
    }

    public GroupCommitConfig withMaximumDelayNs(long maximumDelayNs) {
        return new GroupCommitConfig(
                ringSize,
                cellLengthBytes,
                maximumBatch,
                maximumBatchLengthBytes,
                maximumDelayNs,
                lossBound,
                waitStrategy);
    }

    public GroupCommitConfig withWaitStrategy(Supplier<? extends WaitStrategy> waitStrategy) {
        return new GroupCommitConfig(
                ringSize,
                cellLengthBytes,
                maximumBatch,
                maximumBatchLengthBytes,
                maximumDelayNs,
                lossBound,
                waitStrategy);
    }
}
