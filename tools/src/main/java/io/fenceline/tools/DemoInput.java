package io.fenceline.tools;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The lines that the demo appends: those of a real text, over and over.
///
/// @param source where they come from, for people
/// @param lines  of the text, without line feeds
/// @param whole  whether they are all lines of it
record DemoInput(String source, List<byte[]> lines, boolean whole) {
    static final int LONGEST_LINE_LENGTH_BYTES = 16 << 20;
    private static final long LARGEST_LENGTH_BYTES = 32 << 20;

    /// The line that gets a sequence.
    byte[] line(long sequence) {
        return lines.get((int) (sequence % lines.size()));
    }

    int longestLength() {
        return lines.stream().mapToInt(line -> line.length).max().orElse(0);
    }

    /// Reads a file, or as much of it as the demo can use.
    static DemoInput read(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            DemoInput input = read(file.toString(), in);
            if (input.lines.isEmpty()) {
                throw new CommandException(ExitCodes.USAGE, file + " is empty: expected a file with a line or more");
            }
            return input;
        } catch (NoSuchFileException e) {
            throw unreadable(file, "there is no such file");
        } catch (AccessDeniedException e) {
            throw unreadable(file, "permission denied");
        } catch (IOException e) {
            throw unreadable(file, String.valueOf(e.getMessage()));
        }
    }

    private static CommandException unreadable(Path file, String why) {
        return new CommandException(ExitCodes.UNREADABLE, "cannot read " + file + ": " + why);
    }

    private static DemoInput read(String source, InputStream in) throws IOException {
        LineReader reader = new LineReader(in, LONGEST_LINE_LENGTH_BYTES);
        List<byte[]> lines = new ArrayList<>();
        long length = 0;
        while (length < LARGEST_LENGTH_BYTES) {
            if (!reader.next()) {
                if (reader.isTooLong()) {
                    throw new CommandException(
                            ExitCodes.USAGE,
                            "line " + reader.number() + " of " + source + " is too long for the demo: expected at most "
                                    + Size.describe(LONGEST_LINE_LENGTH_BYTES));
                }
                return new DemoInput(source, lines, true);
            }
            byte[] line = reader.line().toArray(ValueLayout.JAVA_BYTE);
            lines.add(line);
            length += line.length + 1;
        }
        return new DemoInput(source, lines, false);
    }

    /// A real text of this machine, else one made on the spot.
    static DemoInput found() {
        List<Path> candidates = List.of(
                Path.of("/usr/share/common-licenses/GPL-3"),
                Path.of("/usr/share/licenses/common/GPL3/license.txt"),
                Path.of("/usr/share/dict/words"),
                Path.of(System.getProperty("java.home"), "legal", "java.base", "LICENSE"),
                Path.of("/etc/services"));
        for (Path candidate : candidates) {
            DemoInput input = tryRead(candidate);
            if (input != null) {
                return input;
            }
        }
        List<byte[]> lines = new ArrayList<>();
        for (int i = 1; i <= 1000; i++) {
            String order = (i % 2 == 0 ? "sell " : "buy ") + i * 37 % 500 + " at " + (10_000 + i * 101 % 977);
            lines.add(order.getBytes(StandardCharsets.UTF_8));
        }
        return new DemoInput("orders made on the spot", lines, true);
    }

    private static @Nullable DemoInput tryRead(Path file) {
        try {
            return Files.isRegularFile(file) ? read(file) : null;
        } catch (CommandException e) {
            return null;
        }
    }
}
