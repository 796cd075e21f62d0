package io.fenceline.appender;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/// What mutants are put to: a campaign of [Campaigns], by its name, or a class of tests.
enum Judge {
    MEMORY("memory"),
    MEMORY_LAPS("memoryLaps"),
    DEVICE("device"),
    DEVICE_GARBAGE("deviceGarbage"),
    PROCESS("process"),
    CUTS("cuts"),
    THREADS("threads"),
    READERS("readers"),
    RETENTION("retention"),
    RECOVERY_RULES("io.fenceline.journal.recovery.RecoveryRulesTest"),
    RECOVERY_ROWS("io.fenceline.journal.recovery.RecoveryRowTest"),
    HEAD("io.fenceline.journal.recovery.HeadTest"),
    RESERVATIONS("io.fenceline.journal.positions.ReservationsTest"),
    CURSORS("io.fenceline.journal.positions.CursorCrashTest"),
    CONCURRENT_RULES("io.fenceline.appender.ConcurrentRulesTest"),
    THREAD_DEATH("io.fenceline.appender.ThreadDeathTest#shouldPadTheSlotsOfAThreadThatDies"),
    APPENDER_RULES("io.fenceline.appender.ExclusiveAppenderRulesTest"),
    TRUNCATION_RULES("io.fenceline.appender.TruncationRulesTest"),
    RUNS("io.fenceline.appender.FrameRunTest"),
    RELAXED("io.fenceline.appender.RelaxedAppendTest"),
    GROUP_COMMIT("io.fenceline.appender.GroupCommitAppenderTest"),
    FILES("io.fenceline.journal.persist.FaultyFilesTest"),
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
        if (what.indexOf('.') < 0) {
            Method campaign =
                    Class.forName(Campaigns.class.getName(), true, product).getDeclaredMethod(what);
            campaign.setAccessible(true);
            try {
                campaign.invoke(null);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
            return;
        }
        int hash = what.indexOf('#');
        String className = hash < 0 ? what : what.substring(0, hash);
        String method = hash < 0 ? "" : what.substring(hash + 1);
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(Class.forName(className, true, product)))
                .filters((PostDiscoveryFilter) found -> FilterResult.includedIf(
                        found.getUniqueId().getSegments().size() <= 2
                                || found.getUniqueId().toString().contains(method)))
                .filters(TagFilter.excludeTags("slow", "stress", "dax"))
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "false")
                .build();
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create().execute(request, listener);
        TestExecutionSummary summary = listener.getSummary();
        if (!summary.getFailures().isEmpty()) {
            TestExecutionSummary.Failure failure = summary.getFailures().getFirst();
            throw new AssertionError(
                    failure.getTestIdentifier().getDisplayName() + ": " + failure.getException(),
                    failure.getException());
        }
        if (summary.getTestsSucceededCount() == 0) {
            throw new IllegalStateException(what + " ran nothing");
        }
    }
}
