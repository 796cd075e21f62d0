package io.fenceline.journal.persist;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The C kernel by itself (`src/test/c/kernel_test.c`): on this processor, and on aarch64 by cross compiler and
/// user-mode emulation, where both are installed (`gcc-aarch64-linux-gnu`, `qemu-user-static`).
class KernelOnProcessorsTest {
    private static final Path SOURCES = Path.of(System.getProperty("fenceline.root", ".."), "journal", "src")
            .toAbsolutePath();

    private static final int SIGILL = 4;

    @TempDir
    Path directory;

    @Test
    void shouldDoWhatItSaysOnThisProcessor() throws IOException, InterruptedException {
        String compiler = installed("cc", "gcc", "clang");
        assertTrue(run(List.of(compile(compiler))).contains(", crc by "));
    }

    /// One that has a point of persistence, and one that has none: there DC CVAP is no instruction.
    @ParameterizedTest
    @CsvSource({"max, 'stores, dc cvap, crc by crc32'", "cortex-a53, 'stores, dc cvac, crc by crc32'"})
    void shouldDoWhatItSaysOnAArch64(String processor, String instructions) throws IOException, InterruptedException {
        String compiler = installed("aarch64-linux-gnu-gcc");
        String emulator = installed("qemu-aarch64-static", "qemu-aarch64");
        String program = compile(compiler);
        Process process = new ProcessBuilder(emulator, "-cpu", processor, program)
                .redirectErrorStream(true)
                .start();
        String output = output(process);
        // QEMU's user mode before 8.1 tells programs that DC CVAP is there, and then refuses it.
        assumeTrue(
                !(processor.equals("max") && process.exitValue() == 128 + SIGILL),
                "this emulator refuses DC CVAP (QEMU 8.1 or newer has it); DC CVAC is tested");
        assertEquals(0, process.exitValue(), output);
        assertEquals(instructions, output.strip());
    }

    private String compile(String compiler) throws IOException, InterruptedException {
        String program = directory.resolve("kernel_test").toString();
        List<String> command = new ArrayList<>(
                List.of(compiler, "-O3", "-std=gnu11", "-static", "-Wall", "-Wextra", "-Werror", "-o", program));
        command.add(SOURCES.resolve("main/c/fenceline.c").toString());
        command.add(SOURCES.resolve("test/c/kernel_test.c").toString());
        run(command);
        return program;
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = output(process);
        assertEquals(0, process.exitValue(), () -> String.join(" ", command) + ":\n" + output);
        return output;
    }

    private static String output(Process process) throws IOException, InterruptedException {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }

    /// The first of these programs that is there; skips the test, visibly, where none is.
    private static String installed(String... names) {
        for (String name : names) {
            if (Stream.of(System.getenv("PATH").split(":", -1))
                    .anyMatch(place -> Files.isExecutable(Path.of(place, name)))) {
                return name;
            }
        }
        assumeTrue(false, "not installed: " + String.join(", ", names));
        throw new AssertionError();
    }
}
