package io.fenceline.tools;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.LongConsumer;

/// Writes down what writers acknowledge, in another process than theirs.
///
/// Threads: [#listen] on one at a time; the results after that thread was joined.
final class DemoWitness {
    private static final int LONGEST_ACK_LENGTH_BYTES = 100;

    private final long[] positions;
    private final long[] latenciesNs;
    private int count;
    private long disorder;

    /// @param total how many lines there are
    DemoWitness(int total) {
        positions = new long[total];
        latenciesNs = new long[total];
        Arrays.fill(positions, -1);
    }

    /// Takes acks, `POSITION SEQUENCE NANOSECONDS` each, until the writer's end of the pipe is closed.
    ///
    /// @param onAck told the number of acks so far
    void listen(InputStream acks, LongConsumer onAck) {
        LineReader reader = new LineReader(acks, LONGEST_ACK_LENGTH_BYTES);
        long previous = -1;
        try {
            while (reader.next()) {
                String line = new String(reader.line().toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
                String[] words = line.split(" ", -1);
                int sequence = Integer.parseInt(words[1]);
                if (positions[sequence] >= 0 || (previous >= 0 && sequence != previous + 1)) {
                    disorder++;
                }
                previous = sequence;
                positions[sequence] = Long.parseLong(words[0]);
                latenciesNs[count++] = Long.parseLong(words[2]);
                onAck.accept(count);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// How many lines were acknowledged.
    int count() {
        return count;
    }

    /// Acks that came twice, or not in order.
    long disorder() {
        return disorder;
    }

    /// The position that was acknowledged for a sequence, -1 if none was.
    long position(long sequence) {
        return sequence < positions.length ? positions[(int) sequence] : -1;
    }

    /// Latencies of the acknowledged appends, in words.
    String latencies() {
        long[] sorted = Arrays.copyOf(latenciesNs, count);
        Arrays.sort(sorted);
        StringBuilder text = new StringBuilder();
        for (double percentile : new double[] {50, 90, 99, 99.9}) {
            text.append(percentile == 99.9 ? "p99.9 " : "p%.0f ".formatted(percentile))
                    .append(describe(sorted[
                            (int) Math.min(count - 1L, Math.round(Math.ceil(percentile / 100 * count)) - 1)]))
                    .append(", ");
        }
        return text.append("max ").append(describe(sorted[count - 1])).toString();
    }

    private static String describe(long ns) {
        return ns < 10_000 ? ns + " ns" : ns < 10_000_000 ? ns / 1000 + " us" : ns / 1_000_000 + " ms";
    }
}
