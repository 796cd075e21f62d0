#!/usr/bin/env python3
"""Lists the entries of a Fenceline journal. Written from docs/FORMAT.md alone; numbers in comments are its sections.

    fenceline_reader.py [--scan] DIRECTORY

One JSON object a line for each entry: position, sequence, index, timestamp, epoch, type, payload (hexadecimal).
A line {"missed": [from, to]} where the ring of a live journal went past the reader, or its end was cut off. With --scan the entries follow
that the next recovery would keep beyond the end (section 9), each with "unpublished": true; nothing is written.

Exit status: 0 all was read, 1 corrupt, 2 usage, 3 not a journal, or of a version that is not known.
"""
import argparse
import json
import mmap
import os
import struct
import sys

HEAD = 2 << 20
SLOT = 64
DATA, PAD = 1, 2
DEPENDENT, SEAL = 1, 2


class Refusal(Exception):
    """The journal cannot be used."""

    def __init__(self, text, status=1):
        super().__init__(text)
        self.status = status


# 2. Checksum
TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def boot_hash():
    """7. 64 bits that name this boot."""
    with open("/proc/sys/kernel/random/boot_id", "rb") as file:
        boot = file.read().strip()
    return crc32c(boot[18:]) << 32 | crc32c(boot)


def align(value, to):
    return (value + to - 1) // to * to


class Superblock:
    """4. Good, or else `problem` names what is wrong."""

    def __init__(self, data):
        self.problem = None
        if len(data) < 128 or data[:8] != b"FENCELIN":
            self.problem = "foreign"
            return
        if struct.unpack_from("<I", data, 124)[0] != crc32c(data[:124]):
            self.problem = "damaged"
            return
        version, slot = struct.unpack_from("<ii", data, 8)
        self.journal_id = data[16:32]
        self.salt, checksum_id = struct.unpack_from("<Ii", data, 32)
        self.segment_length, self.segment_count, self.maximum_frame = struct.unpack_from("<qii", data, 40)
        _, self.read_only_compatible, incompatible, self.created = struct.unpack_from("<qqqq", data, 56)
        if version != 1 or slot != SLOT or checksum_id != 1 or incompatible != 0:
            self.problem = "unsupported"
        elif not (
            4096 <= self.segment_length <= 1 << 30
            and self.segment_length & (self.segment_length - 1) == 0
            and 2 <= self.segment_count <= 65536
            and SLOT <= self.maximum_frame <= min(self.segment_length, (256 << 20) - SLOT)
            and self.maximum_frame % SLOT == 0
        ):
            self.problem = "damaged"


class State:
    """5. A valid line."""

    def __init__(self, line):
        self.line = line
        (self.version, self.lease, self.floor, self.floor_sequence, self.retained, self.epoch_start, self.epoch,
         self.flags, self.durability, _, self.boot) = struct.unpack_from("<qqqqqqiHBBI", line)

    @property
    def clean(self):
        return self.flags & 1 != 0


class Frame:
    """6. The slot at one position, judged; `data` is a private copy of what is covered by the checksum."""

    def __init__(self, journal, position, least_epoch):
        block = journal.superblock
        room = block.segment_length - position % block.segment_length
        header = journal.at(position, SLOT)
        (checksum, self.length, own, self.sequence, self.timestamp, self.epoch, self.kind, self.flags,
         self.count) = struct.unpack_from("<IiqqqiBBH", header)
        self.position, self.next = position, position + SLOT
        self.verdict = self.judge(journal, header, checksum, own, room, least_epoch)
        self.valid = self.verdict in ("DATA", "PAD", "SEAL", "SKIPPABLE")
        if self.valid:
            self.next = position + (self.length if self.kind == PAD else align(self.length, SLOT))

    def judge(self, journal, header, checksum, own, room, least_epoch):
        if self.length == 0 and own == 0 and self.kind == 0:
            return "EMPTY"
        if self.kind == PAD:
            bounded = self.length >= SLOT and self.length % SLOT == 0 and self.length <= room
        else:
            bounded = 40 <= self.length <= journal.superblock.maximum_frame and align(self.length, SLOT) <= room
        if not bounded:
            return "BAD_LENGTH"
        if own != self.position:
            return "BAD_POSITION"
        state = journal.state
        if not 0 <= least_epoch <= self.epoch <= state.epoch or (
            self.position >= state.epoch_start and self.epoch != state.epoch
        ):
            return "BAD_EPOCH"
        covered = SLOT if self.kind == PAD else self.length
        self.data = header if covered <= SLOT else header + journal.at(self.position + SLOT, covered - SLOT)
        if crc32c(self.data[4:covered]) ^ journal.superblock.salt != checksum:
            return "BAD_CHECKSUM"
        if self.flags & ~(DEPENDENT | SEAL) or (self.kind not in (DATA, PAD) and self.kind < 128):
            return "UNKNOWN"
        if self.kind == PAD:
            return "SEAL" if self.flags & SEAL else "PAD"
        if self.kind != DATA:
            return "SKIPPABLE"
        return "DATA" if self.count > 0 and self.sequence >= 0 and self.entries() is not None else "BAD_ENTRIES"

    def entries(self):
        """(type, payload) of each entry; None if they do not fill the frame."""
        found, at = [], 40
        for _ in range(self.count):
            if at + 8 > self.length:
                return None
            length, kind = struct.unpack_from("<ii", self.data, at)
            if length < 0 or at + 8 + length > self.length:
                return None
            found.append((kind, self.data[at + 8:at + 8 + length]))
            at += 8 + align(length, 8)
        return found if at == self.length else None


class Journal:
    def __init__(self, directory):
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        self.file = os.open(os.path.join(directory, "journal.log"), flags)
        self.length = os.fstat(self.file).st_size
        self.superblock = self.read_superblock()
        expected = HEAD + self.superblock.segment_length * self.superblock.segment_count
        if self.length != expected:
            raise Refusal(f"truncated or extended: expected {expected} bytes, actual {self.length}")
        self.capacity = expected - HEAD
        self.state = self.read_state()
        self.words = None
        try:
            run = os.open(os.path.join(directory, "journal.run"), flags)
        except FileNotFoundError:
            return
        if os.fstat(run).st_size >= 4096:
            self.words = mmap.mmap(run, 4096, mmap.MAP_SHARED, mmap.PROT_READ)
        os.close(run)
        if self.words is not None and not (
            self.word(32) == boot_hash()
            and self.words[:12] == b"FENCERUN" + struct.pack("<i", 1)
            and self.words[16:32] == self.superblock.journal_id
        ):
            self.words = None

    def word(self, at):
        """One aligned load (7): a cast view copies eight bytes at once."""
        with memoryview(self.words) as view, view[at:at + 8].cast("Q") as words:
            return words[0]

    def at(self, position, length):
        """3. The bytes at a position."""
        block = self.superblock
        place = position // block.segment_length % block.segment_count
        offset = HEAD + place * block.segment_length + position % block.segment_length
        data = os.pread(self.file, length, offset)
        if len(data) != length:
            raise Refusal(f"the file ends before offset {offset + length}")
        return data

    def read_superblock(self):
        copies = [Superblock(os.pread(self.file, 128, copy << 20)) for copy in (0, 1)]
        problems = [copy.problem for copy in copies]
        if "unsupported" in problems:
            raise Refusal("of a version or with a feature that is not known", 3)
        good = [copy for copy in copies if copy.problem is None]
        if len(good) == 2 and any(
            vars(good[0])[name] != vars(good[1])[name] for name in vars(good[0])
        ):
            raise Refusal("the superblock copies differ")
        if good:
            return good[0]
        if problems == ["foreign", "foreign"]:
            raise Refusal("not a journal", 3)
        raise Refusal("both superblock copies are damaged")

    def read_state(self):
        newest = None
        for pair in (0, 1):
            for mirror in (0, 1):
                page = os.pread(self.file, 4096, (mirror << 20) + (pair + 1) * 4096)
                for line in range(len(page) // 64):
                    data = page[line * 64:line * 64 + 64]
                    if struct.unpack_from("<I", data, 60)[0] != crc32c(data[:60]) ^ self.superblock.salt:
                        continue
                    record = State(data)
                    if record.version < 1 or record.version % 2 != pair or record.version // 2 % 64 != line:
                        continue
                    if newest and record.version == newest.version and record.line != newest.line:
                        raise Refusal(f"two state records of version {record.version} differ")
                    if not newest or record.version > newest.version:
                        newest = record
        if not newest:
            raise Refusal("no valid state record")
        s, segment = newest, self.superblock.segment_length
        if s.flags & ~(1 | 2 | 4) or s.flags & 3 == 3 or s.durability not in (1, 2, 3):
            raise Refusal("a state record with unknown flags or durability")
        if not (
            0 <= s.retained <= s.floor <= s.lease <= s.retained + self.capacity
            and s.retained % segment == 0
            and 0 <= s.epoch_start <= s.lease
            and s.floor_sequence >= 0
            and 0 <= s.epoch < (1 << 31) - 1
            and (s.lease | s.floor | s.epoch_start) % SLOT == 0
            and max(s.version, s.lease, s.floor_sequence) <= (1 << 63) - 1 - (1 << 31)
            and (not s.clean or s.floor == s.lease)
        ):
            raise Refusal("a state record with senseless positions")
        return newest

    def walk(self):
        """8. Yields frames from retained to the end, and pairs (from, to) that were missed."""
        generation = self.word(56) if self.words is not None else 0
        if self.words is None:
            position, self.end = self.state.retained, self.state.floor
        elif generation & 1:
            published = self.word(128)
            self.state = self.read_state()
            position, self.end = self.state.retained, min(published, self.state.floor)
        else:
            position, self.end = self.word(256), self.word(128)
        epoch = 0
        while position < self.end:
            frame = Frame(self, position, epoch)
            if self.words is not None:
                if self.word(56) != generation:
                    yield position, self.end
                    return
                retained = self.word(256)
                if retained > position:
                    yield position, retained
                    position = retained
                    continue
                if frame.verdict == "BAD_EPOCH":
                    self.state = self.read_state()
                    frame = Frame(self, position, epoch)
                    if self.word(256) > position:
                        continue
            if frame.verdict == "UNKNOWN":
                raise Refusal(f"position {position}: a frame of kind {frame.kind} that is not known", 3)
            if not frame.valid:
                raise Refusal(f"corrupt at position {position}: {frame.verdict}")
            epoch = frame.epoch
            yield frame
            position = frame.next

    def scan(self):
        """9. Yields the frames in [floor, lease) that recovery would keep."""
        state = self.state
        power_lost = state.durability == 3 and not state.clean and state.boot != boot_hash() & 0xFFFFFFFF
        if state.flags & 2:
            return
        position, least, hole = state.floor, 0, False
        while position < state.lease:
            frame = Frame(self, position, least)
            if frame.verdict == "UNKNOWN":
                raise Refusal(f"position {position}: a frame of kind {frame.kind} that is not known", 3)
            if not frame.valid or frame.verdict == "SEAL" and frame.next <= state.lease:
                hole = True
            elif frame.next > state.lease:
                if not power_lost:
                    raise Refusal(f"position {position}: a frame across the lease {state.lease}")
                return
            elif hole and (power_lost or frame.flags & DEPENDENT):
                pass
            else:
                least = frame.epoch
                yield frame
            position = frame.next


def show(frame, **more):
    for index, (kind, payload) in enumerate(frame.entries() if frame.verdict == "DATA" else ()):
        entry = {"position": frame.position, "sequence": frame.sequence + index, "index": index,
                 "timestamp": frame.timestamp, "epoch": frame.epoch, "type": kind, "payload": payload.hex()}
        print(json.dumps({**entry, **more}))


def main():
    parser = argparse.ArgumentParser(description="Lists the entries of a Fenceline journal.")
    parser.add_argument("--scan", action="store_true", help="also what the next recovery would keep")
    parser.add_argument("directory")
    arguments = parser.parse_args()
    try:
        journal = Journal(arguments.directory)
        for step in journal.walk():
            if isinstance(step, tuple):
                print(json.dumps({"missed": list(step)}))
            else:
                show(step)
        if arguments.scan and not journal.state.clean:
            for frame in journal.scan():
                if frame.position >= journal.end:
                    show(frame, unpublished=True)
    except Refusal as refusal:
        print(f"{arguments.directory}: {refusal}", file=sys.stderr)
        return refusal.status
    except OSError as error:
        print(f"{arguments.directory}: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
