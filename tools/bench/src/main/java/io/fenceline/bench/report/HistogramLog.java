package io.fenceline.bench.report;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;

/// Writes a log of HdrHistogram (`.hlog`): an interval a line, tagged with the series, for its own tools.
///
/// Threads: one.
public final class HistogramLog implements AutoCloseable {
    private final PrintStream out;
    private final HistogramLogWriter writer;
    private final long offsetMs;

    private HistogramLog(PrintStream out, String comment) {
        this.out = out;
        this.writer = new HistogramLogWriter(out);
        long nowMs = System.currentTimeMillis();
        this.offsetMs = nowMs - System.nanoTime() / 1_000_000;
        writer.outputComment(comment);
        writer.outputLogFormatVersion();
        writer.outputStartTime(nowMs);
        writer.setBaseTime(nowMs);
        writer.outputLegend();
    }

    /// @param comment one line
    /// @throws IOException if the file cannot be written
    public static HistogramLog create(Path file, String comment) throws IOException {
        try {
            return new HistogramLog(
                    new PrintStream(Files.newOutputStream(file), false, StandardCharsets.US_ASCII), comment);
        } catch (FileNotFoundException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /// @param tag     of the series
    /// @param slice   its latencies in nanoseconds
    /// @param startNs in terms of [System#nanoTime]
    /// @param endNs   the same
    public void add(String tag, Histogram slice, long startNs, long endNs) {
        slice.setTag(tag);
        slice.setStartTimeStamp(offsetMs + startNs / 1_000_000);
        slice.setEndTimeStamp(offsetMs + endNs / 1_000_000);
        writer.outputIntervalHistogram(slice);
    }

    /// @return whether everything could be written
    public boolean flush() {
        return !out.checkError();
    }

    @Override
    public void close() {
        out.close();
    }
}
