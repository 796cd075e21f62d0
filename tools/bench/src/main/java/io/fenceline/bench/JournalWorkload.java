package io.fenceline.bench;

import io.fenceline.appender.Appender;
import io.fenceline.appender.Batch;
import io.fenceline.appender.GroupCommitAppender;
import io.fenceline.journal.AppendResult;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Appends of the journal, of one thread. The stamp is the first 8 bytes of each payload, where it has as many.
abstract class JournalWorkload extends Workload {
    final MemorySegment payload;
    private final boolean stamped;

    private JournalWorkload(int payloadLengthBytes) {
        payload = Arena.ofAuto().allocate(Math.max(1, payloadLengthBytes), 64).asSlice(0, payloadLengthBytes);
        for (long i = 0; i < payloadLengthBytes; i++) {
            payload.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 31));
        }
        stamped = payloadLengthBytes >= Long.BYTES;
    }

    final void stamp(long stamp) {
        if (stamped) {
            payload.set(ValueLayout.JAVA_LONG, 0, stamp);
        }
    }

    static void check(long position) {
        if (position < 0) {
            throw new IllegalStateException("an append was refused: " + AppendResult.describe(position));
        }
    }

    /// One entry a frame.
    static final class Single extends JournalWorkload {
        private final Appender appender;

        Single(Appender appender, int payloadLengthBytes) {
            super(payloadLengthBytes);
            this.appender = appender;
        }

        @Override
        void run(long stamp) {
            stamp(stamp);
            check(appender.append(payload));
        }
    }

    /// Several entries a frame.
    static final class Batched extends JournalWorkload {
        private final Appender appender;
        private final int entries;

        Batched(Appender appender, int payloadLengthBytes, int entries) {
            super(payloadLengthBytes);
            this.appender = appender;
            this.entries = entries;
        }

        @Override
        void run(long stamp) {
            stamp(stamp);
            check(stage(appender, payload, entries).commit());
        }
    }

    /// One entry, committed together with those of other threads.
    static final class Grouped extends JournalWorkload {
        private final GroupCommitAppender appender;

        Grouped(GroupCommitAppender appender, int payloadLengthBytes) {
            super(payloadLengthBytes);
            this.appender = appender;
        }

        @Override
        void run(long stamp) {
            stamp(stamp);
            check(appender.append(payload, 0));
        }
    }

    /// One operation with the time of each of its stages; the appender persists through [StageClock].
    static final class Staged extends JournalWorkload {
        private final Appender appender;
        private final int entries;
        private final StageTimes times;

        Staged(Appender appender, int payloadLengthBytes, int entries, StageTimes times) {
            super(payloadLengthBytes);
            this.appender = appender;
            this.entries = entries;
            this.times = times;
        }

        @Override
        void run(long stamp) {
            if (entries == 1) {
                times.begin();
                check(appender.append(payload));
            } else {
                Batch batch = stage(appender, payload, entries);
                times.begin();
                check(batch.commit());
            }
            times.published(stamp);
        }
    }

    private static Batch stage(Appender appender, MemorySegment payload, int entries) {
        Batch batch = appender.batch();
        for (int i = 0; i < entries; i++) {
            if (!batch.add(payload)) {
                throw new IllegalStateException(
                        "a batch takes no " + entries + " entries of " + payload.byteSize() + " bytes");
            }
        }
        return batch;
    }
}
