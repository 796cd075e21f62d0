import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.dsl.Disruptor;
import io.fenceline.appender.EntryEncoder;
import io.fenceline.appender.JournalEventHandler;
import io.fenceline.journal.FullPolicy;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;

/// The LMAX pattern on Fenceline: orders go through one Disruptor; two stages journal and replicate each of them in
/// parallel; the business logic is gated behind both, so it never acts on an order that a crash could take back.
///
///     mvn -q package -DskipTests
///     java --enable-native-access=ALL-UNNAMED -cp 'tools/target/lib/*' docs/examples/OrderPipeline.java DIR [ORDERS]
///
/// DIR must exist; the journal, the replica and the snapshot are made in it. Run it again: it goes on where the last
/// run ended, also where that was killed.
///
/// *Space:* both journals are rings of 4 MiB. Whenever one has come to another segment, the logic makes a snapshot
/// durable, and only then gives up what lies before it; the stages wait for that if they must.
///
/// *Failure:* a stage that fails (a full disk, a device that is gone) ends its thread. Nothing behind it runs any
/// more, and the publisher, which would find the Disruptor's ring full for ever, is told.
public final class OrderPipeline {
    private static final int SEGMENT_LENGTH_BYTES = 2 << 20;
    private static final JournalConfig CONFIG = JournalConfig.defaults()
            .withSegmentLengthBytes(SEGMENT_LENGTH_BYTES)
            .withSegmentCount(2)
            .withFullPolicy(FullPolicy.BLOCK)
            .withBlockTimeoutNs(10_000_000_000L); // logic that makes no snapshot for so long is dead

    private static class Order {
        long account;
        long amount;
        long sequence; // its number, and where it lies, as the journaller tells
        long position;
        long replicaPosition; // as the replicator tells
    }

    private static class OrderEncoder implements EntryEncoder<Order> {
        @Override
        public int lengthBytes(Order order) {
            return 16;
        }

        @Override
        public void encode(Order order, MemorySegment buffer, long offset, int lengthBytes) {
            buffer.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, order.account);
            buffer.set(ValueLayout.JAVA_LONG_UNALIGNED, offset + 8, order.amount);
        }
    }

    /// The business logic: who owns how much. A function of a snapshot, and of what is in the journal behind it.
    private static class Balances {
        final long[] balances = new long[100];
        long orders; // applied so far, and the sequence of the next one

        void apply(long account, long amount, long sequence) {
            balances[(int) account] += amount;
            orders = sequence + 1;
        }

        static Balances load(Path snapshot) throws IOException {
            var loaded = new Balances();
            if (Files.exists(snapshot)) {
                var bytes = ByteBuffer.wrap(Files.readAllBytes(snapshot));
                loaded.orders = bytes.getLong();
                bytes.asLongBuffer().get(loaded.balances);
            }
            return loaded;
        }

        /// Durable when it returns; after a crash there is the old snapshot, or the new one.
        void save(Path snapshot) throws IOException {
            var bytes = ByteBuffer.allocate(8 + 8 * balances.length).putLong(orders);
            bytes.asLongBuffer().put(balances);
            Path newer = snapshot.resolveSibling("snapshot.new");
            try (var file = FileChannel.open(
                    newer, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                file.write(bytes.rewind());
                file.force(true);
            }
            Files.move(newer, snapshot, StandardCopyOption.ATOMIC_MOVE);
            try (var directory = FileChannel.open(snapshot.getParent())) {
                directory.force(true);
            }
        }

        /// A new process begins with what the old one had made durable.
        Balances replay(Journal journal) {
            try (var tailer = Tailer.open(journal, Start.sequence(orders))) {
                while (tailer.poll(
                                entry -> apply(
                                        entry.buffer().get(ValueLayout.JAVA_LONG_UNALIGNED, entry.offset()),
                                        entry.buffer().get(ValueLayout.JAVA_LONG_UNALIGNED, entry.offset() + 8),
                                        entry.sequence()),
                                1000)
                        > 0) {}
            }
            return this;
        }
    }

    private static Journal journal(Path directory) {
        return Files.exists(directory) ? Journal.open(directory, CONFIG) : Journal.create(directory, CONFIG);
    }

    private final Path snapshot;
    private final Journal journal;
    private final Journal replica;
    private final Balances balances;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final Queue<Thread> stages = new ConcurrentLinkedQueue<>();

    private OrderPipeline(Path snapshot, Journal journal, Journal replica) throws IOException {
        this.snapshot = snapshot;
        this.journal = journal;
        this.replica = replica;
        this.balances = Balances.load(snapshot);
        for (var log : List.of(journal, replica)) { // a crash may have left orders in one that the other lacks
            if (log.recovery().nextSequence() > balances.orders) {
                balances.replay(log);
            }
        }
        balances.save(snapshot);
        for (var log : List.of(journal, replica)) {
            if (log.recovery().nextSequence() == balances.orders) {
                log.retain(log.published());
            } else {
                log.reset(balances.orders);
            }
        }
    }

    private void process(Order order) throws IOException {
        if (journal.published() <= order.position || replica.published() <= order.replicaPosition) {
            throw new IllegalStateException("not durable");
        }
        balances.apply(order.account, order.amount, order.sequence);
        if (order.position >= journal.retained() + SEGMENT_LENGTH_BYTES
                || order.replicaPosition >= replica.retained() + SEGMENT_LENGTH_BYTES) {
            balances.save(snapshot);
            journal.retain(order.position);
            replica.retain(order.replicaPosition);
        }
    }

    private void run(int orders) {
        var disruptor = new Disruptor<>(Order::new, 1024, this::stage);
        try (var journaller =
                        JournalEventHandler.open(journal, new OrderEncoder(), (Order order, long result, long n) -> {
                            order.position = result;
                            order.sequence = n;
                        });
                var replicator = JournalEventHandler.open(
                        replica,
                        new OrderEncoder(),
                        (Order order, long result, long n) -> order.replicaPosition = result)) {
            EventHandler<Order> logic = (order, sequence, endOfBatch) -> process(order);
            disruptor.handleEventsWith(journaller, replicator).then(logic);
            disruptor.start();
            try {
                for (int i = 0; i < orders; i++) {
                    long number = i;
                    while (!disruptor.getRingBuffer().tryPublishEvent((order, sequence) -> {
                        order.account = number % 100;
                        order.amount = number - 5000;
                    })) {
                        yieldUnlessFailed();
                    }
                }
                while (disruptor.getSequenceValueFor(logic) < disruptor.getCursor()) {
                    yieldUnlessFailed();
                }
            } finally {
                disruptor.halt(); // all is processed, or never will be; the handlers are closed when nobody runs them
                stages.forEach(OrderPipeline::join);
            }
        }
    }

    /// The Disruptor's default exception handler ends a stage that throws; whoever publishes must be told.
    private Thread stage(Runnable work) {
        var thread = Thread.ofPlatform().daemon().unstarted(work);
        thread.setUncaughtExceptionHandler((dead, e) -> failure.compareAndSet(null, e));
        stages.add(thread);
        return thread;
    }

    private void yieldUnlessFailed() {
        if (failure.get() != null) {
            throw new IllegalStateException("the pipeline has ended", failure.get());
        }
        Thread.yield();
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    public static void main(String[] arguments) throws IOException {
        var directory = Path.of(arguments[0]);
        int orders = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 10_000;
        var snapshot = directory.resolve("snapshot");
        try (var journal = journal(directory.resolve("journal"));
                var replica = journal(directory.resolve("replica"))) {
            var pipeline = new OrderPipeline(snapshot, journal, replica);
            var balances = pipeline.balances;
            IO.println(balances.orders + " orders found");
            pipeline.run(orders);

            boolean same = Arrays.equals(Balances.load(snapshot).replay(journal).balances, balances.balances)
                    && Arrays.equals(Balances.load(snapshot).replay(replica).balances, balances.balances);
            IO.println(balances.orders + " orders journaled, replicated and processed ("
                    + journal.durability().durability() + "); replayed from journal and replica: "
                    + (same ? "the same balances" : "OTHER BALANCES"));
        }
    }
}
