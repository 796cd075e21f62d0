package io.fenceline.bench;

import io.fenceline.bench.limits.RawLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// The machine and the versions that a result was measured with.
public final class Machine {
    private static final String UNKNOWN = "unknown";

    private Machine() {}

    /// In the order in which it is shown.
    public static Map<String, String> describe() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("cpu", valueIn("/proc/cpuinfo", "model name"));
        facts.put("processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
        facts.put("memory", valueIn("/proc/meminfo", "MemTotal"));
        String flags = " " + valueIn("/proc/cpuinfo", "flags") + " ";
        facts.put("virtual", flags.contains(" hypervisor ") ? "yes: a hypervisor may take the processor away" : "no");
        String governor = line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
        if (!governor.equals(UNKNOWN)) {
            facts.put("frequency governor", governor);
        }
        facts.put(
                "huge pages in tmpfs",
                line("/sys/kernel/mm/transparent_hugepage/shmem_enabled").replaceAll(".*\\[(\\w+)].*", "$1"));
        facts.put("kernel", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        facts.put("jdk", System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"));
        facts.put("raw limits", RawLimits.isAvailable() ? RawLimits.describe() : RawLimits.problem());
        facts.put("load", line("/proc/loadavg"));
        return facts;
    }

    /// What a small file of the system says, or `unknown`.
    public static String line(String file) {
        try {
            return Files.readString(Path.of(file)).strip();
        } catch (IOException e) {
            return UNKNOWN;
        }
    }

    /// The value of the first line `name: value` of such a file, or `unknown`.
    public static String valueIn(String file, String name) {
        return line(file)
                .lines()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse(UNKNOWN);
    }
}
