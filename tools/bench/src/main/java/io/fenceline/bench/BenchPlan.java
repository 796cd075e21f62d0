package io.fenceline.bench;

import io.fenceline.journal.Durability;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.format.FrameDescriptor;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a run measures.
///
/// @param directory where the run makes its own directory; it must exist
/// @param config    of the journal; the ring is overwritten whatever it says
/// @param sizes     payloads in bytes, 0 to what a frame of 1 MiB holds
/// @param rates     of open loops, entries per second; null: what suits the durability
/// @param saturated whether appends one after the other are measured, too
/// @param lengthNs  of each series
/// @param warmUpNs  before each, and a tenth of it before each further round
/// @param threads   that append
/// @param batch     entries a frame
/// @param tails     whether append to tailer is measured
/// @param stages    whether the stages are
/// @param pin       whether threads are bound to processors
public record BenchPlan(
        Path directory,
        JournalConfig config,
        List<Integer> sizes,
        @Nullable List<Integer> rates,
        boolean saturated,
        long lengthNs,
        long warmUpNs,
        int threads,
        int batch,
        boolean tails,
        boolean stages,
        boolean pin) {
    /// Of all frames: what the raw limits can write, too.
    public static final int LARGEST_FRAME_LENGTH_BYTES = 1 << 20;

    private static final int MOST_THREADS = 256;
    private static final int HIGHEST_RATE = 50_000_000;
    private static final long SHORTEST_NS = 10_000_000;
    private static final long LONGEST_NS = 86_400_000_000_000L;

    /// @throws IllegalArgumentException with what is wrong, and what is expected
    public BenchPlan {
        sizes = List.copyOf(sizes);
        rates = rates == null ? null : List.copyOf(rates);
        require(lengthNs >= SHORTEST_NS && lengthNs <= LONGEST_NS, "duration", "10ms to 24h");
        require(warmUpNs >= 0 && warmUpNs <= LONGEST_NS, "warm-up", "0 to 24h");
        require(threads >= 1 && threads <= MOST_THREADS, "threads: " + threads, "1 to " + MOST_THREADS);
        require(
                batch >= 1 && batch <= FrameDescriptor.MAXIMUM_ENTRIES,
                "batch: " + batch,
                "1 to " + FrameDescriptor.MAXIMUM_ENTRIES);
        require(!sizes.isEmpty(), "sizes: none", "at least one");
        int largestFrame = Math.min(LARGEST_FRAME_LENGTH_BYTES, config.segmentLengthBytes() / 4);
        for (int size : sizes) {
            require(
                    size >= 0 && size <= largestFrame && frameLength(size, batch) <= largestFrame,
                    "size: " + size + " bytes" + (batch > 1 ? ", " + batch + " a frame" : ""),
                    "0 or more, with frames of at most " + largestFrame
                            + " bytes (a quarter of a segment, and at most 1 MiB)");
        }
        for (int rate : rates == null ? List.<Integer>of() : rates) {
            require(rate >= 1 && rate <= HIGHEST_RATE, "rate: " + rate, "1 to " + HIGHEST_RATE + " per second");
        }
        require(saturated || rates == null || !rates.isEmpty(), "no rate, and not saturated", "one of them");
        require(
                batch == 1 || threads == 1 || config.durability() != Durability.DEVICE,
                "batch with several threads",
                "one of them at DEVICE, where group commit makes the batches of several threads");
    }

    private static void require(boolean holds, String what, String expected) {
        if (!holds) {
            throw new IllegalArgumentException(what + ": expected " + expected);
        }
    }

    /// Rates of open loops at that level.
    List<Integer> rates(Durability durability) {
        List<Integer> given = rates;
        return given != null ? given : List.of(durability == Durability.DEVICE ? 1_000 : 100_000);
    }

    /// What goes to the medium for one operation.
    static int frameLength(int payloadLengthBytes, int batch) {
        long length =
                FrameDescriptor.HEADER_LENGTH_BYTES + (long) batch * FrameDescriptor.entryLength(payloadLengthBytes);
        return length > LARGEST_FRAME_LENGTH_BYTES
                ? Integer.MAX_VALUE
                : FrameDescriptor.slotAlignedLength((int) length);
    }
}
