package io.fenceline.peers;

import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.tailer.Entry;
import io.fenceline.tailer.EntryHandler;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import io.fenceline.tailer.TailerConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/// The product: `ExclusiveAppender` and `Tailer`, all defaults, the ring overwritten lap after lap.
final class FencelinePeer implements Peer {
    private static final int POLL_LIMIT = 1024;

    private final Journal journal;
    private final ExclusiveAppender appender;

    FencelinePeer(Path directory, Durability durability) {
        journal = Journal.create(
                directory.resolve("journal"),
                JournalConfig.defaults()
                        .withDurability(durability)
                        .withEmulatePersistentMemory(durability == Durability.MEMORY)
                        .withSegmentLengthBytes(Room.LENGTH_BYTES / 4)
                        .withSegmentCount(4)
                        .withFullPolicy(FullPolicy.OVERWRITE));
        appender = ExclusiveAppender.open(journal);
    }

    @Override
    public String description() {
        return "ExclusiveAppender, Tailer, defaults: checksums, timestamps; ring of 256 MiB, overwritten; "
                + journal.durability();
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        MemorySegment payload = Arena.ofAuto().allocate(payloadLengthBytes, 64);
        return stamp -> {
            payload.set(ValueLayout.JAVA_LONG, 0, stamp);
            long result = appender.append(payload);
            if (result < 0) {
                throw new IllegalStateException(AppendResult.describe(result));
            }
        };
    }

    @Override
    public Reading reading(ReadMode mode) {
        Tailer tailer =
                Tailer.open(journal, Start.oldest(), TailerConfig.defaults().withVerifyChecksums(mode.verified()));
        return new Polling(tailer, mode.whole() ? Polling::sum : Polling::first);
    }

    @Override
    public void close() {
        appender.close();
        journal.close();
    }

    private static final class Polling implements Reading, EntryHandler {
        @FunctionalInterface
        interface Look {
            long at(Entry entry);
        }

        private final Tailer tailer;
        private final Look look;
        private Values values = value -> {};

        Polling(Tailer tailer, Look look) {
            this.tailer = tailer;
            this.look = look;
        }

        static long first(Entry entry) {
            return entry.buffer().get(ValueLayout.JAVA_LONG_UNALIGNED, entry.offset());
        }

        static long sum(Entry entry) {
            MemorySegment buffer = entry.buffer();
            long sum = 0;
            long end = entry.offset() + entry.length();
            for (long at = entry.offset(); at < end; at += Long.BYTES) {
                sum += buffer.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
            }
            return sum;
        }

        @Override
        public void onEntry(Entry entry) {
            values.on(look.at(entry));
        }

        @Override
        public int poll(Values values) {
            this.values = values;
            int polled = tailer.poll(this, POLL_LIMIT);
            if (polled < 0) {
                throw new IllegalStateException("the tailer returned " + polled);
            }
            return polled;
        }

        @Override
        public void close() {
            tailer.close();
        }
    }
}
