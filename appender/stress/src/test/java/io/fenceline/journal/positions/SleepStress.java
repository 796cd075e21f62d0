package io.fenceline.journal.positions;

import static io.fenceline.journal.format.ReadersFileDescriptor.FENCED_OFFSET;
import static io.fenceline.journal.format.ReadersFileDescriptor.HEADER_LENGTH_BYTES;

import io.fenceline.journal.format.RunFileDescriptor;
import io.fenceline.journal.persist.Posix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JZ_Result;

/// A publication beside who is going to sleep, with a fence on the sleeper's side only: the sleeper has seen it, or is
/// woken (its announcement is gone).
@JCStressTest
@Outcome(id = "64, (true|false)", expect = Expect.ACCEPTABLE, desc = "seen before the sleep")
@Outcome(id = "0, false", expect = Expect.ACCEPTABLE, desc = "woken")
@State
public class SleepStress {
    private static final boolean REGISTERED = Posix.registerMembarrier();
    private static final Queue<Words> IDLE = new ConcurrentLinkedQueue<>();

    /// Shared words, used for one sample after another: to make them costs more than a sample.
    private static final class Words {
        final Sleepers sleepers = new Sleepers(header());
        final RunFile run = new RunFile(Arena.ofAuto().allocate(RunFileDescriptor.LENGTH_BYTES, 64), sleepers);

        private static MemorySegment header() {
            MemorySegment header = Arena.ofAuto().allocate(HEADER_LENGTH_BYTES, HEADER_LENGTH_BYTES);
            header.set(ValueLayout.JAVA_LONG, FENCED_OFFSET, REGISTERED ? 1 : 0);
            return header;
        }

        static Words take() {
            Words idle = IDLE.poll();
            return idle == null ? new Words() : idle;
        }
    }

    private final Words words = Words.take();
    private final long before = words.run.published();

    @Actor
    public void publish() {
        words.run.publish(before + 64);
    }

    @Actor
    public void sleep(JZ_Result r) {
        words.sleepers.announce();
        // Without the fence sleeps are short, and a wake may be lost.
        r.r1 = words.sleepers.fence() ? words.run.published() - before : 64;
    }

    @Arbiter
    public void after(JZ_Result r) {
        r.r2 = words.sleepers.isAnnounced();
        words.sleepers.wake();
        IDLE.add(words);
    }
}
