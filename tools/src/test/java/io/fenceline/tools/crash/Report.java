package io.fenceline.tools.crash;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// What a child process tells through its standard output: four words, written by one system call, so that a kill
/// leaves no part of one.
///
/// | kind | position | sequence | detail |
/// |---|---|---|---|
/// | FRAME | of a frame, appended and acknowledged, or delivered | its first | epoch, entries |
/// | OPENED | of the last entry, by the recovery report | its sequence | epoch of this writer, 0 |
/// | NEXT | of the next frame, by the recovery report | of the next entry | 0 |
/// | OVERRUN | of the tailer | its next | 0 |
/// | MARK | of the tailer, that has seen all there is | its next | 0 |
/// | CUTTING | where a cut begins, before it | 0 | 0 |
/// | CUT | behind what was cut | where the cut began | 0 |
/// | FAILED | thread | what it was about to append | errno, 1 if the journal was poisoned before |
/// | FULL | published, when the ring was full and the writer stopped appending | of the next entry | 0 |
record Report(Kind kind, long position, long sequence, int high, int low) {
    static final int LENGTH_BYTES = 4 * Long.BYTES;

    enum Kind {
        FRAME(1),
        OPENED(2),
        NEXT(3),
        OVERRUN(4),
        MARK(5),
        FULL(6),
        CUTTING(7),
        CUT(8),
        FAILED(9);

        private final long code;

        Kind(long code) {
            this.code = code;
        }

        static @Nullable Kind of(long code) {
            for (Kind kind : values()) {
                if (kind.code == code) {
                    return kind;
                }
            }
            return null;
        }
    }

    /// Something that is no report: what a JVM prints that dies of a signal.
    static final class Foreign extends IOException {
        private static final long serialVersionUID = 1;
        private final String text;

        Foreign(String text) {
            super(text);
            this.text = text;
        }

        String text() {
            return text;
        }
    }

    void putInto(ByteBuffer buffer) {
        buffer.putLong(kind.code)
                .putLong(position)
                .putLong(sequence)
                .putInt(high)
                .putInt(low);
    }

    void writeTo(OutputStream out) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(LENGTH_BYTES);
        putInto(buffer);
        out.write(buffer.array());
    }

    /// @return null at the end of the stream
    static @Nullable Report read(DataInputStream in) throws IOException {
        byte[] bytes = in.readNBytes(LENGTH_BYTES);
        if (bytes.length == 0) {
            return null;
        }
        if (bytes.length < LENGTH_BYTES) {
            throw new EOFException("a report of " + bytes.length + " bytes: expected " + LENGTH_BYTES);
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        Kind kind = Kind.of(buffer.getLong());
        if (kind == null) {
            throw new Foreign(new String(bytes, StandardCharsets.ISO_8859_1)
                    + new String(in.readAllBytes(), StandardCharsets.ISO_8859_1));
        }
        return new Report(kind, buffer.getLong(), buffer.getLong(), buffer.getInt(), buffer.getInt());
    }
}
