package io.fenceline.appender;

import com.lmax.disruptor.WaitStrategy;
import com.lmax.disruptor.YieldingWaitStrategy;
import java.util.Objects;
import java.util.function.Supplier;

/// How a [GroupCommitAppender] works. Immutable; each `with…` returns a changed copy.
///
/// @param ringSize         entries between producers and the committing thread, a power of two
/// @param cellLengthBytes  preallocated payload bytes of each; a larger payload is copied to memory of its own
/// @param maximumBatch     entries in one frame at most, 1 to 65535
/// @param maximumDelayNs   how long a commit may wait for more entries to come, 0 for not at all
/// @param waitStrategy     how the committing thread waits for entries
public record GroupCommitConfig(
        int ringSize,
        int cellLengthBytes,
        int maximumBatch,
        long maximumDelayNs,
        Supplier<? extends WaitStrategy> waitStrategy) {
    /// 4096 cells of 512 bytes, batches up to 4096, a delay up to 1 ms, and a committing thread that yields.
    public static final GroupCommitConfig DEFAULTS =
            new GroupCommitConfig(4096, 512, 4096, 1_000_000, YieldingWaitStrategy::new);

    public GroupCommitConfig {
        Objects.requireNonNull(waitStrategy);
        if (ringSize < 2 || Integer.bitCount(ringSize) != 1) {
            throw new IllegalArgumentException("ring size " + ringSize + ": expected a power of two, at least 2");
        }
        if (cellLengthBytes < 0 || (long) cellLengthBytes * ringSize > 1 << 30) {
            throw new IllegalArgumentException(
                    "cell length " + cellLengthBytes + ": expected 0 or more, and at most 1 GiB for all cells");
        }
        if (maximumBatch < 1 || maximumBatch > 65_535) {
            throw new IllegalArgumentException("maximum batch " + maximumBatch + ": expected 1 to 65535");
        }
        if (maximumDelayNs < 0) {
            throw new IllegalArgumentException("maximum delay " + maximumDelayNs + " ns: expected 0 or more");
        }
    }

    public GroupCommitConfig withRingSize(int ringSize) {
        return new GroupCommitConfig(ringSize, cellLengthBytes, maximumBatch, maximumDelayNs, waitStrategy);
    }

    public GroupCommitConfig withCellLengthBytes(int cellLengthBytes) {
        return new GroupCommitConfig(ringSize, cellLengthBytes, maximumBatch, maximumDelayNs, waitStrategy);
    }

    public GroupCommitConfig withMaximumBatch(int maximumBatch) {
        return new GroupCommitConfig(ringSize, cellLengthBytes, maximumBatch, maximumDelayNs, waitStrategy);
    }

    public GroupCommitConfig withMaximumDelayNs(long maximumDelayNs) {
        return new GroupCommitConfig(ringSize, cellLengthBytes, maximumBatch, maximumDelayNs, waitStrategy);
    }

    public GroupCommitConfig withWaitStrategy(Supplier<? extends WaitStrategy> waitStrategy) {
        return new GroupCommitConfig(ringSize, cellLengthBytes, maximumBatch, maximumDelayNs, waitStrategy);
    }
}
