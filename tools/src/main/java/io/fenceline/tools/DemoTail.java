package io.fenceline.tools;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// A tailer process that follows the journal, and a thread that compares what it shows with what was appended.
final class DemoTail implements AutoCloseable {
    private final DemoProcess process;
    private final DemoInput input;
    private final Thread reader;
    private volatile long seen; // stored by one thread
    private long different; // read after the thread was joined

    DemoTail(Path directory, DemoInput input) {
        this.process = DemoProcess.start("tail", directory.toString(), "--follow");
        this.input = input;
        this.reader = Thread.ofPlatform().daemon().name("tail").start(this::read);
    }

    private void read() {
        LineReader lines = new LineReader(process.output(), DemoInput.LONGEST_LINE_LENGTH_BYTES);
        try {
            long count = 0;
            while (lines.next()) {
                if (lines.line().mismatch(MemorySegment.ofArray(input.line(count))) != -1) {
                    different++;
                }
                seen = ++count;
            }
        } catch (IOException e) {
            // The process was ended.
        }
    }

    long pid() {
        return process.pid();
    }

    /// Waits until the tailer has shown so many lines, gives up after a while, and ends it.
    ///
    /// @return how many it has shown
    long awaitAndEnd(long count, long timeoutNs) throws InterruptedException {
        long startNs = System.nanoTime();
        while (seen < count && process.isAlive() && System.nanoTime() - startNs < timeoutNs) {
            Thread.sleep(5);
        }
        process.terminate();
        process.await();
        reader.join();
        return seen;
    }

    /// Lines that were not what was appended with their number.
    long different() {
        return different;
    }

    @Override
    public void close() {
        process.close();
    }
}
