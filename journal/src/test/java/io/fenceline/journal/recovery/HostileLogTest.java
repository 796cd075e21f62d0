package io.fenceline.journal.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.Durability;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/// Logs made to cost their reader dearly: every slot holds a plausible header of a long frame that does not certify.
/// The time limits are guards against a hang: with the square of the length, each of these takes hours.
class HostileLogTest {
    private static final int SEGMENT_LENGTH_BYTES = 32 << 20;
    private static final int SALT = 0x5A17;
    private static final int EPOCH = 3;
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Geometry GEOMETRY = new Geometry(SEGMENT_LENGTH_BYTES, 2, SEGMENT_LENGTH_BYTES / 2);

    private final Superblock superblock = new Superblock(new UUID(1, 2), SALT, GEOMETRY, 0, 0);
    private final ByteBuffer file = ByteBuffer.allocateDirect((int) GEOMETRY.fileLengthBytes());
    private final MemorySegment bytes = MemorySegment.ofBuffer(file);
    private long bytesRead;
    private final LogReader reader = (fileOffset, destination, destinationOffset, length) -> {
        bytesRead += length;
        MemorySegment.copy(bytes, fileOffset, destination, destinationOffset, length);
    };

    @Test
    void shouldWalkInLinearTimeWhenEverySlotClaimsLongestFrame() {
        claimFrames(0, SEGMENT_LENGTH_BYTES, GEOMETRY.maximumFrameLengthBytes());
        StateRecord state = state(SEGMENT_LENGTH_BYTES, SEGMENT_LENGTH_BYTES, StateRecord.FLAG_CLEAN);
        assertTimeoutPreemptively(LIMIT, () -> {
            FrameWalk walk = walk(state);
            assertEquals(FrameWalk.Step.DAMAGED, walk.next());
            assertEquals(0, walk.damage().from());
            assertEquals(SEGMENT_LENGTH_BYTES, walk.damage().to());
            assertEquals(FrameVerdict.BAD_CHECKSUM.name(), walk.damage().verdict());
        });
        // A slot reads at most a page at the claimed end, beside the two passes over everything.
        assertTrue(bytesRead < 80L * SEGMENT_LENGTH_BYTES, () -> "bytes read: " + bytesRead);
    }

    // Whoever knows the salt can put a whole frame between the false ones, and so must not make the reader begin anew.
    @Test
    void shouldWalkInLinearTimeWhenWholeFramesLieBetween() {
        claimFrames(0, SEGMENT_LENGTH_BYTES, GEOMETRY.maximumFrameLengthBytes());
        for (long position = 0; position < SEGMENT_LENGTH_BYTES; position += 192) {
            wholeFrame(position, position / 192, 64);
        }
        StateRecord state = state(SEGMENT_LENGTH_BYTES, SEGMENT_LENGTH_BYTES, StateRecord.FLAG_CLEAN);
        int frames = assertTimeoutPreemptively(LIMIT, () -> {
            FrameWalk walk = walk(state);
            int whole = 0;
            for (FrameWalk.Step step = walk.next(); step != FrameWalk.Step.END; step = walk.next()) {
                whole += step == FrameWalk.Step.FRAME ? 1 : 0;
            }
            return whole;
        });
        assertEquals((SEGMENT_LENGTH_BYTES + 191) / 192, frames);
        assertTrue(bytesRead < 80L * SEGMENT_LENGTH_BYTES, () -> "bytes read: " + bytesRead);
    }

    @Test
    void shouldRecoverInLinearTimeWhenEverySlotClaimsLongestFrame() {
        claimFrames(0, SEGMENT_LENGTH_BYTES, GEOMETRY.maximumFrameLengthBytes());
        Head head = new Head(superblock, state(0, SEGMENT_LENGTH_BYTES - 128, 0), List.of());
        RecoveryReport report = assertTimeoutPreemptively(LIMIT, () -> new Recovery(reader, head, 0, "hostile").scan());
        assertEquals(0, report.keptFrames());
        assertEquals(SEGMENT_LENGTH_BYTES - 128, report.sealedBytes());
    }

    // A payload may well hold headers that look like the last frame's: no secret is needed for that.
    @Test
    void shouldFindLastEntryInLinearTimeWhenItsPayloadIsFullOfHeaders() {
        int length = GEOMETRY.maximumFrameLengthBytes();
        wholeFrame(0, 0, 64);
        for (long at = 128; at < 64 + length; at += 64) {
            header(at, (int) (64 + length - at), 1, 1);
        }
        wholeFrame(64, 1, length);
        LastEntry last = new LastEntry(new FrameReader(reader, superblock), GEOMETRY, 64 + length, 0, 1);
        assertEquals(64, (long) assertTimeoutPreemptively(LIMIT, () -> last.find(-1)));
    }

    @Test
    void shouldFindLastEntryByItsHeaderAloneWhenHintIsRight() {
        int length = GEOMETRY.maximumFrameLengthBytes();
        wholeFrame(0, 0, 64);
        wholeFrame(64, 1, length);
        FrameReader frames = new FrameReader(reader, superblock);
        assertEquals(64, new LastEntry(frames, GEOMETRY, 64 + length, 0, 1).find(0));
        assertTrue(frames.bytesRead() <= 256 << 10, () -> "bytes read: " + frames.bytesRead());
    }

    @Test
    void shouldFindLastEntryAnywayWhenHintIsWrong() {
        wholeFrame(0, 0, 64);
        wholeFrame(64, 1, 640);
        wholeFrame(704, 2, 64);
        for (long hint : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1, 128, 768, 1 << 30}) {
            FrameReader frames = new FrameReader(reader, superblock);
            assertEquals(704, new LastEntry(frames, GEOMETRY, 768, 0, 2).find(hint), "hint " + hint);
        }
    }

    @Test
    void shouldRefuseToReadBeyondFileWhenItIsTruncated() {
        LogReader truncated = (fileOffset, destination, destinationOffset, length) -> {
            if (fileOffset + length > Geometry.HEAD_LENGTH_BYTES + 4096 + 128) {
                throw new io.fenceline.journal.JournalException.Io("ends", 5);
            }
            reader.read(fileOffset, destination, destinationOffset, length);
        };
        wholeFrame(0, 0, 4096);
        wholeFrame(4096, 1, 128);
        wholeFrame(4224, 2, 64);
        FrameReader frames = new FrameReader(truncated, superblock);
        assertEquals(FrameVerdict.DATA, frames.certify(0, 0, EPOCH));
        assertEquals(FrameVerdict.DATA, frames.certify(4096, 0, EPOCH));
        assertEquals(FrameVerdict.UNREADABLE, frames.certify(4224, 0, EPOCH));
        assertThrows(
                io.fenceline.journal.JournalException.Io.class,
                () -> frames.readFrame(0, MemorySegment.ofArray(new byte[64]), 64));
    }

    private FrameWalk walk(StateRecord state) {
        return new FrameWalk(
                new FrameReader(reader, superblock),
                GEOMETRY,
                state,
                GEOMETRY.fileLengthBytes(),
                () -> 0,
                0,
                SEGMENT_LENGTH_BYTES,
                true);
    }

    private static StateRecord state(long floor, long lease, int flags) {
        return new StateRecord(7, lease, floor, 0, 0, 0, EPOCH, flags, Durability.DEVICE.id(), 0);
    }

    private void claimFrames(long from, long to, int length) {
        for (long position = from; position < to; position += FrameDescriptor.SLOT_LENGTH_BYTES) {
            header(position, (int) Math.min(length, to - position) - (int) (position / 64 % 61), position, 1);
        }
    }

    private void header(long position, int length, long sequence, int entries) {
        FrameDescriptor.writeHeader(
                bytes,
                GEOMETRY.fileOffset(position),
                length,
                position,
                sequence,
                0,
                EPOCH,
                FrameDescriptor.KIND_DATA,
                0,
                entries);
    }

    private void wholeFrame(long position, long sequence, int length) {
        int at = (int) GEOMETRY.fileOffset(position);
        header(position, length, sequence, 1);
        int payload = length - FrameDescriptor.HEADER_LENGTH_BYTES - FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES;
        FrameDescriptor.entryHeader(bytes, at + FrameDescriptor.HEADER_LENGTH_BYTES, payload, 0);
        int checksum = new Crc32c().of(file, at + FrameDescriptor.CHECKSUM_START, at + length, SALT);
        FrameDescriptor.checksum(bytes, at, checksum);
    }
}
