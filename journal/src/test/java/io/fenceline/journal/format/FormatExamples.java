package io.fenceline.journal.format;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// The structures of the worked examples in `docs/FORMAT.md`, built by the format's own code.
public final class FormatExamples {
    public static final UUID JOURNAL_ID = UUID.fromString("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
    public static final int SALT = 0x5a17c0de;
    public static final Geometry GEOMETRY = Geometry.of(4096, 4);
    public static final Superblock SUPERBLOCK =
            new Superblock(JOURNAL_ID, SALT, GEOMETRY, 0, 1_700_000_000_000_000_000L);
    public static final StateRecord STATE = new StateRecord(3, 16384, 0, 0, 0, 0, 1, 0, 3, 0x1a2b3c4d);

    public static final long FRAME_POSITION = 0;
    public static final long FRAME_TIMESTAMP_NS = 1_700_000_001_000_000_000L;
    public static final int FRAME_TYPE = 7;
    public static final String FRAME_PAYLOAD = "hello, fence";

    public static final long BATCH_POSITION = 64;
    public static final long BATCH_TIMESTAMP_NS = 1_700_000_002_000_000_000L;
    public static final List<String> BATCH_PAYLOADS = List.of("one", "two words");

    /// Payload of the frames that fill the first segment up.
    public static final int FILLER_LENGTH_BYTES = 1000;

    public static final long PAD_POSITION = 3456;
    public static final long SEAL_POSITION = 5184;

    public static final CursorRecord CURSOR = new CursorRecord(
            3,
            JOURNAL_ID,
            192,
            3,
            1,
            CursorRecord.FLAG_GATING,
            new byte[] {'t', 'e', 'r', 'm'},
            1_700_000_003_000_000_000L);

    private FormatExamples() {}

    /// Every example by its name in the document.
    public static Map<String, byte[]> all() {
        Map<String, byte[]> examples = new LinkedHashMap<>();
        examples.put("superblock", superblock());
        examples.put("state", state());
        examples.put("frame", frame());
        examples.put("batch", batch());
        examples.put("pad", pad(PAD_POSITION, 640, 6, 0));
        examples.put("seal", pad(SEAL_POSITION, 3008, 7, FrameDescriptor.FLAG_SEAL));
        examples.put("cursor", cursor());
        return examples;
    }

    public static byte[] superblock() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(Superblock.LENGTH_BYTES);
        SUPERBLOCK.encode(buffer);
        return bytes(buffer);
    }

    public static byte[] state() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES);
        STATE.encode(buffer, SALT);
        return bytes(buffer);
    }

    public static byte[] cursor() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(CursorRecord.LENGTH_BYTES);
        CURSOR.encode(buffer, new Crc32c());
        return bytes(buffer);
    }

    private static byte[] frame() {
        return data(FRAME_POSITION, 0, FRAME_TIMESTAMP_NS, List.of(FRAME_PAYLOAD), FRAME_TYPE);
    }

    private static byte[] batch() {
        return data(BATCH_POSITION, 1, BATCH_TIMESTAMP_NS, BATCH_PAYLOADS, 1);
    }

    private static byte[] data(long position, long sequence, long timestampNs, List<String> payloads, int firstType) {
        int length = FrameDescriptor.HEADER_LENGTH_BYTES;
        for (String payload : payloads) {
            length += FrameDescriptor.entryLength(payload.length());
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect(FrameDescriptor.slotAlignedLength(length));
        MemorySegment bytes = MemorySegment.ofBuffer(buffer);
        int at = FrameDescriptor.HEADER_LENGTH_BYTES;
        int type = firstType;
        for (String payload : payloads) {
            byte[] text = payload.getBytes(StandardCharsets.US_ASCII);
            FrameDescriptor.entryHeader(bytes, at, text.length, type);
            MemorySegment.copy(
                    MemorySegment.ofArray(text), 0, bytes, at + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES, text.length);
            at += FrameDescriptor.entryLength(text.length);
            type++;
        }
        FrameDescriptor.writeHeader(
                bytes,
                0,
                length,
                position,
                sequence,
                timestampNs,
                STATE.epoch(),
                FrameDescriptor.KIND_DATA,
                0,
                payloads.size());
        return checksummed(buffer, length);
    }

    private static byte[] pad(long position, int distance, long sequence, int flags) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(FrameDescriptor.SLOT_LENGTH_BYTES);
        FrameDescriptor.writeHeader(
                MemorySegment.ofBuffer(buffer),
                0,
                distance,
                position,
                sequence,
                0,
                STATE.epoch(),
                FrameDescriptor.KIND_PAD,
                flags,
                0);
        return checksummed(buffer, FrameDescriptor.checksummedLength(FrameDescriptor.KIND_PAD, distance));
    }

    private static byte[] checksummed(ByteBuffer buffer, int end) {
        int checksum = new Crc32c().of(buffer, FrameDescriptor.CHECKSUM_START, end, SALT);
        FrameDescriptor.checksum(MemorySegment.ofBuffer(buffer.clear()), 0, checksum);
        return bytes(buffer);
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.capacity()];
        buffer.clear().get(bytes);
        return bytes;
    }
}
