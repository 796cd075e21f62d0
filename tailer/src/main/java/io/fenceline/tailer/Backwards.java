package io.fenceline.tailer;

import io.fenceline.journal.JournalException;
import io.fenceline.journal.format.FrameDescriptor;
import io.fenceline.journal.format.FrameVerdict;
import io.fenceline.journal.format.Geometry;
import io.fenceline.journal.persist.UsualFrames;
import io.fenceline.journal.positions.LogView;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A tailer's way back. Frames have no back links; so *copy a stretch that ends here → index it forwards, from the
/// first slot that certifies itself → dispatch it in reverse*.
///
///     +---------------+----------------------------------------+
///     |  (not read)   |   ?   | frame | frame | frame | frame  |  end
///     +---------------+----------------------------------------+
///                     copied  first that certifies ─▶ index ─▶ ◀─ dispatch
///
/// What is in front of the first one belongs to a frame that began earlier: the next stretch ends there. Where no
/// frame begins in a stretch, the last one before it is looked for slot by slot, which is less than reading it.
/// One thread.
final class Backwards {
    private static final long UNKNOWN = Forwards.UNKNOWN;

    /// Copied at once. Some frames of a usual length, and it stays in the second-level cache.
    private static final int STRETCH_LENGTH_BYTES = 16 << 10;

    private final LogView view;
    private final Geometry geometry;
    private final Forwards forwards;
    private final Judge judge;
    private final Judge certifier;
    private final UsualFrames usualFrames;
    private final Window window;
    private final Slots slots;
    private final @Nullable Damage damage;
    private final Entry entry;
    private MemorySegment bytes;

    /// Where the tailer stood when the last entry was delivered: if it stands elsewhere, it was moved.
    private long position = UNKNOWN;

    private long sequence = UNKNOWN;

    /// Of the log when frames were indexed: what is indexed may have been cut off since.
    private long generation;

    /// Everything from here on was delivered or begun.
    private long end;

    /// Where the window has the frames that are indexed and not begun.
    private int[] frames = new int[STRETCH_LENGTH_BYTES / FrameDescriptor.SLOT_LENGTH_BYTES];

    private int frameCount;

    /// Where the window has the stretch's first byte in the stream.
    private long stretchStart;

    /// The frame that is being delivered, where its entries lie, and how many are left.
    private int frameOffset;

    private long frameSequence;
    private int[] entries = new int[16];
    private int entriesLeft;
    private @Nullable SkippedRange skipped;

    Backwards(LogView view, TailerConfig config, Forwards forwards) {
        this.view = view;
        this.geometry = view.superblock().geometry();
        this.forwards = forwards;
        this.judge = new Judge(view.superblock(), config.verifyChecksums());
        this.certifier = new Judge(view.superblock(), true);
        this.usualFrames = new UsualFrames(view.superblock(), config.verifyChecksums());
        this.window = new Window(view, null);
        this.slots = new Slots(view);
        this.damage = Damage.of(view, config.damageHandler());
        this.bytes = window.bytes();
        this.entry = new Entry(bytes.asReadOnly());
    }

    /// As [Tailer#pollBackwards], without a filter.
    int poll(EntryHandler handler, int limit) {
        if (!forwards.start()) {
            return limit == 0 ? 0 : Window.CLOSED;
        }
        int changed = forwards.lookForCut();
        if (changed != Window.COPIED) {
            return changed;
        }
        int delivered = 0;
        while (delivered < limit && !forwards.isStopped()) {
            if (forwards.position() != position
                    || forwards.nextSequence() != sequence
                    || forwards.generation() != generation) {
                forget();
            }
            if (forwards.isBeingCut()) {
                return delivered;
            }
            if (entriesLeft == 0) {
                int result = nextFrame(delivered > 0);
                if (damage != null && skipped != null) {
                    SkippedRange range = skipped;
                    skipped = null;
                    damage.report(range);
                }
                if (result == Window.CHANGED) {
                    result = delivered > 0 ? Window.EMPTY : forwards.lookForCut();
                }
                if (result != Window.COPIED) {
                    return delivered > 0 ? delivered : result;
                }
                continue; // unless somebody moved the tailer
            }
            int index = --entriesLeft;
            sequence = frameSequence + index;
            position = FrameDescriptor.position(bytes, frameOffset);
            entry.show(frameOffset, entries[index], index, sequence);
            int epoch = FrameDescriptor.epoch(bytes, frameOffset);
            if (delivered++ == 0) {
                forwards.stand(position, sequence, index, epoch);
            } else {
                forwards.retreat(position, sequence, index, epoch);
            }
            handler.onEntry(entry);
        }
        return delivered;
    }

    /// Begins anew where the tailer stands now.
    void forget() {
        position = forwards.position();
        sequence = forwards.nextSequence();
        generation = forwards.generation();
        end = UNKNOWN;
        frameCount = 0;
        entriesLeft = 0;
    }

    /// Begins the frame before.
    ///
    /// @param mustReturn whether what cannot be delivered is left to the next poll
    /// @return [Window#COPIED] if the caller should go on, else the result of the poll
    private int nextFrame(boolean mustReturn) {
        try {
            if (end == UNKNOWN) {
                return beginInside();
            }
            if (frameCount > 0) {
                beginFrame(frames[--frameCount]);
                return Window.COPIED;
            }
            return nextStretch(mustReturn);
        } catch (Slots.Overtaken e) {
            return isCut() ? Window.CHANGED : Window.COPIED; // there is less to read now
        } catch (IllegalStateException e) {
            return Window.CLOSED; // the shared words, or the mapping, have ended
        } catch (JournalException e) {
            if (mustReturn) {
                return Window.EMPTY;
            }
            throw e;
        }
    }

    /// The tailer may stand in the middle of a batch: then the entries before that come first.
    private int beginInside() {
        int copied = sequence == UNKNOWN ? Window.EMPTY : copy(position, 0);
        boolean inside = copied > 0
                && FrameVerdict.ofHeader(bytes, 0, position, geometry, 0, Integer.MAX_VALUE) == FrameVerdict.DATA
                && FrameDescriptor.kind(bytes, 0) == FrameDescriptor.KIND_DATA
                && FrameDescriptor.sequence(bytes, 0) < sequence;
        if (inside) {
            int whole = Judge.wholeLength(bytes, 0);
            copied = whole <= copied ? copied : copy(position, whole);
            FrameVerdict found = whole <= copied ? judge.judge(window.buffer(), bytes, 0) : FrameVerdict.BAD_LENGTH;
            if (copied > 0 && found != FrameVerdict.DATA && damage == null) {
                throw Refusal.of(found, bytes, view, position, 0, judge.computedChecksum());
            }
            inside = found == FrameVerdict.DATA;
        }
        if (copied == Window.CLOSED || copied == Window.CHANGED) {
            return copied;
        }
        end = Math.min(position, view.published());
        if (inside) {
            long before = sequence - FrameDescriptor.sequence(bytes, 0);
            if (before <= FrameDescriptor.entries(bytes, 0)) {
                beginFrame(0);
                entriesLeft = (int) before;
            }
        }
        return Window.COPIED;
    }

    /// Indexes the entries of a valid frame; a frame of another kind has none.
    private void beginFrame(int at) {
        end = FrameDescriptor.position(bytes, at);
        if (FrameDescriptor.kind(bytes, at) != FrameDescriptor.KIND_DATA) {
            return;
        }
        int count = FrameDescriptor.entries(bytes, at);
        if (count > entries.length) {
            entries = new int[Math.max(count, Math.min(2 * entries.length, FrameDescriptor.MAXIMUM_ENTRIES))];
        }
        int entryAt = at + FrameDescriptor.HEADER_LENGTH_BYTES;
        for (int i = 0; i < count; i++) {
            entries[i] = entryAt;
            entryAt += FrameDescriptor.entryLength(FrameDescriptor.entryPayloadLength(bytes, entryAt));
        }
        frameOffset = at;
        frameSequence = FrameDescriptor.sequence(bytes, at);
        entriesLeft = count;
    }

    /// Indexes frames that end at [#end], or gets past what is none.
    ///
    /// @return [Window#EMPTY] if nothing older is retained, [Window#COPIED] to go on, or as [Window#copy]
    private int nextStretch(boolean mustReturn) {
        long retained = view.retained();
        end = Math.min(end, view.published());
        if (end <= retained) {
            return isCut() ? Window.CHANGED : Window.EMPTY;
        }
        long floor = Math.max(retained, geometry.segmentStart(end - 1));
        long start = Math.max(floor, end - STRETCH_LENGTH_BYTES);
        int length = (int) (end - start);
        int copied = copy(start, length);
        if (copied < length) {
            return copied < 0 && copied != Window.OVERRUN ? copied : Window.COPIED;
        }
        int first = certified(0, length);
        if (first < length) {
            index(first, length, mustReturn);
            return Window.COPIED;
        }
        start = slots.last(floor, end);
        long next = start == Slots.LOST ? floor : slots.next();
        if (next < end) {
            long before = start == Slots.LOST ? UNKNOWN : slots.sequence() + slots.entries();
            skipDamage(next, FrameVerdict.EMPTY, before, mustReturn);
            return Window.COPIED;
        }
        length = (int) (end - start);
        int needed = slots.kind() == FrameDescriptor.KIND_PAD ? FrameDescriptor.SLOT_LENGTH_BYTES : length;
        copied = copy(start, needed);
        if (copied < needed) {
            return copied < 0 && copied != Window.OVERRUN ? copied : Window.COPIED;
        }
        index(0, length, mustReturn);
        return Window.COPIED;
    }

    /// Whether the end of the log was cut off since the tailer looked.
    private boolean isCut() {
        return view.generation() != forwards.generation();
    }

    /// Indexes the frames of the stretch from one that is valid on. Only those behind the last damage count, unless
    /// that reaches up to the end.
    private void index(int first, int length, boolean mustReturn) {
        int at = first;
        int epoch = 0;
        long nextSequence = 0;
        int count = 0;
        int runEnd = first; // up to there, frames were judged as a run
        while (at < length) {
            if (count == frames.length) {
                frames = Arrays.copyOf(frames, 2 * count);
            }
            if (at < runEnd) {
                frames[count++] = at;
                nextSequence++;
                at += Judge.distance(bytes, at);
                continue;
            }
            FrameVerdict found = judge(judge, at, length, epoch, nextSequence);
            if (!found.isValid()) {
                int behind = certified(at + FrameDescriptor.SLOT_LENGTH_BYTES, length);
                if (behind == length) {
                    skipDamage(stretchStart + at, found, count == 0 ? UNKNOWN : nextSequence, mustReturn);
                    break;
                }
                at = behind;
                epoch = 0;
                nextSequence = 0;
                count = 0;
                continue;
            }
            frames[count++] = at;
            epoch = FrameDescriptor.epoch(bytes, at);
            if (found != FrameVerdict.SKIPPABLE) {
                nextSequence = FrameDescriptor.sequence(bytes, at)
                        + (found == FrameVerdict.DATA ? FrameDescriptor.entries(bytes, at) : 0);
            }
            boolean one = found == FrameVerdict.DATA && FrameDescriptor.entries(bytes, at) == 1;
            long attributes = FrameDescriptor.attributes(bytes, at);
            at += Judge.distance(bytes, at);
            if (one && at < length) {
                runEnd = at
                        + usualFrames.lengthBytes(
                                bytes, window.buffer(), at, length, stretchStart + at, nextSequence, attributes, 0);
            }
        }
        frameCount = count;
    }

    private FrameVerdict judge(Judge judge, int at, int length, int epoch, long nextSequence) {
        FrameVerdict found = FrameVerdict.ofHeader(bytes, at, stretchStart + at, geometry, epoch, Integer.MAX_VALUE);
        if (found != FrameVerdict.DATA) {
            return found;
        }
        // Where the end of the log was cut off, a PAD on every slot leads to the end of the cut, and the tailer may
        // stand in it.
        boolean leads = FrameDescriptor.kind(bytes, at) == FrameDescriptor.KIND_PAD
                && (FrameDescriptor.flags(bytes, at) & FrameDescriptor.FLAG_SEAL) != 0;
        if (Judge.distance(bytes, at) > length - at && !leads) {
            return FrameVerdict.BAD_LENGTH;
        }
        found = judge.judge(window.buffer(), bytes, at);
        boolean goesBack = found == FrameVerdict.DATA && FrameDescriptor.sequence(bytes, at) < nextSequence;
        return goesBack ? FrameVerdict.BAD_SEQUENCE : found;
    }

    /// Where the window has the first frame from a slot on that certifies itself, `length` if there is none.
    private int certified(int from, int length) {
        int at = from;
        while (at < length && !(claims(at) && judge(certifier, at, length, 0, 0).isValid())) {
            at += FrameDescriptor.SLOT_LENGTH_BYTES;
        }
        return at;
    }

    private boolean claims(int at) {
        return FrameDescriptor.position(bytes, at) == stretchStart + at;
    }

    /// Goes on before what is damaged up to [#end], or refuses it.
    ///
    /// @param before sequence of the next entry at the start of the damage
    private void skipDamage(long from, FrameVerdict found, long before, boolean mustReturn) {
        if (view.retained() > from || isCut()) {
            throw new Slots.Overtaken();
        }
        JournalException.Corrupt problem = Refusal.ofRange(view, from, end, found);
        if (damage == null || mustReturn) {
            throw problem;
        }
        long to = end;
        long behind = sequence;
        end = from;
        sequence = before;
        position = from;
        forwards.stand(from, before, 0, 0);
        skipped = Damage.range(from, to, before, behind, problem);
    }

    /// @param length bytes; 0 for some
    private int copy(long from, int length) {
        window.bound(length == 0 ? Long.MAX_VALUE : from + length);
        int copied = window.copy(from, length, forwards.generation());
        if (bytes.byteSize() != window.bytes().byteSize()) {
            bytes = window.bytes();
            entry.buffer(bytes.asReadOnly());
        }
        stretchStart = from;
        frameCount = 0;
        entriesLeft = 0;
        return copied;
    }
}
