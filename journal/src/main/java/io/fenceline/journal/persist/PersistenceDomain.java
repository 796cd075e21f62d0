package io.fenceline.journal.persist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What the platform says of power that fails: are the processor's caches saved (eADR), or only what has left them?
final class PersistenceDomain {
    private static final Path SYSFS = Path.of("/sys");

    private PersistenceDomain() {}

    /// Whether caches survive for a file: its file system lies directly on a block device of persistent memory, in a
    /// region whose `persistence_domain` is `cpu_cache`. What cannot be found out is no.
    static boolean holdsCaches(DataFile file) {
        String device = file.layer().device(file.fd(), file.path());
        return device != null && holdsCaches(SYSFS, device);
    }

    /// @param device major and minor number, such as `259:0`
    static boolean holdsCaches(Path sysfs, String device) {
        try {
            Path place = sysfs.resolve("dev/block").resolve(device).toRealPath();
            for (Path at = place; at != null; at = at.getParent()) {
                Path domain = at.resolve("persistence_domain");
                if (Files.isReadable(domain)) {
                    return Files.readString(domain).strip().equals("cpu_cache");
                }
            }
            return false;
        } catch (IOException e) {
            return false;
        }
    }
}
