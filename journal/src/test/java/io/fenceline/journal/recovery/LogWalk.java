package io.fenceline.journal.recovery;

import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/// A second reader of the log, written from `docs/FORMAT.md` alone and sharing no code with the product, which
/// tells what lies in [retained, lease) of a journal: the oracle of the crash checker.
public final class LogWalk {
    private static final VarHandle I64 = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle I32 = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle I16 = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int HEAD = 2 << 20;
    private static final int SLOT = 64;

    /// A valid frame.
    ///
    /// @param at where its bytes begin in [#bytes]
    public record Frame(long position, int at, int length, int kind, int flags, int epoch, long sequence, int entries) {
        public boolean isData() {
            return kind == 1;
        }

        public boolean isSeal() {
            return kind == 2 && (flags & 2) != 0;
        }
    }

    private final long from;
    private final long to;
    private final byte[] bytes;
    private final List<Frame> frames = new ArrayList<>();
    private final List<Long> invalidSlots = new ArrayList<>();

    private LogWalk(long from, long to) {
        this.from = from;
        this.to = to;
        this.bytes = new byte[(int) (to - from)];
    }

    /// Walks what the newest state record calls readable once recovery is through: [retained, lease).
    public static LogWalk of(LogReader reader, Superblock superblock, StateRecord state) {
        return of(reader, superblock, state.retained(), state.lease());
    }

    /// Walks [from, to); a frame begins at `from`.
    public static LogWalk of(LogReader reader, Superblock superblock, long from, long to) {
        LogWalk walk = new LogWalk(from, to);
        int segment = superblock.geometry().segmentLengthBytes();
        int count = superblock.geometry().segmentCount();
        MemorySegment all = MemorySegment.ofArray(walk.bytes);
        for (long start = walk.from, end; start < walk.to; start = end) {
            end = Math.min(start - start % segment + segment, walk.to);
            long offset = HEAD + start / segment % count * (long) segment + start % segment;
            reader.read(offset, all, start - walk.from, end - start);
        }
        walk.walk(segment, superblock.salt());
        return walk;
    }

    private void walk(int segment, int salt) {
        for (long position = from; position < to; ) {
            Frame frame = frame(position, segment, salt);
            if (frame == null) {
                invalidSlots.add(position);
                position += SLOT;
            } else {
                frames.add(frame);
                position += (frame.length + SLOT - 1L) / SLOT * SLOT;
            }
        }
    }

    private @org.jspecify.annotations.Nullable Frame frame(long position, int segment, int salt) {
        int at = (int) (position - from);
        int length = (int) I32.get(bytes, at + 4);
        int kind = bytes[at + 36];
        boolean fits = length >= 40 && length <= segment - position % segment && length <= to - position;
        if (!fits || (long) I64.get(bytes, at + 8) != position || (kind != 1 && kind != 2)) {
            return null;
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes, at + 4, (kind == 2 ? SLOT : length) - 4);
        if (((int) crc.getValue() ^ salt) != (int) I32.get(bytes, at)) {
            return null;
        }
        return new Frame(
                position,
                at,
                length,
                kind,
                bytes[at + 37],
                (int) I32.get(bytes, at + 32),
                (long) I64.get(bytes, at + 16),
                (short) I16.get(bytes, at + 38) & 0xFFFF);
    }

    /// Whether the entries of a frame are exactly these bytes, from its 40th on.
    public boolean hasBody(Frame frame, byte[] body) {
        return frame.length == 40 + body.length
                && Arrays.equals(bytes, frame.at + 40, frame.at + frame.length, body, 0, body.length);
    }

    /// What the entries of a frame must look like: length, type, payload, zeros up to 8.
    public static byte[] body(List<byte[]> payloads, int type) {
        int length = payloads.stream().mapToInt(p -> 8 + (p.length + 7) / 8 * 8).sum();
        byte[] body = new byte[length];
        int at = 0;
        for (byte[] payload : payloads) {
            I32.set(body, at, payload.length);
            I32.set(body, at + 4, type);
            System.arraycopy(payload, 0, body, at + 8, payload.length);
            at += 8 + (payload.length + 7) / 8 * 8;
        }
        return body;
    }

    public long from() {
        return from;
    }

    public long to() {
        return to;
    }

    /// All valid frames, in order.
    public List<Frame> frames() {
        return frames;
    }

    /// Those with entries.
    public List<Frame> data() {
        return frames.stream().filter(Frame::isData).toList();
    }

    /// Slots that begin no valid frame where one was expected.
    public List<Long> invalidSlots() {
        return invalidSlots;
    }

    /// The payloads of all entries, as they lie there.
    public List<byte[]> payloads() {
        List<byte[]> payloads = new ArrayList<>();
        for (Frame frame : data()) {
            int at = frame.at + 40;
            for (int i = 0; i < frame.entries; i++) {
                int length = (int) I32.get(bytes, at);
                payloads.add(Arrays.copyOfRange(bytes, at + 8, at + 8 + length));
                at += 8 + (length + 7) / 8 * 8;
            }
        }
        return payloads;
    }

    /// The entries, by position, sequence and checksum, in one number.
    public long signature() {
        long hash = to;
        for (Frame frame : frames) {
            if (frame.isData()) {
                hash = mix(hash ^ frame.position);
                hash = mix(hash ^ frame.sequence);
                hash = mix(hash ^ (int) I32.get(bytes, frame.at));
            }
        }
        return hash;
    }

    private static long mix(long x) {
        long y = (x ^ (x >>> 30)) * 0xBF58476D1CE4E5B9L;
        y = (y ^ (y >>> 27)) * 0x94D049BB133111EBL;
        return y ^ (y >>> 31);
    }
}
