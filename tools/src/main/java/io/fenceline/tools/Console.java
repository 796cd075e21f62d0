package io.fenceline.tools;

import io.fenceline.journal.persist.Posix;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// The standard streams of one run of a command.
///
/// Standard output is bytes, or UTF-8 text; a reader that has gone is a [ClosedOutputException], any other fault an
/// [UncheckedIOException]. Standard error gets whole lines, made [Printable].
///
/// Threads: one, but for [#error], which any may call.
final class Console {
    private static final int BUFFER_LENGTH_BYTES = 64 << 10;

    private final InputStream in;
    private final OutputStream out;
    private final PrintStream err;
    private final boolean outIsTerminal;
    private final boolean errIsTerminal;
    private final boolean outIsDescriptor;

    Console(InputStream in, OutputStream out, PrintStream err, boolean outIsTerminal, boolean errIsTerminal) {
        this.in = in;
        this.out = new Output(new BufferedOutputStream(out, BUFFER_LENGTH_BYTES));
        this.err = err;
        this.outIsTerminal = outIsTerminal;
        this.errIsTerminal = errIsTerminal;
        this.outIsDescriptor = out instanceof FileOutputStream;
    }

    /// Of this process, unbuffered.
    static Console system() {
        return new Console(
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
                isTerminal(1),
                isTerminal(2));
    }

    private static boolean isTerminal(int descriptor) {
        try {
            String name = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString();
            return name.startsWith("/dev/pts/") || name.startsWith("/dev/tty") || name.equals("/dev/console");
        } catch (IOException e) {
            return false;
        }
    }

    InputStream in() {
        return in;
    }

    /// Standard output, buffered; [#flush] ends what is shown.
    OutputStream out() {
        return out;
    }

    boolean outIsTerminal() {
        return outIsTerminal;
    }

    boolean errIsTerminal() {
        return errIsTerminal;
    }

    /// For who has nothing to write: notices that the reader of a pipe has gone.
    ///
    /// @throws ClosedOutputException if so
    void requireReader() {
        if (outIsDescriptor && Posix.isHungUp(1)) {
            throw new ClosedOutputException();
        }
    }

    /// Prints a line of text that the program made itself; what is foreign in it went through [Printable].
    void println(String line) {
        print(line + '\n');
    }

    void print(String text) {
        try {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void flush() {
        try {
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Says what did no harm, a line each.
    void warn(List<String> warnings) {
        for (String warning : warnings) {
            error("warning: " + warning);
        }
    }

    /// Writes exactly one line, `fenceline: message`, to standard error.
    void error(String message) {
        err.print("fenceline: " + Printable.of(message) + '\n');
        err.flush();
    }

    /// Writes to the terminal that is standard error, as it is; for the progress bar.
    void control(String text) {
        if (errIsTerminal) {
            err.print(text);
            err.flush();
        }
    }

    void stackTrace(Throwable problem) {
        problem.printStackTrace(err);
    }

    /// Tells a reader that has gone from other faults.
    private static final class Output extends OutputStream {
        private final OutputStream to;

        Output(OutputStream to) {
            this.to = to;
        }

        @Override
        public void write(int b) {
            try {
                to.write(b);
            } catch (IOException e) {
                throw fault(e);
            }
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            try {
                to.write(bytes, offset, length);
            } catch (IOException e) {
                throw fault(e);
            }
        }

        @Override
        public void flush() {
            try {
                to.flush();
            } catch (IOException e) {
                throw fault(e);
            }
        }

        private static RuntimeException fault(IOException e) {
            String text = String.valueOf(e.getMessage());
            if (text.toLowerCase(Locale.ROOT).contains("broken pipe")) {
                return new ClosedOutputException();
            }
            return new UncheckedIOException("cannot write to standard output: " + text, e);
        }
    }
}
