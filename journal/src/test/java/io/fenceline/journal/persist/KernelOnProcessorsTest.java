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
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The C kernel by itself (`src/test/c/kernel_test.c`): on this processor, and on aarch64 by cross compiler and
/// user-mode emulation, where both are installed (`gcc-aarch64-linux-gnu`, `qemu-user-static`); and what a compiler for
/// aarch64 made of it.
class KernelOnProcessorsTest {
    private static final Path SOURCES = Path.of(System.getProperty("fenceline.root", ".."), "journal", "src")
            .toAbsolutePath();

    private static final int SIGILL = 4;

    @TempDir
    Path directory;

    @Test
    void shouldDoWhatItSaysOnThisProcessor() throws IOException, InterruptedException {
        String compiler = installed("cc", "gcc", "clang");
        String program = compile(compiler, "-O3", "-static");
        assertTrue(run(List.of(program)).contains(", crc by "));
    }

    /// One that has a point of persistence, and one that has none: there DC CVAP is no instruction.
    @ParameterizedTest
    @CsvSource({"max, 'stores, dc cvap, crc by crc32'", "cortex-a53, 'stores, dc cvac, crc by crc32'"})
    void shouldDoWhatItSaysOnAArch64(String processor, String instructions) throws IOException, InterruptedException {
        String compiler = installed("aarch64-linux-gnu-gcc");
        String emulator = installed("qemu-aarch64-static", "qemu-aarch64");
        String program = compile(compiler, "-O3", "-static");
        Process process = new ProcessBuilder(emulator, "-cpu", processor, program)
                .redirectErrorStream(true)
                .start();
        String output = output(process);
        // QEMU's user mode before 8.1 tells programs that DC CVAP is there, and then refuses it: its machines do not.
        assumeTrue(
                !(processor.equals("max") && process.exitValue() == 128 + SIGILL),
                "this emulator refuses DC CVAP in user mode (QEMU 8.1 or newer has it); DC CVAC is tested");
        assertEquals(0, process.exitValue(), output);
        assertEquals(instructions, output.strip());
    }

    /// The same on a whole machine with no system on it (`src/test/c/bare_aarch64.c`), which has a point of
    /// persistence.
    @Test
    void shouldDoWhatItSaysOnAMachineWithAPointOfPersistence() throws IOException, InterruptedException {
        String compiler = installed("aarch64-linux-gnu-gcc");
        String machine = installed("qemu-system-aarch64");
        String program = compile(
                compiler,
                "-O2",
                "-ffreestanding",
                "-fno-stack-protector",
                "-mstrict-align",
                "-nostdlib",
                "-static",
                "-Wl,-Ttext=0x40080000",
                SOURCES.resolve("test/c/bare_aarch64.c").toString());
        String options = "-M virt -cpu max -m 64M -display none -semihosting -kernel " + program;
        List<String> command = new ArrayList<>(List.of("timeout", "120", machine));
        command.addAll(List.of(options.split(" ", -1)));
        assertEquals("stores, dc cvap, crc by crc32", run(command).strip());
    }

    /// What no emulator can show, for it has no caches: the instructions are in the code, and whatever makes bytes
    /// persistent ends with the barrier behind the last write-back.
    @Test
    void shouldCleanToThePointOfPersistenceBeforeTheBarrierOnAArch64() throws IOException, InterruptedException {
        String compiler = installed("aarch64-linux-gnu-gcc");
        String disassembler = installed("aarch64-linux-gnu-objdump");
        String object = directory.resolve("fenceline.o").toString();
        run(List.of(
                compiler,
                "-O3",
                "-std=gnu11",
                "-fPIC",
                "-c",
                "-o",
                object,
                SOURCES.resolve("main/c/fenceline.c").toString()));
        String code = run(List.of(disassembler, "-d", "--no-show-raw-insn", object));
        assertTrue(function(code, "write_back_cvap").contains("dc cvap"), code);
        assertTrue(function(code, "write_back_cvac").contains("dc cvac"), code);
        assertTrue(function(code, "fl_fence").startsWith("dsb sy"), code);
        for (String name : List.of("fl_persist", "fl_flush", "fl_persist_frame")) {
            String body = function(code, name);
            List<String> around = List.of(body.split("dsb sy", -1));
            assertEquals(2, around.size(), () -> "one barrier in " + name + ":\n" + body);
            String before = around.get(0).strip();
            assertTrue(before.substring(before.lastIndexOf('\n') + 1).startsWith("blr"), () -> name + ":\n" + body);
            String after = around.get(1).substring(0, around.get(1).indexOf("\nret"));
            assertTrue(after.lines().noneMatch(line -> line.startsWith("st") || line.startsWith("bl")), body);
        }
    }

    /// The instructions of a function, one a line, without addresses.
    private static String function(String code, String name) {
        int from = code.indexOf(" <" + name + ">:\n");
        assertTrue(from >= 0, () -> "no " + name + " in\n" + code);
        int to = code.indexOf("\n\n", from);
        return code.substring(code.indexOf('\n', from) + 1, to < 0 ? code.length() : to)
                .lines()
                .map(line -> line.substring(line.indexOf(':') + 1).strip().replace('\t', ' '))
                .collect(Collectors.joining("\n"));
    }

    private String compile(String compiler, String... options) throws IOException, InterruptedException {
        String program = directory.resolve("kernel_test").toString();
        List<String> command =
                new ArrayList<>(List.of(compiler, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o", program));
        command.addAll(List.of(options));
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
