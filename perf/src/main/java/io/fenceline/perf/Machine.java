package io.fenceline.perf;

import static io.fenceline.bench.Machine.line;
import static io.fenceline.bench.Machine.valueIn;

import io.fenceline.bench.limits.RawLimits;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;

/// The machine and the versions that a result was measured with.
final class Machine {
    private Machine() {}

    /// In the order in which it is shown.
    static Map<String, String> describe(Places places) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        facts.put("cpu", valueIn("/proc/cpuinfo", "model name"));
        facts.put("processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
        facts.put("memory", valueIn("/proc/meminfo", "MemTotal"));
        facts.put("hugePagesInTmpfs", line("/sys/kernel/mm/transparent_hugepage/shmem_enabled"));
        facts.put("kernel", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        facts.put("jdk", System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"));
        facts.put("ntStores", RawLimits.describe());
        facts.put("persist", persist(places.memory()));
        facts.put("load", line("/proc/loadavg"));
        facts.put("memoryStorage", storage(places.memory()) + ": MEMORY is emulated unless it is a DAX file system");
        facts.put("deviceStorage", storage(places.device()));
        facts.put(
                "ring",
                places.segmentCount() + " segments of " + (places.segmentLengthBytes() >> 20) + " MiB, overwritten");
        return facts;
    }

    /// How `MEMORY` journals persist there: what the measurement at their creation chooses.
    private static String persist(Path memory) {
        Path parent = JournalFixture.newDirectory(memory);
        try (Journal journal =
                Journal.create(parent.resolve("journal"), JournalFixture.config(Durability.MEMORY, 2 << 20, 2))) {
            return String.valueOf(journal.durability().persist());
        } catch (JournalException e) {
            return String.valueOf(e.getMessage());
        } finally {
            JournalFixture.remove(parent);
        }
    }

    private static String storage(Path directory) {
        try {
            FileStore store = Files.getFileStore(Files.createDirectories(directory));
            return directory + " (" + store.type() + ")";
        } catch (IOException e) {
            return directory + " (unknown: " + e.getMessage() + ")";
        }
    }
}
