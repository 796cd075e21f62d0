package io.fenceline.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fenceline.bench.limits.RawLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/// Every peer does what it is asked for, with little room and in no time: this says nothing about speed.
class PeersTest {
    static final List<Catalog> SINGLE = Catalog.SINGLE;
    static final List<Catalog> GROUP = Catalog.GROUP;
    static final List<Catalog> READ_BACK = SINGLE.stream()
            .filter(entry -> CompareTable.tasks(entry, "1").stream().anyMatch(task -> task.startsWith("scan")))
            .toList();

    private Path directory;

    @BeforeEach
    void setUp() throws IOException {
        directory = Files.createTempDirectory(Files.createDirectories(Path.of("target/peers-test")), "run");
    }

    @AfterEach
    void tearDown() {
        Forks.remove(directory);
    }

    @ParameterizedTest
    @FieldSource("GROUP")
    void shouldAppendFromSeveralThreads(Catalog entry) throws Exception {
        int threads = entry.name().equals("bare") ? 1 : 3;
        try (Peer peer = entry.factory().open(directory)) {
            Load load = Load.run(peer, threads, PeerFork.PAYLOAD_LENGTH_BYTES, 20_000_000, 150_000_000);
            assertTrue(load.ratePerSecond() > 0, peer.description());
            assertTrue(load.p50Ns() <= load.p99Ns());
        }
    }

    /// Every task that the table asks this peer for, shortened: a reader finds each entry that was appended, else the
    /// task throws.
    @ParameterizedTest
    @FieldSource("SINGLE")
    void shouldDoItsTasks(Catalog entry) throws Exception {
        Peer peer = open(entry);
        try (peer) {
            assertFalse(peer.description().isBlank());
            Comparison comparison = new Comparison();
            for (String task : CompareTable.tasks(entry, "0.01")) {
                String[] fields = task.split(":", -1);
                if (fields[0].equals("open") || fields[0].equals("tail")) {
                    fields[2] = "1000";
                }
                boolean small = fields[1].equals("64") || !fields[0].equals("append");
                if (small && !fields[0].equals("scan")) {
                    String found = PeerFork.run(peer, fields);
                    assertNotNull(found, task);
                    comparison.add(entry, 0, List.of("is x", task + " " + found), List.of(task));
                    assertEquals("", comparison.failure(entry));
                }
            }
        }
    }

    @ParameterizedTest
    @FieldSource("READ_BACK")
    void shouldReadAllThatWasAppended(Catalog entry) throws Exception {
        for (Peer.ReadMode mode : List.of(new Peer.ReadMode(true, false), new Peer.ReadMode(false, true))) {
            try (Peer peer = entry.factory().open(Files.createDirectories(directory.resolve(mode.toString())))) {
                double ns = new SingleLoad(peer, 64, 0, 1).scan(mode);
                assertTrue(ns > 0, entry.title());
            }
        }
    }

    private static boolean needsCompiler(Catalog entry) {
        return entry.id().equals("fenceline/MEMORY") || (entry.limit() && entry.kind() != Catalog.Kind.NOTHING);
    }

    /// Skips, visibly, what this machine has not.
    private Peer open(Catalog entry) throws Exception {
        assumeTrue(RawLimits.isAvailable() || !needsCompiler(entry), () -> entry.title() + ": " + RawLimits.problem());
        try {
            return entry.factory().open(directory);
        } catch (IOException e) {
            assumeTrue(!entry.name().equals("pmemlog"), entry.title() + ": " + e.getMessage());
            throw e;
        }
    }
}
