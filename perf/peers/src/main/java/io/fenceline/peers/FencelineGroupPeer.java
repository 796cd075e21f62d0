package io.fenceline.peers;

import io.fenceline.appender.GroupCommitAppender;
import io.fenceline.appender.GroupCommitConfig;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/// The product: `GroupCommitAppender` at `DEVICE`, all defaults.
final class FencelineGroupPeer implements Peer {
    private final Journal journal;
    private final GroupCommitAppender appender;

    FencelineGroupPeer(Path directory) {
        journal = Journal.create(
                directory.resolve("journal"),
                JournalConfig.defaults().withDurability(Durability.DEVICE).withFullPolicy(FullPolicy.OVERWRITE));
        appender = GroupCommitAppender.open(journal, GroupCommitConfig.DEFAULTS, Throwable::printStackTrace);
    }

    @Override
    public String description() {
        return "GroupCommitAppender, DEVICE, 4 segments of 64 MiB overwritten, checksums, defaults";
    }

    @Override
    public Appending appending(int payloadLengthBytes) {
        MemorySegment payload = Arena.ofAuto().allocate(payloadLengthBytes, 64);
        return stamp -> {
            payload.set(ValueLayout.JAVA_LONG, 0, stamp);
            long result = appender.append(payload, 0);
            if (result < 0) {
                throw new IllegalStateException(AppendResult.describe(result));
            }
        };
    }

    @Override
    public void close() {
        appender.close();
        journal.close();
    }
}
