package io.fenceline.journal.recovery;

import io.fenceline.journal.DamagedRange;
import io.fenceline.journal.VerifyReport;
import io.fenceline.journal.format.FrameVerdict;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Walks a whole journal and counts.
final class Verification {
    private final Inspection inspection;
    private final List<DamagedRange> damage = new ArrayList<>();
    private final long startNs = System.nanoTime();
    private long damagedRanges;
    private long damagedBytes;
    private long overwrittenBytes;
    private long frames;
    private long entries;
    private long firstSequence = -1;
    private long lastSequence = -1;
    private long unrecoveredFrames;
    private long unrecoveredEntries;

    Verification(Inspection inspection) {
        this.inspection = inspection;
    }

    VerifyReport run(VerifyReport.Progress progress, long progressIntervalBytes) {
        long total = inspection.end() - inspection.from();
        long nextProgress = progressIntervalBytes;
        FrameWalk walk = inspection.walk(inspection.from());
        for (FrameWalk.Step step = walk.next(); step != FrameWalk.Step.END; step = walk.next()) {
            switch (step) {
                case FRAME -> count(walk);
                case DAMAGED -> add(walk.damage());
                case OVERWRITTEN -> overwrittenBytes += walk.stepEnd() - walk.stepStart();
                case END -> throw new AssertionError(step);
            }
            long done = walk.stepEnd() - inspection.from();
            if (done >= nextProgress) {
                nextProgress = done + progressIntervalBytes;
                progress.onProgress(done, total);
            }
        }
        addIfAny(inspection.findLostState());
        addIfAny(inspection.findWrongLength());
        countUnrecovered();
        progress.onProgress(total, total);
        return new VerifyReport(
                inspection.from(),
                inspection.to(),
                frames,
                entries,
                firstSequence,
                lastSequence,
                List.copyOf(damage),
                damagedRanges,
                damagedBytes,
                overwrittenBytes,
                inspection.end(),
                unrecoveredFrames,
                unrecoveredEntries,
                inspection.isWriterAlive(),
                System.nanoTime() - startNs,
                inspection.warnings());
    }

    private void count(FrameWalk walk) {
        frames++;
        if (walk.verdict() == FrameVerdict.DATA) {
            FrameReader frame = walk.frames();
            entries += frame.entries();
            lastSequence = frame.sequence() + frame.entries() - 1;
            if (firstSequence < 0) {
                firstSequence = frame.sequence();
            }
        }
    }

    private void addIfAny(@Nullable DamagedRange range) {
        if (range != null) {
            add(range);
        }
    }

    private void add(DamagedRange range) {
        damagedRanges++;
        damagedBytes += range.lengthBytes();
        if (damage.size() < VerifyReport.MAXIMUM_RANGES) {
            damage.add(range);
        }
    }

    private void countUnrecovered() {
        FrameWalk walk = inspection.walkUnrecovered(inspection.to());
        for (FrameWalk.Step step = walk.next(); step != FrameWalk.Step.END; step = walk.next()) {
            if (step == FrameWalk.Step.FRAME) {
                unrecoveredFrames++;
                unrecoveredEntries +=
                        walk.verdict() == FrameVerdict.DATA ? walk.frames().entries() : 0;
            }
        }
    }
}
