package io.fenceline.dax;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/// Lines that have left the process when [#println] returns: a system call each, to the virtio console.
///
/// Threads: any number.
final class Console {
    private final FileOutputStream out = new FileOutputStream(FileDescriptor.out);

    synchronized void println(String line) {
        try {
            out.write((line.replace('\n', ' ') + '\n').getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
