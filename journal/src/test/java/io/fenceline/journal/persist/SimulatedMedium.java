package io.fenceline.journal.persist;

import io.fenceline.journal.Durability;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.PersistStrategy;
import io.fenceline.journal.TestLevels;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// A `journal.log` in memory that knows, for each byte, what is *visible* (a process of this boot reads it) and
/// what is *persisted* (it is there after a power cut). Between the two lie the undecided units:
///
/// | level | unit | undecided until | and until then |
/// |---|---|---|---|
/// | `MEMORY` | word of 8 bytes | the drain of the thread that stored it or rewrote it | any of its values |
/// | `MEMORY`, in a cache | word of 8 bytes | a rewrite, then the drain of that thread | any of its values |
/// | the same, caches persist | word of 8 bytes | the drain of the thread that stored it | any of its values |
/// | `DEVICE` | sector of 512 bytes | a `drain` or `sync` of anybody that succeeds | any version since |
/// | `PROCESS` | sector of 512 bytes | a `sync` of anybody that succeeds | any version since |
///
/// Where caches persist a store outlives the power as soon as it has left its processor; the drain that waits for
/// that is all that anybody may count on, so nothing earlier is granted here.
///
/// Faults that it may inject, each only if told so:
/// 1. a *process crash* ([#afterProcessCrash]): the next process sees all that was stored; at `MEMORY` nobody
///    drains what the dead thread left undecided, only a `rewrite` or a new store helps;
/// 2. a *power cut* ([#afterPowerCuts]): each undecided unit has one of its versions;
/// 3. *garbage sectors* at a power cut (`DEVICE`, [#garbageSectors]): any of the undecided sectors hold junk, all of
///    them at worst. A sector that is overwritten with what it holds already stays whole;
/// 4. a *failing operation* ([#failAt]): a store stores its first half, then throws; a drain or sync throws, and
///    what it should have made durable stays undecided and counts as clean: no later drain decides it, unless it is
///    stored again;
/// 5. an *unreadable block* ([#unreadable]).
///
/// It never does worse: a unit is not torn, decided units keep their bytes, stores are not misdirected.
///
/// Threads: any number; every method holds the one lock, also while it calls the observer.
public final class SimulatedMedium implements Persister {
    /// What is done to a medium.
    public enum Kind {
        STORE,
        /// The write-back that is part of a store.
        WRITE_BACK,
        REWRITE,
        DRAIN,
        SYNC
    }

    /// One call. The source address counts during the call only.
    public record Operation(Kind kind, long fileOffset, long lengthBytes, long sourceAddress) {
        @Override
        public String toString() {
            return lengthBytes == 0 ? kind.name() : kind + "[" + fileOffset + ", +" + lengthBytes + ')';
        }
    }

    /// Sees each operation before it has an effect, in the thread that does it.
    @FunctionalInterface
    public interface Observer {
        void before(SimulatedMedium medium, Operation operation);
    }

    private static final int WORD_LENGTH_BYTES = 8;
    private static final int SECTOR_LENGTH_BYTES = 512;
    private static final int LINE_LENGTH_BYTES = 64;
    private static final long NOBODY = -1;

    /// A word or sector whose persisted content is one of several.
    private static final class Unit {
        final List<byte[]> versions = new ArrayList<>(2);
        long owner;
    }

    private final Durability level;
    private final long lengthBytes;
    private final int unitLengthBytes;
    private final SparseBytes visible;
    private final SparseBytes persisted;
    private final Map<Long, Unit> undecided = new LinkedHashMap<>();
    private final Map<Kind, Integer> failures = new EnumMap<>(Kind.class);
    private final Map<Kind, Long> counts = new EnumMap<>(Kind.class);
    private final Map<Long, Integer> storesPerLine = new LinkedHashMap<>();
    private long needlessDrains;
    private boolean garbageSectors;
    private PersistStrategy strategy = Objects.requireNonNullElse(TestLevels.forcedStrategy(), PersistStrategy.NT);
    private boolean cachesPersist = strategy == PersistStrategy.FENCE_ONLY;
    private long unreadableFrom;
    private long unreadableTo;
    private boolean rebooted;
    private long recordVersionAtBoot = -1;
    private Observer observer = (medium, operation) -> {};
    private @Nullable Throwable fault;

    /// Zeros.
    ///
    /// @param level       how it persists
    /// @param lengthBytes of the file
    public SimulatedMedium(Durability level, long lengthBytes) {
        this(level, lengthBytes, new SparseBytes(lengthBytes), new SparseBytes(lengthBytes));
    }

    private SimulatedMedium(Durability level, long lengthBytes, SparseBytes visible, SparseBytes persisted) {
        this.level = level;
        this.lengthBytes = lengthBytes;
        this.unitLengthBytes = level == Durability.MEMORY ? WORD_LENGTH_BYTES : SECTOR_LENGTH_BYTES;
        this.visible = visible;
        this.persisted = persisted;
    }

    @Override
    public void store(long fileOffset, long sourceAddress, long lengthBytes) {
        store(fileOffset, sourceAddress, lengthBytes, Thread.currentThread().threadId());
    }

    /// A store that ends in a cache: no drain makes it persistent before it is rewritten, unless caches persist.
    void storeInCache(long fileOffset, long sourceAddress, long lengthBytes) {
        long owner = cachesPersist ? Thread.currentThread().threadId() : NOBODY;
        store(fileOffset, sourceAddress, lengthBytes, owner);
    }

    private synchronized void store(long fileOffset, long sourceAddress, long lengthBytes, long owner) {
        if (level == Durability.MEMORY
                && (fileOffset % LINE_LENGTH_BYTES != 0 || lengthBytes % LINE_LENGTH_BYTES != 0)) {
            throw new IllegalArgumentException("not whole lines: " + fileOffset + ", " + lengthBytes);
        }
        boolean fails = begin(Kind.STORE, fileOffset, lengthBytes, sourceAddress);
        MemorySegment source = MemorySegment.ofAddress(sourceAddress).reinterpret(lengthBytes);
        for (long at = fileOffset; at < fileOffset + lengthBytes; at += LINE_LENGTH_BYTES) {
            storesPerLine.merge(at, 1, Integer::sum);
        }
        long done = fails ? lengthBytes / 2 / WORD_LENGTH_BYTES * WORD_LENGTH_BYTES : lengthBytes;
        apply(fileOffset, source, done, owner);
        if (fails) {
            throw fail(Kind.STORE);
        }
    }

    private void apply(long fileOffset, MemorySegment source, long lengthBytes, long owner) {
        visible.write(fileOffset, source, lengthBytes);
        for (long unit = fileOffset / unitLengthBytes; unit * unitLengthBytes < fileOffset + lengthBytes; unit++) {
            changed(unit, owner);
        }
    }

    private void changed(long index, long owner) {
        byte[] now = visible.copyOf(index * unitLengthBytes, unitLengthBytes);
        Unit unit = undecided.get(index);
        if (unit == null) {
            byte[] before = persisted.copyOf(index * unitLengthBytes, unitLengthBytes);
            if (Arrays.equals(before, now)) {
                return;
            }
            unit = new Unit();
            unit.versions.add(before);
            undecided.put(index, unit);
        }
        if (!Arrays.equals(unit.versions.getLast(), now)) {
            unit.versions.add(now);
        }
        unit.owner = owner;
    }

    @Override
    public synchronized void drain() {
        boolean fails = begin(Kind.DRAIN, 0, 0, 0);
        if (fails) {
            if (level == Durability.DEVICE) {
                undecided.values().forEach(unit -> unit.owner = NOBODY);
            }
            throw fail(Kind.DRAIN);
        }
        if (level == Durability.PROCESS) {
            return;
        }
        long me = Thread.currentThread().threadId();
        boolean any = decide(level == Durability.DEVICE ? NOBODY : me);
        needlessDrains += any ? 0 : 1;
    }

    @Override
    public synchronized void sync() {
        boolean fails = begin(Kind.SYNC, 0, 0, 0);
        if (fails) {
            undecided.values().forEach(unit -> unit.owner = NOBODY);
            throw fail(Kind.SYNC);
        }
        decide(NOBODY);
        if (level == Durability.MEMORY) {
            // The kernel writes back every dirty line of the file.
            undecided.forEach((index, unit) -> persisted.write(index * unitLengthBytes, unit.versions.getLast()));
            undecided.clear();
        }
    }

    /// @param owner whose units, NOBODY for those of all who are owners
    private boolean decide(long owner) {
        return undecided.entrySet().removeIf(entry -> {
            Unit unit = entry.getValue();
            boolean decided = owner == NOBODY ? unit.owner != NOBODY : unit.owner == owner;
            if (decided) {
                persisted.write(entry.getKey() * unitLengthBytes, unit.versions.getLast());
            }
            return decided;
        });
    }

    @Override
    public void rewrite(long fileOffset, long lengthBytes) {
        writeBack(Kind.REWRITE, fileOffset, lengthBytes);
    }

    /// Makes the words of a range this thread's to drain, whoever stored them.
    ///
    /// @param kind as what it is recorded: REWRITE, or WRITE_BACK
    synchronized void writeBack(Kind kind, long fileOffset, long lengthBytes) {
        if (begin(kind, fileOffset, lengthBytes, 0)) {
            throw fail(kind);
        }
        if (level == Durability.PROCESS) {
            return;
        }
        long me = Thread.currentThread().threadId();
        undecided.forEach((index, unit) -> {
            long at = index * unitLengthBytes;
            if (at < fileOffset + lengthBytes && at + unitLengthBytes > fileOffset) {
                unit.owner = me;
            }
        });
    }

    /// @return whether the operation shall fail
    private boolean begin(Kind kind, long fileOffset, long lengthBytes, long sourceAddress) {
        if (fault != null) {
            throw new JournalException.Poisoned("simulated medium was poisoned: " + fault.getMessage(), fault);
        }
        if (fileOffset < 0 || lengthBytes < 0 || fileOffset + lengthBytes > this.lengthBytes) {
            throw new IndexOutOfBoundsException("[" + fileOffset + ", +" + lengthBytes + ") of " + this.lengthBytes);
        }
        observer.before(this, new Operation(kind, fileOffset, lengthBytes, sourceAddress));
        counts.merge(kind, 1L, Long::sum);
        Integer left = failures.computeIfPresent(kind, (k, n) -> n - 1);
        return left != null && left == 0;
    }

    private JournalException fail(Kind kind) {
        JournalException e = new JournalException.Io("simulated " + kind + " failed: EIO", Posix.EIO);
        poison(e);
        return e;
    }

    @Override
    public synchronized void read(long fileOffset, MemorySegment destination, long destinationOffset, long length) {
        if (fileOffset < unreadableTo && fileOffset + length > unreadableFrom) {
            throw new JournalException.Io("simulated read at offset " + fileOffset + " failed: EIO", Posix.EIO);
        }
        visible.read(fileOffset, destination, destinationOffset, length);
    }

    @Override
    public void populate(long fileOffset, long lengthBytes) {}

    @Override
    public synchronized @Nullable Throwable fault() {
        return fault;
    }

    @Override
    public synchronized void poison(Throwable cause) {
        if (fault == null) {
            fault = cause;
        }
    }

    /// Calls the observer before each operation from now on.
    public synchronized void observe(Observer observer) {
        this.observer = observer;
    }

    /// The n-th operation of a kind from now on fails, n from 1.
    public synchronized void failAt(Kind kind, int n) {
        failures.put(kind, n);
    }

    /// Reads that touch the range fail from now on.
    public synchronized void unreadable(long fileOffset, long lengthBytes) {
        unreadableFrom = fileOffset;
        unreadableTo = fileOffset + lengthBytes;
    }

    /// What [#persister] does at `MEMORY`, here and in each medium made from this one. If nothing is said, NT, or
    /// what `-Dfenceline.strategy=WRITE_BACK` says (so all tests can be run by another one).
    ///
    /// @param cachesPersist whether what is in a cache survives a power cut, once its thread has drained
    public synchronized void persistBy(PersistStrategy strategy, boolean cachesPersist) {
        this.strategy = strategy;
        this.cachesPersist = cachesPersist;
    }

    /// What stands between the journal and this medium: at `MEMORY` the product's strategy over simulated
    /// instructions, else nothing.
    public synchronized Persister persister() {
        return level == Durability.MEMORY ? new SimulatedMemory(this, strategy) : this;
    }

    /// Power cuts may leave undecided sectors garbage, any number of them.
    public synchronized void garbageSectors(boolean garbageSectors) {
        this.garbageSectors = garbageSectors;
    }

    /// Changes bytes that are decided, as rot does, and as a test that builds a state by hand.
    public synchronized void overwrite(long fileOffset, MemorySegment bytes) {
        visible.write(fileOffset, bytes, bytes.byteSize());
        persisted.write(fileOffset, bytes, bytes.byteSize());
    }

    /// What the next process of this boot finds.
    public synchronized SimulatedMedium afterProcessCrash() {
        SimulatedMedium next = new SimulatedMedium(level, lengthBytes, visible.fork(), persisted.fork());
        undecided.forEach((index, unit) -> {
            Unit copy = new Unit();
            copy.versions.addAll(unit.versions);
            copy.owner = level == Durability.MEMORY ? NOBODY : unit.owner;
            next.undecided.put(index, copy);
        });
        next.garbageSectors = garbageSectors;
        next.strategy = strategy;
        next.cachesPersist = cachesPersist;
        next.rebooted = rebooted;
        next.recordVersionAtBoot = recordVersionAtBoot;
        return next;
    }

    /// What the next process finds if this one dies within a store: the first bytes of it are there.
    public synchronized SimulatedMedium afterProcessCrash(Operation store, long doneBytes) {
        SimulatedMedium next = afterProcessCrash();
        next.apply(
                store.fileOffset,
                MemorySegment.ofAddress(store.sourceAddress).reinterpret(doneBytes),
                doneBytes,
                level == Durability.MEMORY ? NOBODY : Thread.currentThread().threadId());
        return next;
    }

    /// Calls `use` with what may be found after a power cut: with every possibility if they are few, else with
    /// patterns (nothing, everything, each single unit missing or alone, prefixes in the order of the first
    /// store) and samples.
    ///
    /// @param few     at most so many possibilities are all used
    /// @param samples else: so many units are picked for the patterns, and so many samples taken
    /// @return the number of calls
    public synchronized long afterPowerCuts(
            int few, int samples, RandomGenerator random, Consumer<SimulatedMedium> use) {
        List<Map.Entry<Long, Unit>> at = new ArrayList<>(undecided.entrySet());
        int[] sizes =
                undecided.values().stream().mapToInt(u -> u.versions.size()).toArray();
        PersistedChoices choices = new PersistedChoices(sizes, garbageSectors && level == Durability.DEVICE);
        return choices.forEach(few, samples, random, choice -> use(at, choices, choice, use));
    }

    /// What `use` throws is thrown for the image that loses least.
    private void use(
            List<Map.Entry<Long, Unit>> at, PersistedChoices choices, int[] choice, Consumer<SimulatedMedium> use) {
        FailedImage failed = failure(at, choice, use);
        if (failed == null) {
            return;
        }
        if (failed.isSmallest()) {
            throw failed;
        }
        FailedImage[] smallest = {failed};
        int[] fewest = choices.fewestLost(choice, fewer -> {
            FailedImage other = failure(at, fewer, use);
            smallest[0] = other == null ? smallest[0] : other;
            return other != null;
        });
        List<Long> lost = choices.lost(fewest).stream()
                .map(i -> at.get(i).getKey() * unitLengthBytes)
                .toList();
        throw smallest[0].smallest(at.size(), lost);
    }

    private @Nullable FailedImage failure(List<Map.Entry<Long, Unit>> at, int[] choice, Consumer<SimulatedMedium> use) {
        int[] kept = choice.clone();
        try {
            use.accept(afterPowerCut(at, choice));
            return null;
        } catch (RuntimeException | Error e) {
            return FailedImage.of(afterPowerCut(at, kept), e);
        }
    }

    /// A word or sector that a power cut decides.
    ///
    /// @param versions what it may hold then, the oldest first
    public record Undecided(long fileOffset, List<byte[]> versions) {}

    /// All of them, in the order of their first stores.
    public synchronized List<Undecided> undecided() {
        return undecided.entrySet().stream()
                .map(e -> new Undecided(e.getKey() * unitLengthBytes, List.copyOf(e.getValue().versions)))
                .toList();
    }

    /// What is found after a power cut that decides the i-th of [#undecided] for its version `choice[i]`.
    public synchronized SimulatedMedium afterPowerCut(int[] choice) {
        return afterPowerCut(new ArrayList<>(undecided.entrySet()), choice);
    }

    /// What is found after a power cut that loses all that is not decided.
    public synchronized SimulatedMedium afterPowerCut() {
        return afterPowerCut(List.of(), new int[0]);
    }

    private SimulatedMedium afterPowerCut(List<Map.Entry<Long, Unit>> units, int[] choice) {
        SparseBytes image = persisted.fork();
        for (int i = 0; i < choice.length; i++) {
            List<byte[]> versions = units.get(i).getValue().versions;
            if (choice[i] != 0) {
                byte[] unit = choice[i] < versions.size() ? versions.get(choice[i]) : garbage(versions.getLast());
                image.write(units.get(i).getKey() * unitLengthBytes, unit);
            }
        }
        SimulatedMedium next = new SimulatedMedium(level, lengthBytes, image, image.fork());
        next.garbageSectors = garbageSectors;
        next.strategy = strategy;
        next.cachesPersist = cachesPersist;
        next.rebooted = true;
        return next;
    }

    /// Follows from the sector, and no junk of junk is what was there before.
    private static byte[] garbage(byte[] sector) {
        byte[] garbage = new byte[sector.length];
        new SplittableRandom(Arrays.hashCode(sector)).nextBytes(garbage);
        return garbage;
    }

    /// Whether the record was written in the boot that runs now. To be asked with the newest version found, first
    /// after each crash.
    public synchronized boolean isOfThisBoot(long recordVersion) {
        if (rebooted && recordVersionAtBoot < 0) {
            recordVersionAtBoot = recordVersion;
        }
        return !rebooted || recordVersion > recordVersionAtBoot;
    }

    /// Units of the range whose persisted content is not decided.
    public synchronized long undecided(long fileOffset, long lengthBytes) {
        return undecided.keySet().stream()
                .map(index -> index * unitLengthBytes)
                .filter(at -> at < fileOffset + lengthBytes && at + unitLengthBytes > fileOffset)
                .count();
    }

    /// Operations of a kind so far.
    public synchronized long count(Kind kind) {
        return counts.getOrDefault(kind, 0L);
    }

    /// Operations so far.
    public synchronized long count() {
        return counts.values().stream().mapToLong(n -> n).sum();
    }

    /// Drains that had nothing to make durable.
    public synchronized long needlessDrains() {
        return needlessDrains;
    }

    /// Stores to the line at an offset so far.
    public synchronized int stores(long fileOffset) {
        return storesPerLine.getOrDefault(fileOffset, 0);
    }

    /// Lines stored so far, each counted once.
    public synchronized int linesStored() {
        return storesPerLine.size();
    }

    public Durability level() {
        return level;
    }

    public long lengthBytes() {
        return lengthBytes;
    }
}
