package io.fenceline.journal.format;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/// CRC32C (Castagnoli) over direct buffers, salted. One instance per thread; allocates nothing per call.
public final class Crc32c {
    private final CRC32C crc = new CRC32C();
    private int salt;

    /// Starts a checksum; the salt is folded in by [#value].
    public Crc32c start(int salt) {
        this.salt = salt;
        crc.reset();
        return this;
    }

    /// Adds bytes [from, to) of a buffer, whose position and limit change.
    public Crc32c add(ByteBuffer buffer, int from, int to) {
        buffer.limit(to).position(from);
        crc.update(buffer);
        return this;
    }

    /// The checksum of what was added since [#start], XOR the salt.
    public int value() {
        return (int) crc.getValue() ^ salt;
    }

    /// The salted checksum of bytes [from, to) of a buffer, whose position and limit change.
    public int of(ByteBuffer buffer, int from, int to, int salt) {
        return start(salt).add(buffer, from, to).value();
    }
}
