package io.fenceline.journal;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// What the strategies of [Durability#MEMORY] cost where a journal lies, measured on the scratch page of its head by
/// [Journal#create] or [Journal#calibrate], and recorded there. It decides how later openings persist, unless they are
/// configured otherwise.
///
/// @param fastest      what was chosen: [PersistStrategy#NT], unless another one is faster by 5 % or more, in the
///                     geometric mean over the lengths measured
/// @param time         when
/// @param ofThisProcessor whether it was measured by a processor of this kind and the same instructions; if not, it
///                     does not count
/// @param costs        of each strategy that may be used here
public record PersistCalibration(PersistStrategy fastest, Instant time, boolean ofThisProcessor, List<Cost> costs) {
    /// The median of some rounds.
    ///
    /// @param frameLengthBytes of a frame that is persisted by itself
    /// @param nsPerFrame       nanoseconds, fence included; no header is built and nothing checksummed
    public record Cost(PersistStrategy strategy, int frameLengthBytes, double nsPerFrame) {}

    public PersistCalibration {
        costs = List.copyOf(costs);
    }

    /// Such as `NT 94 | 103 | 126 | 240, WRITE_BACK 160 | 171 | 190 | 330 ns for 64 | 256 | 1024 | 4096 B`.
    public String describeCosts() {
        String text = costs.stream()
                .collect(Collectors.groupingBy(
                        Cost::strategy,
                        java.util.TreeMap::new,
                        Collectors.mapping(
                                cost -> String.format(Locale.ROOT, "%.0f", cost.nsPerFrame),
                                Collectors.joining(" | "))))
                .entrySet()
                .stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining(", "));
        String lengths = costs.stream()
                .map(cost -> Integer.toString(cost.frameLengthBytes))
                .distinct()
                .collect(Collectors.joining(" | "));
        return text + " ns for " + lengths + " B";
    }
}
