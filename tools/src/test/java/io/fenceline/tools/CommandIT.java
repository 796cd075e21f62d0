package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs `tools/bin/fenceline` itself, from a shell, as a user would.
final class CommandIT {
    private static final Path ROOT = Path.of(System.getProperty("fenceline.root"));

    @TempDir
    private Path directory;

    private record Result(int code, String out, String err) {}

    /// Runs a script in the temporary directory; `$F` is the command.
    private Result shell(String script) throws IOException, InterruptedException {
        Path err = Files.createTempFile(directory, "err", "");
        ProcessBuilder builder = new ProcessBuilder("bash", "-c", script)
                .directory(directory.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectError(err.toFile());
        builder.environment().put("F", ROOT.resolve("tools/bin/fenceline").toString());
        builder.environment().put("TMPDIR", directory.toString());
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Result result = new Result(process.waitFor(), out, Files.readString(err));
        Files.delete(err);
        return result;
    }

    private String good(String script) throws IOException, InterruptedException {
        Result result = shell(script);
        assertEquals("", result.err);
        assertEquals(0, result.code, result.out);
        return result.out;
    }

    @Test
    void shouldProveItselfOnTheDefaultText() throws IOException, InterruptedException {
        String out = good("\"$F\" demo --dir .");
        assertProof(out);
        try (Stream<Path> left = Files.list(directory)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void shouldProveItselfOnGivenText() throws IOException, InterruptedException {
        Files.write(
                directory.resolve("text"), new byte[] {'a', 0, 27, '[', '\n', '\n', (byte) 0xFF, '\n', 'e', 'n', 'd'});
        String out = good("\"$F\" demo text --dir . --keep");
        assertProof(out);
        assertTrue(out.contains("text, 4 lines, repeated to "), out);
        assertTrue(good("\"$F\" info fenceline-demo-*/journal").contains("closed in order"));
        assertTrue(good("\"$F\" tail fenceline-demo-*/journal --limit 2").startsWith("a\0\033[\n\n"));
    }

    private static void assertProof(String out) {
        assertTrue(out.contains("SIGKILL to the writer"), out);
        assertTrue(out.contains("verdict     RECOVERED"), out);
        assertTrue(out.contains("p99.9"), out);
        assertTrue(out.contains("the proof holds"), out);
        assertFalse(out.contains("WRONG"), out);
    }

    @Test
    void shouldWorkFromAnyDirectoryAndThroughSymbolicLink() throws IOException, InterruptedException {
        Files.createSymbolicLink(directory.resolve("fl"), ROOT.resolve("tools/bin/fenceline"));
        assertTrue(good("./fl create orders --segment-size 2MiB --segments 2").contains("created " + directory));
        assertEquals("0 0\n64 1\n", good("printf 'buy 10\\nsell 5' | ./fl append orders --ack"));
        assertEquals("buy 10\nsell 5\n", good("cd / && \"$F\" tail '" + directory + "/orders'"));
        assertTrue(good("./fl recover orders").contains("CLEAN"));
        Files.delete(directory.resolve("fl")); // JUnit would complain about a link that leads away
        assertTrue(good("LC_ALL=POSIX \"$F\" create 'ü ö' --segment-size 2m --segments 2 && ls")
                .contains("ü ö\n"));
    }

    @Test
    void shouldNotCreateUnderAnotherNameWhatIsNotUtf8() throws IOException, InterruptedException {
        Result result = shell("mkdir d; \"$F\" create $'d/\\xff' --segment-size 2MiB --segments 2; echo $?; ls -A d");
        assertEquals("2\n", result.out);
        assertTrue(result.err.contains("expected UTF-8"), result.err);
    }

    /// Else the JVM would read its own files as standard input, and write acks into the first one it opens.
    @Test
    void shouldFailWhenStandardStreamIsClosed() throws IOException, InterruptedException {
        good("\"$F\" create j --segment-size 2MiB --segments 2");
        Result in = shell("\"$F\" append j <&-");
        assertEquals(5, in.code, in.err);
        assertTrue(in.err.contains("cannot read standard input"), in.err);
        Result out = shell("\"$F\" info j >&-");
        assertEquals(5, out.code, out.err);
        assertTrue(out.err.contains("cannot write to standard output"), out.err);
        assertTrue(good("\"$F\" verify j").contains("0 entries"));
    }

    /// Nothing is appended, so nothing is written: the closed pipe is noticed all the same.
    @Test
    void shouldEndWhenTheReaderOfAFollowingTailHasGone() throws IOException, InterruptedException {
        good("\"$F\" create j --segment-size 2MiB --segments 2; echo 1 | \"$F\" append j");
        assertEquals("1\n141\n", good("timeout 60 \"$F\" tail -f j | head -1; echo ${PIPESTATUS[0]}"));
    }

    /// README's class in a module of its own: the jars beside the command are all it needs, to compile and to run.
    @Test
    void shouldServeAnApplicationModule() throws IOException, InterruptedException {
        Files.writeString(
                directory.resolve("module-info.java"),
                "module orders { requires io.fenceline.appender; requires io.fenceline.tailer; }");
        Files.writeString(directory.resolve("Orders.java"), """
            package orders;

            import io.fenceline.appender.*;
            import io.fenceline.journal.*;
            import io.fenceline.tailer.*;
            import java.lang.foreign.MemorySegment;
            import java.nio.file.Path;

            class Orders {
                public static void main(String[] args) {
                    var config = JournalConfig.defaults().withSegmentLengthBytes(2 << 20).withSegmentCount(2);
                    try (var journal = Journal.create(Path.of("j"), config);
                            var appender = ExclusiveAppender.open(journal);
                            var tailer = Tailer.open(journal, Start.oldest())) {
                        appender.append(MemorySegment.ofArray("buy".getBytes()));
                        tailer.poll(entry -> System.out.println(entry.sequence()), 10);
                    }
                }
            }
            """);
        String bin = Path.of(System.getProperty("java.home"), "bin") + "/";
        String lib = "'" + ROOT.resolve("tools/target/lib") + "'";
        String out = good(bin + "javac -Xlint:all,-requires-automatic,-requires-transitive-automatic -Werror -p " + lib
                + " -d out *.java && " + bin + "java --enable-native-access=io.fenceline.journal"
                + " --illegal-native-access=deny -p out:" + lib + " -m orders/orders.Orders");
        assertEquals("0\n", out);
    }

    /// Interactive use: an ack comes before the next line is there, also with --batch.
    @Test
    void shouldAcknowledgeAtOnce() throws IOException, InterruptedException {
        good("\"$F\" create j --segment-size 2MiB --segments 2");
        for (String options : List.of("--ack", "--ack --batch 100")) {
            String out = good("coproc W { \"$F\" append j " + options + "; }; for i in 1 2 3; do echo $i >&${W[1]};"
                    + " read -r ack <&${W[0]}; echo \"$ack\"; done");
            assertEquals(3, out.lines().count(), out);
        }
        assertEquals("1\n2\n3\n1\n2\n3\n", good("\"$F\" tail j"));
    }

    @Test
    void shouldLoseNothingWhenTheReaderOfTheOutputGoes() throws IOException, InterruptedException {
        good("\"$F\" create j --segment-size 8MiB --segments 2 --durability process");
        Result run = shell("seq 20000 | \"$F\" append j --ack | head -1; echo ${PIPESTATUS[1]}");
        assertEquals(new Result(0, "0 0\n141\n", ""), run);
        assertEquals("20000\n", good("\"$F\" tail j | wc -l"));
        assertEquals(new Result(0, "1\n141\n", ""), shell("\"$F\" tail j | head -1; echo ${PIPESTATUS[0]}"));
        assertTrue(good("\"$F\" info j").contains("closed in order"));
    }

    /// SIGTERM closes the journal in order; a second writer in another process is refused; tail follows both.
    @Test
    void shouldFollowWritersAndEndOnSignals() throws IOException, InterruptedException {
        good("\"$F\" create j --segment-size 2MiB --segments 2");
        String out = good("\"$F\" tail j -f >seen & T=$!; coproc W { exec \"$F\" append j --ack; }; echo a >&${W[1]};"
                + " read -r ack <&${W[0]}; echo b | \"$F\" append j 2>refused; echo $?; kill $W_PID; wait $W_PID;"
                + " echo $?; echo b | \"$F\" append j >/dev/null; for i in {1..500}; do grep -q b seen && break;"
                + " sleep 0.02; done; kill -INT $T; kill $T 2>/dev/null; wait $T; cat seen");
        assertEquals("4\n143\na\nb\n", out);
        assertTrue(Files.readString(directory.resolve("refused")).contains("open for writing already"));
        assertTrue(good("\"$F\" recover j --dry-run").contains("CLEAN"));
    }

    @Test
    void shouldEscapeOnRealTerminal() throws IOException, InterruptedException {
        assumeTrue(shell("command -v script").code == 0, "skipped: there is no script(1) to make a terminal");
        good("\"$F\" create j --segment-size 2MiB --segments 2 && printf 'a\\033[31mb\\n' | \"$F\" append j");
        String shown = good("script -qec \"'$F' tail j\" /dev/null");
        assertTrue(shown.contains("a\\x1b[31mb"), shown);
        assertFalse(shown.contains("\033"), shown);
    }

    @Test
    void shouldLeaveNothingBehindWhenTheDiskIsFull() throws IOException, InterruptedException {
        Files.createDirectory(directory.resolve("d"));
        Result limited = shell("ulimit -f 1024; \"$F\" create d/j --segment-size 2MiB");
        assertEquals(5, limited.code, limited.err);
        assertEquals(1, limited.err.lines().count(), limited.err);
        assertEquals("", good("ls -A d"));
        String mounted = "mount -t tmpfs -o size=4m none d";
        assumeTrue(shell("unshare -m " + mounted).code == 0, "skipped in part: may not mount a small file system");
        Result full = shell("unshare -m bash -c '" + mounted + " && \"$F\" create d/j; echo $?; ls -A d'");
        assertEquals("5\n", full.out);
        assertTrue(full.err.contains("No space left") && full.err.lines().count() == 1, full.err);
    }

    @Test
    void shouldRefuseWithoutPermission() throws IOException, InterruptedException {
        good("\"$F\" create j --segment-size 2MiB --segments 2 && chmod 755 .");
        List<String> nobody = new ArrayList<>(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
        String as = String.join(" ", nobody);
        boolean other = shell(as + " \"$F\" --version").code == 0 && shell(as + " test -x .").code == 0;
        assumeTrue(other, "skipped: cannot become another user, or that one cannot run the command");
        Result result = shell(as + " \"$F\" info j");
        assertEquals(3, result.code, result.err);
        assertTrue(result.err.contains("ermission denied") && result.err.lines().count() == 1, result.err);
        good("\"$F\" cursor set j one oldest && chmod 755 j && chmod 644 j/journal.*");
        result = shell(as + " \"$F\" cursor ls j");
        assertEquals(3, result.code, result.err);
        assertTrue(result.err.contains("ermission denied") && result.err.lines().count() == 1, result.err);
        result = shell(as + " \"$F\" info j");
        assertEquals(0, result.code, result.err);
        assertTrue(result.out.contains("the cursors are not known: "), result.out);
    }
}
