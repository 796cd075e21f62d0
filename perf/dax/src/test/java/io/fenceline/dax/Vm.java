package io.fenceline.dax;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// The virtual machine of `perf/dax/vm`, with `/pmem` and `/disk` of its own.
final class Vm {
    private static final Path SCRIPT = Path.of(System.getProperty("fenceline.root", "../.."), "perf", "dax", "vm");
    /// Of a boot: a busy machine emulates slowly.
    private static final int BOUND_S = 300;

    private final Path state = Path.of("target", "vm").toAbsolutePath();
    private final Path files = Path.of("target", "guest").toAbsolutePath();

    private Vm() {}

    /// A new one, with nothing on its disks; skips the calling tests, visibly, where the machine was not built.
    static Vm empty() throws IOException, InterruptedException {
        String images = Objects.requireNonNullElse(
                System.getenv("FENCELINE_VM_DIR"), System.getProperty("user.home") + "/.cache/fenceline/dax-vm");
        boolean built = Files.exists(Path.of(images, "root.stamp")) && Files.exists(Path.of(images, "initramfs"));
        String skipped = "Real DAX: skipped: no virtual machine at " + images + "; to make one: perf/dax/vm build";
        if (!built) {
            System.out.println(skipped);
        }
        assumeTrue(built, skipped);
        Vm vm = new Vm();
        vm.command(List.of("reset")).start().waitFor();
        vm.copyClasses();
        return vm;
    }

    /// What the guest needs of the class path: classes and jars of this project, Agrona, the Disruptor.
    private void copyClasses() throws IOException {
        Path lib = Files.createDirectories(files.resolve("lib"));
        Path classes = Files.createDirectories(files.resolve("classes"));
        for (String element : System.getProperty("java.class.path").split(":", -1)) {
            Path from = Path.of(element);
            if (element.matches(".*/(fenceline|agrona|disruptor|jspecify)-[^/]*\\.jar")) {
                Files.copy(from, lib.resolve(from.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            } else if (element.endsWith("/classes")) {
                copyTree(from, classes);
            }
        }
    }

    /// Classes of several modules into one tree: their packages differ.
    private static void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> tree = Files.walk(from)) {
            for (Path path : tree.toList()) {
                Path target = to.resolve(from.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(path, target, StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }

    private ProcessBuilder command(List<String> arguments) {
        List<String> command = new ArrayList<>(List.of("bash", SCRIPT.toString()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("FENCELINE_VM_STATE", state.toString());
        return builder;
    }

    /// Boots, runs the guest's program, and gives every line that it prints to a witness outside of it.
    ///
    /// @param persistence what the platform says of its persistence domain: `mem-ctrl` or `cpu`
    /// @param arguments   of [Guest]
    /// @return how it ended: 0, or 137 after a cut
    int run(String persistence, Consumer<String> witness, String... arguments)
            throws IOException, InterruptedException {
        List<String> line =
                new ArrayList<>(List.of("run", "--files", files.toString(), "--timeout", Integer.toString(BOUND_S)));
        line.addAll(List.of("--", "java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"));
        line.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", "classes:lib/*", "io.fenceline.dax.Guest"));
        line.addAll(List.of(arguments));
        ProcessBuilder builder = command(line);
        builder.environment().put("FENCELINE_VM_PERSISTENCE", persistence);
        Process process = builder.start();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            lines.lines().forEach(witness);
            return process.waitFor();
        } finally {
            process.destroy(); // its script then ends the machine
        }
    }

    /// Cuts the power.
    void cut() throws IOException, InterruptedException {
        int status = command(List.of("cut")).start().waitFor();
        if (status != 0) {
            throw new IllegalStateException("the power could not be cut: exit " + status);
        }
    }
}
