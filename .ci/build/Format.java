import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.JavaFormatterOptions;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;

/// Checks or applies palantir-java-format (120 columns) on every Java file of the tree; the root pom runs it.
///
///     java -cp FORMATTER .ci/build/Format.java check|apply|skip ROOT FORMATTER-VERSION
///
/// `target/format.clean` lists the files found clean with their size and time, so that an unchanged tree costs nothing.
/// `target/format.bad` is there afterwards if and only if a file is not as it should be.
final class Format {
    private record Source(Path path, String stamp) {}

    public static void main(String[] args) throws IOException {
        String mode = args[0];
        Path root = Path.of(args[1]).toRealPath();
        if (!Set.of("check", "apply", "skip").contains(mode)) {
            throw new IllegalArgumentException("-Dformat=" + mode + ": one of check, apply, skip");
        }
        Path clean = root.resolve("target/format.clean");
        Path bad = root.resolve("target/format.bad");
        Files.deleteIfExists(bad);
        if (mode.equals("skip")) {
            return;
        }
        String version = "palantir-java-format " + args[2];
        Set<String> known = Files.exists(clean) ? new HashSet<>(Files.readAllLines(clean)) : Set.of();
        List<Source> sources = sources(root);
        List<Source> unknown = sources.stream()
                .filter(source -> !known.contains(version) || !known.contains(source.stamp))
                .toList();

        ConcurrentLinkedQueue<String> problems = new ConcurrentLinkedQueue<>();
        ConcurrentLinkedQueue<Source> dirty = new ConcurrentLinkedQueue<>();
        unknown.parallelStream().forEach(source -> {
            String name = root.relativize(source.path).toString();
            try {
                String text = Files.readString(source.path);
                String formatted = format(text);
                if (!formatted.equals(text)) {
                    dirty.add(source);
                    if (mode.equals("apply")) {
                        Files.writeString(source.path, formatted);
                        System.out.println("formatted " + name);
                    } else {
                        problems.add(name + ":" + firstDifference(text, formatted) + ": not formatted");
                    }
                }
            } catch (FormatterException | IOException e) {
                dirty.add(source);
                problems.add(name + ": cannot be formatted: " + e.getMessage());
            }
        });

        Set<String> stamps = new TreeSet<>();
        stamps.add(version);
        sources.stream().filter(source -> !dirty.contains(source)).forEach(source -> stamps.add(source.stamp));
        if (!stamps.equals(known)) {
            Files.createDirectories(clean.getParent());
            Files.write(clean, stamps);
        }
        problems.stream().sorted().forEach(System.err::println);
        if (!problems.isEmpty()) {
            Files.write(bad, problems);
        }
    }

    private static String format(String text) throws FormatterException {
        return Formatter.createFormatter(JavaFormatterOptions.builder()
                        .style(JavaFormatterOptions.Style.PALANTIR)
                        .build())
                .formatSourceAndFixImports(text);
    }

    private static long firstDifference(String text, String formatted) {
        int at = 0;
        while (at < text.length() && at < formatted.length() && text.charAt(at) == formatted.charAt(at)) {
            at++;
        }
        return 1 + text.substring(0, at).chars().filter(c -> c == '\n').count();
    }

    private static List<Source> sources(Path root) throws IOException {
        List<Source> found = new ArrayList<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                String name = directory.getFileName().toString();
                boolean hidden = name.startsWith(".") && !name.equals(".ci");
                boolean ours = directory.equals(root) || !(hidden || name.equals("target"));
                return ours ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (file.toString().endsWith(".java") && attributes.isRegularFile()) {
                    String stamp = attributes.lastModifiedTime().toMillis() + " " + attributes.size() + " "
                            + root.relativize(file);
                    found.add(new Source(file, stamp));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return found;
    }
}
