package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.Retention;
import io.fenceline.journal.SmallJournals;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Crc32c;
import io.fenceline.journal.format.CursorRecord;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.format.StateRecord;
import io.fenceline.journal.persist.FailedImage;
import io.fenceline.journal.persist.JournalFiles;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.persist.SimulatedMedium.Operation;
import io.fenceline.journal.positions.CursorLog;
import io.fenceline.journal.positions.Gate;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.ReadersFile;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.CutSeek;
import io.fenceline.journal.recovery.LogWalk;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The lives of an appender and of a cursor that holds the ring, on two media that are cut at the same moment, under a
/// [CrashChecker]: commits with user data, gates, retention that the writer applies, truncation, reset. At every
/// operation of either medium, for each pair of images that a crash may leave:
///
/// - the cursor is the value committed last, or the one under way, whole;
/// - it names a place of the recovered log: nothing that it has seen is missing (I5), unless that was cut off;
/// - nothing behind it was given up (I14), nor what the retention keeps.
final class ReaderWorkload {
    private static final String NAME = "reader";
    private static final int TYPE = 7;

    /// Who gives up the ring's segments.
    enum Room {
        /// An OVERWRITE ring, held by the cursor.
        OVERWRITE,
        /// A full ring gives up what the cursor has passed.
        GATES_ONLY,
        /// A full ring gives up what is not among the newest bytes, and the cursor has passed; there is always such a
        /// segment.
        RETENTION,
        /// The same, but so many bytes are kept that an append is refused where they leave it no segment.
        TIGHT_RETENTION
    }

    /// What a cursor says.
    private record Value(long position, long sequence, long number) {}

    private final Durability level;
    private final Room room;
    private final Steps steps;
    private final Supplier<JournalFiles> places;
    private final SimulatedJournal journal;
    private final Geometry geometry;
    private final History history = new History();
    private final CrashChecker checker;
    private final JournalConfig config;
    private final long keptLengthBytes;
    private final TreeMap<Long, Long> cuts = new TreeMap<>();
    private SplittableRandom random;
    private SimulatedMedium cursorMedium;
    private SimulatedMedium judgedCursor;
    private Value acknowledged = new Value(0, 0, 0);
    private Value attempted = acknowledged;
    private JournalFiles place;
    private ReadersFile readers;
    private Positions positions;
    private ExclusiveAppender appender;
    private CursorLog cursor;
    private Gate gate;
    private long published;
    private long givenUpByHand;
    private long pairs;
    private int held;
    private int refused;
    private int operationsLeft = Integer.MAX_VALUE;

    /// @param steps  which to take, with their random numbers
    /// @param places fresh directories, for words that readers share on one boot
    ReaderWorkload(
            Durability level,
            int segments,
            Room room,
            Steps steps,
            CrashChecker.Budget budget,
            Supplier<JournalFiles> places) {
        this.steps = steps;
        this.level = level;
        this.room = room;
        this.places = places;
        random = steps.random(-1);
        geometry = Geometry.of(4096, segments);
        keptLengthBytes = switch (room) {
            case RETENTION -> (segments - 2) * 4096L;
            case TIGHT_RETENTION -> (segments - 1) * 4096L;
            default -> 0;
        };
        journal = SimulatedJournal.create(level, geometry);
        checker = new CrashChecker(journal, level, history, random.split(), budget);
        JournalConfig defaults = JournalConfig.defaults().withTimestampMode(TimestampMode.NONE);
        config = switch (room) {
            case OVERWRITE -> defaults.withFullPolicy(FullPolicy.OVERWRITE);
            case GATES_ONLY -> defaults.withRetainedForGatesOnly(true);
            case RETENTION, TIGHT_RETENTION ->
                defaults.withRetention(Retention.everything().withMaximumLengthBytes(keptLengthBytes));
        };
        cursorMedium = new SimulatedMedium(level, CursorRecord.FILE_LENGTH_BYTES);
        ByteBuffer first = ByteBuffer.allocateDirect(CursorRecord.LENGTH_BYTES);
        new CursorRecord(1, journal.superblock().journalId(), 0, 0, 0, CursorRecord.FLAG_GATING, new byte[0], 0)
                .encode(first, new Crc32c());
        cursorMedium.overwrite(CursorRecord.fileOffset(1), MemorySegment.ofBuffer(first.clear()));
        judgedCursor = cursorMedium;
        place = places.get();
        open();
    }

    /// A fresh directory for those words.
    static JournalFiles place(Path directory) {
        SmallJournals.create(directory, 4096, 2, JournalConfig.defaults().withDurability(Durability.PROCESS));
        return JournalFiles.open(directory, false);
    }

    /// What `Journal.open` and `Cursor.open` do.
    private void open() {
        readers = ReadersFile.open(
                place.openReaders(), journal.superblock().journalId(), () -> List.of(heldBy(cursorMedium)));
        journal.readers(readers);
        journal.medium().observe(this::beforeLog);
        positions = journal.open(config);
        LogWalk walk = journal.walk();
        history.recovered(walk);
        published = positions.run().published();
        appender = ExclusiveAppender.open(positions);
        cursorMedium.observe(this::beforeCursor);
        cursor = new CursorLog(cursorMedium, NAME);
        acknowledged = value(cursor.found());
        attempted = acknowledged;
        gate = readers.registerCursor(NAME, acknowledged.position);
        gate.move(acknowledged.position); // a crash may have come between a commit and this
        checkPlace(acknowledged, walk, journal.state());
        if (isCut(acknowledged)) {
            commit(positions.reserved(), positions.nextSequence()); // as a cursor that finds its place cut off
        }
        cuts.clear();
    }

    private static ReadersFile.Held heldBy(SimulatedMedium medium) {
        return new ReadersFile.Held(NAME, value(new CursorLog(medium, NAME).found()).position);
    }

    /// Lives so many lives; more, up to ten times as many, until the cursor has held the ring: a life may be cut short
    /// before the ring is full, and where an append takes more operations more of them are.
    ///
    /// @param most steps of a life that is not cut short
    void run(int lives, int most) {
        for (int life = 0; life < lives || (held == 0 && life < 10 * lives); life++) {
            int first = life * 2 * most;
            SplittableRandom end = steps.random(first);
            boolean power = level != Durability.PROCESS && end.nextBoolean();
            boolean clean = end.nextInt(6) == 0;
            int n = end.nextInt(most);
            int operations = end.nextInt(12);
            List<SimulatedMedium> found = new ArrayList<>();
            try {
                takeSteps(first, first + n);
                if (!clean) {
                    operationsLeft = operations;
                    takeSteps(first + n, first + 2 * most - 1);
                    throw new Crash(null, null);
                }
                appender.close();
                assertTrue(positions.close());
                found.add(journal.medium().afterProcessCrash());
                found.add(cursorMedium.afterProcessCrash());
            } catch (Crash crash) {
                found.add(crash.log == null ? anyImage(journal.medium(), power) : crash.log);
                found.add(crash.cursor == null ? anyImage(cursorMedium, power) : crash.cursor);
            }
            operationsLeft = Integer.MAX_VALUE;
            steps.say(power && !clean ? "power cut" : clean ? "clean close" : "process crash");
            endLife(found.get(0), found.get(1), power && !clean);
            open();
        }
        endLife(journal.medium(), cursorMedium, false);
        place.close();
    }

    private void takeSteps(int from, int to) {
        for (int step = from + 1; step <= to; step++) {
            if (steps.takes(step)) {
                random = steps.random(step);
                checker.sampleBy(random.split());
                step();
            }
        }
    }

    private void endLife(SimulatedMedium log, SimulatedMedium cursorFile, boolean power) {
        journal.medium().observe((medium, operation) -> {});
        cursorMedium.observe((medium, operation) -> {});
        positions.poison(new IllegalStateException("crashed"));
        assertTrue(positions.close());
        readers.close();
        cursorMedium = cursorFile;
        if (power) {
            journal.powerCut(log);
            place.close();
            place = places.get(); // the words of another boot count for nothing
        } else {
            journal.processCrash(log);
        }
    }

    private void step() {
        switch (random.nextInt(12)) {
            case 0 -> commitSomewhere();
            case 3 -> retain();
            case 4 -> {
                if (random.nextInt(6) == 0) {
                    truncate();
                } else if (random.nextInt(20) == 0) {
                    reset();
                }
            }
            default -> append();
        }
    }

    private void append() {
        byte[] payload = new byte[random.nextInt(2) == 0 ? random.nextInt(900) : random.nextInt(40)];
        random.nextBytes(payload);
        steps.say("append " + payload.length);
        history.attempt(positions.epoch(), positions.nextSequence(), List.of(payload), TYPE);
        long position = appender.append(MemorySegment.ofArray(payload), TYPE, 0);
        history.returned(position);
        if (position < 0) {
            long expected = room == Room.OVERWRITE ? AppendResult.BACK_PRESSURED : AppendResult.FULL;
            assertEquals(expected, position, AppendResult.describe(position));
            goOnWithoutRoom(positions.run().retained() + geometry.segmentLengthBytes());
        }
        published = positions.run().published();
    }

    /// After an append that was refused, because it needs that more is given up than may be.
    private void goOnWithoutRoom(long needed) {
        boolean kept = keptLengthBytes > 0 && geometry.segmentStart(notKept()) < needed;
        if (acknowledged.position < needed) {
            held++;
            commit(positions.reserved(), positions.nextSequence());
        } else if (kept) {
            refused++;
            givenUpByHand = needed;
            assertEquals(needed, positions.retain(needed));
        } else {
            throw new AssertionError(
                    "refused, but the cursor is at " + acknowledged + ", and nothing is kept before " + notKept());
        }
    }

    /// The retention keeps what is behind.
    private long notKept() {
        return published - Math.min(published, keptLengthBytes);
    }

    private void commitSomewhere() {
        List<Long> frames = history.positions(acknowledged.position);
        if (frames.isEmpty() || random.nextInt(4) == 0) {
            commit(positions.reserved(), positions.nextSequence());
        } else {
            long position = frames.get(random.nextInt(frames.size()));
            commit(position, history.sequence(position));
        }
    }

    private void commit(long position, long sequence) {
        attempted = new Value(position, sequence, attempted.number + 1);
        byte[] data = data(attempted);
        steps.say("commit at " + position);
        cursor.commit(position, sequence, 1, CursorRecord.FLAG_GATING, data, 0, data.length, attempted.number);
        acknowledged = attempted;
        gate.move(position);
    }

    private void retain() {
        if (keptLengthBytes > 0) {
            return; // by hand it may be less than what the policy keeps
        }
        long before = positions.run().retained();
        long position = random.nextLong(positions.run().published() + 1);
        steps.say("retain " + position);
        long retained = positions.retain(position);
        assertTrue(retained <= Math.max(acknowledged.position, before), () -> "gave up to " + retained);
    }

    private void truncate() {
        long end = positions.run().published();
        List<Long> frames = history.positions(positions.run().retained());
        if (frames.isEmpty()) {
            return;
        }
        long from = frames.get(random.nextInt(frames.size()));
        steps.say("truncate from " + from);
        history.cutting(from);
        cuts.put(from, end);
        CutSeek seek = new CutSeek(journal.medium()::read, journal.superblock());
        positions.truncate((retained, last, next) -> seek.position(from, retained, last, next));
        history.cut();
        goOnBehindACut();
    }

    private void reset() {
        history.cutting(0);
        long end = geometry.segmentStart(positions.reserved() + geometry.segmentLengthBytes() - 1);
        cuts.put(0L, end);
        givenUpByHand = end;
        int sequence = random.nextInt(1000);
        steps.say("reset to " + sequence);
        assertEquals(end, positions.reset(sequence));
        published = end;
        history.cut();
        goOnBehindACut();
    }

    /// As a tailer that was told.
    private void goOnBehindACut() {
        if (isCut(acknowledged)) {
            commit(positions.reserved(), positions.nextSequence());
        }
        cuts.clear();
    }

    private boolean isCut(Value value) {
        return cuts.entrySet().stream()
                .anyMatch(cut -> value.position >= cut.getKey() && value.position <= cut.getValue());
    }

    private void beforeLog(SimulatedMedium medium, Operation operation) {
        checker.before(medium, operation);
        checkPairs();
        crashPerhaps(medium, operation, true);
    }

    private void beforeCursor(SimulatedMedium medium, Operation operation) {
        if (operation.kind() == Kind.STORE) {
            checkValue(value(medium.afterProcessCrash(operation, someOf(operation))));
        }
        checkPairs();
        crashPerhaps(medium, operation, false);
    }

    private void crashPerhaps(SimulatedMedium medium, Operation operation, boolean isLog) {
        if (operationsLeft-- > 0) {
            return;
        }
        boolean torn = operation.kind() == Kind.STORE && level == Durability.PROCESS;
        SimulatedMedium image = torn ? medium.afterProcessCrash(operation, someOf(operation)) : null;
        throw new Crash(isLog ? image : null, isLog ? null : image);
    }

    private long someOf(Operation store) {
        return 8 * random.nextLong(store.lengthBytes() / 8 + 1);
    }

    /// A crash leaves one of these of each.
    private void checkPairs() {
        checkPair(journal.medium().afterProcessCrash(), cursorMedium.afterProcessCrash());
        if (level != Durability.PROCESS) {
            journal.medium()
                    .afterPowerCuts(
                            2,
                            1,
                            random,
                            log -> cursorMedium.afterPowerCuts(
                                    4, 1, random, cursorFile -> checkPair(log.afterProcessCrash(), cursorFile)));
        }
    }

    private void checkPair(SimulatedMedium log, SimulatedMedium cursorFile) {
        pairs++;
        judgedCursor = cursorFile;
        FailedImage.check(log, () -> {
            new SimulatedJournal.Opening(log, journal.superblock()).recover();
            StateRecord state = SimulatedJournal.state(log, journal.superblock());
            Value found = value(cursorFile);
            checkValue(found);
            checkPlace(found, LogWalk.of(log::read, journal.superblock(), state), state);
        });
    }

    private void checkValue(Value found) {
        assertTrue(
                found.equals(acknowledged) || found.equals(attempted),
                () -> "found " + found + ", acknowledged " + acknowledged + ", under way " + attempted);
    }

    private void checkPlace(Value found, LogWalk walk, StateRecord state) {
        if (isCut(found)) {
            return;
        }
        assertTrue(
                state.retained() <= found.position,
                () -> "I14: given up to " + state.retained() + ", held at " + found);
        assertTrue(
                state.retained() <= Math.max(givenUpByHand, notKept()),
                () -> "retention keeps " + keptLengthBytes + " bytes before " + published + ": " + state);
        assertTrue(found.position <= state.lease(), () -> "I5: the log ends before " + found + ": " + state);
        for (LogWalk.Frame frame : walk.data()) {
            long next = frame.sequence() + frame.entries();
            boolean before = frame.position() + frame.length() <= found.position;
            assertTrue(
                    before ? next <= found.sequence : frame.position() >= found.position,
                    () -> found + " lies inside or before " + frame);
            assertTrue(before || frame.sequence() >= found.sequence, () -> found + " is not at " + frame);
        }
    }

    private static Value value(SimulatedMedium medium) {
        return value(new CursorLog(medium, NAME).found());
    }

    /// The number is in the time and in the user data: a record is whole, or another one.
    private static Value value(CursorRecord record) {
        Value value = new Value(record.position(), record.nextSequence(), record.timeNs());
        byte[] expected = value.number == 0 ? new byte[0] : data(value);
        assertEquals(MemorySegment.ofArray(expected).mismatch(MemorySegment.ofArray(record.userData())), -1, "torn");
        return value;
    }

    private static byte[] data(Value value) {
        byte[] data = new byte[(int) (value.number % 33)];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) (value.number * 31 + value.position / 64 + i);
        }
        return data;
    }

    private SimulatedMedium anyImage(SimulatedMedium medium, boolean power) {
        List<SimulatedMedium> images = new ArrayList<>();
        if (power) {
            medium.afterPowerCuts(16, 2, random, images::add);
        } else {
            images.add(medium.afterProcessCrash());
        }
        return images.get(random.nextInt(images.size()));
    }

    private static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1;
        private final transient @Nullable SimulatedMedium log;
        private final transient @Nullable SimulatedMedium cursor;

        Crash(@Nullable SimulatedMedium log, @Nullable SimulatedMedium cursor) {
            this.log = log;
            this.cursor = cursor;
        }
    }

    /// What failed, with the last operations, after leaving the log and the cursor's file that were judged together.
    ///
    /// @param directory made if it is not there
    AssertionError failed(Throwable found, Path directory) {
        return new AssertionError(
                checker.failed(found, directory).getMessage() + "; its cursor: "
                        + FailedImage.leave(
                                judgedCursor, directory.resolve("cursors").resolve(NAME)),
                found);
    }

    /// Pairs of images that were looked at.
    long pairs() {
        return pairs;
    }

    /// How often the cursor held the ring.
    int held() {
        return held;
    }

    /// How often the retention did.
    int refused() {
        return refused;
    }
}
