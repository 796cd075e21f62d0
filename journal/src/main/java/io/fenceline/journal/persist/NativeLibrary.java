package io.fenceline.journal.persist;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A C library that a jar holds for this platform, or why there is none: a build without a C compiler has none.
///
/// Immutable; its symbols stay for as long as the JVM lives.
public final class NativeLibrary {
    private final @Nullable SymbolLookup symbols;
    private final String problem;

    private NativeLibrary(@Nullable SymbolLookup symbols, String problem) {
        this.symbols = symbols;
        this.problem = problem;
    }

    /// Loads `native/OS-ARCHITECTURE/FILE` beside a class, by way of the directory for temporary files.
    ///
    /// @param beside a class of the jar that holds it
    /// @param file   such as `libfenceline.so`
    /// @param jar    what to call that jar where the library is not in it
    public static NativeLibrary load(Class<?> beside, String file, String jar) {
        String platform = platform();
        try (InputStream library = beside.getResourceAsStream("native/" + platform + "/" + file)) {
            if (library == null) {
                return new NativeLibrary(
                        null,
                        "this build of " + jar + " holds no " + file + " for " + platform
                                + "; build it on this platform with a C compiler (cc)");
            }
            Path directory = Files.createTempDirectory("fenceline");
            Path copy = directory.resolve(file);
            try {
                Files.copy(library, copy);
                return new NativeLibrary(SymbolLookup.libraryLookup(copy, Arena.global()), "");
            } finally {
                Files.deleteIfExists(copy);
                Files.deleteIfExists(directory);
            }
        } catch (IOException | IllegalArgumentException e) {
            return new NativeLibrary(
                    null,
                    file + " could not be loaded through the directory " + System.getProperty("java.io.tmpdir") + " ("
                            + e.getMessage()
                            + "); point -Djava.io.tmpdir at a writable directory that allows execution");
        }
    }

    /// Whether there is one.
    public boolean isLoaded() {
        return symbols != null;
    }

    /// Why there is none, and what to do; empty if there is one.
    public String problem() {
        return problem;
    }

    /// A function of it; without a library one that does nothing, which callers keep everybody from reaching.
    public MethodHandle handle(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        return symbols == null
                ? MethodHandles.empty(descriptor.toMethodType())
                : Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), descriptor, options);
    }

    /// Such as `linux-x86_64`.
    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        return (os.startsWith("linux") ? "linux" : os.replace(' ', '_')) + "-"
                + (arch.equals("amd64") ? "x86_64" : arch);
    }
}
