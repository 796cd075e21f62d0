package io.fenceline.journal.persist;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.PersistCalibration;
import io.fenceline.journal.PersistReport;
import io.fenceline.journal.PersistStrategy;
import io.fenceline.journal.format.CalibrationRecord;
import io.fenceline.journal.format.Crc32c;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Chooses a [PersistStrategy] for a file: measures on its scratch page, records, and reads the record at opening.
final class Calibrator {
    private static final int ROUNDS = 15;
    private static final int FEWEST_ROUNDS = 5;
    private static final long BOUND_NS = 2_000_000;
    private static final double CLEARLY_FASTER = 0.95;
    private static final List<PersistStrategy> STRATEGIES = List.of(PersistStrategy.values());

    private Calibrator() {}

    /// Kind of processor and chosen instructions, as far as they are known, in a number.
    private static final class Processor {
        private static final Set<String> NAMES =
                Set.of("vendor_id", "cpu family", "model", "model name", "CPU implementer", "CPU part", "CPU variant");
        private static final int HASH = hash();

        private static int hash() {
            Set<String> facts = new TreeSet<>(Set.of(NativeKernel.describe()));
            try (var lines = Files.lines(Path.of("/proc/cpuinfo"), StandardCharsets.ISO_8859_1)) {
                lines.takeWhile(line -> !line.isBlank()).forEach(line -> {
                    int colon = line.indexOf(':');
                    if (colon > 0 && NAMES.contains(line.substring(0, colon).strip())) {
                        facts.add(line);
                    }
                });
            } catch (IOException e) {
                facts.add("unknown");
            }
            byte[] text = String.join("\n", facts).getBytes(StandardCharsets.UTF_8);
            return new Crc32c().of(ByteBuffer.allocateDirect(text.length).put(text), 0, text.length, 0);
        }
    }

    /// Measures each strategy that may be used on a file, chooses, and records it there; some milliseconds. Nobody else
    /// stores to the scratch page meanwhile.
    ///
    /// @param mapSync whether the file takes `MAP_SYNC`
    static PersistCalibration calibrate(DataFile file, boolean mapSync) {
        FileLayer layer = file.layer();
        Path log = file.path();
        NativeKernel.require();
        long length = CalibrationRecord.scratchFileOffset() + CalibrationRecord.SCRATCH_LENGTH_BYTES;
        long address = layer.map(file.fd(), length, true, mapSync, log);
        if (address == 0) {
            throw new JournalException.DurabilityUnavailable(log + " lost its MAP_SYNC ability since it was probed");
        }
        Integer[] costs;
        try {
            costs = measure(address + CalibrationRecord.scratchFileOffset(), PersistenceDomain.holdsCaches(file));
        } finally {
            layer.unmap(address, length);
        }
        Instant now = Instant.now();
        CalibrationRecord record = new CalibrationRecord(
                fastest(List.of(costs), true).id(),
                now.getEpochSecond() * 1_000_000_000L + now.getNano(),
                Processor.HASH,
                List.of(costs));
        ByteBuffer buffer = ByteBuffer.allocateDirect(CalibrationRecord.LENGTH_BYTES);
        record.encode(buffer);
        layer.pwriteFully(
                file.fd(),
                MemorySegment.ofBuffer(buffer).address(),
                CalibrationRecord.LENGTH_BYTES,
                CalibrationRecord.fileOffset(),
                Posix.newCapture(),
                log);
        return calibration(record);
    }

    /// Medians, in picoseconds a frame.
    ///
    /// The lines of a ring are in no cache when an append comes to them. So each timed pass follows one of
    /// non-temporal stores, which leaves the page in no cache.
    private static Integer[] measure(long scratch, boolean cachesPersist) {
        List<Integer> lengths = CalibrationRecord.FRAME_LENGTHS_BYTES;
        long page = CalibrationRecord.SCRATCH_LENGTH_BYTES;
        long[][] samples = new long[STRATEGIES.size() * lengths.size()][ROUNDS];
        int rounds = 0;
        try (Arena arena = Arena.ofConfined()) {
            long source = arena.allocate(page, page).fill((byte) 0x5A).address();
            long begin = System.nanoTime();
            for (int round = -1; round < ROUNDS; round++) {
                for (int i = 0; i < samples.length; i++) {
                    PersistStrategy strategy = STRATEGIES.get(i / lengths.size());
                    if (strategy != PersistStrategy.FENCE_ONLY || cachesPersist) {
                        NativeKernel.time(PersistStrategy.NT, scratch, source, page);
                        long ns = NativeKernel.time(strategy, scratch, source, lengths.get(i % lengths.size()));
                        samples[i][Math.max(round, 0)] = ns; // the first round warms up
                    }
                }
                rounds = round + 1;
                if (rounds >= FEWEST_ROUNDS && System.nanoTime() - begin > BOUND_NS) {
                    break;
                }
            }
        }
        Integer[] costs = new Integer[samples.length];
        for (int i = 0; i < costs.length; i++) {
            long[] sorted = Arrays.copyOf(samples[i], rounds);
            Arrays.sort(sorted);
            long frames = page / lengths.get(i % lengths.size());
            costs[i] = (int) Math.min(Integer.MAX_VALUE, sorted[rounds / 2] * 1000 / frames);
        }
        return costs;
    }

    /// NT, unless another one is clearly faster in the geometric mean.
    private static PersistStrategy fastest(List<Integer> costsPs, boolean cachesPersist) {
        int n = CalibrationRecord.FRAME_LENGTHS_BYTES.size();
        PersistStrategy fastest = PersistStrategy.NT;
        double least = meanLog(costsPs.subList(0, n)) + Math.log(CLEARLY_FASTER);
        for (PersistStrategy strategy : STRATEGIES.subList(1, STRATEGIES.size())) {
            List<Integer> costs = costsPs.subList((strategy.id() - 1) * n, strategy.id() * n);
            boolean usable = strategy != PersistStrategy.FENCE_ONLY || cachesPersist;
            if (usable && costs.stream().allMatch(ps -> ps > 0) && meanLog(costs) < least) {
                fastest = strategy;
                least = meanLog(costs);
            }
        }
        return fastest;
    }

    private static double meanLog(List<Integer> costsPs) {
        return costsPs.stream().mapToDouble(Math::log).average().orElseThrow();
    }

    private static PersistCalibration calibration(CalibrationRecord record) {
        List<PersistCalibration.Cost> costs = new ArrayList<>();
        int n = CalibrationRecord.FRAME_LENGTHS_BYTES.size();
        for (int i = 0; i < record.costsPs().size(); i++) {
            if (record.costsPs().get(i) > 0) {
                costs.add(new PersistCalibration.Cost(
                        STRATEGIES.get(i / n),
                        CalibrationRecord.FRAME_LENGTHS_BYTES.get(i % n),
                        record.costsPs().get(i) / 1000.0));
            }
        }
        return new PersistCalibration(
                STRATEGIES.get(record.strategy() - 1),
                Instant.ofEpochSecond(0, record.timeNs()),
                NativeKernel.isAvailable() && record.processor() == Processor.HASH,
                costs);
    }

    private static @Nullable CalibrationRecord read(DataFile file) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(CalibrationRecord.LENGTH_BYTES);
        try {
            file.read(
                    CalibrationRecord.fileOffset(), MemorySegment.ofBuffer(buffer), 0, CalibrationRecord.LENGTH_BYTES);
        } catch (JournalException.Io e) {
            return null; // only a hint
        }
        return CalibrationRecord.decode(buffer);
    }

    /// What an opening of a journal does.
    ///
    /// @param wish as configured, null: as measured
    static PersistReport report(DataFile file, @Nullable PersistStrategy wish) {
        CalibrationRecord record = read(file);
        PersistCalibration calibration = record == null ? null : calibration(record);
        String instructions = NativeKernel.isAvailable() ? NativeKernel.describe() : "no kernel in this build";
        if (wish != null) {
            String reason = "as configured";
            if (wish == PersistStrategy.FENCE_ONLY && !PersistenceDomain.holdsCaches(file)) {
                reason += "; the platform does not say that its caches survive a power cut: on the word of whoever"
                        + " configured it";
            }
            return new PersistReport(wish, instructions, reason, calibration);
        }
        if (record == null || calibration == null) {
            return new PersistReport(PersistStrategy.NT, instructions, "the default: nothing was measured", null);
        }
        if (!calibration.ofThisProcessor()) {
            return new PersistReport(
                    PersistStrategy.NT,
                    instructions,
                    "the default: what was measured was another processor; 'fenceline bench --calibrate' measures anew",
                    calibration);
        }
        PersistStrategy strategy = calibration.fastest();
        if (strategy == PersistStrategy.FENCE_ONLY && !PersistenceDomain.holdsCaches(file)) {
            strategy = fastest(record.costsPs(), false);
        }
        return new PersistReport(strategy, instructions, "measured: " + calibration.describeCosts(), calibration);
    }
}
