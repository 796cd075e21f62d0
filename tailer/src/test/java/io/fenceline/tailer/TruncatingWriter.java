package io.fenceline.tailer;

import io.fenceline.appender.Batch;
import io.fenceline.appender.ExclusiveAppender;
import io.fenceline.journal.Journal;
import io.fenceline.journal.TestLevels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Appends to the journal in argument 0 and cuts its end off, or resets it, again and again, until it is killed;
/// argument 1 is a seed. Every entry says its sequence and a number that no other entry of any writer has. A reset goes
/// to the next million, so that entries from before and behind one never follow each other.
final class TruncatingWriter {
    private static final long BLOCK = 1_000_000;

    private TruncatingWriter() {}

    public static void main(String[] arguments) {
        SplittableRandom random = new SplittableRandom(Long.parseLong(arguments[1]));
        try (Journal journal = Journal.open(Path.of(arguments[0]), TestLevels.forced(TruncatingWriterTest.CONFIG));
                ExclusiveAppender appender = ExclusiveAppender.open(journal)) {
            System.out.println("open");
            List<Long> frames = new ArrayList<>();
            while (true) {
                for (int i = random.nextInt(40); i > 0; i--) {
                    frames.add(appender.nextSequence());
                    append(appender, random);
                }
                if (random.nextInt(3) == 0) {
                    journal.reset((appender.nextSequence() / BLOCK + 1) * BLOCK);
                    frames.clear();
                } else if (!frames.isEmpty()) {
                    int back = random.nextInt(Math.min(20, frames.size()));
                    frames.subList(frames.size() - back, frames.size()).clear();
                    long sequence = frames.removeLast();
                    journal.truncateFromSequence(sequence);
                }
            }
        }
    }

    private static void append(ExclusiveAppender appender, SplittableRandom random) {
        Batch batch = appender.batch();
        for (int i = random.nextInt(8) == 0 ? 3 : 1; i > 0; i--) {
            byte[] payload = new byte[16 + random.nextInt(random.nextInt(8) == 0 ? 300 : 16)];
            MemorySegment bytes = MemorySegment.ofArray(payload);
            bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, appender.nextSequence() + batch.size());
            bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, 8, random.nextLong());
            batch.add(bytes);
        }
        if (batch.commit() < 0) {
            throw new AssertionError("no room");
        }
    }
}
