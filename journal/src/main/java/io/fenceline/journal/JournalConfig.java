package io.fenceline.journal;

import io.fenceline.journal.format.Geometry;
import java.util.Objects;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// How a journal is created or opened. Immutable; each `with…` returns a changed copy.
///
/// Geometry, file modes and `emulatePersistentMemory` are fixed by [Journal#create]; the rest may differ from one
/// opening to the next.
public final class JournalConfig {
    /// 64 MiB.
    public static final int DEFAULT_SEGMENT_LENGTH_BYTES = 64 << 20;

    /// 4.
    public static final int DEFAULT_SEGMENT_COUNT = 4;

    private static final JournalConfig DEFAULTS = new JournalConfig();

    private int segmentLengthBytes = DEFAULT_SEGMENT_LENGTH_BYTES;
    private int segmentCount = DEFAULT_SEGMENT_COUNT;
    private @Nullable Durability durability;
    private boolean emulatePersistentMemory;
    private @Nullable PersistStrategy persistStrategy;
    private FullPolicy fullPolicy = FullPolicy.FAIL;
    private long blockTimeoutNs = Long.MAX_VALUE;
    private TimestampMode timestampMode = TimestampMode.CACHED;
    private boolean groupReadable;
    private long gateLagLimitBytes = Long.MAX_VALUE;
    private boolean retainedForGatesOnly;
    private Retention retention = Retention.everything();
    private LongConsumer creationProgress = writtenBytes -> {};

    private JournalConfig() {}

    private JournalConfig(JournalConfig other) {
        segmentLengthBytes = other.segmentLengthBytes;
        segmentCount = other.segmentCount;
        durability = other.durability;
        emulatePersistentMemory = other.emulatePersistentMemory;
        persistStrategy = other.persistStrategy;
        fullPolicy = other.fullPolicy;
        blockTimeoutNs = other.blockTimeoutNs;
        timestampMode = other.timestampMode;
        groupReadable = other.groupReadable;
        gateLagLimitBytes = other.gateLagLimitBytes;
        retainedForGatesOnly = other.retainedForGatesOnly;
        retention = other.retention;
        creationProgress = other.creationProgress;
    }

    /// 4 segments of 64 MiB, the strongest durability that the storage truly gives, [FullPolicy#FAIL], cached
    /// timestamps.
    public static JournalConfig defaults() {
        return DEFAULTS;
    }

    /// Length of a segment: a power of two, 2 MiB to 1 GiB. The largest payload is a quarter of it, below 256 MiB.
    ///
    /// @throws IllegalArgumentException outside that range
    public JournalConfig withSegmentLengthBytes(long segmentLengthBytes) {
        if (segmentLengthBytes < Geometry.MINIMUM_API_SEGMENT_LENGTH_BYTES
                || segmentLengthBytes > Geometry.MAXIMUM_SEGMENT_LENGTH_BYTES
                || Long.bitCount(segmentLengthBytes) != 1) {
            throw new IllegalArgumentException("segment length " + segmentLengthBytes
                    + " bytes: expected a power of two from 2 MiB (2097152) to 1 GiB (1073741824)");
        }
        JournalConfig config = new JournalConfig(this);
        config.segmentLengthBytes = (int) segmentLengthBytes;
        return config;
    }

    /// Number of segments in the ring, 2 to 65536.
    ///
    /// @throws IllegalArgumentException outside that range
    public JournalConfig withSegmentCount(int segmentCount) {
        if (segmentCount < 2 || segmentCount > Geometry.MAXIMUM_SEGMENT_COUNT) {
            throw new IllegalArgumentException("segment count " + segmentCount + ": expected 2 to 65536");
        }
        JournalConfig config = new JournalConfig(this);
        config.segmentCount = segmentCount;
        return config;
    }

    /// The level that `append` waits for. Not given: at creation the strongest that the storage truly gives, at opening
    /// the level that the journal had before. A level that the storage cannot give is an error, never a weaker one.
    public JournalConfig withDurability(Durability durability) {
        JournalConfig config = new JournalConfig(this);
        config.durability = Objects.requireNonNull(durability);
        return config;
    }

    /// Lets `MEMORY` run on storage that is no persistent memory, for tests and benchmarks. Whatever reports on such a
    /// journal says "emulated". Recorded in the journal, so that later openings need not repeat it.
    public JournalConfig withEmulatePersistentMemory(boolean emulatePersistentMemory) {
        JournalConfig config = new JournalConfig(this);
        config.emulatePersistentMemory = emulatePersistentMemory;
        return config;
    }

    /// How bytes become persistent at [Durability#MEMORY]. Not given: as it was measured when the journal was
    /// created, or by [Journal#calibrate]. Not recorded. [PersistStrategy#FENCE_ONLY] is taken at its word:
    /// where the caches do not survive a power cut, neither does what was acknowledged.
    public JournalConfig withPersistStrategy(PersistStrategy persistStrategy) {
        JournalConfig config = new JournalConfig(this);
        config.persistStrategy = Objects.requireNonNull(persistStrategy);
        return config;
    }

    /// What an appender does when the ring is full.
    public JournalConfig withFullPolicy(FullPolicy fullPolicy) {
        JournalConfig config = new JournalConfig(this);
        config.fullPolicy = Objects.requireNonNull(fullPolicy);
        return config;
    }

    /// How long [FullPolicy#BLOCK] waits before it returns `FULL`; `Long.MAX_VALUE` (default) waits for ever.
    /// If the log is cut off or reset meanwhile, it waits anew.
    ///
    /// @throws IllegalArgumentException if negative
    public JournalConfig withBlockTimeoutNs(long blockTimeoutNs) {
        if (blockTimeoutNs < 0) {
            throw new IllegalArgumentException("block timeout " + blockTimeoutNs + " ns: expected 0 or more");
        }
        JournalConfig config = new JournalConfig(this);
        config.blockTimeoutNs = blockTimeoutNs;
        return config;
    }

    /// Where timestamps come from when the caller gives none.
    public JournalConfig withTimestampMode(TimestampMode timestampMode) {
        JournalConfig config = new JournalConfig(this);
        config.timestampMode = Objects.requireNonNull(timestampMode);
        return config;
    }

    /// Creates the directory with mode 0750 and files with 0640 instead of 0700 and 0600.
    public JournalConfig withGroupReadable(boolean groupReadable) {
        JournalConfig config = new JournalConfig(this);
        config.groupReadable = groupReadable;
        return config;
    }

    /// How far a gate (a gating tailer, a gating cursor) may be behind `published` and still hold the ring; one
    /// that is further behind is overrun, and holds again when it has caught up. `Long.MAX_VALUE` (default): there
    /// is no limit. A limit has an effect below the ring's capacity only.
    ///
    /// @throws IllegalArgumentException if negative
    public JournalConfig withGateLagLimitBytes(long gateLagLimitBytes) {
        if (gateLagLimitBytes < 0) {
            throw new IllegalArgumentException("gate lag limit " + gateLagLimitBytes + " bytes: expected 0 or more");
        }
        JournalConfig config = new JournalConfig(this);
        config.gateLagLimitBytes = gateLagLimitBytes;
        return config;
    }

    /// Whether a full ring under [FullPolicy#FAIL] and [FullPolicy#BLOCK] gives up what every gate has passed, if
    /// there is a gate; without (default) only [Journal#retain] gives anything up there. [FullPolicy#OVERWRITE]
    /// does so always.
    public JournalConfig withRetainedForGatesOnly(boolean retainedForGatesOnly) {
        JournalConfig config = new JournalConfig(this);
        config.retainedForGatesOnly = retainedForGatesOnly;
        return config;
    }

    /// What the writer gives up by itself, segment by segment, when the ring needs room under [FullPolicy#FAIL] and
    /// [FullPolicy#BLOCK]: what the retention does not keep, and no gate holds. What it keeps is given up by
    /// [Journal#retain] only. Nothing (default) with [Retention#everything]; [FullPolicy#OVERWRITE] always gives up
    /// the oldest segment.
    ///
    /// By size, this makes room if it keeps at most the ring's capacity less two segments; by age, as entries get
    /// old.
    public JournalConfig withRetention(Retention retention) {
        JournalConfig config = new JournalConfig(this);
        config.retention = Objects.requireNonNull(retention);
        return config;
    }

    /// Called during creation with the number of bytes written so far, on the creating thread.
    public JournalConfig withCreationProgress(LongConsumer creationProgress) {
        JournalConfig config = new JournalConfig(this);
        config.creationProgress = Objects.requireNonNull(creationProgress);
        return config;
    }

    public int segmentLengthBytes() {
        return segmentLengthBytes;
    }

    public int segmentCount() {
        return segmentCount;
    }

    /// Null: not given.
    public @Nullable Durability durability() {
        return durability;
    }

    public boolean emulatePersistentMemory() {
        return emulatePersistentMemory;
    }

    /// Null: not given.
    public @Nullable PersistStrategy persistStrategy() {
        return persistStrategy;
    }

    public FullPolicy fullPolicy() {
        return fullPolicy;
    }

    public long blockTimeoutNs() {
        return blockTimeoutNs;
    }

    public TimestampMode timestampMode() {
        return timestampMode;
    }

    public boolean groupReadable() {
        return groupReadable;
    }

    public long gateLagLimitBytes() {
        return gateLagLimitBytes;
    }

    public boolean isRetainedForGatesOnly() {
        return retainedForGatesOnly;
    }

    public Retention retention() {
        return retention;
    }

    public LongConsumer creationProgress() {
        return creationProgress;
    }
}
