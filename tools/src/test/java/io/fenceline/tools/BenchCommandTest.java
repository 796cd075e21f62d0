package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.bench.report.ResultsJson;
import io.fenceline.journal.Durability;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.persist.Kernel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The command `bench`: what it prints, writes, refuses, and leaves behind. Never how fast anything is.
final class BenchCommandTest {
    private static final long PATIENCE_S = 60;

    @TempDir
    private Path directory;

    /// What takes a moment only; more options, also in the place of these.
    private String[] tiny(String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "--durability=process",
                "--segment-size=2m",
                "--segments=2",
                "--sizes=64",
                "--rate=10000",
                "--duration=30ms",
                "--warm-up=0ms"));
        for (String option : more) {
            arguments.removeIf(argument -> option.startsWith(argument.substring(0, argument.indexOf('=') + 1)));
            arguments.add(option);
        }
        arguments.addAll(0, List.of("bench", directory.toString()));
        return arguments.toArray(String[]::new);
    }

    private List<String> left() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void shouldPrintTheTableAndWriteEveryFileThatIsAskedFor() throws IOException {
        Path json = directory.resolve("a.json");
        Path page = directory.resolve("a.html");
        Path hlog = directory.resolve("a.hlog");
        CommandRun run = CommandRun.of(tiny("--json=" + json, "--report=" + page, "--hlog=" + hlog))
                .good();
        for (String part : List.of(
                "What this machine gives: PROCESS on ",
                "cost of this tool",
                "machine's pauses",
                "64 B payload, frames of 128 B: saturated",
                "64 B payload, frames of 128 B: open loop at 10,000/s",
                "append \u2192 tailer, other process",
                "reserve",
                "p99.99",
                "written: ")) {
            assertTrue(run.out().contains(part), () -> part + " in " + run.out());
        }
        ResultsJson.check(Files.readString(json));
        assertTrue(Files.readString(json).contains("\"complete\" : true"));
        assertTrue(Files.readString(hlog).contains("Tag=Fenceline-append-64B-saturated,"));
        String same = Files.readString(json).strip().replace("<", "\\u003c");
        assertTrue(Files.readString(page).contains(same), "the page holds the very file");
        assertEquals(List.of("a.hlog", "a.html", "a.json"), left());
    }

    @Test
    void shouldPrintJsonAloneWhenItGoesToStandardOutput() throws IOException {
        CommandRun run = CommandRun.of(tiny("--json=-", "--no-tailers", "--no-stages", "--rate=0"))
                .good();
        ResultsJson.check(run.out());
        assertFalse(run.out().contains("\"tailProcess\""));
        assertTrue(run.out().chars().allMatch(c -> c < 0x7F), "harmless on a terminal");
        assertEquals(List.of(), left());
    }

    @Test
    void shouldDrawOnePageFromSeveralFiles() throws IOException {
        String file = "{\"format\": \"fenceline-bench\", \"version\": 1, \"title\": \"%s\", \"series\": []}";
        Path a = Files.writeString(directory.resolve("a.json"), file.formatted("first"));
        Path b = Files.writeString(directory.resolve("b.json"), file.formatted("second"));
        Path page = directory.resolve("both.html");
        CommandRun.of("bench", "--from=" + a, "--from=" + b, "--report=" + page).good();
        String text = Files.readString(page);
        assertTrue(text.contains("\"first\"") && text.contains("\"second\""));
        CommandRun.of("bench", "--from=" + a).refused(ExitCodes.USAGE, "--report");
        CommandRun.of("bench", "--from=" + directory.resolve("none"), "--report=" + page)
                .refused(ExitCodes.UNREADABLE, "none", "no such file");
        Path bad = Files.writeString(directory.resolve("bad.json"), "{\"format\": 7}");
        CommandRun.of("bench", "--from=" + bad, "--report=" + page)
                .refused(ExitCodes.UNREADABLE, "bad.json", "fenceline-bench");
        Files.write(bad, new byte[] {'"', (byte) 0xFF, '"'});
        CommandRun.of("bench", "--from=" + bad, "--report=" + page).refused(ExitCodes.UNREADABLE, "bad.json");
        CommandRun.of("bench", "--from=" + a, "--report=" + directory.resolve("none/x.html"))
                .refused(ExitCodes.STORAGE, "cannot write", "x.html");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--sizes=x | not a size",
                "--sizes=9g | size: 9663676416 bytes",
                "--sizes=64,600k | 614400 bytes",
                "--rate=-1 | rate: -1",
                "--rate=fast | whole number",
                "--duration=1parsec | not a time",
                "--duration=0s | duration: expected",
                "--warm-up=-1s | not a time",
                "--threads=0 | threads: 0",
                "--batch=0 | batch: 0",
                "--segment-size=3m | segment length",
                "--segments=1 | segment count 1",
                "--emulate-persistent-memory | goes with --durability memory",
                "--calibrate | ",
                "--nonsense | --nonsense"
            })
    void shouldRefuseWrongUsageInOneLine(String option, String part) throws IOException {
        String[] arguments = option.equals("--calibrate") ? new String[] {"bench", "--calibrate"} : tiny(option);
        CommandRun.of(arguments).refused(ExitCodes.USAGE, part == null ? "--calibrate" : part);
        assertEquals(List.of(), left());
    }

    @Test
    void shouldRefuseADirectoryThatIsNotThereAndFilesThatCannotBeWrittenBeforeItMeasures() throws IOException {
        CommandRun.of("bench", directory.resolve("none").toString())
                .refused(ExitCodes.UNREADABLE, "none", "expected a directory");
        Path file = Files.writeString(directory.resolve("file"), "");
        CommandRun.of("bench", file.toString()).refused(ExitCodes.UNREADABLE, "file", "expected a directory");
        CommandRun.of(tiny("--duration=1h", "--report=" + directory.resolve("none/a.html")))
                .refused(ExitCodes.STORAGE, "cannot write", "a.html");
        assertEquals(List.of("file"), left());
    }

    @Test
    void shouldRefuseWhatTheStorageCannotGiveAndLeaveNothing() throws IOException {
        CommandRun.of("bench", directory.toString(), "--durability=memory").refused(ExitCodes.STORAGE, "MEMORY");
        assertEquals(List.of(), left());
    }

    @Test
    void shouldCalibrateAJournalAndRefuseOthers() throws IOException {
        Kernel.assumeAvailable();
        JournalConfig config =
                JournalConfig.defaults().withSegmentLengthBytes(2 << 20).withSegmentCount(2);
        Path memory = directory.resolve("memory");
        Journal.create(memory, config.withDurability(Durability.MEMORY).withEmulatePersistentMemory(true))
                .close();
        CommandRun run =
                CommandRun.of("bench", "--calibrate", memory.toString()).good();
        assertTrue(run.out().contains("persists by ") && run.out().contains(" ns for 64 "), run.out());
        Path process = directory.resolve("process");
        Journal.create(process, config.withDurability(Durability.PROCESS)).close();
        CommandRun.of("bench", "--calibrate", process.toString()).refused(ExitCodes.STORAGE, "MEMORY");
        CommandRun.of("bench", "--calibrate", directory.toString()).refused(ExitCodes.UNREADABLE, "journal");
    }

    /// Goal: SIGINT prints what was measured so far, and removes the journal. It comes as soon as something has
    /// been measured, which the log of HdrHistogram shows; a minute would have been left.
    @Test
    void shouldPrintWhatWasMeasuredSoFarWhenItIsInterrupted() throws Exception {
        Path hlog = directory.resolve("a.hlog");
        Path json = directory.resolve("a.json");
        // A build that runs in the background ignores SIGINT, and its children inherit that.
        List<String> command = new ArrayList<>(List.of(
                "env",
                "--default-signal=INT",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Fenceline.class.getName()));
        command.addAll(Arrays.asList(tiny("--duration=20s", "--hlog=" + hlog, "--json=" + json)));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            long startNs = System.nanoTime();
            while (!(Files.exists(hlog) && Files.readString(hlog).contains("Tag="))) {
                assertTrue(process.isAlive(), () -> "it ended by itself: " + process.exitValue());
                assertTrue(System.nanoTime() - startNs < PATIENCE_S * 1_000_000_000, "it measures nothing");
                TimeUnit.MILLISECONDS.sleep(20);
            }
            assertTrue(left().stream().anyMatch(name -> name.startsWith("fenceline-bench-")), "its directory");
            assertEquals(
                    0,
                    new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                            .start()
                            .waitFor());
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(130, process.waitFor(), out);
            assertTrue(out.contains("(ended early: what was measured so far)"), out);
            assertTrue(out.contains("64 B payload, frames of 128 B: saturated"), out);
            assertFalse(out.contains("Exception"), out);
            assertTrue(Files.readString(json).contains("\"complete\" : false"));
            assertEquals(List.of("a.hlog", "a.json"), left());
        } finally {
            process.destroyForcibly();
        }
    }
}
