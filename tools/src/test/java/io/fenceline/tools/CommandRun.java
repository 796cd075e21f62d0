package io.fenceline.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/// A command run in this JVM, with what it said.
record CommandRun(int code, ByteArrayOutputStream output, String err) {
    static CommandRun of(String... arguments) {
        return fed("", arguments);
    }

    static CommandRun fed(String input, String... arguments) {
        return fed(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), false, arguments);
    }

    static CommandRun onTerminal(String... arguments) {
        return fed(InputStream.nullInputStream(), true, arguments);
    }

    static CommandRun fed(InputStream in, boolean terminal, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        CommandRun run = to(in, out, terminal, arguments);
        return new CommandRun(run.code, out, run.err);
    }

    static CommandRun to(InputStream in, OutputStream out, boolean terminal, String... arguments) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream errors = new PrintStream(err, true, StandardCharsets.UTF_8);
        int code = Fenceline.run(new Console(in, out, errors, terminal, terminal), arguments);
        return new CommandRun(code, new ByteArrayOutputStream(), err.toString(StandardCharsets.UTF_8));
    }

    String out() {
        return output.toString(StandardCharsets.UTF_8);
    }

    byte[] bytes() {
        return output.toByteArray();
    }

    /// It ended well, without a word on standard error.
    CommandRun good() {
        assertEquals("", err);
        assertEquals(ExitCodes.OK, code);
        return this;
    }

    /// It ended with that code and one clear line that holds those parts.
    CommandRun refused(int expected, String... parts) {
        assertEquals(1, err.chars().filter(c -> c == '\n').count(), err);
        assertTrue(err.startsWith("fenceline: ") && err.endsWith("\n"), err);
        assertTrue(err.strip().chars().allMatch(c -> c >= 0x20 && c != 0x7F), err);
        for (String part : parts) {
            assertTrue(err.contains(part), () -> "expected '" + part + "' in: " + err);
        }
        assertEquals(expected, code, err);
        return this;
    }
}
