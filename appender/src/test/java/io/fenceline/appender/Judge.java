package io.fenceline.appender;

import io.fenceline.journal.mutants.TestJudge;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/// What mutants are put to: a campaign of [Campaigns], by its name, or a class of tests.
enum Judge {
    MEMORY("memory"),
    MEMORY_LAPS("memoryLaps"),
    DEVICE("device"),
    DEVICE_GARBAGE("deviceGarbage"),
    PROCESS("process"),
    CUTS("cuts"),
    THREADS("threads"),
    GROUPS("groups"),
    READERS("readers"),
    RETENTION("retention"),
    RECOVERY_RULES("io.fenceline.journal.recovery.RecoveryRulesTest"),
    RECOVERY_ROWS("io.fenceline.journal.recovery.RecoveryRowTest"),
    HEAD("io.fenceline.journal.recovery.HeadTest"),
    RESERVATIONS("io.fenceline.journal.positions.ReservationsTest"),
    CURSORS("io.fenceline.journal.positions.CursorCrashTest"),
    CONCURRENT_RULES("io.fenceline.appender.ConcurrentRulesTest"),
    WAIT_FOR_ROOM("io.fenceline.appender.ConcurrentRulesTest#shouldOwnNothingWhileItWaitsForRoom"),
    THREAD_DEATH("io.fenceline.appender.ThreadDeathTest#shouldPadTheSlotsOfAThreadThatDies"),
    APPENDER_RULES("io.fenceline.appender.ExclusiveAppenderRulesTest"),
    TRUNCATION_RULES("io.fenceline.appender.TruncationRulesTest"),
    RUNS("io.fenceline.appender.FrameRunTest"),
    RELAXED("io.fenceline.appender.RelaxedAppendTest"),
    GROUP_COMMIT("io.fenceline.appender.GroupCommitAppenderTest"),
    GROUP_RULES("io.fenceline.appender.GroupCommitRulesTest"),
    FILES("io.fenceline.journal.persist.FaultyFilesTest"),
    FILES_REMOVED("io.fenceline.appender.RemovedLogTest"),
    FILES_CUT("io.fenceline.appender.FileCrashTest"),
    DEVICE_SYNCS("io.fenceline.journal.persist.DeviceSyncTest");

    private final String what;

    Judge(String what) {
        this.what = what;
    }

    /// Judges the product as a loader has it; throws what was found.
    ///
    /// @param product whose classes are judged
    void judge(ClassLoader product) throws Throwable {
        if (what.indexOf('.') >= 0) {
            TestJudge.of(what).judge(product);
            return;
        }
        Method campaign =
                Class.forName(Campaigns.class.getName(), true, product).getDeclaredMethod(what);
        campaign.setAccessible(true);
        try {
            campaign.invoke(null);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
