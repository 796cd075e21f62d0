package io.fenceline.tools.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A JVM that libfiu (`fiu-run`, `fiu-ctrl`) makes calls into the C library fail in, at any moment of its life.
///
/// What is preloaded alone does not come between: the JVM looks the functions that it calls for Java code up in its
/// `libsyslookup.so`, and in what that one depends on. So this is a copy of the JDK whose `libsyslookup.so` depends on
/// libfiu first: the libraries are copied (the JVM takes its home from where they lie), everything else is linked to.
final class FiuJvm {
    private static final Path FIU = Path.of("/usr/lib/fiu");
    private static final List<String> PRELOADED = List.of("fiu_run_preload.so", "fiu_posix_preload.so");

    private final Path home;
    private final Path control;

    private FiuJvm(Path home, Path control) {
        this.home = home;
        this.control = control;
    }

    /// Makes one; the calling test is skipped, visibly, if libfiu or a C compiler is not there.
    ///
    /// @param directory where some 40 MiB go
    static FiuJvm create(Path directory) throws IOException, InterruptedException {
        assumeTrue(
                PRELOADED.stream().allMatch(name -> Files.exists(FIU.resolve(name))) && exit("fiu-run", "-h") <= 1,
                "there is no libfiu (fiu-utils): its faults are not injected");
        Path source = Files.writeString(directory.resolve("nothing.c"), "int fenceline_nothing;\n");
        Path lookup = directory.resolve("libsyslookup.so");
        List<String> compile = new ArrayList<>(
                List.of("cc", "-shared", "-fPIC", source.toString(), "-o", lookup.toString(), "-Wl,--no-as-needed"));
        PRELOADED.forEach(name -> compile.add(FIU.resolve(name).toString()));
        compile.addAll(List.of("-lc", "-lm"));
        assumeTrue(
                exit(compile.toArray(String[]::new)) == 0, "there is no C compiler: libfiu's faults are not injected");
        Path home = directory.resolve("jdk");
        mirror(Path.of(System.getProperty("java.home")), home);
        Files.move(lookup, home.resolve("lib/libsyslookup.so"), StandardCopyOption.REPLACE_EXISTING);
        return new FiuJvm(home, directory.resolve("control"));
    }

    /// Directories are made, libraries and the launcher copied, all other files linked to.
    private static void mirror(Path from, Path to) throws IOException {
        try (Stream<Path> tree = Files.walk(from)) {
            for (Path path : tree.toList()) {
                Path copy = to.resolve(from.relativize(path));
                if (Files.isDirectory(path)) {
                    Files.createDirectories(copy);
                } else if (path.toString().endsWith(".so") || path.endsWith("bin/java")) {
                    Files.copy(path, copy);
                } else {
                    Files.createSymbolicLink(copy, path);
                }
            }
        }
    }

    private static int exit(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            return Integer.MAX_VALUE;
        }
    }

    /// The launcher.
    Path java() {
        return home.resolve("bin/java");
    }

    /// Under which the launcher runs.
    List<String> program() {
        return List.of("fiu-run", "-x", "-f", control.toString());
    }

    /// From now on a call fails: all of them, or the next one only.
    ///
    /// @param call as libfiu names it, say `posix/io/sync/fdatasync`
    void fail(long pid, String call, int errno, boolean once) {
        String order = "enable name=" + call + ",failinfo=" + errno + (once ? ",onetime" : "");
        try {
            Process process = new ProcessBuilder("fiu-ctrl", "-f", control.toString(), "-c", order, Long.toString(pid))
                    .redirectErrorStream(true)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.waitFor(), said);
            assertEquals("", said);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(order, e);
        }
    }
}
