package io.fenceline.tools;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;

/// A writer process, a thread that feeds lines to it, and one that has its acks written down.
final class DemoWriter implements AutoCloseable {
    private final DemoProcess process;
    private final Thread feeder;
    private final Thread listener;

    /// @param from first line, by its number
    /// @param end behind the last line
    /// @param killAt kills the process at so many acks in all (its input does not end then, so that it is alive for
    /// certain); 0: it comes to its end in order
    DemoWriter(Path directory, DemoInput input, DemoWitness witness, long from, long end, long killAt) {
        process = DemoProcess.start("append", directory.toString(), "--ack-latency");
        feeder = Thread.ofPlatform().daemon().name("feed").start(() -> feed(input, from, end, killAt == 0));
        listener = Thread.ofPlatform()
                .daemon()
                .name("listen")
                .start(() -> witness.listen(process.output(), count -> {
                    if (count == killAt) {
                        process.kill();
                    }
                }));
    }

    private void feed(DemoInput input, long from, long end, boolean close) {
        try {
            OutputStream out = new BufferedOutputStream(process.input(), 1 << 14);
            for (long sequence = from; sequence < end; sequence++) {
                out.write(input.line(sequence));
                out.write('\n');
            }
            out.flush();
            if (close) {
                out.close();
            }
        } catch (IOException e) {
            // The process was killed.
        }
    }

    long pid() {
        return process.pid();
    }

    /// Waits for the end of the process, and until everything that it said is written down.
    ///
    /// @return its exit code
    int await() throws InterruptedException {
        int code = process.await();
        listener.join();
        feeder.join();
        return code;
    }

    @Override
    public void close() {
        process.close();
    }
}
