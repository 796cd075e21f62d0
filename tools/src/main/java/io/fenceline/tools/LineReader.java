package io.fenceline.tools;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Lines of bytes: a line feed ends one, the end of the input ends the last one. Holds one line in memory, and never
/// more than the limit and a buffer.
///
///     while (lines.next()) { … lines.line() … }
///     if (lines.isTooLong()) { … lines.number() is the one that is … }
///
/// Threads: one.
final class LineReader {
    private static final int BUFFER_LENGTH_BYTES = 64 << 10;

    private final InputStream in;
    private final int limitBytes;
    private byte[] buffer = new byte[BUFFER_LENGTH_BYTES];
    private int start;
    private int length;
    private int next;
    private int scanned;
    private int end;
    private long number;
    private boolean ended;
    private boolean tooLong;

    /// @param limitBytes the longest line
    LineReader(InputStream in, int limitBytes) {
        this.in = in;
        this.limitBytes = limitBytes;
    }

    /// Goes on to the next line; waits for it.
    ///
    /// @return false at the end of the input, or if the line is longer than the limit
    boolean next() throws IOException {
        start = next;
        if (tooLong) {
            return false;
        }
        while (true) {
            int at = indexOfLineFeed();
            int found = (at < 0 ? end : at) - start;
            if (found > limitBytes) {
                number++;
                tooLong = true;
                return false;
            }
            if (at >= 0 || (ended && found > 0)) {
                length = found;
                next = at < 0 ? end : at + 1;
                scanned = next;
                number++;
                return true;
            }
            if (ended) {
                return false;
            }
            fill();
        }
    }

    /// Whether [#next] would find a line, or the end, without waiting for more input. The current line is no longer
    /// valid afterwards.
    boolean isReady() throws IOException {
        start = next;
        while (indexOfLineFeed() < 0 && end - start <= limitBytes) {
            if (ended || in.available() <= 0) {
                return ended;
            }
            fill();
        }
        return true;
    }

    /// The bytes of the line, without its line feed; valid until the next call of [#next] or [#isReady].
    MemorySegment line() {
        return MemorySegment.ofArray(buffer).asSlice(start, length);
    }

    /// Number of the line that [#next] found, from 1.
    long number() {
        return number;
    }

    /// Whether [#next] stopped at a line that is longer than the limit.
    boolean isTooLong() {
        return tooLong;
    }

    private int indexOfLineFeed() {
        for (int i = scanned; i < end; i++) {
            if (buffer[i] == '\n') {
                scanned = i;
                return i;
            }
        }
        scanned = end;
        return -1;
    }

    /// Reads once, behind what is there; makes room before.
    private void fill() throws IOException {
        if (start > 0) {
            System.arraycopy(buffer, start, buffer, 0, end - start);
            end -= start;
            scanned -= start;
            start = 0;
            next = 0;
        }
        if (end == buffer.length) {
            buffer = Arrays.copyOf(buffer, (int) Math.min(2L * buffer.length, (long) limitBytes + BUFFER_LENGTH_BYTES));
        }
        int n;
        try {
            n = in.read(buffer, end, buffer.length - end);
        } catch (IOException e) {
            throw new IOException("cannot read standard input: " + e.getMessage(), e);
        }
        if (n < 0) {
            ended = true;
        } else {
            end += n;
        }
    }
}
