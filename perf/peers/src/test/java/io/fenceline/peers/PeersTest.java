package io.fenceline.peers;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every peer takes appends of several threads and closes: this says nothing about speed.
class PeersTest {
    private Path directory;

    @BeforeEach
    void setUp() throws IOException {
        directory = Files.createTempDirectory(Files.createDirectories(Path.of("target/peers-test")), "run");
    }

    @AfterEach
    void tearDown() throws IOException {
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"fenceline", "filechannel", "rocksdb", "artemis", "aeron"})
    void shouldAppendFromSeveralThreads(String name) throws Exception {
        assertTrue(Peer.all().containsKey(name));
        try (Peer peer = Objects.requireNonNull(Peer.all().get(name)).open(directory)) {
            Load load = Load.run(peer, 3, PeerFork.PAYLOAD_LENGTH_BYTES, 20_000_000, 300_000_000);
            assertTrue(load.ratePerSecond() > 0, peer.description());
            assertTrue(load.p50Ns() <= load.p99Ns());
        }
    }
}
