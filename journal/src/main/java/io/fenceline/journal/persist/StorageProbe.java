package io.fenceline.journal.persist;

import io.fenceline.journal.Durability;
import io.fenceline.journal.DurabilityReport;
import io.fenceline.journal.JournalException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Finds out what storage a file is on, and which durability it truly gives.
final class StorageProbe {
    private StorageProbe() {}

    private enum Kind {
        /// Gone with the power.
        VOLATILE,
        /// A block device below.
        DEVICE,
        /// `fdatasync` goes somewhere that cannot be seen from here.
        UNKNOWN
    }

    private record FileSystem(String name, Kind kind, String remark) {}

    private static FileSystem fileSystem(long magic) {
        return switch ((int) magic) {
            case 0x01021994 -> new FileSystem("tmpfs", Kind.VOLATILE, "");
            case 0x858458f6 -> new FileSystem("ramfs", Kind.VOLATILE, "");
            case 0x958458f6 -> new FileSystem("hugetlbfs", Kind.VOLATILE, "");
            case 0xEF53 -> new FileSystem("ext4", Kind.DEVICE, "");
            case 0x58465342 -> new FileSystem("xfs", Kind.DEVICE, "");
            case 0xF2F52010 -> new FileSystem("f2fs", Kind.DEVICE, "");
            case 0x9123683E ->
                new FileSystem("btrfs", Kind.DEVICE, "; copy-on-write: overwriting needs free space (chattr +C helps)");
            case 0x2FC12FC1 -> new FileSystem("zfs", Kind.DEVICE, "; copy-on-write: overwriting needs free space");
            case 0x794c7630 -> new FileSystem("overlayfs", Kind.DEVICE, "; as far as its upper layer is on a device");
            case 0x6969 -> new FileSystem("nfs", Kind.UNKNOWN, "; as far as the server keeps what it has confirmed");
            case 0x65735546 -> new FileSystem("fuse", Kind.UNKNOWN, "; as far as its server honours fdatasync");
            case 0x01021997 -> new FileSystem("9p", Kind.UNKNOWN, "; as far as its server honours fdatasync");
            default ->
                new FileSystem(
                        "file system 0x%x".formatted(magic & 0xFFFF_FFFFL),
                        Kind.UNKNOWN,
                        "; as far as it honours fdatasync");
        };
    }

    /// @param level   what was asked for; null: the strongest
    /// @param emulate `MEMORY` may run on storage that is no persistent memory
    /// @throws JournalException.DurabilityUnavailable if the storage cannot give the level
    static DurabilityReport report(
            FileLayer layer, int fd, Path log, long lengthBytes, @Nullable Durability level, boolean emulate) {
        FileSystem fileSystem = fileSystem(layer.fileSystemMagic(fd, log));
        boolean dax =
                level != Durability.DEVICE && level != Durability.PROCESS && hasMapSync(layer, fd, lengthBytes, log);
        Durability chosen = level;
        if (chosen == null) {
            boolean memory = (dax && NativeKernel.isAvailable()) || emulate;
            chosen = memory
                    ? Durability.MEMORY
                    : fileSystem.kind == Kind.DEVICE ? Durability.DEVICE : Durability.PROCESS;
        }
        return switch (chosen) {
            case MEMORY -> {
                NativeKernel.require();
                if (dax) {
                    yield new DurabilityReport(
                            chosen,
                            false,
                            fileSystem.name,
                            true,
                            "the file system took MAP_SYNC: DAX, no kernel on the data path",
                            null);
                }
                if (emulate) {
                    yield new DurabilityReport(
                            chosen,
                            true,
                            fileSystem.name,
                            false,
                            "persistent memory is emulated, as configured: " + fileSystem.name
                                    + " has no MAP_SYNC, a power cut loses data",
                            null);
                }
                throw new JournalException.DurabilityUnavailable("MEMORY durability is not to be had for " + log
                        + ": expected a DAX file system that takes MAP_SYNC, found " + fileSystem.name
                        + ", which does not; use "
                        + (fileSystem.kind == Kind.VOLATILE ? "PROCESS" : "DEVICE")
                        + ", or emulatePersistentMemory for tests and benchmarks");
            }
            case DEVICE -> {
                if (fileSystem.kind == Kind.VOLATILE) {
                    throw new JournalException.DurabilityUnavailable("DEVICE durability is not to be had for " + log
                            + ": expected a file system on a device, found " + fileSystem.name
                            + ", which lives in memory; use PROCESS, or choose a directory on a disk");
                }
                yield new DurabilityReport(
                        chosen,
                        false,
                        fileSystem.name,
                        false,
                        "each append waits for fdatasync on " + fileSystem.name + fileSystem.remark,
                        null);
            }
            case PROCESS ->
                new DurabilityReport(
                        chosen,
                        false,
                        fileSystem.name,
                        false,
                        fileSystem.kind == Kind.VOLATILE
                                ? fileSystem.name + " lives in memory"
                                : "entries are in the page cache, nothing waits for the device",
                        null);
        };
    }

    /// What a reader says of a journal that was written at a level: never refused.
    static DurabilityReport describe(
            FileLayer layer, int fd, Path log, long lengthBytes, Durability level, boolean emulated) {
        FileSystem fileSystem = fileSystem(layer.fileSystemMagic(fd, log));
        boolean dax = level == Durability.MEMORY && hasMapSync(layer, fd, lengthBytes, log);
        boolean here = switch (level) {
            case MEMORY -> dax || emulated;
            case DEVICE -> fileSystem.kind != Kind.VOLATILE;
            case PROCESS -> true;
        };
        String reason = "as its writer recorded it"
                + (emulated ? ": persistent memory is emulated, a power cut loses data" : "")
                + (here ? "" : "; but " + fileSystem.name + ", where the journal lies now, cannot give that level");
        return new DurabilityReport(level, emulated || !here, fileSystem.name, dax, reason, null);
    }

    private static boolean hasMapSync(FileLayer layer, int fd, long lengthBytes, Path log) {
        long length = Math.min(lengthBytes, 4096);
        long address = layer.map(fd, length, false, true, log);
        if (address == 0) {
            return false;
        }
        layer.unmap(address, length);
        return true;
    }
}
