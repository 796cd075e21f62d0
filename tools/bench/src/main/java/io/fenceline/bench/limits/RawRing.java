package io.fenceline.bench.limits;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// A file of its own beside the journal's, of the size of its ring, really allocated, mapped and mapped in: where
/// the raw limits run. Remembers where the next frame goes, so that calls go on from lap to lap as the journal
/// does.
public final class RawRing implements AutoCloseable {
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final int STEP_LENGTH_BYTES = 1 << 20;

    private final Path file;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment ring;
    private final MemorySegment source;
    private final MemorySegment published;
    private final int fd;
    private long at;
    private long framesFollowed;

    /// @param directory where the file goes; it is removed by [#close]
    public RawRing(Path directory, long lengthBytes) {
        RawLimits.require();
        try {
            file = Files.createTempFile(directory, "fenceline-raw", ".ring");
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                ByteBuffer zeros = ByteBuffer.allocateDirect(STEP_LENGTH_BYTES);
                for (long written = 0; written < lengthBytes; ) {
                    zeros.clear().limit((int) Math.min(STEP_LENGTH_BYTES, lengthBytes - written));
                    written += channel.write(zeros, written);
                }
                channel.force(true);
                ring = channel.map(FileChannel.MapMode.READ_WRITE, 0, lengthBytes, arena);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ring.fill((byte) 0); // a write fault each, now
        published = arena.allocate(256, 256);
        source = arena.allocate(STEP_LENGTH_BYTES, 64);
        for (long i = 0; i < source.byteSize(); i++) {
            source.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31));
        }
        fd = RawLimits.open(file);
    }

    /// NT stores and a fence a frame; nanoseconds for all n.
    public long nt(long frameLengthBytes, long n) {
        return nt(frameLengthBytes, 1, n);
    }

    /// NT stores, a fence after each `framesPerFence` frames.
    public long nt(long frameLengthBytes, long framesPerFence, long n) {
        return RawLimits.nt(ring, next(frameLengthBytes, n), frameLengthBytes, framesPerFence, n, source);
    }

    /// Header, checksum, NT stores, fence.
    public long framed(long frameLengthBytes, long n) {
        return RawLimits.framed(ring, next(frameLengthBytes, n), frameLengthBytes, n, source);
    }

    /// The same, with a store to a shared word after each fence; to be read by [#follow]. Frames of one length only.
    public long framedFollowed(long frameLengthBytes, long n) {
        long first = framesFollowed % (ring.byteSize() / frameLengthBytes) * frameLengthBytes;
        framesFollowed += n;
        return RawLimits.framedFollowed(ring, first, frameLengthBytes, n, source, published);
    }

    /// From now on [#follow] follows.
    public void beginFollowing() {
        LONG.setVolatile(published, 0L, framesFollowed);
    }

    /// [#follow] returns.
    public void endFollowing() {
        LONG.setVolatile(published, 0L, -1L);
    }

    /// Spins in C on that word, and checksums each frame behind it, as a reader in another thread does.
    ///
    /// @return how many frames
    public long follow(long frameLengthBytes) {
        return RawLimits.follow(ring, frameLengthBytes, published);
    }

    /// `memcpy` a frame.
    public long memcpy(long frameLengthBytes, long n) {
        return RawLimits.memcpy(ring, next(frameLengthBytes, n), frameLengthBytes, n, source);
    }

    /// `pwrite` and `fdatasync` a frame.
    public long sync(long frameLengthBytes, long n) {
        return RawLimits.sync(fd, ring.byteSize(), next(frameLengthBytes, n), frameLengthBytes, n, source);
    }

    /// What the limits wrote to.
    public MemorySegment bytes() {
        return ring;
    }

    /// What they write from.
    public MemorySegment source() {
        return source;
    }

    /// Descriptor of the file.
    public int fd() {
        return fd;
    }

    public long lengthBytes() {
        return ring.byteSize();
    }

    /// Where n frames begin; moves on behind them as the loops do.
    private long next(long frameLengthBytes, long n) {
        if (frameLengthBytes <= 0
                || frameLengthBytes % 64 != 0
                || frameLengthBytes > source.byteSize()
                || frameLengthBytes > ring.byteSize()) {
            throw new IllegalArgumentException("frames of " + frameLengthBytes
                    + " bytes: expected a multiple of 64 up to " + Math.min(source.byteSize(), ring.byteSize()));
        }
        long framesPerLap = ring.byteSize() / frameLengthBytes;
        long frame = at / frameLengthBytes % framesPerLap;
        at = (frame + n) % framesPerLap * frameLengthBytes;
        return frame * frameLengthBytes;
    }

    @Override
    public void close() {
        RawLimits.close(fd);
        arena.close();
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
