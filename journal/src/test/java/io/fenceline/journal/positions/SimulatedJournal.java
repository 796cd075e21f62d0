package io.fenceline.journal.positions;

import io.fenceline.journal.Durability;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.RecoveryReport;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.RunFileDescriptor;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.format.Superblock;
import io.fenceline.journal.persist.Persister;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.recovery.Head;
import io.fenceline.journal.recovery.LogWalk;
import io.fenceline.journal.recovery.Recovery;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Objects;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A journal over a simulated medium: what `Journal.create` and `Journal.open` do, in the same order, with the
/// product's own recovery and positions.
public final class SimulatedJournal {
    private static final UUID ID = new UUID(0x0123_4567_89AB_CDEFL, 0x1122_3344_5566_7788L);
    private static final int SALT = 0x5EED_CAFE;
    private static final Object NAME = "simulated journal.log";

    private SimulatedMedium medium;
    private final Superblock superblock;
    private MemorySegment words = newWords();
    private @Nullable ReadersFile readers;

    private SimulatedJournal(SimulatedMedium medium, Superblock superblock) {
        this.medium = medium;
        this.superblock = superblock;
    }

    /// Creates one: everything durable, clean, empty.
    public static SimulatedJournal create(Durability level, Geometry geometry) {
        Superblock superblock = new Superblock(ID, SALT, geometry, 0, 0);
        SimulatedMedium medium = new SimulatedMedium(level, geometry.fileLengthBytes());
        ByteBuffer copy = ByteBuffer.allocateDirect(Superblock.LENGTH_BYTES);
        superblock.encode(copy);
        for (int i = 0; i < Superblock.COPIES; i++) {
            medium.overwrite(Superblock.fileOffset(i), MemorySegment.ofBuffer(copy.clear()));
        }
        StateRecord first =
                new StateRecord(1, 0, 0, 0, 0, 0, 0, StateRecord.FLAG_CLEAN, level.id(), RunFile.bootHash32());
        ByteBuffer line = ByteBuffer.allocateDirect(StateRecord.LENGTH_BYTES);
        first.encode(line, superblock.salt());
        for (int mirror = 0; mirror < StateRecord.MIRRORS; mirror++) {
            medium.overwrite(StateRecord.fileOffset(first.version(), mirror), MemorySegment.ofBuffer(line.clear()));
        }
        return new SimulatedJournal(medium, superblock);
    }

    private static MemorySegment newWords() {
        return Arena.ofAuto().allocate(RunFileDescriptor.LENGTH_BYTES, 4096);
    }

    /// Whose gates hold the ring from the next opening on.
    public void readers(ReadersFile readers) {
        this.readers = readers;
    }

    /// Opens for writing: recovers, then makes the record of the next epoch durable.
    public Positions open(JournalConfig config) {
        return open(medium.level(), config);
    }

    /// Opens with another durability than the medium behaves by.
    public Positions open(Durability durability, JournalConfig config) {
        return open(medium.persister(), durability, config);
    }

    /// Opens over a persister that stands in front of the medium.
    public Positions open(UnaryOperator<Persister> wrapper, JournalConfig config) {
        return open(wrapper.apply(medium.persister()), medium.level(), config);
    }

    private Positions open(Persister persister, Durability durability, JournalConfig config) {
        Opening opening = new Opening(medium, superblock);
        RecoveryReport report = opening.scan();
        opening.repair();
        return new Positions(
                persister,
                superblock,
                opening.head().state(),
                report.nextSequence(),
                new RunFile(words),
                readers,
                durability,
                false,
                config);
    }

    /// The process dies and leaves this; the shared words are the same.
    public void processCrash(SimulatedMedium found) {
        medium = found;
    }

    /// The machine dies: this is what was persisted, and the shared words are zero.
    public void powerCut(SimulatedMedium image) {
        medium = image;
        words = newWords();
    }

    /// The shared words of this boot.
    public RunFile run() {
        return new RunFile(words);
    }

    /// What a tailer that comes now is shown: everything before it.
    public long shown() {
        RunFile run = run();
        return run.isCurrent(superblock.journalId()) && !run.isCutting() ? run.published() : state().floor();
    }

    /// The steps of opening, one by one, over any image of a journal.
    public static final class Opening {
        private final SimulatedMedium medium;
        private final Head head;
        private final Recovery recovery;
        private @Nullable RecoveryReport report;

        public Opening(SimulatedMedium medium, Superblock superblock) {
            this.medium = medium;
            head = Head.read(medium::read, medium.lengthBytes(), NAME);
            boolean ofThisBoot = medium.isOfThisBoot(head.state().version());
            int boot = ofThisBoot ? RunFile.bootHash32() : ~RunFile.bootHash32();
            recovery = new Recovery(medium::read, head, boot, NAME);
        }

        public Head head() {
            return head;
        }

        /// All of it.
        public RecoveryReport recover() {
            RecoveryReport scanned = scan();
            repair();
            nextEpoch();
            return scanned;
        }

        /// Reads and judges.
        public RecoveryReport scan() {
            RecoveryReport scanned = recovery.scan();
            report = scanned;
            return scanned;
        }

        /// Persists what is kept and seals.
        public void repair() {
            recovery.repair(medium.persister());
        }

        /// Makes the record of the next epoch durable.
        public void nextEpoch() {
            long nextSequence = Objects.requireNonNull(report, "scan first").nextSequence();
            new StateKeeper(
                            medium.persister(),
                            head.superblock(),
                            head.state(),
                            nextSequence,
                            medium.level(),
                            false,
                            RunFile.bootHash32())
                    .open();
        }
    }

    /// The newest record that a process of this boot finds.
    public StateRecord state() {
        return state(medium, superblock);
    }

    public static StateRecord state(SimulatedMedium medium, Superblock superblock) {
        return Head.readState(medium::read, superblock, NAME, new ArrayList<>());
    }

    /// What lies in [retained, lease).
    public LogWalk walk() {
        return LogWalk.of(medium::read, superblock, state());
    }

    public SimulatedMedium medium() {
        return medium;
    }

    public Superblock superblock() {
        return superblock;
    }
}
