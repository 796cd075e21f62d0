package io.fenceline.perf;

import java.util.List;

/// Something to be measured in rounds: a few columns, among them the product and the raw limits of the same medium. The
/// caller goes round and round the columns, so that a noisy moment of the machine hurts all of them.
///
/// One thread; made, measured and closed in a JVM of its own.
interface Probe extends AutoCloseable {
    /// Names of what is measured, in the order of a round; the first is the product.
    List<String> columns();

    /// Measures one column once.
    ///
    /// @return nanoseconds per operation
    double measure(int column);

    /// Rounds that count, and rounds before them.
    default int rounds() {
        return 60;
    }

    default int warmUpRounds() {
        return 20;
    }

    /// Operations of the product in one [#measure] of its column, to tell allocation per operation; 0: not told.
    long operations();

    @Override
    void close();

    /// Probes by name, given the directories where they may work.
    interface Factory {
        Probe open(Places places);
    }
}
