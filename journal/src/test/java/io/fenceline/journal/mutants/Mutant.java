package io.fenceline.journal.mutants;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/// The product with one defect: a patch of its source text, compiled in memory, run in a class loader of its own.
///
/// @param name  what it is called
/// @param judge the checker that must kill it, as the list calls it
/// @param edits what is changed
public record Mutant(String name, String judge, List<Edit> edits) {
    /// One change of a source file. Blanks are not compared.
    ///
    /// @param file   `persist/Persister` of the journal, `appender/Batch`, `tailer/Seek`, or `test/…` of its tests
    /// @param before text that is there exactly once
    /// @param after  what takes its place
    public record Edit(String file, String before, String after) {}

    /// Reads the list: blocks of
    ///
    ///     @ name of the mutant | judge
    ///     ! file
    ///     - before
    ///     + after
    ///
    /// with any number of lines each, and of edits.
    public static List<Mutant> parse(List<String> lines) {
        List<Mutant> mutants = new ArrayList<>();
        String file = "";
        char last = ' ';
        List<Edit> edits = new ArrayList<>();
        for (String line : lines) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            char kind = line.charAt(0);
            String rest = line.substring(1).strip();
            switch (kind) {
                case '@' -> {
                    int bar = rest.lastIndexOf('|');
                    edits = new ArrayList<>();
                    mutants.add(new Mutant(
                            rest.substring(0, bar).strip(),
                            rest.substring(bar + 1).strip(),
                            edits));
                }
                case '!' -> file = rest;
                case '-' -> {
                    Edit open = last == '-' ? edits.removeLast() : new Edit(file, "", "");
                    edits.add(new Edit(file, open.before + "\n" + rest, ""));
                }
                case '+' -> {
                    Edit open = edits.removeLast();
                    edits.add(new Edit(file, open.before, open.after + "\n" + rest));
                }
                default -> throw new IllegalArgumentException("what is this? " + line);
            }
            last = kind;
        }
        return mutants;
    }

    /// Compiles it.
    ///
    /// @param root of the project
    /// @return a loader of the product and its tests, with the defect
    public ClassLoader load(Path root) {
        Map<Path, String> sources = patch(root);
        return new Loader(sources.isEmpty() ? Map.of() : compile(sources));
    }

    /// The files that the defect is in, with it.
    ///
    /// @throws AssertionError if a text is not there exactly once
    public Map<Path, String> patch(Path root) {
        Map<Path, String> sources = new LinkedHashMap<>();
        for (Edit edit : edits) {
            Path path = source(root, edit.file);
            sources.put(path, apply(sources.computeIfAbsent(path, Mutant::read), edit));
        }
        return sources;
    }

    private static Path source(Path root, String file) {
        if (file.startsWith("test/")) {
            return root.resolve("journal/src/test/java/io/fenceline/journal/" + file.substring(5) + ".java");
        }
        String module = file.startsWith("appender/") ? "appender" : file.startsWith("tailer/") ? "tailer" : "journal";
        return root.resolve(module)
                .resolve("src/main/java/io/fenceline")
                .resolve(module.equals("journal") ? "journal/" + file + ".java" : file + ".java");
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String apply(String source, Edit edit) {
        String pattern = Arrays.stream(edit.before.strip().split("\\s+"))
                .map(Pattern::quote)
                .collect(Collectors.joining("\\s+"));
        Matcher matcher = Pattern.compile(pattern).matcher(source);
        if (!matcher.find()) {
            throw new AssertionError("mutant '" + name + "': " + edit.file + " has no such text any more; change the"
                    + " mutant with the code:\n" + edit.before);
        }
        String mutated = source.substring(0, matcher.start()) + edit.after + source.substring(matcher.end());
        if (matcher.find()) {
            throw new AssertionError("mutant '" + name + "': the text is there more than once:\n" + edit.before);
        }
        return mutated;
    }

    private Map<String, byte[]> compile(Map<Path, String> sources) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        Map<String, ByteArrayOutputStream> classes = new HashMap<>();
        StringWriter messages = new StringWriter();
        List<JavaFileObject> units = new ArrayList<>();
        sources.forEach((path, text) -> units.add(new SimpleJavaFileObject(path.toUri(), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return text;
            }
        }));
        JavaFileManager files =
                new ForwardingJavaFileManager<JavaFileManager>(
                        compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
                    @Override
                    public JavaFileObject getJavaFileForOutput(
                            Location location, String className, JavaFileObject.Kind kind, FileObject sibling) {
                        return new SimpleJavaFileObject(URI.create("mem:///" + className), kind) {
                            @Override
                            public OutputStream openOutputStream() {
                                return classes.computeIfAbsent(className, c -> new ByteArrayOutputStream());
                            }
                        };
                    }
                };
        List<String> options = List.of(
                "-proc:none", "-nowarn", "-Xlint:none", "-implicit:none", "-cp", System.getProperty("java.class.path"));
        if (!compiler.getTask(messages, files, null, options, null, units).call()) {
            throw new AssertionError("mutant '" + name + "' does not compile: " + messages);
        }
        Map<String, byte[]> bytes = new HashMap<>();
        classes.forEach((className, stream) -> bytes.put(className, stream.toByteArray()));
        return bytes;
    }

    /// Everything of ours anew, what was compiled first; the rest from the parent.
    private static final class Loader extends ClassLoader {
        private final Map<String, byte[]> mutated;

        Loader(Map<String, byte[]> mutated) {
            super(Mutant.class.getClassLoader());
            this.mutated = mutated;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith("io.fenceline.")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> known = findLoadedClass(name);
                return known == null ? define(name) : known;
            }
        }

        /// For whoever reads a class file: that of the defect.
        @Override
        public @Nullable InputStream getResourceAsStream(String name) {
            byte[] bytes = name.endsWith(".class")
                    ? mutated.get(name.substring(0, name.length() - 6).replace('/', '.'))
                    : null;
            return bytes == null ? super.getResourceAsStream(name) : new ByteArrayInputStream(bytes);
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            byte[] bytes = mutated.get(name);
            if (bytes == null) {
                try (var in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                    if (in == null) {
                        throw new ClassNotFoundException(name);
                    }
                    bytes = in.readAllBytes();
                } catch (IOException e) {
                    throw new ClassNotFoundException(name, e);
                }
            }
            return defineClass(name, bytes, 0, bytes.length);
        }
    }
}
