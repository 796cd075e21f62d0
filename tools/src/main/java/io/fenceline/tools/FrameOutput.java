package io.fenceline.tools;

import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.recovery.EntryCursor;
import io.fenceline.journal.recovery.FrameReader;
import io.fenceline.journal.recovery.FrameWalk;
import io.fenceline.journal.recovery.Inspection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;

/// Shows frames in one of the formats of `dump`, in memory of fixed size: payloads go through in pieces.
abstract sealed class FrameOutput {
    /// A piece of a payload; a multiple of 3, so that pieces of Base64 join.
    private static final int CHUNK_LENGTH_BYTES = 3 << 13;

    final Console console;
    final Geometry geometry;
    private final Chunk chunk = new Chunk();

    private FrameOutput(Console console, Inspection inspection) {
        this.console = console;
        this.geometry = inspection.superblock().geometry();
    }

    /// Shows the frame of the last step.
    ///
    /// @return whether bytes of it were read after it was judged, so that they may have been overwritten meanwhile
    final boolean frame(FrameWalk walk, boolean unrecovered) {
        walk.entries().begin();
        String verdict = walk.verdict().text() + (unrecovered ? ", unrecovered" : "");
        show(walk.frames(), walk.entries(), walk.verdict(), verdict);
        return !walk.frames().isInMemory();
    }

    /// @param entry before the first one
    abstract void show(FrameReader frame, EntryCursor entry, FrameVerdict kind, String verdict);

    /// Shows a range without whole frames.
    abstract void range(long from, long to, String kind, String verdict);

    static String kind(FrameReader frame, FrameVerdict verdict) {
        return verdict == FrameVerdict.SKIPPABLE ? Integer.toString(frame.kind()) : verdict.name();
    }

    /// One piece of native memory, copied to the heap.
    private static final class Chunk {
        private final MemorySegment bytes = MemorySegment.ofBuffer(ByteBuffer.allocateDirect(CHUNK_LENGTH_BYTES));
        private final byte[] copy = new byte[CHUNK_LENGTH_BYTES];

        byte[] payload(EntryCursor entry, int from, int length) {
            entry.read(from, bytes, length);
            MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, copy, 0, length);
            return copy;
        }

        byte[] frame(FrameReader frame, int from, int length) {
            frame.readFrame(from, bytes, length);
            MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, copy, 0, length);
            return copy;
        }
    }

    /// Takes a payload piece by piece.
    @FunctionalInterface
    interface Sink {
        void accept(byte[] bytes, int length) throws IOException;
    }

    final void payload(EntryCursor entry, Sink sink) {
        try {
            for (int from = 0; from < entry.payloadLength(); from += CHUNK_LENGTH_BYTES) {
                int length = Math.min(CHUNK_LENGTH_BYTES, entry.payloadLength() - from);
                sink.accept(chunk.payload(entry, from, length), length);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Lines for people; control characters are escaped.
    static final class Text extends FrameOutput {
        private static final int PREVIEW_LENGTH_BYTES = 96;
        private static final String LINE = "%12s %12s %10s %-30s %5s %-9s %9s %7s  %s";
        private boolean begun;

        Text(Console console, Inspection inspection) {
            super(console, inspection);
        }

        private void line(Object... cells) {
            if (!begun) {
                begun = true;
                console.println(LINE.formatted(
                        "position",
                        "file offset",
                        "sequence",
                        "time",
                        "epoch",
                        "kind",
                        "length",
                        "entries",
                        "verdict"));
            }
            console.println(LINE.formatted(cells));
        }

        void header(FrameReader frame, FrameVerdict kind, String verdict) {
            line(
                    frame.position(),
                    geometry.fileOffset(frame.position()),
                    frame.sequence(),
                    frame.timestamp() == 0 ? "-" : Instant.ofEpochSecond(0, frame.timestamp()),
                    frame.epoch(),
                    kind(frame, kind),
                    frame.length(),
                    frame.entries(),
                    verdict);
        }

        @Override
        void show(FrameReader frame, EntryCursor entry, FrameVerdict kind, String verdict) {
            header(frame, kind, verdict);
            while (entry.next()) {
                int length = Math.min(PREVIEW_LENGTH_BYTES, entry.payloadLength());
                String preview = Printable.of(super.chunk.payload(entry, 0, length), 0, length);
                console.println("%12s type %d, %d bytes: %s%s"
                        .formatted(
                                "[" + entry.index() + "]",
                                entry.type(),
                                entry.payloadLength(),
                                preview,
                                length < entry.payloadLength() ? "…" : ""));
            }
        }

        @Override
        void range(long from, long to, String kind, String verdict) {
            line(from, geometry.fileOffset(from), "-", "-", "-", kind, to - from, "-", Printable.of(verdict));
        }
    }

    /// One JSON object a line, in ASCII.
    static final class Json extends FrameOutput {
        private final StringBuilder json = new StringBuilder(256);

        Json(Console console, Inspection inspection) {
            super(console, inspection);
        }

        @Override
        void show(FrameReader frame, EntryCursor entry, FrameVerdict kind, String verdict) {
            begin(
                    frame.position(),
                    frame.length(),
                    Long.toString(frame.sequence()),
                    Long.toString(frame.timestamp()),
                    Integer.toString(frame.epoch()),
                    kind(frame, kind),
                    verdict);
            while (entry.next()) {
                json.append(entry.index() == 0 ? "{\"type\":" : ",{\"type\":").append(entry.type());
                if (entry.payloadLength() <= CHUNK_LENGTH_BYTES) {
                    shortPayload(entry);
                } else {
                    longPayload(entry);
                }
                json.append("\"}");
            }
            end();
        }

        private void shortPayload(EntryCursor entry) {
            int length = entry.payloadLength();
            byte[] bytes = super.chunk.payload(entry, 0, length);
            if (Printable.isUtf8(bytes, 0, length)) {
                json.append(",\"payload\":\"");
                JsonObject.escape(json, new String(bytes, 0, length, StandardCharsets.UTF_8));
            } else {
                json.append(",\"payloadBase64\":\"");
                json.append(Base64.getEncoder().encodeToString(Arrays.copyOf(bytes, length)));
            }
        }

        /// Twice through it: is it UTF-8?, then out with it.
        private void longPayload(EntryCursor entry) {
            Utf8 check = new Utf8();
            payload(entry, check::accept);
            if (check.isWhole()) {
                json.append(",\"payload\":\"");
                Utf8 text = new Utf8(json);
                payload(entry, (bytes, length) -> {
                    text.accept(bytes, length);
                    flush();
                });
            } else {
                json.append(",\"payloadBase64\":\"");
                payload(entry, (bytes, length) -> {
                    json.append(Base64.getEncoder().encodeToString(Arrays.copyOf(bytes, length)));
                    flush();
                });
            }
        }

        private void begin(
                long position,
                long length,
                String sequence,
                String timestamp,
                String epoch,
                String kind,
                String verdict) {
            json.append("{\"position\":").append(position);
            json.append(",\"fileOffset\":").append(geometry.fileOffset(position));
            json.append(",\"length\":").append(length);
            json.append(",\"sequence\":").append(sequence);
            json.append(",\"timestamp\":").append(timestamp);
            json.append(",\"epoch\":").append(epoch);
            json.append(",\"kind\":\"").append(kind);
            json.append("\",\"verdict\":");
            JsonObject.quote(json, verdict);
            json.append(",\"entries\":[");
        }

        private void flush() {
            console.print(json.toString());
            json.setLength(0);
        }

        private void end() {
            json.append("]}\n");
            flush();
        }

        @Override
        void range(long from, long to, String kind, String verdict) {
            begin(from, to - from, "null", "null", "null", kind, verdict);
            end();
        }
    }

    /// The line of [Text], and the bytes as `hexdump -C` shows them in the file.
    static final class Hex extends FrameOutput {
        private static final int LINE_LENGTH_BYTES = 16;
        private final Text text;
        private final byte[] last = new byte[LINE_LENGTH_BYTES];

        Hex(Console console, Inspection inspection) {
            super(console, inspection);
            text = new Text(console, inspection);
        }

        @Override
        void show(FrameReader frame, EntryCursor entry, FrameVerdict kind, String verdict) {
            text.header(frame, kind, verdict);
            int end = FrameDescriptor.checksummedLength(frame.kind(), frame.length());
            long fileOffset = geometry.fileOffset(frame.position());
            boolean starred = false;
            for (int from = 0; from < end; from += CHUNK_LENGTH_BYTES) {
                int length = Math.min(CHUNK_LENGTH_BYTES, end - from);
                byte[] bytes = super.chunk.frame(frame, from, length);
                for (int at = 0; at < length; at += LINE_LENGTH_BYTES) {
                    int n = Math.min(LINE_LENGTH_BYTES, length - at);
                    boolean same = n == LINE_LENGTH_BYTES
                            && from + at > 0
                            && Arrays.equals(bytes, at, at + n, last, 0, LINE_LENGTH_BYTES);
                    if (!same) {
                        console.println(line(fileOffset + from + at, bytes, at, n));
                    } else if (!starred) {
                        console.println("*");
                    }
                    starred = same;
                    System.arraycopy(bytes, at, last, 0, n);
                }
            }
            console.println("%08x".formatted(fileOffset + end));
        }

        private static String line(long fileOffset, byte[] bytes, int at, int length) {
            StringBuilder line = new StringBuilder(80).append("%08x ".formatted(fileOffset));
            for (int i = 0; i < LINE_LENGTH_BYTES; i++) {
                line.append(i == LINE_LENGTH_BYTES / 2 ? "  " : " ");
                line.append(i < length ? "%02x".formatted(bytes[at + i]) : "  ");
            }
            line.append("  |");
            for (int i = 0; i < length; i++) {
                byte b = bytes[at + i];
                line.append(b >= 0x20 && b < 0x7F ? (char) b : '.');
            }
            return line.append('|').toString();
        }

        @Override
        void range(long from, long to, String kind, String verdict) {
            text.range(from, to, kind, verdict);
        }
    }

    /// Nothing but payloads; what is not whole is told on standard error.
    static final class Raw extends FrameOutput {
        Raw(Console console, Inspection inspection) {
            super(console, inspection);
        }

        @Override
        void show(FrameReader frame, EntryCursor entry, FrameVerdict kind, String verdict) {
            while (entry.next()) {
                payload(entry, (bytes, length) -> {
                    if (console.outIsTerminal()) {
                        Printable.write(console.out(), bytes, 0, length);
                    } else {
                        console.out().write(bytes, 0, length);
                    }
                });
            }
        }

        @Override
        void range(long from, long to, String kind, String verdict) {
            console.error("[" + from + ", " + to + "), file offset " + geometry.fileOffset(from) + ": " + verdict);
        }
    }
}
