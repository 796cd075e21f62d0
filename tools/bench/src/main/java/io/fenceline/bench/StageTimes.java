package io.fenceline.bench;

import java.lang.invoke.VarHandle;

/// Times the stages of one operation after the other: *reserve*, *write* (the stores are issued), *persist*
/// (fence or sync), *publish*.
///
/// `sfence` orders stores and does not wait for them, so that *persist* and *publish* end with a full fence: then
/// what they stored has left the processor. *Write* has none, else it would be charged what *persist* waits for.
/// One call of the clock is inside each figure. The sum is more than a whole append.
///
/// Threads: one.
final class StageTimes {
    final Latencies reserve;
    final Latencies write;
    final Latencies persist;
    final Latencies publish;
    private long beginNs;
    private long reservedNs;
    private long writtenNs;
    private long persistedNs;

    StageTimes(int slices) {
        reserve = new Latencies(slices);
        write = new Latencies(slices);
        persist = new Latencies(slices);
        publish = new Latencies(slices);
    }

    void begin(Loop.Times times) {
        reserve.begin(times);
        write.begin(times);
        persist.begin(times);
        publish.begin(times);
    }

    void begin() {
        beginNs = System.nanoTime();
        reservedNs = beginNs;
    }

    void reserved() {
        reservedNs = System.nanoTime();
    }

    /// A frame that comes in pieces is reserved when the first of them comes.
    void firstStore() {
        if (reservedNs == beginNs) {
            reserved();
        }
    }

    void written() {
        writtenNs = System.nanoTime();
    }

    void persisted() {
        VarHandle.fullFence();
        persistedNs = System.nanoTime();
    }

    /// The end.
    ///
    /// @param stamp of the operation: whether it is recorded
    void published(long stamp) {
        VarHandle.fullFence();
        long nowNs = System.nanoTime();
        if ((stamp & 1) != 0) {
            reserve.record(reservedNs - beginNs, nowNs);
            write.record(writtenNs - reservedNs, nowNs);
            persist.record(persistedNs - writtenNs, nowNs);
            publish.record(nowNs - persistedNs, nowNs);
        }
    }
}
