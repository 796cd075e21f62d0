package io.fenceline.journal.mutants;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import org.junit.platform.engine.FilterResult;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/// Tests as the judge of a product: those of a class, or those of its methods whose name contains a text.
///
/// @param className whole
/// @param method    `""` for all of them
public record TestJudge(String className, String method) implements MutantList.Judge {
    /// @param name `package.Class` or `package.Class#method`
    public static TestJudge of(String name) {
        int hash = name.indexOf('#');
        return hash < 0 ? new TestJudge(name, "") : new TestJudge(name.substring(0, hash), name.substring(hash + 1));
    }

    @Override
    public void judge(ClassLoader product) throws ReflectiveOperationException {
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
            throw new IllegalStateException(className + "#" + method + " ran nothing");
        }
    }
}
