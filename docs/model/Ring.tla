--------------------------------- MODULE Ring ---------------------------------
(***************************************************************************)
(* Rotation, lease, epoch and `retained` of a Fenceline journal, with the  *)
(* persistency of its medium: appenders, a tailer in another process,      *)
(* process crashes, power cuts, and recovery, which may be cut, too.       *)
(*                                                                         *)
(* Actions have the names of the code's steps:                             *)
(*   Reserve, InstallNextBase, EnterNextSegment,                           *)
(*   Published, Offer, Advance                               Reservations  *)
(*   Admit, StoreRecord, DrainRecord                Positions, StateKeeper *)
(*   Store, Drain                                            Persister     *)
(*   Copy, Validate                                          Tailer        *)
(*   Scan, PersistRecord, Rewrite, Seal, DrainSeals, OpenEpoch, SyncEpoch  *)
(*                                             Recovery, StateKeeper#open  *)
(*                                                                         *)
(* Reduced, and why that loses nothing:                                    *)
(*  - a position is a slot number, a lap is `Capacity` slots;              *)
(*  - the checks in front of the reservation's CAS and the CAS are one     *)
(*    action: a CAS that succeeds proves that the word is what was checked, *)
(*    and what is granted (freeEnd, published, base of a tag) only grows;  *)
(*  - so are a look at a full word and the CAS on the base: a late look    *)
(*    changes nothing;                                                     *)
(*  - a frame that is stored, or persisted, in part is as if its slots held *)
(*    what was there before: neither certifies at that position;           *)
(*  - a state record is there or not: its mirrors and pairs are the crash  *)
(*    checker's business;                                                  *)
(*  - tags and positions do not wrap; `leaseSeen` is part of `extension`.  *)
(*                                                                         *)
(* `Fault` breaks one rule; then the checker must find a counter-example.  *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets, TLC

CONSTANTS
    Threads,        \* appenders
    Tailing,        \* whether there is a tailer
    SegmentSlots,   \* slots of a segment
    Segments,       \* of the ring
    Laps,           \* how far the log may go
    Lengths,        \* of frames, in slots
    Stride,         \* by which the lease goes ahead
    Crashes,        \* at most so many process crashes and power cuts
    Process,        \* level PROCESS: drains do nothing; else MEMORY
    Fault           \* the broken rule, or "none"

ASSUME Segments >= 2 /\ \A n \in Lengths : n \in 1..2 /\ n <= SegmentSlots

Capacity == SegmentSlots * Segments
LogEnd == Laps * Capacity
Slots == 0..(Capacity - 1)
Span == Capacity
None == -1
Max(a, b) == IF a > b THEN a ELSE b
Min(a, b) == IF a < b THEN a ELSE b
SegmentStart(p) == p - (p % SegmentSlots)
SegmentEnd(p) == SegmentStart(p) + SegmentSlots
RoundUp(p) == SegmentStart(p + SegmentSlots - 1)

VARIABLES
    mem,        \* what a process reads: the content of each slot of the ring
    may,        \* what a power cut may leave: contents of each slot
    record,     \* the newest state record that a process reads; also the keeper's master copy
    mayRecord,  \* the records of which a power cut leaves one as the newest
    word,       \* reservation word: segment, entries in it, slots taken in it
    base,       \* where the current segment begins: segment, sequence
    published, retained,    \* shared words of journal.run
    avail,      \* availability ring: absolute ends
    freeEnd,    \* granted by Admit
    candidates, \* pairs (position, sequence) that may become the floor
    promoted,   \* the newest of them that is published
    extension,  \* the record that is being written, with whoever writes it, or none
    thread,     \* of each appender: where it is, and what it owns
    tailer,     \* of the tailer: where it is, and its private copy
    phase,      \* of the writer's process: "run", "down", or a step of recovery
    plan,       \* what recovery has concluded
    boot,       \* of the machine; a power cut ends it
    crashes,
    acked,      \* frames whose append has returned
    shown,      \* frames that the tailer has delivered
    stored,     \* frames that were stored, ever
    lost,       \* frames that a recovery did not keep
    problem     \* what must never be

vars == <<mem, may, record, mayRecord, word, base, published, retained, avail, freeEnd, candidates, promoted,
          extension, thread, tailer, phase, plan, boot, crashes, acked, shown, stored, lost, problem>>

ring == <<mem, may>>
records == <<record, mayRecord, extension>>
granting == <<freeEnd, candidates, promoted>>
reserving == <<word, base>>
history == <<acked, shown, stored, lost, problem>>
outside == <<phase, plan, boot, crashes>>

-------------------------------------------------------------------------------
(* Frames *)

Junk == <<None, 0, 0, 0, 0, "junk">>
Part(p, i, n, s, e, k) == <<p, i, n, s, e, k>>
PositionOf(c) == c[1]
LengthOf(c) == c[3]
SequenceOf(c) == c[4]
EpochOf(c) == c[5]
KindOf(c) == c[6]

(* FrameVerdict: exact position, epoch in range, and a checksum over all of it. A PAD certifies its first slot. *)
Valid(m, p, least, most) ==
    LET c == m[p % Capacity] IN
        /\ PositionOf(c) = p
        /\ c[2] = 0
        /\ EpochOf(c) >= least /\ EpochOf(c) <= most
        /\ KindOf(c) = "data" =>
              \A i \in 1..(LengthOf(c) - 1) :
                  m[(p + i) % Capacity] = Part(p, i, LengthOf(c), SequenceOf(c), EpochOf(c), "data")

Frame(m, p) == m[p % Capacity]

(* The frames of [from, to), and whether each slot of it belongs to one. *)
RECURSIVE Walk(_, _, _, _, _)
Walk(m, from, to, least, r) ==
    IF from >= to THEN [frames |-> {}, whole |-> from = to]
    ELSE LET floorEpoch == IF from >= r.epochStart THEN r.epoch ELSE least IN
         IF ~Valid(m, from, floorEpoch, r.epoch) THEN [frames |-> {}, whole |-> FALSE]
         ELSE LET c == Frame(m, from)
                  rest == Walk(m, from + LengthOf(c), to, EpochOf(c), r)
              IN [frames |-> rest.frames \cup (IF KindOf(c) = "data" THEN {c} ELSE {}), whole |-> rest.whole]

(* A power cut under PROCESS may have taken anything that was there before it. *)
LogStart == IF Process /\ boot > 0 THEN record.epochStart ELSE retained
Log == Walk(mem, LogStart, published, 0, record)

-------------------------------------------------------------------------------
Idle == [pc |-> "idle", start |-> 0, length |-> 0, seq |-> 0, kind |-> "data", full |-> <<0, 0, 0>>]
AtRest == [pc |-> "idle", at |-> 0, copy |-> Junk, seen |-> 0]
NoExtension == [by |-> "nobody"]
NoPlan == [keptEnd |-> 0, seals |-> {}, next |-> 0, sealed |-> {}]

NewRecord(lease, floor, seq, ret, epoch, start, cuts) ==
    [lease |-> lease, floor |-> floor, floorSeq |-> seq, retained |-> ret, epoch |-> epoch, epochStart |-> start,
     boot |-> cuts]

Init ==
    /\ mem = [s \in Slots |-> Junk]
    /\ may = [s \in Slots |-> {Junk}]
    /\ record = NewRecord(0, 0, 0, 0, 1, 0, 0)
    /\ mayRecord = {record}
    /\ word = <<0, 0, 0>>
    /\ base = <<0, 0>>
    /\ published = 0
    /\ retained = 0
    /\ avail = [s \in 0..(Span - 1) |-> 0]
    /\ freeEnd = 0
    /\ candidates = {}
    /\ promoted = <<0, 0>>
    /\ extension = NoExtension
    /\ thread = [t \in Threads |-> Idle]
    /\ tailer = AtRest
    /\ phase = "run"
    /\ plan = NoPlan
    /\ boot = 0
    /\ crashes = 0
    /\ acked = {} /\ shown = {} /\ stored = {} /\ lost = {}
    /\ problem = "none"

-------------------------------------------------------------------------------
(* Reservations *)

Segment(w) == w[1]
Entries(w) == w[2]
Taken(w) == w[3]
IsFull(w) == Taken(w) = SegmentSlots
WordPosition == base[1] * SegmentSlots + Taken(word)
WordSequence == base[2] + Entries(word)
BaseIsCurrent == base[1] = Segment(word)

IsGranted(end) ==
    \/ end <= freeEnd
    \/ extension.by # "nobody" /\ end <= extension.leaseSeen      \* isGrantedMeanwhile

Room(n) == IF Taken(word) + n <= SegmentSlots THEN n ELSE SegmentSlots - Taken(word)

Reserve(t, n) ==
    /\ thread[t].pc = "idle" /\ ~IsFull(word) /\ BaseIsCurrent
    /\ LET start == WordPosition
           length == Room(n)
           fits == length = n
       IN /\ start + n <= LogEnd
          /\ IsGranted(start + length)
          /\ start < published + Span
          /\ word' = <<Segment(word), Entries(word) + (IF fits THEN 1 ELSE 0), Taken(word) + length>>
          /\ thread' = [thread EXCEPT ![t] =
                [@ EXCEPT !.pc = "store", !.start = start, !.length = length, !.seq = WordSequence,
                          !.kind = IF fits THEN "data" ELSE "pad"]]
    /\ UNCHANGED <<ring, records, base, published, retained, avail, granting, tailer, outside, history>>

(* Only in the broken variant: a look at the full word that is late. *)
SeeFull(t) ==
    /\ Fault = "next base from the live word"
    /\ thread[t].pc = "idle" /\ IsFull(word) /\ (Segment(word) + 1) * SegmentSlots < LogEnd
    /\ thread' = [thread EXCEPT ![t].pc = "rotate", ![t].full = word, ![t].seq = base[2]]
    /\ UNCHANGED <<ring, records, reserving, published, retained, avail, granting, tailer, outside, history>>

AddCandidate(p, s) ==
    IF (\A c \in candidates \cup {promoted} : p > c[1]) THEN candidates \cup {<<p, s>>} ELSE candidates

(* The frozen word gives everybody the same base; its start is a candidate for the floor. *)
InstallNextBase(t) ==
    /\ extension.by = "nobody"       \* Positions#candidate takes the monitor
    /\ LET late == thread[t].pc = "rotate"
           full == IF late THEN thread[t].full ELSE word
       IN /\ late \/ (thread[t].pc = "idle" /\ IsFull(word) /\ (Segment(word) + 1) * SegmentSlots < LogEnd)
          /\ IF base[1] = Segment(full) \/ late
             THEN /\ base' = <<Segment(full) + 1, IF late THEN thread[t].seq + Entries(word) ELSE base[2] + Entries(full)>>
                  /\ candidates' = AddCandidate(base'[1] * SegmentSlots, base'[2])
             ELSE UNCHANGED <<base, candidates>>
          /\ thread' = [thread EXCEPT ![t].pc = "enter", ![t].full = full]
    /\ UNCHANGED <<ring, records, word, published, retained, avail, freeEnd, promoted, tailer, outside, history>>

EnterNextSegment(t) ==
    /\ thread[t].pc = "enter"
    /\ LET full == thread[t].full IN
       IF base[1] = Segment(full) + 1 /\ (word = full \/ Fault = "rotation without a CAS")
       THEN word' = <<base[1], 0, 0>>
       ELSE UNCHANGED word
    /\ thread' = [thread EXCEPT ![t] = Idle]
    /\ UNCHANGED <<ring, records, base, published, retained, avail, granting, tailer, outside, history>>

-------------------------------------------------------------------------------
(* Positions#admit and StateKeeper: one thread in the monitor. The shared `retained` is stored before the record. *)

Newest(set) == CHOOSE c \in set : \A d \in set : d[1] <= c[1]

Admit(t, n) ==
    /\ thread[t].pc = "idle" /\ ~IsFull(word) /\ BaseIsCurrent
    /\ extension.by = "nobody"
    /\ LET start == WordPosition
           end == start + Room(n)
           all == AddCandidate(start, WordSequence)
           ready == {c \in all : c[1] <= published \/ Fault = "floor ahead of published"}
           top == IF ready = {} THEN promoted ELSE Newest(ready)
           floor == Max(record.floor, top[1])
           floorSeq == IF top[1] > record.floor THEN top[2] ELSE record.floorSeq
           ret == IF end > record.retained + Capacity
                  THEN Max(record.retained, RoundUp(end - Capacity)) ELSE record.retained
           ahead == Max(record.lease, Max(end, start + Stride))
           lease == IF Fault = "lease not bounded by retained" THEN ahead ELSE Min(ahead, ret + Capacity)
           free == Max(end, IF lease = ret + Capacity THEN lease ELSE lease - (Stride \div 2))
       IN /\ start + n <= LogEnd
          /\ ~IsGranted(end)
          /\ ret <= floor \/ Fault = "retained past the floor"      \* else NOT_YET_PUBLISHED
          /\ candidates' = {c \in all : c[1] > top[1]}
          /\ promoted' = top
          /\ retained' = IF Fault = "shared retained after the reuse" THEN retained ELSE ret
          /\ extension' = [by |-> t, pc |-> "store", leaseSeen |-> record.lease, free |-> Max(free, freeEnd),
                           new |-> NewRecord(lease, floor, floorSeq, ret, record.epoch, record.epochStart, boot)]
    /\ thread' = [thread EXCEPT ![t].pc = "admit"]
    /\ UNCHANGED <<ring, record, mayRecord, reserving, published, avail, freeEnd, tailer, outside, history>>

Extending(t, pc) == thread[t].pc = "admit" /\ extension.by = t /\ extension.pc = pc

StoreRecord(t) ==
    /\ Extending(t, "store")
    /\ record' = extension.new
    /\ mayRecord' = mayRecord \cup {extension.new}
    /\ extension' = [extension EXCEPT !.pc = "drain"]
    /\ UNCHANGED <<ring, reserving, published, retained, avail, granting, thread, tailer, outside, history>>

DrainRecord(t) ==
    /\ Extending(t, "drain")
    /\ mayRecord' = IF Process \/ Fault \in {"lease not durable before use", "retained not durable before reuse"} THEN mayRecord ELSE {record}
    /\ freeEnd' = extension.free
    /\ extension' = NoExtension
    /\ thread' = [thread EXCEPT ![t] = Idle]
    /\ UNCHANGED <<ring, record, reserving, published, retained, avail, candidates, promoted, tailer, outside, history>>

(* Only in the broken variant: the shared word follows at some time. *)
RetainLate ==
    /\ Fault = "shared retained after the reuse" /\ phase = "run"
    /\ retained # record.retained
    /\ retained' = record.retained
    /\ UNCHANGED <<ring, records, reserving, published, avail, granting, thread, tailer, outside, history>>

-------------------------------------------------------------------------------
(* Writing, publishing *)

Own(t) ==   \* the slots that are stored: of a PAD the first one
    LET o == thread[t] IN
        IF o.kind = "pad" THEN {o.start % Capacity} ELSE {(o.start + i) % Capacity : i \in 0..(o.length - 1)}

Content(t, s) ==
    LET o == thread[t]
        i == (s - (o.start % Capacity) + Capacity) % Capacity
    IN Part(o.start, i, o.length, o.seq, record.epoch, o.kind)

(* History: what may be given up after any crash is forgotten. *)
Kept(frames) == {f \in frames : \E r \in mayRecord : PositionOf(f) >= r.retained}

After(t) ==  \* the next step of an append
    CASE thread[t].pc = "store" -> IF Fault = "publish before the fence" THEN "publish" ELSE "drain"
      [] thread[t].pc = "drain" -> IF Fault = "publish before the fence" THEN "idle" ELSE "publish"
      [] thread[t].pc \in {"publish", "offer", "advance"} -> IF Fault = "publish before the fence" THEN "drain" ELSE "idle"

Step(t) == thread' = [thread EXCEPT ![t] = IF After(t) = "idle" THEN Idle ELSE [@ EXCEPT !.pc = After(t)]]

(* I14: what lay here is durably not retained; I11: what comes here is below a durable lease. *)
StoreProblem(t) ==
    LET o == thread[t] IN
    IF ~Process /\ \E r \in mayRecord : o.start + o.length > r.lease THEN "I11: stored beyond a durable lease"
    ELSE IF ~Process /\ \E r \in mayRecord : o.start + o.length > r.retained + Capacity
         THEN "I14: stored into what is durably retained"
    ELSE IF ~Process /\ \E f \in stored : PositionOf(f) < o.start + o.length /\ o.start < PositionOf(f) + LengthOf(f)
         THEN "I16: a position is written twice"
    ELSE problem

Store(t) ==
    /\ thread[t].pc = "store"
    /\ mem' = [s \in Slots |-> IF s \in Own(t) THEN Content(t, s) ELSE mem[s]]
    /\ may' = [s \in Slots |-> IF s \in Own(t) THEN may[s] \cup {Content(t, s)} ELSE may[s]]
    /\ problem' = StoreProblem(t)
    /\ stored' = Kept(stored)
                  \cup (IF thread[t].kind = "data" THEN {Content(t, thread[t].start % Capacity)} ELSE {})
    /\ Step(t)
    /\ UNCHANGED <<records, reserving, published, retained, avail, granting, tailer, outside, acked, shown, lost>>

(* The fence: this thread's stores are persistent. *)
Drain(t) ==
    /\ thread[t].pc = "drain"
    /\ may' = IF Process THEN may ELSE [s \in Slots |-> IF s \in Own(t) THEN {mem[s]} ELSE may[s]]
    /\ acked' = IF thread[t].kind = "data"
                THEN Kept(acked) \cup {Content(t, thread[t].start % Capacity)}
                ELSE acked
    /\ Step(t)
    /\ UNCHANGED <<mem, records, reserving, published, retained, avail, granting, tailer, outside, shown, stored, lost,
                   problem>>

(* A CAS from the frame's start to its end; if the turn is another's, the end is offered in the availability ring, and
   `published` is looked at again. *)
Published(t) ==
    /\ thread[t].pc = "publish"
    /\ LET o == thread[t]
           end == o.start + o.length
       IN IF published = o.start \/ Fault = "published jumps over a gap"
          THEN published' = Max(published, end) /\ thread' = [thread EXCEPT ![t].pc = "advance"]
          ELSE thread' = [thread EXCEPT ![t].pc = "offer"] /\ UNCHANGED published
    /\ UNCHANGED <<ring, records, reserving, retained, avail, granting, tailer, outside, history>>

Offer(t) ==
    /\ thread[t].pc = "offer"
    /\ avail' = [avail EXCEPT ![thread[t].start % Span] = thread[t].start + thread[t].length]
    /\ IF Fault = "published is not looked at again" THEN Step(t) ELSE thread' = [thread EXCEPT ![t].pc = "advance"]
    /\ UNCHANGED <<ring, records, reserving, published, retained, granting, tailer, outside, history>>

Advance(t) ==
    /\ thread[t].pc = "advance"
    /\ IF avail[published % Span] > published
       THEN published' = avail[published % Span] /\ UNCHANGED thread
       ELSE Step(t) /\ UNCHANGED published
    /\ UNCHANGED <<ring, records, reserving, retained, avail, granting, tailer, outside, history>>

-------------------------------------------------------------------------------
(* The tailer: copy, then look at retained again, validate, deliver *)

(* With the second slot of the frame copied later than the first; Validate copies it. *)
Copy ==
    /\ Tailing /\ tailer.pc = "idle" /\ tailer.at < published
    /\ tailer' = [tailer EXCEPT !.pc = "validate", !.copy = mem[tailer.at % Capacity], !.seen = IF Fault = "retained looked at before the copy" THEN retained ELSE 0]
    /\ UNCHANGED <<ring, records, reserving, published, retained, avail, granting, thread, outside, history>>

Validate ==
    /\ tailer.pc = "validate"
    /\ LET c == tailer.copy
           whole == /\ PositionOf(c) = tailer.at /\ c[2] = 0
                    /\ KindOf(c) = "data" /\ LengthOf(c) = 2
                          => mem[(tailer.at + 1) % Capacity] = Part(tailer.at, 1, 2, SequenceOf(c), EpochOf(c), "data")
           now == IF Fault = "retained looked at before the copy" THEN tailer.seen ELSE retained
       IN IF now > tailer.at
          THEN /\ tailer' = [AtRest EXCEPT !.at = retained]       \* OVERRUN
               /\ UNCHANGED <<shown, problem>>
          ELSE IF ~whole
          THEN /\ problem' = "a tailer met damage where everything is whole"
               /\ UNCHANGED <<tailer, shown>>
          ELSE /\ tailer' = [AtRest EXCEPT !.at = tailer.at + LengthOf(c)]
               /\ shown' = Kept(shown) \cup (IF KindOf(c) = "data" THEN {c} ELSE {})
               /\ UNCHANGED problem
    /\ UNCHANGED <<ring, records, reserving, published, retained, avail, granting, thread, outside, acked, stored, lost>>

-------------------------------------------------------------------------------
(* Crashes *)

(* The process is gone; everything that it stored is visible, and may be lost in a power cut that follows. *)
ProcessCrash ==
    /\ crashes < Crashes /\ phase # "refused"
    /\ crashes' = crashes + 1
    /\ phase' = "down"
    /\ thread' = [t \in Threads |-> Idle]
    /\ extension' = NoExtension
    /\ plan' = NoPlan
    /\ UNCHANGED <<ring, record, mayRecord, reserving, published, retained, avail, granting, tailer, boot, history>>

RECURSIVE Images(_)
Images(n) == IF n = 0 THEN {<<>>} ELSE {Append(i, c) : i \in Images(n - 1), c \in may[n - 1]}

PowerCut ==
    /\ crashes < Crashes /\ phase # "refused"
    /\ crashes' = crashes + 1
    /\ boot' = boot + 1
    /\ phase' = "down"
    /\ \E image \in Images(Capacity) : mem' = [s \in Slots |-> image[s + 1]]
    /\ may' = [s \in Slots |-> {mem'[s]}]
    /\ record' \in mayRecord
    /\ mayRecord' = {record'}
    /\ published' = record'.floor
    /\ retained' = record'.retained
    /\ tailer' = [AtRest EXCEPT !.pc = "gone"]
    /\ thread' = [t \in Threads |-> Idle]
    /\ extension' = NoExtension
    /\ plan' = NoPlan
    /\ UNCHANGED <<reserving, avail, granting, history>>

-------------------------------------------------------------------------------
(* Recovery: scan and classify; persist what is kept; seal; the record of the next epoch *)

Hole(s, from, to, every) ==   \* its PADs: one a segment, or one a slot
    IF from = None THEN s
    ELSE LET heads == {p \in from..(to - 1) : p = from \/ p % SegmentSlots = 0 \/ every}
         IN s \cup {<<p, (IF every THEN 1 ELSE Min(to, SegmentEnd(p)) - p)>> : p \in heads}

RECURSIVE ScanFrom(_, _, _, _)
(* s: afterHole, hole (where it began), every (a PAD on each slot), seals, next, keptEnd, kept, ok *)
ScanFrom(p, least, lossy, s) ==
    IF p >= record.lease THEN [s EXCEPT !.seals = Hole(s.seals, s.hole, record.lease, s.every)]
    ELSE LET floorEpoch == IF p >= record.epochStart THEN record.epoch ELSE least
             c == Frame(mem, p)
             from == IF s.hole = None THEN p ELSE s.hole
         IN
         IF ~Valid(mem, p, floorEpoch, record.epoch)
         THEN ScanFrom(p + 1, least, lossy, [s EXCEPT !.hole = from, !.afterHole = TRUE])               \* HOLE
         ELSE IF p + LengthOf(c) > record.lease /\ ~lossy
         THEN [s EXCEPT !.ok = FALSE]                                                       \* STRADDLES_LEASE
         ELSE IF lossy /\ (s.afterHole \/ p + LengthOf(c) > record.lease)
         THEN ScanFrom(Min(record.lease, p + LengthOf(c)), least, lossy,
                       [s EXCEPT !.hole = from, !.afterHole = TRUE, !.every = TRUE])         \* DROP_POWER_LOST
         ELSE IF KindOf(c) = "seal"
         THEN ScanFrom(p + LengthOf(c), least, lossy,
                       [s EXCEPT !.seals = Hole(s.seals, s.hole, p, s.every) \cup {<<p, LengthOf(c)>>},
                                 !.hole = None, !.every = FALSE, !.afterHole = TRUE])        \* SEALED
         ELSE IF KindOf(c) = "data" /\ SequenceOf(c) < s.next
         THEN [s EXCEPT !.ok = FALSE]
         ELSE ScanFrom(p + LengthOf(c), EpochOf(c), lossy,
                       [s EXCEPT !.seals = Hole(s.seals, s.hole, p, s.every), !.hole = None, !.every = FALSE,
                                 !.next = IF KindOf(c) = "data" THEN SequenceOf(c) + 1 ELSE s.next,
                                 !.keptEnd = p + LengthOf(c)])                               \* KEEP

ScanResult(lossy) ==
    ScanFrom(record.floor, 0, lossy, [afterHole |-> FALSE, hole |-> None, every |-> FALSE, seals |-> {},
                                      next |-> record.floorSeq, keptEnd |-> record.floor, ok |-> TRUE])

OfThisBoot == record.boot = boot
PowerLost == Process /\ ~OfThisBoot

BeyondLease == \E p \in record.lease..(record.lease + Capacity - 1) : Valid(mem, p, record.epoch, 1000)

Scan ==
    /\ phase = "down"
    /\ LET s == ScanResult(PowerLost)
       IN IF ~s.ok \/ (BeyondLease /\ ~PowerLost)
          THEN phase' = "refused" /\ problem' = "recovery refuses an undamaged journal" /\ UNCHANGED plan
          ELSE /\ plan' = [keptEnd |-> s.keptEnd, seals |-> s.seals, next |-> s.next, sealed |-> {}]
               /\ phase' = IF ~OfThisBoot \/ Fault = "recovery does not persist what it keeps" THEN "seal"
                           ELSE IF Fault = "record not persisted before the PADs" THEN "rewrite"
                           ELSE "persist record"
               /\ UNCHANGED problem
    /\ UNCHANGED <<ring, records, reserving, published, retained, avail, granting, thread, tailer, boot, crashes, acked, shown,
                   stored, lost>>

PersistRecord ==
    /\ phase = "persist record"
    /\ mayRecord' = IF Process THEN mayRecord ELSE {record}
    /\ phase' = "rewrite"
    /\ UNCHANGED <<ring, record, extension, reserving, published, retained, avail, granting, thread, tailer, plan, boot, crashes,
                   history>>

Rewrite ==
    /\ phase = "rewrite"
    /\ may' = IF Process THEN may
              ELSE [s \in Slots |-> IF \E p \in record.floor..(plan.keptEnd - 1) : p % Capacity = s
                                    THEN {mem[s]} ELSE may[s]]
    /\ phase' = "seal"
    /\ UNCHANGED <<mem, records, reserving, published, retained, avail, granting, thread, tailer, plan, boot, crashes, history>>

Seal ==
    /\ phase = "seal" /\ plan.seals # plan.sealed
    /\ LET next == CHOOSE s \in plan.seals \ plan.sealed : \A o \in plan.seals \ plan.sealed : s[1] <= o[1]
           pad == Part(next[1], 0, next[2], plan.next, record.epoch, "seal")
           slot == next[1] % Capacity
       IN /\ mem' = [mem EXCEPT ![slot] = pad]
          /\ may' = [may EXCEPT ![slot] = @ \cup {pad, Junk}]
          /\ plan' = [plan EXCEPT !.sealed = @ \cup {next}]
    /\ UNCHANGED <<records, reserving, published, retained, avail, granting, thread, tailer, phase, boot, crashes, history>>

SealedSlots == {s[1] % Capacity : s \in plan.seals}

DrainSeals ==
    /\ phase = "seal" /\ plan.seals = plan.sealed
    /\ may' = IF Fault = "record of the next epoch before the PADs are durable" THEN may
              ELSE [s \in Slots |-> IF s \in SealedSlots THEN {mem[s]} ELSE may[s]]
    /\ phase' = "open"
    /\ UNCHANGED <<mem, records, reserving, published, retained, avail, granting, thread, tailer, plan, boot, crashes, history>>

NextEpoch ==
    LET start == IF Fault = "lease burnt short" THEN plan.keptEnd ELSE record.lease
    IN NewRecord(start, start, plan.next, record.retained,
                 IF Fault = "epoch not increased" THEN record.epoch ELSE record.epoch + 1, start, boot)

OpenEpoch ==
    /\ phase = "open"
    /\ record' = NextEpoch
    /\ mayRecord' = mayRecord \cup {NextEpoch}
    /\ phase' = "sync"
    /\ UNCHANGED <<ring, extension, reserving, published, retained, avail, granting, thread, tailer, plan, boot, crashes,
                   history>>

(* For real, at every level; then the shared words, and a new reservation word with a zeroed availability ring. *)
SyncEpoch ==
    /\ phase = "sync"
    /\ mayRecord' = {record}
    /\ may' = IF Fault = "recovery does not persist what it keeps" THEN may ELSE [s \in Slots |-> {mem[s]}]
    /\ phase' = "run"
    /\ published' = record.lease
    /\ retained' = record.retained
    /\ word' = <<record.lease \div SegmentSlots, 0, record.lease % SegmentSlots>>
    /\ base' = <<record.lease \div SegmentSlots, plan.next>>
    /\ avail' = [s \in 0..(Span - 1) |-> 0]
    /\ freeEnd' = record.lease
    /\ candidates' = {}
    /\ promoted' = <<record.lease, plan.next>>
    /\ plan' = NoPlan
    /\ lost' = stored \ Walk(mem, record.retained, record.lease, 0, record).frames
    /\ UNCHANGED <<mem, record, extension, thread, tailer, boot, crashes, acked, shown, stored, problem>>

-------------------------------------------------------------------------------
Appending ==
    /\ phase = "run"
    /\ \E t \in Threads :
        \/ \E n \in Lengths : Reserve(t, n) \/ Admit(t, n)
        \/ SeeFull(t) \/ InstallNextBase(t) \/ EnterNextSegment(t)
        \/ StoreRecord(t) \/ DrainRecord(t)
        \/ Store(t) \/ Drain(t) \/ Published(t) \/ Offer(t) \/ Advance(t)

Recovering == Scan \/ PersistRecord \/ Rewrite \/ Seal \/ DrainSeals \/ OpenEpoch \/ SyncEpoch

Next ==
    /\ problem = "none"
    /\ Appending \/ RetainLate \/ Copy \/ Validate \/ ProcessCrash \/ PowerCut \/ Recovering

Spec == Init /\ [][Next]_vars

Symmetry == Permutations(Threads)

-------------------------------------------------------------------------------
(* Invariants: DESIGN §3 and §8 *)

Reserved == IF BaseIsCurrent THEN WordPosition ELSE base[1] * SegmentSlots

NoProblem == problem = "none"

(* §3: retained <= floor <= published <= reserved, and the lease keeps its distance. *)
PositionsInOrder ==
    phase = "run" =>
        /\ record.retained <= record.floor
        /\ record.floor <= published
        /\ published <= Reserved
        /\ record.lease <= record.retained + Capacity
        /\ \A r \in mayRecord : Process \/ Reserved <= r.lease \/ Reserved > freeEnd

(* §3: the floor is the start of a frame with that sequence, or the end of the log. *)
FloorIsExact ==
    phase = "run" /\ record.floor < published =>
        LET c == Frame(mem, record.floor) IN
            PositionOf(c) = record.floor /\ (KindOf(c) = "data" => SequenceOf(c) = record.floorSeq)

(* I3, I8, I13, I18: everything that is readable is whole, and every slot of it is accounted for. *)
LogIsWhole == phase = "run" => Log.whole

(* I1 *)
AcknowledgedIsThere ==
    phase = "run" /\ ~Process => \A f \in acked : PositionOf(f) >= retained => f \in Log.frames \/ PositionOf(f) >= published

(* The same, for a process crash, at PROCESS. *)
AcknowledgedIsStored ==
    phase = "run" => \A f \in acked : PositionOf(f) >= retained => Frame(mem, PositionOf(f)) = f \/ Process

(* I5 *)
ShownIsThere ==
    phase = "run" /\ ~Process => \A f \in shown : PositionOf(f) >= retained => f \in Log.frames

(* I4 *)
SequencesIncrease ==
    phase = "run" => \A f, g \in Log.frames : PositionOf(f) < PositionOf(g) => SequenceOf(f) < SequenceOf(g)

(* I2, I7, I8: nothing that was never stored, nothing that a recovery has dropped. *)
NothingReturns == phase = "run" => Log.frames \subseteq (stored \ lost)

(* The same while a crashed writer's log is judged: what recovery is about to keep. *)
NothingReturnsFromTheWindow ==
    phase = "down" =>
        \A p \in record.floor..(record.lease - 1) :
            LET c == Frame(mem, p) IN
                c \in lost => ~Valid(mem, p, IF p >= record.epochStart THEN record.epoch ELSE 0, record.epoch)

(* Who has returned leaves nothing behind that nobody will publish. *)
NoPublicationIsLost ==
    phase = "run" /\ (\A t \in Threads : thread[t].pc \notin {"store", "drain", "publish", "offer", "advance"})
        => published = Reserved

(* Not invariants: a model in which these hold does nothing. Each must have a counter-example. *)
NeverTwoLaps == published < LogEnd
NeverOverrun == ~(tailer.at > 0 /\ retained > tailer.at)
NeverSealed == \A s \in Slots : KindOf(mem[s]) # "seal"
NeverOffered == \A s \in 0..(Span - 1) : avail[s] = 0
NeverRotatedTogether == ~(\E t, u \in Threads : t # u /\ thread[t].pc = "enter" /\ thread[u].pc = "enter")
===============================================================================
