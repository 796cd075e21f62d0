package io.fenceline.perf;

import io.fenceline.journal.Durability;
import io.fenceline.journal.persist.Posix;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// How long it takes from an append to the handler of a tailer that slept, beside a bare futex: from the store
/// and wake in one thread to the return of the wait in another one. The sleeper is given the time to fall asleep
/// before each hand-over; the value is the middle one of a round.
final class WakeProbe implements Probe {
    private static final long ASLEEP_NS = 200_000;
    private static final long PATIENCE_NS = 1_000_000_000;
    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();

    private final JournalFixture fixture;
    private final MemorySegment payload;
    private final int handOvers;
    private final MemorySegment word = Arena.ofAuto().allocate(64, 64);
    private volatile long arrivedNs;
    private volatile long arrivals;
    private volatile boolean ended;
    private final Thread sleeper;
    private final Thread bareSleeper;
    private volatile long bareArrivedNs;
    private volatile long bareArrivals;

    WakeProbe(Places places) {
        fixture = JournalFixture.create(places, Durability.MEMORY);
        payload = fixture.payloadOfFrame(64);
        handOvers = (int) Math.max(3, places.scaled(200));
        Tailer tailer = Tailer.open(fixture.journal(), Start.newest()); // here: before the first append
        sleeper = Thread.ofPlatform().daemon().start(() -> tail(tailer));
        bareSleeper = Thread.ofPlatform().daemon().start(this::sleep);
    }

    private void tail(Tailer tailer) {
        try {
            while (!ended) {
                if (tailer.await(PATIENCE_NS)) {
                    tailer.poll(
                            entry -> {
                                arrivedNs = System.nanoTime();
                                arrivals = entry.sequence() + 1;
                            },
                            16);
                }
            }
        } catch (InterruptedException e) {
            // It is over.
        }
    }

    private void sleep() {
        MemorySegment timespec = Arena.ofAuto().allocate(16, 8);
        timespec.set(ValueLayout.JAVA_LONG, 0, PATIENCE_NS / 1_000_000_000);
        while (!ended) {
            int value = (int) INT.getVolatile(word, 0L);
            if (value == (int) bareArrivals) {
                Posix.futexWait(word.address(), value, timespec);
            } else {
                bareArrivedNs = System.nanoTime();
                bareArrivals = value;
            }
        }
    }

    @Override
    public List<String> columns() {
        return List.of("append to handler", "bare futex");
    }

    @Override
    public int rounds() {
        return 20;
    }

    @Override
    public int warmUpRounds() {
        return 10;
    }

    @Override
    public double measure(int column) {
        long[] ns = new long[handOvers];
        for (int i = 0; i < handOvers; i++) {
            LockSupport.parkNanos(ASLEEP_NS);
            ns[i] = column == 0 ? handOver() : handOverBare();
        }
        Arrays.sort(ns);
        return ns[handOvers / 2];
    }

    private long handOver() {
        long before = arrivals;
        long startNs = System.nanoTime();
        fixture.append(payload, 1);
        while (arrivals == before) {
            Thread.onSpinWait();
        }
        return arrivedNs - startNs;
    }

    private long handOverBare() {
        int next = (int) bareArrivals + 1;
        long startNs = System.nanoTime();
        INT.setVolatile(word, 0L, next);
        Posix.futexWake(word.address());
        while (bareArrivals != next) {
            Thread.onSpinWait();
        }
        return bareArrivedNs - startNs;
    }

    @Override
    public long operations() {
        return 0;
    }

    @Override
    public void close() {
        ended = true;
        fixture.append(payload, 1);
        INT.setVolatile(word, 0L, -1);
        Posix.futexWake(word.address());
        try {
            sleeper.join();
            bareSleeper.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        fixture.close();
    }
}
