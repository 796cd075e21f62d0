package io.fenceline.stress;

import io.fenceline.appender.ConcurrentAppender;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.SmallJournals;
import io.fenceline.tailer.Entry;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/// A ring that is overwritten under a tailer: what is delivered is whole and in order, or the tailer is told that it
/// missed something. One journal for all: each sample is an append beside a poll, somewhere in its laps.
@JCStressTest
@Outcome(id = "0, [012]", expect = Expect.ACCEPTABLE, desc = "nothing, whole entries, or overrun")
@State
public class OverwriteStress {
    private static final int NOTHING = 0;
    private static final int WHOLE = 1;
    private static final int OVERRUN = 2;
    private static final int BROKEN = 3;

    private static final Journal JOURNAL = open();
    private static final ConcurrentAppender APPENDER = ConcurrentAppender.open(JOURNAL);
    private static final Tailer TAILER = Tailer.open(JOURNAL, Start.oldest());
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static long lastPosition = -1;
    private static boolean broken;

    private static Journal open() {
        JournalConfig config =
                JournalConfig.defaults().withDurability(Durability.PROCESS).withFullPolicy(FullPolicy.OVERWRITE);
        try {
            Path directory = Files.createTempDirectory(Path.of("").toAbsolutePath(), "overwrite");
            SmallJournals.create(directory.resolve("journal"), 4096, 2, config);
            return Journal.open(directory.resolve("journal"), config);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Actor
    public void append(II_Result r) {
        int number = NUMBER.getAndIncrement();
        byte[] payload = new byte[16 + number % 1000];
        Arrays.fill(payload, (byte) number);
        r.r1 = APPENDER.append(MemorySegment.ofArray(payload), number) < 0 ? -1 : 0;
    }

    @Actor
    public void poll(II_Result r) {
        synchronized (TAILER) {
            int polled = TAILER.poll(OverwriteStress::check, 64);
            r.r2 = broken ? BROKEN : polled == Tailer.OVERRUN ? OVERRUN : polled > 0 ? WHOLE : NOTHING;
        }
    }

    private static void check(Entry entry) {
        byte[] payload = entry.toByteArray();
        byte[] expected = new byte[16 + entry.type() % 1000];
        Arrays.fill(expected, (byte) entry.type());
        broken |= !Arrays.equals(expected, payload) || entry.position() <= lastPosition;
        lastPosition = entry.position();
    }
}
