package io.fenceline.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Runs the jcstress tests of this module: briefly, and for long (tag `stress`). A forbidden outcome fails the build.
class StressTest {
    private static final int TESTS = 9;
    private static final Pattern RESULTS =
            Pattern.compile("Results: (\\d+) planned; (\\d+) passed, 0 failed, 0 soft errs, 0 hard errs");

    /// One JVM a test, after its threads are compiled.
    @Test
    void shouldShowNoForbiddenOutcome() throws IOException, InterruptedException {
        run(300, "-f 1 -iters 2 -time 250 -strideSize 16 -strideCount 8 -sc false -af NONE", "-jvmArgs");
    }

    /// All compilation modes and processor bindings that jcstress knows.
    @Test
    @Tag("stress")
    void shouldShowNoForbiddenOutcomeAtLength() throws IOException, InterruptedException {
        run(3 * 3600, "-m default -strideSize 16 -strideCount 8", "-jvmArgsPrepend");
    }

    private static void run(long boundS, String options, String jvmOptions) throws IOException, InterruptedException {
        Path results = Files.createDirectories(Path.of("target", "jcstress"));
        Path output = results.resolve("output.txt");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-classpath",
                classPath(),
                "org.openjdk.jcstress.Main",
                "-r",
                "."));
        Collections.addAll(command, options.split(" "));
        Collections.addAll(command, jvmOptions, "-Xmx512m --enable-native-access=ALL-UNNAMED");
        Process process = new ProcessBuilder(command)
                .directory(results.toFile()) // everything that it leaves behind goes there
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        boolean ended = process.waitFor(boundS, TimeUnit.SECONDS);
        if (!ended) {
            dumpThreads(process);
        }
        String text = Files.readString(output, StandardCharsets.UTF_8);
        assertTrue(ended, () -> "not within " + boundS + " s:\n" + text);
        assertEquals(0, process.exitValue(), () -> "a forbidden outcome, or an error; see " + results + "\n" + text);
        assertTrue(text.contains("Failed tests: No matches"), text);
        assertTrue(text.contains(TESTS + " matching test results"), text);
        assertTrue(
                haveAllRun(text), () -> "some of them could not run (soft errors: a class that is missing?):\n" + text);
    }

    /// By the last progress line: a test whose classes cannot be loaded is a "soft error" there, and no failure at all
    /// anywhere else.
    private static boolean haveAllRun(String output) {
        Matcher results = RESULTS.matcher(output);
        boolean all = false;
        while (results.find()) {
            all = results.group(1).equals(results.group(2));
        }
        return all;
    }

    /// jcstress looks into each part of it, so each must be there: this module has no classes but its tests.
    private static String classPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(part -> new File(part).exists())
                .collect(Collectors.joining(File.pathSeparator));
    }

    /// Their stacks go into the output.
    private static void dumpThreads(Process process) throws IOException, InterruptedException {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        all.add(process.toHandle());
        for (ProcessHandle each : all) {
            new ProcessBuilder("sh", "-c", "kill -QUIT " + each.pid()).start().waitFor();
        }
        process.waitFor(3, TimeUnit.SECONDS);
        all.forEach(ProcessHandle::destroyForcibly);
    }
}
