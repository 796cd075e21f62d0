package io.fenceline.appender;

import com.lmax.disruptor.WaitStrategy;
import com.lmax.disruptor.YieldingWaitStrategy;
import java.util.Objects;
import java.util.function.Supplier;

/// How a [GroupCommitAppender] works. Immutable; each `with…` returns a changed copy.
///
/// @param laneLengthBytes  of the ring between each producing thread and the committing thread, a power of two, 256
///                         bytes to 1 GiB (and half of that for references); an entry longer than a quarter of it gets
///                         memory of its own
/// @param maximumBatch     entries in one commit at most, 1 to 2^20
/// @param maximumBatchLengthBytes bytes in one commit at most, 64 or more; never more than half a segment, never
///                         less than one entry
/// @param maximumDelayNs   how long a commit may wait for more entries to come, 0 for not at all; it ends earlier when
///                         nobody comes any more, and after half the time of a commit. Where only relaxed entries
///                         have gathered, they wait as `lossBound` says instead
/// @param lossBound        of relaxed appends
/// @param waitStrategy     how the committing thread waits for entries
public record GroupCommitConfig(
        int laneLengthBytes,
        int maximumBatch,
        int maximumBatchLengthBytes,
        long maximumDelayNs,
        LossBound lossBound,
        Supplier<? extends WaitStrategy> waitStrategy) {
    /// Lanes up to 1 MiB, commits up to 65535 entries and 4 MiB, a delay up to 1 ms, and a committing thread that
    /// yields.
    public static final GroupCommitConfig DEFAULTS =
            new GroupCommitConfig(1 << 20, 65_535, 4 << 20, 1_000_000, LossBound.DEFAULTS, YieldingWaitStrategy::new);

    static final int MINIMUM_LANE_LENGTH_BYTES = 256;

    public GroupCommitConfig {
        Objects.requireNonNull(lossBound);
        Objects.requireNonNull(waitStrategy);
        if (laneLengthBytes < MINIMUM_LANE_LENGTH_BYTES || Integer.bitCount(laneLengthBytes) != 1) {
            throw new IllegalArgumentException("lane of " + laneLengthBytes
                    + " bytes: expected a power of two, at least " + MINIMUM_LANE_LENGTH_BYTES);
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

    public GroupCommitConfig withLaneLengthBytes(int laneLengthBytes) {
        return new GroupCommitConfig(
                laneLengthBytes, maximumBatch, maximumBatchLengthBytes, maximumDelayNs, lossBound, waitStrategy);
    }

    public GroupCommitConfig withMaximumBatch(int maximumBatch) {
        return new GroupCommitConfig(
                laneLengthBytes, maximumBatch, maximumBatchLengthBytes, maximumDelayNs, lossBound, waitStrategy);
    }

    public GroupCommitConfig withMaximumBatchLengthBytes(int maximumBatchLengthBytes) {
        return new GroupCommitConfig(
                laneLengthBytes, maximumBatch, maximumBatchLengthBytes, maximumDelayNs, lossBound, waitStrategy);
    }

    public GroupCommitConfig withLossBound(LossBound lossBound) {
        return new GroupCommitConfig(
                laneLengthBytes, maximumBatch, maximumBatchLengthBytes, maximumDelayNs, lossBound, waitStrategy);
    }

    public GroupCommitConfig withMaximumDelayNs(long maximumDelayNs) {
        return new GroupCommitConfig(
                laneLengthBytes, maximumBatch, maximumBatchLengthBytes, maximumDelayNs, lossBound, waitStrategy);
    }

    public GroupCommitConfig withWaitStrategy(Supplier<? extends WaitStrategy> waitStrategy) {
        return new GroupCommitConfig(
                laneLengthBytes, maximumBatch, maximumBatchLengthBytes, maximumDelayNs, lossBound, waitStrategy);
    }
}
