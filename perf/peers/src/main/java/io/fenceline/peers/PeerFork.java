package io.fenceline.peers;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;

/// One JVM with one peer: measures it under each number of threads and writes a line `load THREADS RATE P50 P99` for
/// each, after `is DESCRIPTION`.
///
///     java … io.fenceline.peers.PeerFork PEER DIRECTORY SECONDS THREADS…
final class PeerFork {
    static final int PAYLOAD_LENGTH_BYTES = 256;

    private PeerFork() {}

    public static void main(String[] arguments) throws Exception {
        Path directory = Files.createDirectories(Path.of(arguments[1]));
        double seconds = Double.parseDouble(arguments[2]);
        try (Peer peer = open(arguments[0], directory)) {
            System.out.println("is " + peer.description());
            for (int i = 3; i < arguments.length; i++) {
                int threads = Integer.parseInt(arguments[i]);
                Load load =
                        Load.run(peer, threads, PAYLOAD_LENGTH_BYTES, (long) (seconds * 0.7e9), (long) (seconds * 1e9));
                System.out.printf(
                        Locale.ROOT, "load %d %.1f %d %d%n", threads, load.ratePerSecond(), load.p50Ns(), load.p99Ns());
            }
        }
    }

    private static Peer open(String name, Path directory) throws Exception {
        Peer.Factory factory = name.equals("bare") ? BarePeer::new : Peer.all().get(name);
        return Objects.requireNonNull(factory, name).open(directory);
    }
}
