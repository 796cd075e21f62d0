package io.fenceline.journal;

import io.fenceline.journal.persist.Kernel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Levels of durability as the tests take them: `MEMORY` is emulated, and persists by the strategy that a run of the
/// tests is forced to by `-Dfenceline.strategy=WRITE_BACK`, if it is.
public final class TestLevels {
    private static final String STRATEGY = "fenceline.strategy";

    private TestLevels() {}

    /// The strategy that all tests are forced to; null if none.
    public static @Nullable PersistStrategy forcedStrategy() {
        String name = System.getProperty(STRATEGY);
        return name == null ? null : PersistStrategy.valueOf(name);
    }

    /// A configuration at a level. The calling test is skipped, visibly, where the build cannot give it.
    public static JournalConfig at(Durability level, JournalConfig config) {
        if (level != Durability.MEMORY) {
            return config.withDurability(level);
        }
        Kernel.assumeAvailable();
        return forced(config.withDurability(level).withEmulatePersistentMemory(true));
    }

    /// For an opening that leaves the level as it was recorded.
    public static JournalConfig forced(JournalConfig config) {
        PersistStrategy strategy = forcedStrategy();
        return strategy == null ? config : config.withPersistStrategy(strategy);
    }

    /// For a JVM that a test starts, so that it is forced to the same.
    public static List<String> jvmOptions() {
        PersistStrategy strategy = forcedStrategy();
        return strategy == null ? List.of() : List.of("-D" + STRATEGY + "=" + strategy);
    }
}
