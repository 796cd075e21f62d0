package io.fenceline.journal.persist;

import io.fenceline.journal.JournalException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// A file system in memory that knows, for each name and each file, what is *visible* and what a power cut leaves:
///
/// | what | undecided until | and until then, each on its own |
/// |---|---|---|
/// | a name made, removed, or renamed | `fsync` of its directory | done or not; a rename is one change |
/// | the length of a file | `fsync`, `fdatasync` of it | the old or the new one |
/// | a sector of 512 bytes | the same | what it was at the last sync, or what it is now |
///
/// So a name may be durable before the content, or the other way round, and names of one directory in any order. What
/// is stored through a mapping is visible and never durable: journals at `DEVICE` may live here. Symbolic links,
/// permissions and limits are not simulated.
///
/// Threads: any number; every method holds the one lock, also while it calls the observer.
public final class SimulatedFiles implements FileLayer {
    /// Sees each call that changes something durable, or makes it so, before it has an effect.
    @FunctionalInterface
    public interface Observer {
        void before(SimulatedFiles files, String operation);
    }

    private static final long EXT4 = 0xEF53;
    private static final int SECTOR_LENGTH_BYTES = 512;

    /// How the undecided content of one file may be found: as it was; as long as it is now, with the old bytes; as it
    /// is; some sectors.
    private static final int CONTENTS = 4;

    /// A change of names in one directory.
    private record Change(
            @Nullable String removed, @Nullable String added, Node node) {}

    private static final class Node {
        final boolean isDirectory;
        final Map<String, Node> names = new LinkedHashMap<>();
        final Map<String, Node> durableNames = new LinkedHashMap<>();
        final List<Change> changes = new ArrayList<>();
        final Set<Long> sectors = new LinkedHashSet<>();
        SparseBytes bytes = new SparseBytes(0);
        SparseBytes durableBytes = new SparseBytes(0);
        long length;
        long durableLength;
        int links;

        @Nullable
        MemorySegment mapped;

        Node(boolean isDirectory) {
            this.isDirectory = isDirectory;
        }

        void grow(long to) {
            if (to > length) {
                bytes = grown(bytes, length, to);
                durableBytes = grown(durableBytes, length, to);
                length = to;
            }
        }

        private static SparseBytes grown(SparseBytes from, long length, long to) {
            SparseBytes grown = new SparseBytes((to + 4095) & -4096);
            MemorySegment copy = MemorySegment.ofArray(new byte[(int) length]);
            from.read(0, copy, 0, length);
            grown.write(0, copy, length);
            return grown;
        }

        void decide() {
            sectors.clear();
            durableBytes = bytes.fork();
            durableLength = length;
        }

        boolean isUndecided() {
            return !sectors.isEmpty() || length != durableLength;
        }
    }

    private record Lock(Node node, int fd, long from, long to) {}

    private final Path base;
    private final Node root;
    private final Map<Integer, Node> open = new HashMap<>();
    private final List<Lock> locks = new ArrayList<>();
    private Observer observer = (files, operation) -> {};
    private int lastFd = 1000;

    /// An empty directory.
    public SimulatedFiles(Path base) {
        this(base, new Node(true));
    }

    private SimulatedFiles(Path base, Node root) {
        this.base = base;
        this.root = root;
    }

    /// Calls the observer before each change from now on.
    public synchronized void observe(Observer observer) {
        this.observer = observer;
    }

    /// Runs something: the journals that it creates or opens lie here.
    public <T> T in(Callable<T> body) throws Exception {
        return ScopedValue.where(CURRENT, this).call(body::call);
    }

    /// What the next process of this boot finds: everything, decided or not.
    public synchronized SimulatedFiles afterProcessCrash() {
        Map<Node, Node> copies = new HashMap<>();
        return new SimulatedFiles(base, fork(root, copies));
    }

    private static Node fork(Node node, Map<Node, Node> copies) {
        Node known = copies.get(node);
        if (known != null) {
            return known;
        }
        Node copy = new Node(node.isDirectory);
        copies.put(node, copy);
        MemorySegment mapped = node.mapped;
        if (mapped != null) {
            node.bytes.write(0, mapped, node.length);
        }
        copy.bytes = node.bytes.fork();
        copy.durableBytes = node.durableBytes.fork();
        copy.length = node.length;
        copy.durableLength = node.durableLength;
        copy.links = node.links;
        copy.sectors.addAll(node.sectors);
        node.names.forEach((name, child) -> copy.names.put(name, fork(child, copies)));
        node.durableNames.forEach((name, child) -> copy.durableNames.put(name, fork(child, copies)));
        node.changes.forEach(
                change -> copy.changes.add(new Change(change.removed, change.added, fork(change.node, copies))));
        return copy;
    }

    /// Calls `use` with what may be found after a power cut: with every combination of changed names, and of what
    /// each undecided file may hold (one sample stands for "some sectors"), if they are few, else with nothing,
    /// everything, and samples.
    ///
    /// @param few at most so many images
    /// @return the number of calls
    public synchronized long afterPowerCuts(int few, RandomGenerator random, Consumer<SimulatedFiles> use) {
        Set<Node> all = new LinkedHashSet<>();
        collect(root, all);
        List<Integer> sizes = new ArrayList<>();
        all.forEach(node -> node.changes.forEach(change -> sizes.add(2)));
        all.stream().filter(Node::isUndecided).forEach(node -> sizes.add(CONTENTS));
        PersistedChoices choices =
                new PersistedChoices(sizes.stream().mapToInt(n -> n).toArray(), false);
        return choices.forEach(few, Math.max(1, few / 4), random, choice -> use.accept(image(all, choice, random)));
    }

    /// Writes what a process finds here to real files.
    ///
    /// @param directory what stands there for the base; made if it is not there
    public synchronized void writeTo(Path directory) throws IOException {
        write(root, directory);
    }

    private static void write(Node node, Path path) throws IOException {
        if (!node.isDirectory) {
            byte[] bytes = new byte[Math.toIntExact(node.length)];
            node.bytes.read(0, MemorySegment.ofArray(bytes), 0, bytes.length);
            Files.write(path, bytes);
            return;
        }
        Files.createDirectories(path);
        for (Map.Entry<String, Node> name : node.names.entrySet()) {
            write(name.getValue(), path.resolve(name.getKey()));
        }
    }

    private static void collect(Node node, Set<Node> all) {
        if (all.add(node)) {
            node.names.values().forEach(child -> collect(child, all));
            node.durableNames.values().forEach(child -> collect(child, all));
            node.changes.forEach(change -> collect(change.node, all));
        }
    }

    private SimulatedFiles image(Set<Node> all, int[] choice, RandomGenerator random) {
        Map<Node, Node> images = new HashMap<>();
        all.forEach(node -> images.put(node, new Node(node.isDirectory)));
        int at = 0;
        for (Node node : all) {
            Map<String, Node> names = new LinkedHashMap<>(node.durableNames);
            for (Change change : node.changes) {
                boolean isThere = change.removed == null || names.get(change.removed) == change.node;
                if (choice[at++] != 0 && isThere) {
                    names.remove(change.removed);
                    if (change.added != null) {
                        names.put(change.added, change.node);
                    }
                }
            }
            Node image = of(images, node);
            names.forEach((name, child) -> image.names.put(name, of(images, child)));
            image.durableNames.putAll(image.names);
            image.names.values().forEach(child -> child.links++);
        }
        for (Node node : all) {
            content(node, of(images, node), node.isUndecided() ? choice[at++] : CONTENTS - 2, random);
        }
        return new SimulatedFiles(base, of(images, root));
    }

    private static Node of(Map<Node, Node> images, Node node) {
        return Objects.requireNonNull(images.get(node));
    }

    private static void content(Node node, Node image, int choice, RandomGenerator random) {
        image.length = choice == 0 ? node.durableLength : node.length;
        image.bytes = node.durableBytes.fork();
        for (long sector : node.sectors) {
            if (choice == 2 || (choice == 3 && random.nextBoolean())) {
                image.bytes.write(
                        sector * SECTOR_LENGTH_BYTES,
                        node.bytes.copyOf(sector * SECTOR_LENGTH_BYTES, SECTOR_LENGTH_BYTES));
            }
        }
        image.decide();
    }

    private static JournalException.Io failure(Object what, String problem, int errno) {
        return new JournalException.Io("simulated files: " + what + ": " + problem, errno);
    }

    private @Nullable Node find(Path path) {
        Node node = root;
        if (!path.equals(base)) {
            for (Path name : base.relativize(path)) {
                node = node == null ? null : node.names.get(name.toString());
            }
        }
        return node;
    }

    private Node node(int fd) {
        Node node = open.get(fd);
        if (node == null) {
            throw new IllegalStateException("descriptor " + fd + " is closed");
        }
        return node;
    }

    private void link(Node directory, String name, Node node) {
        directory.names.put(name, node);
        directory.changes.add(new Change(null, name, node));
        node.links++;
    }

    @Override
    public synchronized int open(int directory, String name, int flags, int mode, Object what) {
        Node node = directory < 0 ? find(Path.of(name)) : node(directory).names.get(name);
        if (node == null) {
            if ((flags & Posix.O_CREAT) == 0) {
                throw failure(what, "there is no " + name, Posix.ENOENT);
            }
            observer.before(this, "create " + name);
            node = new Node(false);
            link(node(directory), name, node);
        } else if ((flags & Posix.O_EXCL) != 0) {
            throw failure(what, name + " is there", Posix.EEXIST);
        }
        if ((flags & Posix.O_DIRECTORY) != 0 && !node.isDirectory) {
            throw failure(what, name + " is a file", Posix.ENOTDIR);
        }
        open.put(++lastFd, node);
        return lastFd;
    }

    @Override
    public synchronized void close(int fd) {
        locks.removeIf(lock -> lock.fd == fd);
        open.remove(fd);
    }

    @Override
    public synchronized void mkdir(int directory, String name, int mode, Object what) {
        if (node(directory).names.containsKey(name)) {
            throw failure(what, name + " is there", Posix.EEXIST);
        }
        observer.before(this, "mkdir " + name);
        link(node(directory), name, new Node(true));
    }

    @Override
    public synchronized boolean remove(int directory, String name, boolean isDirectory) {
        Node node = node(directory).names.get(name);
        if (node == null) {
            return false;
        }
        observer.before(this, "remove " + name);
        node(directory).names.remove(name);
        node(directory).changes.add(new Change(name, null, node));
        node.links--;
        return true;
    }

    @Override
    public synchronized void renameNoReplace(int directory, String from, String to, Object what) {
        Map<String, Node> names = node(directory).names;
        if (names.containsKey(to)) {
            throw failure(what, to + " is there", Posix.EEXIST);
        }
        observer.before(this, "rename " + from + " to " + to);
        Node node = names.remove(from);
        if (node == null) {
            throw failure(what, "there is no " + from, Posix.ENOENT);
        }
        names.put(to, node);
        node(directory).changes.add(new Change(from, to, node));
    }

    @Override
    public void chmod(int fd, int mode, Object what) {}

    @Override
    public synchronized void allocate(int fd, long length, Object what) {
        observer.before(this, "allocate");
        node(fd).grow(length);
    }

    @Override
    public synchronized long pread(
            int fd, long address, long length, long fileOffset, MemorySegment capture, Object what) {
        Node node = node(fd);
        long n = Math.max(0, Math.min(length, node.length - fileOffset));
        MemorySegment destination = MemorySegment.ofAddress(address).reinterpret(n);
        MemorySegment mapped = node.mapped;
        if (mapped != null) {
            MemorySegment.copy(mapped, fileOffset, destination, 0, n);
        } else {
            node.bytes.read(fileOffset, destination, 0, n);
        }
        return n;
    }

    @Override
    public synchronized void pwriteFully(
            int fd, long address, long length, long fileOffset, MemorySegment capture, Object what) {
        observer.before(this, "pwrite [" + fileOffset + ", +" + length + ")");
        Node node = node(fd);
        node.grow(fileOffset + length);
        MemorySegment source = MemorySegment.ofAddress(address).reinterpret(length);
        node.bytes.write(fileOffset, source, length);
        MemorySegment mapped = node.mapped;
        if (mapped != null) {
            MemorySegment.copy(source, 0, mapped, fileOffset, length);
        }
        for (long at = fileOffset / SECTOR_LENGTH_BYTES; at * SECTOR_LENGTH_BYTES < fileOffset + length; at++) {
            node.sectors.add(at);
        }
    }

    @Override
    public synchronized void fdatasync(int fd, MemorySegment capture, Object what) {
        fsync(fd, what);
    }

    @Override
    public synchronized void fsync(int fd, Object what) {
        observer.before(this, "fsync " + what);
        Node node = node(fd);
        if (node.isDirectory) {
            node.changes.clear();
            node.durableNames.clear();
            node.durableNames.putAll(node.names);
        } else {
            node.decide();
        }
    }

    @Override
    public synchronized Posix.Status status(int fd, Object what) {
        Node node = node(fd);
        return new Posix.Status(!node.isDirectory, 0600, node.links, node.length);
    }

    @Override
    public synchronized void checkWhole(int fd, long length, MemorySegment buffer, MemorySegment capture, Object what) {
        if (node(fd).length < length || node(fd).links == 0) {
            throw failure(what, "cut off, or removed", 0);
        }
    }

    /// No `MAP_SYNC` here.
    @Override
    public synchronized long map(int fd, long length, boolean writable, boolean sync, Object what) {
        if (sync) {
            return 0;
        }
        Node node = node(fd);
        MemorySegment mapped = node.mapped;
        if (mapped == null) {
            mapped = Arena.ofAuto().allocate((node.length + 4095) & -4096, 4096);
            node.bytes.read(0, mapped, 0, node.length);
            node.mapped = mapped;
        }
        return mapped.address();
    }

    @Override
    public void unmap(long address, long length) {}

    @Override
    public synchronized boolean tryLock(int fd, long offset, long lengthBytes, Object what) {
        if (isLocked(fd, offset, lengthBytes, what)) {
            return false;
        }
        locks.add(new Lock(node(fd), fd, offset, lengthBytes == 0 ? Long.MAX_VALUE : offset + lengthBytes));
        return true;
    }

    @Override
    public synchronized void unlock(int fd, long offset, long lengthBytes, Object what) {
        locks.removeIf(lock -> lock.fd == fd && lock.from == offset);
    }

    @Override
    public synchronized boolean isLocked(int fd, long offset, long lengthBytes, Object what) {
        long to = lengthBytes == 0 ? Long.MAX_VALUE : offset + lengthBytes;
        return locks.stream()
                .anyMatch(lock -> lock.node == node(fd) && lock.fd != fd && lock.from < to && offset < lock.to);
    }

    @Override
    public long fileSystemMagic(int fd, Object what) {
        return EXT4;
    }

    @Override
    public synchronized boolean exists(Path path) {
        return find(path) != null;
    }

    @Override
    public boolean isSymbolicLink(Path path) {
        return false;
    }

    @Override
    public synchronized Path realPath(Path directory) throws NoSuchFileException {
        if (find(directory) == null) {
            throw new NoSuchFileException(directory.toString());
        }
        return directory;
    }

    @Override
    public synchronized List<String> names(Path directory) throws NoSuchFileException {
        Node node = find(directory);
        if (node == null) {
            throw new NoSuchFileException(directory.toString());
        }
        return List.copyOf(node.names.keySet());
    }
}
