package io.fenceline.appender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fenceline.journal.AppendResult;
import io.fenceline.journal.Durability;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.JournalConfig;
import io.fenceline.journal.JournalException;
import io.fenceline.journal.PersistStrategy;
import io.fenceline.journal.TimestampMode;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.SimulatedMedium;
import io.fenceline.journal.persist.SimulatedMedium.Kind;
import io.fenceline.journal.positions.Positions;
import io.fenceline.journal.positions.SimulatedJournal;
import io.fenceline.journal.recovery.CutSeek;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The lives of one exclusive appender on a tiny ring, under a [CrashChecker]: singles, batches, claims, aborts,
/// rotation, laps, retention, truncation, reset; each life ends by a clean close, a process crash, a power cut or
/// a fault.
final class CrashWorkload {
    private static final int TYPE = 7;

    private final Steps steps;
    private final FullPolicy policy;
    private final int granularityBytes;
    private final int maximumPayload;
    private final SimulatedJournal journal;
    private final History history = new History();
    private final CrashChecker checker;
    private final JournalConfig config;
    private SplittableRandom random;
    private int runs;
    private Positions positions;
    private ExclusiveAppender appender;
    private boolean cuttingOften;

    /// @param granularityBytes frames are multiples of it (512: no sector is shared)
    /// @param steps            which to take, with their random numbers
    CrashWorkload(
            Durability level,
            Geometry geometry,
            FullPolicy policy,
            int granularityBytes,
            boolean garbage,
            Steps steps,
            CrashChecker.Budget budget) {
        this.steps = steps;
        this.random = steps.random(-1);
        this.policy = policy;
        this.granularityBytes = granularityBytes;
        this.maximumPayload = geometry.maximumPayloadLengthBytes();
        journal = SimulatedJournal.create(level, geometry);
        journal.medium().garbageSectors(garbage);
        checker = new CrashChecker(journal, level, history, random.split(), budget);
        config = JournalConfig.defaults().withFullPolicy(policy).withTimestampMode(TimestampMode.NONE);
        checker.checkNow(journal.medium());
        open();
    }

    /// @param cachesPersist whether the medium's caches survive a power cut
    CrashWorkload persistingBy(PersistStrategy strategy, boolean cachesPersist) {
        appender.close();
        assertTrue(positions.close());
        journal.medium().persistBy(strategy, cachesPersist);
        open();
        return this;
    }

    private void open() {
        journal.medium().observe(checker);
        positions = journal.open(config);
        history.recovered(journal.walk());
        checker.isRecovered();
        appender = ExclusiveAppender.open(positions);
        checker.checkNow(journal.medium());
    }

    /// Cuts the log again and again; every life ends inside a cut.
    CrashWorkload cuttingOften() {
        cuttingOften = true;
        return this;
    }

    /// Lives so many lives, each of which ends somehow, and one more, which ends in order.
    ///
    /// @param most steps of a life, nearly
    CrashChecker run(int lives, int most) {
        for (int life = 0; life <= lives; life++) {
            int first = life * 2 * most;
            int n = most / 8 + steps.random(first).nextInt(most);
            for (int i = 1; i <= n; i++) {
                if (begins(first + i)) {
                    step();
                }
            }
            if (life == lives) {
                closeInOrder();
                open();
            } else if (begins(first)) {
                endLife();
                open();
            }
        }
        endWriter();
        return checker;
    }

    private boolean begins(int step) {
        boolean begins = steps.takes(step);
        if (begins) {
            random = steps.random(step);
            checker.sampleBy(random.split());
        }
        return begins;
    }

    private void endLife() {
        switch (cuttingOften ? 5 + random.nextInt(3) : random.nextInt(8)) {
            case 5 -> crashInCut(this::truncate, false);
            case 6 -> crashInCut(this::truncate, true);
            case 7 -> crashInCut(this::reset, random.nextBoolean());
            case 0 -> closeInOrder();
            case 1 -> {
                poison();
                processCrash();
            }
            case 2 -> crashInAppend(false);
            case 3 -> crashInAppend(true);
            default -> processCrash();
        }
    }

    private void closeInOrder() {
        steps.say("clean close");
        appender.close();
        assertTrue(positions.close());
        checker.checkNow(journal.medium());
    }

    private void step() {
        switch (cuttingOften && random.nextInt(5) == 0 ? 4 : random.nextInt(11)) {
            case 0 -> batch();
            case 1 -> claim();
            case 2 -> retain();
            case 3 -> run();
            case 5 -> rotate();
            case 4 -> {
                if (random.nextInt(3) == 0) {
                    truncate();
                } else if (random.nextInt(8) == 0) {
                    reset();
                }
            }
            default -> append(payload(), null);
        }
    }

    /// Cuts at a frame, or at the end, by its position or by its sequence; the appender stays open.
    private void truncate() {
        long end = journalPublished();
        List<Long> frames = history.positions(positions.run().retained());
        long from = frames.isEmpty() || random.nextInt(8) == 0 ? end : frames.get(random.nextInt(frames.size()));
        // Where a power cut has taken something, a way by sequence, and into a damaged segment, may be refused.
        boolean damaged = checker.wholeFrom() > positions.run().retained();
        if (damaged && positions.geometry().segmentStart(from) < checker.wholeFrom()) {
            return;
        }
        long sequence = from == end ? positions.nextSequence() : history.sequence(from);
        boolean bySequence = random.nextBoolean() && !damaged;
        int epoch = positions.epoch();
        steps.say("truncate from " + from + (bySequence ? " by its sequence" : ""));
        history.cutting(from);
        CutSeek seek = new CutSeek(journal.medium()::read, journal.superblock());
        positions.truncate((retained, last, next) ->
                bySequence ? seek.sequence(sequence, retained, last, next) : seek.position(from, retained, last, next));
        history.cut();
        assertEquals(from == end ? epoch : epoch + 1, positions.epoch());
        assertEquals(end, appender.position(), "positions are not used again");
        assertEquals(sequence, appender.nextSequence(), "sequences go on from the cut");
    }

    private void reset() {
        long sequence = random.nextInt(1000);
        steps.say("reset to " + sequence);
        history.cutting(0);
        long position = positions.reset(sequence);
        history.cut();
        assertEquals(position, appender.position());
        assertEquals(position, positions.run().retained());
        assertEquals(sequence, appender.nextSequence());
    }

    /// The crash comes before one of the first operations of a cut.
    private void crashInCut(Runnable cut, boolean power) {
        int[] left = {random.nextInt(16)};
        steps.say((power ? "power cut" : "process crash") + " before operation " + left[0] + " of what follows");
        crashBefore(operation -> left[0]-- == 0, power, () -> {
            cut.run();
            journal.medium().observe(checker);
            processCrash();
        });
    }

    /// The crash comes between the stores and the drain of an append.
    private void crashInAppend(boolean power) {
        steps.say((power ? "power cut" : "process crash") + " before the next drain");
        crashBefore(operation -> operation.kind() == Kind.DRAIN, power, () -> {
            do {
                if (random.nextBoolean()) {
                    run();
                } else {
                    append(payload(), null);
                }
            } while (true);
        });
    }

    /// Runs something that is cut short before the first operation that matches, if one does.
    private void crashBefore(Predicate<SimulatedMedium.Operation> match, boolean power, Runnable work) {
        AtomicReference<@Nullable SimulatedMedium> found = new AtomicReference<>();
        journal.medium().observe((medium, operation) -> {
            checker.before(medium, operation);
            if (match.test(operation)) {
                found.set(power ? anyImage(medium) : medium.afterProcessCrash());
                throw new CrashException();
            }
        });
        try {
            work.run();
        } catch (CrashException e) {
            SimulatedMedium medium = Objects.requireNonNull(found.get());
            if (power) {
                powerCut(medium);
            } else {
                processCrash(medium);
            }
        }
    }

    /// The writer's threads end, and nothing is written.
    private void endWriter() {
        journal.medium().observe((medium, operation) -> {});
        positions.poison(new IllegalStateException("crashed"));
        assertTrue(positions.close());
    }

    private void processCrash() {
        steps.say("process crash");
        processCrash(journal.medium().afterProcessCrash());
    }

    private void processCrash(SimulatedMedium found) {
        endWriter();
        journal.processCrash(found);
        checker.checkNow(found);
    }

    private void powerCut(SimulatedMedium found) {
        endWriter();
        journal.powerCut(found);
        checker.powerWasCut();
    }

    /// One of the images of a power cut, by lot.
    private SimulatedMedium anyImage(SimulatedMedium medium) {
        List<SimulatedMedium> images = new ArrayList<>();
        medium.afterPowerCuts(16, 2, random, images::add);
        return images.get(random.nextInt(images.size()));
    }

    private static final class CrashException extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /// I15: after the first fault nothing is acknowledged, and the journal is not closed in order.
    private void poison() {
        Kind[] kinds = journal.medium().level() == Durability.DEVICE
                ? new Kind[] {Kind.STORE, Kind.DRAIN}
                : new Kind[] {Kind.STORE};
        Kind kind = kinds[random.nextInt(kinds.length)];
        int n = 1 + random.nextInt(3);
        steps.say(kind + " number " + n + " from here fails");
        journal.medium().failAt(kind, n);
        JournalException.Io fault = assertThrows(JournalException.Io.class, () -> {
            for (int i = 0; i < 4; i++) {
                append(payload(), null);
                retain();
            }
        });
        assertTrue(String.valueOf(fault.getMessage()).contains(kind.name()));
        History.Attempt first = history.underWay();
        long operations = journal.medium().count();
        assertThrows(JournalException.Poisoned.class, () -> appender.append(MemorySegment.ofArray(new byte[1])));
        appender.close();
        assertTrue(positions.close());
        assertEquals(operations, journal.medium().count(), "I15: something was written after the fault");
        assertEquals(first, history.underWay());
    }

    private void append(byte[] payload, @Nullable Claim claim) {
        steps.say("append " + payload.length);
        history.attempt(positions.epoch(), positions.nextSequence(), List.of(payload), TYPE);
        long position;
        if (claim == null) {
            position = appender.append(MemorySegment.ofArray(payload), TYPE, 0);
        } else {
            MemorySegment.copy(payload, 0, claim.buffer(), ValueLayout.JAVA_BYTE, claim.offset(), payload.length);
            position = claim.commit(TYPE, 0);
        }
        history.returned(position);
        if (position == AppendResult.FULL) {
            assertEquals(FullPolicy.FAIL, policy);
            if (claim != null) {
                claim.abort();
            }
            positions.retain(journalPublished());
        } else {
            assertTrue(position >= 0, () -> AppendResult.describe(position));
        }
    }

    /// Goes to the next segment: behind a PAD of some slots, or by an exact fit.
    private void rotate() {
        int segment = positions.geometry().segmentLengthBytes();
        int frame = granularityBytes == 64 ? 832 : 2 * granularityBytes;
        for (int i = 0; i < segment / frame; i++) {
            if (segment - appender.position() % segment <= frame + 128) {
                break;
            }
            append(bytes(frame - 48), null);
        }
        append(granularityBytes == 64 ? bytes(random.nextInt(maximumPayload + 1)) : payload(), null);
    }

    private void batch() {
        List<byte[]> payloads = new ArrayList<>();
        Batch batch = appender.batch();
        int n = 1 + random.nextInt(4);
        int left = granularityBytes - 40;
        for (int i = 0; i < n; i++) {
            int length = granularityBytes == 64 ? random.nextInt(60) : i < n - 1 ? 8 : left - 8;
            left -= 8 + length;
            byte[] payload = bytes(length);
            payloads.add(payload);
            assertTrue(batch.add(MemorySegment.ofArray(payload), TYPE));
        }
        steps.say("batch of " + n);
        history.attempt(positions.epoch(), positions.nextSequence(), payloads, TYPE);
        long position = batch.commit(0);
        history.returned(position);
        if (position < 0) {
            batch.abort();
            positions.retain(journalPublished());
        }
    }

    /// What group commit does with more than one frame takes: several frames, one drain.
    private void run() {
        FrameRun run = appender.run(Integer.MAX_VALUE);
        List<List<byte[]>> frames = new ArrayList<>();
        int n = 2 + random.nextInt(8);
        for (int i = 0; i < n; i++) {
            byte[] payload = granularityBytes == 64
                    ? bytes(random.nextInt(random.nextBoolean() ? maximumPayload + 1 : 300))
                    : bytes(2 * granularityBytes - 48);
            if (!run.hasRoom(payload.length)) {
                break;
            }
            run.add(MemorySegment.ofArray(payload), payload.length, TYPE);
            if (run.frames() > frames.size()) {
                frames.add(new ArrayList<>());
            }
            frames.getLast().add(payload);
        }
        steps.say("run of " + frames.size());
        history.attemptRun(positions.epoch(), positions.nextSequence(), frames, TYPE);
        long position = appender.commit(run, 0);
        long[] places = new long[frames.size()];
        Arrays.setAll(places, i -> position < 0 ? position : run.position(i));
        history.returned(places);
        runs += frames.size() > 1 ? 1 : 0;
        if (position < 0) {
            positions.retain(journalPublished());
        }
    }

    /// Commits of more than one frame so far.
    int runs() {
        return runs;
    }

    private void claim() {
        byte[] payload = payload();
        Claim claim = appender.claim(payload.length);
        if (random.nextInt(4) == 0) {
            steps.say("abort " + payload.length);
            claim.abort();
        } else {
            append(payload, claim);
        }
    }

    private void retain() {
        long before = positions.run().retained();
        long position = before + random.nextLong(journalPublished() - before + 1);
        steps.say("retain " + position);
        long retained = positions.retain(position);
        assertTrue(retained <= Math.max(before, position), "I1: gave up more than it was asked to");
    }

    private long journalPublished() {
        return positions.run().published();
    }

    private byte[] payload() {
        if (granularityBytes != 64) {
            return bytes(granularityBytes * (1 + random.nextInt(2)) - 48);
        }
        return bytes(
                switch (random.nextInt(8)) {
                    case 0 -> 0;
                    case 1 -> 16;
                    case 2 -> 17;
                    case 3 -> random.nextInt(200);
                    case 4 -> random.nextInt(maximumPayload + 1);
                    default -> random.nextInt(17);
                });
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    CrashChecker checker() {
        return checker;
    }
}
