package io.fenceline.peers;

import io.fenceline.appender.GroupCommitAppender;
import io.fenceline.appender.GroupCommitConfig;
import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// The product: `GroupCommitAppender` at `DEVICE`, all defaults.
final class FencelinePeer implements Peer {
    private final Journal journal;
    private final GroupCommitAppender appender;

    FencelinePeer(Path directory) {
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
    public void append(byte[] payload) {
        long result = appender.append(MemorySegment.ofArray(payload), 0);
        if (result < 0) {
            throw new IllegalStateException(AppendResult.describe(result));
        }
    }

    @Override
    public void close() {
        appender.close();
        journal.close();
    }
}
