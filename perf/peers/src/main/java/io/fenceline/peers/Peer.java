package io.fenceline.peers;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// A journal that is measured. Made in an empty directory, by a [Catalog] entry.
interface Peer extends AutoCloseable {
    /// What one thread appends with: payloads of one length, whose first eight bytes are the stamp.
    @FunctionalInterface
    interface Appending {
        /// Returns when the payload is as durable as the peer's class says.
        void append(long stamp) throws Exception;

        /// Appends so many, none of which is timed.
        default void appendAll(int count) throws Exception {
            for (int i = 0; i < count; i++) {
                append(0);
            }
        }
    }

    /// Takes what a reader makes of an entry: its first eight bytes, or the sum of all its longs.
    @FunctionalInterface
    interface Values {
        void on(long value);
    }

    /// What one thread reads with: everything from the first entry on.
    interface Reading extends AutoCloseable {
        /// Takes what is there, at most some thousands.
        ///
        /// @return how many
        int poll(Values values) throws Exception;

        @Override
        void close();
    }

    /// How an entry is read.
    ///
    /// @param verified with its checksum, if the peer has one
    /// @param whole    all of its payload is looked at; else the first eight bytes
    record ReadMode(boolean verified, boolean whole) {}

    /// How it is configured, for the table.
    String description();

    /// A payload length is a multiple of eight. Any number of threads may have one, if the peer takes several.
    Appending appending(int payloadLengthBytes) throws Exception;

    /// Makes room for that many bytes, of payloads and up to 64 for each of them: whatever the peer can do beforehand
    /// is done here and not measured. No thread appends meanwhile.
    default void prepare(long lengthBytes) throws Exception {}

    /// @return null if it has no such reader
    default @Nullable Reading reading(ReadMode mode) throws Exception {
        return null;
    }

    @Override
    void close() throws IOException;
}
