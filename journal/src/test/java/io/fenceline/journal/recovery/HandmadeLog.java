package io.fenceline.journal.recovery;

import io.fenceline.journal.Durability;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;

/// A log in memory that a test makes frame by frame, whatever the rules say, and damages: bytes, and pages that cannot
/// be read.
final class HandmadeLog implements LogReader {
    static final int EPOCH = 5;
    static final int SALT = 0x5A17_0BAD;

    final Geometry geometry;
    final Superblock superblock;
    final Set<Long> unreadablePages = new HashSet<>();
    long readableBytes;
    long reads;
    long bytesRead;

    private final ByteBuffer file;
    private final MemorySegment bytes;

    HandmadeLog(Geometry geometry) {
        this.geometry = geometry;
        superblock = new Superblock(new UUID(1, 2), SALT, geometry, 0, 0);
        file = ByteBuffer.allocateDirect((int) geometry.fileLengthBytes());
        bytes = MemorySegment.ofBuffer(file);
        readableBytes = geometry.fileLengthBytes();
    }

    @Override
    public void read(long fileOffset, MemorySegment destination, long destinationOffset, long lengthBytes) {
        reads++;
        if (fileOffset + lengthBytes > readableBytes) {
            throw new JournalException.Io("the file ends", 5);
        }
        for (long page : unreadablePages) {
            if (fileOffset < page + 4096 && fileOffset + lengthBytes > page) {
                throw new JournalException.Io("bad block", 5);
            }
        }
        MemorySegment.copy(bytes, fileOffset, destination, destinationOffset, lengthBytes);
        bytesRead += lengthBytes;
    }

    /// A frame whose entries have these lengths and are of types 100, 101, …; each byte of a payload is its index.
    ///
    /// @return the position after it
    long data(long position, long sequence, int... lengths) {
        return dataOf(position, sequence, EPOCH, 0, lengths);
    }

    /// The same of another epoch, with flags.
    long dataOf(long position, long sequence, int epoch, int flags, int... lengths) {
        int length = FrameDescriptor.HEADER_LENGTH_BYTES;
        for (int payload : lengths) {
            length += FrameDescriptor.entryLength(payload);
        }
        int at = at(position);
        int entry = at + FrameDescriptor.HEADER_LENGTH_BYTES;
        for (int i = 0; i < lengths.length; i++) {
            FrameDescriptor.entryHeader(bytes, entry, lengths[i], 100 + i);
            for (int j = 0; j < lengths[i]; j++) {
                file.put(entry + FrameDescriptor.ENTRY_HEADER_LENGTH_BYTES + j, (byte) j);
            }
            entry += FrameDescriptor.entryLength(lengths[i]);
        }
        return header(position, length, sequence, epoch, FrameDescriptor.KIND_DATA, flags, lengths.length);
    }

    long pad(long position, int distance, long sequence, int flags) {
        header(position, distance, sequence, EPOCH, FrameDescriptor.KIND_PAD, flags, 0);
        return position + distance;
    }

    /// Writes a header before what lies there, and the checksum of both.
    ///
    /// @return the position after it, padded to slots
    long header(long position, int length, long sequence, int epoch, int kind, int flags, int entries) {
        FrameDescriptor.writeHeader(bytes, at(position), length, position, sequence, 77, epoch, kind, flags, entries);
        seal(position, FrameDescriptor.checksummedLength(kind, length));
        return position + FrameDescriptor.slotAlignedLength(length);
    }

    /// Makes the checksum right.
    void seal(long position, int coveredBytes) {
        int at = at(position);
        int checksum = new Crc32c().of(file, at + FrameDescriptor.CHECKSUM_START, at + coveredBytes, SALT);
        file.clear();
        FrameDescriptor.checksum(bytes, at, checksum);
    }

    /// Flips a bit of the byte that lies so far behind a position.
    void flip(long position, int offset) {
        int at = at(position) + offset;
        file.put(at, (byte) (file.get(at) ^ 0x10));
    }

    void putInt(long position, int offset, int value) {
        bytes.set(io.fenceline.journal.format.Bytes.I32, at(position) + (long) offset, value);
    }

    private int at(long position) {
        return (int) geometry.fileOffset(position);
    }

    /// Writes both mirrors of a state record, and both copies of the superblock.
    HandmadeLog head(StateRecord state) {
        ByteBuffer copy = ByteBuffer.allocateDirect(Superblock.LENGTH_BYTES);
        superblock.encode(copy);
        for (int i = 0; i < Superblock.COPIES; i++) {
            file.put((int) Superblock.fileOffset(i), copy, 0, Superblock.LENGTH_BYTES);
        }
        ByteBuffer line = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES);
        state.encode(line, SALT);
        for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
            file.put((int) StateRecord.fileOffset(state.version(), mirror), line, 0, StateRecord.LENGTH_BYTES);
        }
        return this;
    }

    /// Fills a part of the file with junk.
    void junk(long fileOffset, int lengthBytes) {
        bytes.asSlice(fileOffset, lengthBytes).fill((byte) 0x5A);
    }

    /// Makes a journal of it.
    Path save(Path directory) throws IOException {
        Files.createDirectory(directory);
        byte[] all = new byte[file.capacity()];
        file.get(0, all);
        Files.write(directory.resolve("journal.log"), all);
        return directory;
    }

    FrameReader frames() {
        return new FrameReader(this, superblock);
    }

    /// A clean record: all below the floor is whole.
    StateRecord state(long floor, long floorSequence) {
        return state(floor, floorSequence, 0);
    }

    StateRecord state(long floor, long floorSequence, long epochStart) {
        return new StateRecord(7, floor, floor, floorSequence, 0, epochStart, EPOCH, 1, Durability.DEVICE.id(), 0);
    }
}
