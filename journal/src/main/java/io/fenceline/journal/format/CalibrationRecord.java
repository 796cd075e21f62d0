package io.fenceline.journal.format;

import static io.fenceline.journal.format.Bytes.I32;
import static io.fenceline.journal.format.Bytes.I64;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the strategies of level MEMORY cost where the journal lies. A hint for writers: nothing that is promised
/// depends on it, and one that is damaged or missing is no damage.
///
///     +-----+----------------+------+--------------------------------------------------------------------+
///     |  at | field          | type | meaning                                                            |
///     +-----+----------------+------+--------------------------------------------------------------------+
///     |   0 | magic          | 8 B  | the ASCII bytes FENCECAL                                           |
///     |   8 | version        | i32  | 1                                                                  |
///     |  12 | strategy       | i32  | chosen: 1 NT, 2 WRITE_BACK, 3 FENCE_ONLY                           |
///     |  16 | time           | i64  | of the measurement, ns since the epoch                             |
///     |  24 | processor      | i32  | a hash of the kind of processor and of the instructions used       |
///     |  28 | costs          | 48 B | 3 strategies × 4 lengths of i32: picoseconds, 0 = not measured     |
///     |  76 | reserved       | 48 B | zero                                                               |
///     | 124 | crc            | i32  | CRC32C of bytes [0, 124), not salted                               |
///     +-----+----------------+------+--------------------------------------------------------------------+
///
/// The costs are those of persisting one frame of 64, 256, 1024 and 4096 bytes, first by strategy 1, then 2, then 3.
///
/// @param strategy  number of the one chosen
/// @param timeNs    of the measurement, ns since the epoch
/// @param processor hash of what measured
/// @param costsPs   12 of them
public record CalibrationRecord(int strategy, long timeNs, int processor, List<Integer> costsPs) {
    /// `FENCECAL`, as a little-endian number.
    public static final long MAGIC = 0x4C41_4345_434E_4546L;

    public static final int VERSION = 1;
    public static final int LENGTH_BYTES = 128;

    public static final int SCRATCH_LENGTH_BYTES = 4096;
    public static final int STRATEGIES = 3;

    /// The lengths that are measured.
    public static final List<Integer> FRAME_LENGTHS_BYTES = List.of(64, 256, 1024, 4096);

    public static final int MAGIC_OFFSET = 0;
    public static final int VERSION_OFFSET = 8;
    public static final int STRATEGY_OFFSET = 12;
    public static final int TIME_OFFSET = 16;
    public static final int PROCESSOR_OFFSET = 24;
    public static final int COSTS_OFFSET = 28;
    public static final int CRC_OFFSET = 124;

    /// Where it lies in `journal.log`, on a page of its own.
    public static long fileOffset() {
        return 16384;
    }

    /// Where the page that is measured on lies in `journal.log`.
    public static long scratchFileOffset() {
        return 12288;
    }

    public CalibrationRecord {
        costsPs = List.copyOf(costsPs);
        if (costsPs.size() != STRATEGIES * FRAME_LENGTHS_BYTES.size()) {
            throw new IllegalArgumentException("costs: expected 12, actual " + costsPs.size());
        }
    }

    /// Writes it into a direct, zeroed buffer of [#LENGTH_BYTES].
    public void encode(ByteBuffer buffer) {
        MemorySegment bytes = MemorySegment.ofBuffer(buffer.clear());
        bytes.set(I64, MAGIC_OFFSET, MAGIC);
        bytes.set(I32, VERSION_OFFSET, VERSION);
        bytes.set(I32, STRATEGY_OFFSET, strategy);
        bytes.set(I64, TIME_OFFSET, timeNs);
        bytes.set(I32, PROCESSOR_OFFSET, processor);
        for (int i = 0; i < costsPs.size(); i++) {
            bytes.set(I32, COSTS_OFFSET + 4L * i, costsPs.get(i));
        }
        bytes.set(I32, CRC_OFFSET, new Crc32c().of(buffer, 0, CRC_OFFSET, 0));
        buffer.clear();
    }

    /// Reads it from a direct buffer of [#LENGTH_BYTES].
    ///
    /// @return null if there is none that this code understands
    public static @Nullable CalibrationRecord decode(ByteBuffer buffer) {
        MemorySegment bytes = MemorySegment.ofBuffer(buffer.clear());
        int crc = new Crc32c().of(buffer, 0, CRC_OFFSET, 0);
        buffer.clear();
        int strategy = bytes.get(I32, STRATEGY_OFFSET);
        if (bytes.get(I64, MAGIC_OFFSET) != MAGIC
                || bytes.get(I32, CRC_OFFSET) != crc
                || bytes.get(I32, VERSION_OFFSET) != VERSION
                || strategy < 1
                || strategy > STRATEGIES) {
            return null;
        }
        Integer[] costs = new Integer[STRATEGIES * FRAME_LENGTHS_BYTES.size()];
        for (int i = 0; i < costs.length; i++) {
            costs[i] = bytes.get(I32, COSTS_OFFSET + 4L * i);
        }
        return new CalibrationRecord(
                strategy, bytes.get(I64, TIME_OFFSET), bytes.get(I32, PROCESSOR_OFFSET), List.of(costs));
    }
}
