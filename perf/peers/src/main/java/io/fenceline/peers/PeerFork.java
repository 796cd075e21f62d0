package io.fenceline.peers;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// One JVM with one peer, made anew for each task that reads. Writes `is DESCRIPTION`, and a line for each task:
/// the task itself, then what was found; `none` if the peer has nothing to do it with, `failed` and the reason.
///
///     java … io.fenceline.peers.PeerFork SINGLE|GROUP CLASS PEER DIRECTORY TASK…
///
///     load:THREADS:SECONDS                  ns of one entry at the rate of all threads, p50, p99
///     append:PAYLOAD:SECONDS                ns per entry, bytes allocated per entry
///     open:PAYLOAD:RATE:SECONDS             missed, histogram
///     tail:PAYLOAD:RATE:SECONDS             histogram
///     scan:PAYLOAD:MODE:SECONDS             ns per entry; MODE: verified or unverified, then first or whole
///
/// Seconds are measured ones, after 0.7 times as long of warm-up; twice as long for a tail, whose two threads leave the
/// JIT compiler no processor of its own where there are two; three times for a scan, whose code is deep, and as much
/// longer as it gets faster.
final class PeerFork {
    static final int PAYLOAD_LENGTH_BYTES = 256;

    private PeerFork() {}

    public static void main(String[] arguments) throws Exception {
        Catalog.Kind kind = Catalog.Kind.valueOf(arguments[1]);
        Catalog entry = Catalog.find(arguments[0].equals("GROUP") ? Catalog.GROUP : Catalog.SINGLE, arguments[2], kind);
        Path directory = Path.of(arguments[3]);
        List<String> tasks = Arrays.asList(arguments).subList(4, arguments.length);
        for (int next = 0; next < tasks.size(); ) {
            int end = next + 1;
            while (end < tasks.size() && isAppend(tasks.get(next)) && isAppend(tasks.get(end))) {
                end++;
            }
            run(entry, Files.createDirectories(directory.resolve("task" + next)), tasks.subList(next, end), next == 0);
            next = end;
        }
        System.out.flush();
        System.exit(0); // some peers leave threads behind
    }

    /// Such tasks follow each other in one peer; who reads gets a new one, with nothing in it.
    private static boolean isAppend(String task) {
        return task.startsWith("append") || task.startsWith("open");
    }

    private static void run(Catalog entry, Path directory, List<String> tasks, boolean describe) {
        try (Peer peer = entry.factory().open(directory)) {
            if (describe) {
                System.out.println("is " + peer.description());
            }
            for (String task : tasks) {
                System.out.println(task + " " + attempt(peer, task));
            }
        } catch (Exception | LinkageError e) {
            e.printStackTrace();
            tasks.forEach(task -> System.out.println(task + " failed " + reason(e)));
        } finally {
            Forks.remove(directory);
        }
    }

    private static String attempt(Peer peer, String task) {
        try {
            String found = run(peer, task.split(":", -1));
            return found == null ? "none" : found;
        } catch (Exception e) {
            e.printStackTrace();
            return "failed " + reason(e);
        }
    }

    /// On one line, the causes too.
    static String reason(Throwable e) {
        StringBuilder reason = new StringBuilder();
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            reason.append(reason.isEmpty() ? "" : ": ")
                    .append(cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage());
        }
        return reason.toString().replaceAll("\\s+", " ");
    }

    /// @return null: the peer cannot
    static @Nullable String run(Peer peer, String[] task) throws Exception {
        int number = Integer.parseInt(task[1]);
        long measureNs = (long) (Double.parseDouble(task[task.length - 1]) * 1e9);
        long warmUpNs = switch (task[0]) {
            case "tail" -> 2 * measureNs;
            case "scan" -> 3 * measureNs;
            default -> measureNs * 7 / 10;
        };
        if (task[0].equals("load")) {
            Load load = Load.run(peer, number, PAYLOAD_LENGTH_BYTES, warmUpNs, measureNs);
            return String.format(Locale.ROOT, "%.3f %d %d", 1e9 / load.ratePerSecond(), load.p50Ns(), load.p99Ns());
        }
        SingleLoad load = new SingleLoad(peer, number, warmUpNs, measureNs);
        return switch (task[0]) {
            case "append" -> {
                SingleLoad.Saturated saturated = load.saturated();
                yield String.format(Locale.ROOT, "%.3f %.2f", saturated.nsPerEntry(), saturated.allocatedBytes());
            }
            case "open" -> {
                SingleLoad.Open open = load.open(Integer.parseInt(task[2]));
                yield open.missed() + " " + encode(open.latencies());
            }
            case "tail" -> {
                Histogram tail = load.tail(Integer.parseInt(task[2]));
                yield tail == null ? null : encode(tail);
            }
            case "scan" -> {
                double ns = load.scan(mode(task[2]));
                yield Double.isNaN(ns) ? null : String.format(Locale.ROOT, "%.3f", ns);
            }
            default -> throw new IllegalArgumentException("no task '" + task[0] + "'");
        };
    }

    private static Peer.ReadMode mode(String text) {
        return new Peer.ReadMode(text.startsWith("verified"), text.endsWith("whole"));
    }

    static String encode(Histogram histogram) {
        ByteBuffer bytes = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
        int length = histogram.encodeIntoCompressedByteBuffer(bytes);
        return Base64.getEncoder().encodeToString(Arrays.copyOf(bytes.array(), length));
    }
}
