package io.fenceline.journal.format;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The value layouts of the format: little-endian, read and written without regard to alignment.
public final class Bytes {
    /// A byte.
    public static final ValueLayout.OfByte I8 = ValueLayout.JAVA_BYTE;

    /// 16 bits, little-endian.
    public static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// 32 bits, little-endian.
    public static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// 64 bits, little-endian.
    public static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Bytes() {}

    /// Rounds up to a multiple of a power of two.
    public static long align(long value, long powerOfTwo) {
        return (value + powerOfTwo - 1) & -powerOfTwo;
    }

    /// Rounds up to a multiple of a power of two.
    public static int align(int value, int powerOfTwo) {
        return (value + powerOfTwo - 1) & -powerOfTwo;
    }
}
