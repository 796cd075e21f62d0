package io.fenceline.bench;

import io.fenceline.journal.Journal;
import io.fenceline.journal.ReadOnlyJournal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.concurrent.LinkedBlockingQueue;
import org.HdrHistogram.Histogram;

/// The other side of a [ReaderProcess]: reads rounds from standard input, `START RECORD END` (ns), says `ready`,
/// and when a round is over prints a histogram a slice, and what was lost. Ends when standard input does: with
/// its parent.
///
///     java … io.fenceline.bench.ArrivalProcess tailer JOURNAL PERIOD-NS SLICES PROCESSOR
///     java … io.fenceline.bench.ArrivalProcess line FILE PERIOD-NS SLICES PROCESSOR
final class ArrivalProcess {
    static final String TAILER = "tailer";
    static final String LINE = "line";
    static final String READY = "ready";
    static final String LOST = "lost ";

    private ArrivalProcess() {}

    public static void main(String[] arguments) throws InterruptedException {
        boolean tailer = arguments[0].equals(TAILER);
        Path path = Path.of(arguments[1]);
        double periodNs = Double.parseDouble(arguments[2]);
        Latencies latencies = new Latencies(Integer.parseInt(arguments[3]));
        LinkedBlockingQueue<String> rounds = new LinkedBlockingQueue<>();
        Thread.ofPlatform().daemon().name("commands").start(() -> listen(rounds));
        Pin.current(Integer.parseInt(arguments[4]));
        try (ReadOnlyJournal journal = tailer ? Journal.openReadOnly(path) : null) {
            MemorySegment line = tailer ? MemorySegment.NULL : mapLine(path);
            while (true) {
                String[] times = rounds.take().split(" ", -1);
                Loop.Times round =
                        new Loop.Times(Long.parseLong(times[0]), Long.parseLong(times[1]), Long.parseLong(times[2]));
                latencies.begin(round);
                try (Arrival arrival = journal != null
                        ? new Arrival.ByTailer(journal, latencies)
                        : new Arrival.ByLine(line, periodNs, latencies)) {
                    System.out.println(READY);
                    arrival.run(() -> false);
                    print(latencies);
                    System.out.println(LOST + arrival.lost);
                }
            }
        }
    }

    private static void listen(LinkedBlockingQueue<String> rounds) {
        try (BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII))) {
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                rounds.add(line);
            }
        } catch (IOException e) {
            // As if it had ended.
        }
        Runtime.getRuntime().halt(0);
    }

    private static void print(Latencies latencies) {
        for (int i = 0; i < latencies.slices(); i++) {
            Histogram slice = latencies.slice(i);
            ByteBuffer encoded = ByteBuffer.allocate(slice.getNeededByteBufferCapacity());
            int length = slice.encodeIntoCompressedByteBuffer(encoded);
            System.out.println(Base64.getEncoder().encodeToString(java.util.Arrays.copyOf(encoded.array(), length)));
        }
    }

    /// The first page of a file, shared.
    static MemorySegment mapLine(Path file) {
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            return channel.map(FileChannel.MapMode.READ_WRITE, 0, 4096, Arena.ofAuto());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
