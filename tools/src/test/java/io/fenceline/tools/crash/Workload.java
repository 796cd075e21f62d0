package io.fenceline.tools.crash;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// What a writer appends: every byte, type, timestamp and batch size follows from (seed, epoch, sequence), so that
/// whoever reads an entry can tell whether it was appended, without having seen the writer.
///
/// The epoch is part of it: what a later writer puts in the place of a lost entry differs from the lost one.
final class Workload {
    private static final int LARGEST_BATCH = 16;
    private static final int BATCH_PAYLOAD_LIMIT = 512;

    private final long seed;
    private final int maximumLengthBytes;

    Workload(long seed, int maximumLengthBytes) {
        this.seed = seed;
        this.maximumLengthBytes = maximumLengthBytes;
    }

    /// How the frame that begins with a sequence is appended; a choice of the writer, 0 to 255.
    int way(int epoch, long firstSequence) {
        return (int) (hash(epoch, firstSequence, 1) & 0xFF);
    }

    /// Entries in the frame that begins with a sequence.
    int entries(int epoch, long firstSequence) {
        long hash = hash(epoch, firstSequence, 2);
        return (hash & 7) == 0 ? 2 + (int) (((hash >>> 8) & 0xFFFF) % (LARGEST_BATCH - 1)) : 1;
    }

    long timestampNs(int epoch, long firstSequence) {
        return hash(epoch, firstSequence, 3);
    }

    int type(int epoch, long sequence) {
        return (int) hash(epoch, sequence, 4);
    }

    /// Mostly short; empty at times; at times as long as it gets.
    int lengthBytes(int epoch, long sequence, boolean batched) {
        long hash = hash(epoch, sequence, 5);
        int limit = batched
                ? BATCH_PAYLOAD_LIMIT
                : switch ((int) (hash & 31)) {
                    case 0 -> 0;
                    case 1, 2, 3 -> Math.min(8 << 10, maximumLengthBytes);
                    case 4 -> (hash & 0x7E0) == 0 ? maximumLengthBytes : 1 << 10;
                    case 5, 6, 7, 8, 9, 10 -> 1 << 10;
                    default -> 128;
                };
        return (int) (((hash >>> 16) & 0xFFFF_FFFFL) % (limit + 1));
    }

    byte[] payload(int epoch, long sequence, boolean batched) {
        byte[] payload = new byte[lengthBytes(epoch, sequence, batched)];
        long hash = hash(epoch, sequence, 6);
        ByteBuffer words = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; words.remaining() >= Long.BYTES; i++) {
            words.putLong(mix(hash + i));
        }
        while (words.hasRemaining()) {
            words.put((byte) (hash >>> (8 * words.remaining())));
        }
        return payload;
    }

    private long hash(int epoch, long sequence, int purpose) {
        return mix(mix(mix(seed + purpose) + epoch) + sequence);
    }

    /// The finalizer of SplitMix64.
    private static long mix(long x) {
        long z = x + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
