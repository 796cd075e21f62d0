package io.fenceline.dax;

import io.fenceline.journal.Durability;
import io.fenceline.journal.DurabilityReport;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.PersistStrategy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// What runs in the virtual machine: `MEMORY` on `/pmem`, `DEVICE` and `PROCESS` beside each other on `/disk`.
///
///     java … io.fenceline.dax.Guest load STRATEGY     checks what is there, then appends to all three for ever
///     java … io.fenceline.dax.Guest check STRATEGY    checks, closes, verifies, ends
final class Guest {
    private static final Path PMEM = Path.of("/pmem");
    private static final Path DISK = Path.of("/disk");

    private Guest() {}

    public static void main(String[] arguments) {
        Console console = new Console();
        PersistStrategy strategy = PersistStrategy.valueOf(arguments[1]);
        probe(console);
        List<Load> loads = List.of(
                Load.open(Durability.MEMORY, PMEM.resolve("memory"), strategy),
                Load.open(Durability.DEVICE, DISK.resolve("device"), strategy),
                Load.open(Durability.PROCESS, DISK.resolve("process"), strategy));
        for (Load load : loads) {
            console.println(load.describe());
            console.println(load.check());
        }
        if (arguments[0].equals("check")) {
            loads.forEach(load -> console.println(load.closeAndVerify()));
            return;
        }
        console.println("READY");
        for (Load load : loads) {
            Thread.ofPlatform().start(() -> {
                try {
                    load.run(console);
                } catch (RuntimeException | Error e) {
                    console.println("FAILED " + e);
                    throw e;
                }
            });
        }
    }

    /// What the storage gives when nobody asks for a level, and what is said where it is asked for too much.
    private static void probe(Console console) {
        Path pmem = PMEM.resolve("probe");
        try (Journal journal = Files.exists(pmem) ? Journal.open(pmem) : Journal.create(pmem, Load.config())) {
            DurabilityReport report = journal.durability();
            console.println(
                    "PMEM " + report + " mapSync=" + report.mapSync() + " powerSafe=" + report.survivesPowerCut());
            console.println("PERSIST " + report.persist());
        }
        Path refused = DISK.resolve("refused");
        try (Journal journal = Journal.create(refused, Load.config().withDurability(Durability.MEMORY))) {
            console.println("TAKEN " + journal.durability());
        } catch (JournalException.DurabilityUnavailable e) {
            console.println("REFUSED " + e.getMessage());
        }
    }
}
