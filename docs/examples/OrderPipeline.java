import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.dsl.Disruptor;
import io.fenceline.appender.EntryEncoder;
import io.fenceline.appender.JournalEventHandler;
import io.fenceline.journal.Journal;
import io.fenceline.journal.JournalConfig;
import io.fenceline.tailer.Start;
import io.fenceline.tailer.Tailer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// The LMAX pattern on Fenceline: orders go through one Disruptor; two stages journal and replicate each of them in
/// parallel; the business logic is gated behind both, so it never acts on an order that a crash could take back.
///
///     mvn -q package -DskipTests
///     java --enable-native-access=ALL-UNNAMED -cp 'tools/target/lib/*' docs/examples/OrderPipeline.java DIR [ORDERS]
///
/// DIR must exist; the journal and the replica are made in it. Run it again: it goes on where the last run ended.
public final class OrderPipeline {
    private static class Order {
        long account;
        long amount;
        long position; // where it lies in the journal
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

    /// The business logic: who owns how much. Its state is a function of the journal.
    private static class Balances {
        final long[] balances = new long[100];
        long orders;

        void apply(long account, long amount) {
            balances[(int) account] += amount;
            orders++;
        }

        /// A new process begins with what the old one had made durable.
        Balances replay(Journal journal) {
            try (var tailer = Tailer.open(journal, Start.oldest())) {
                while (tailer.poll(
                                entry -> apply(
                                        entry.buffer().get(ValueLayout.JAVA_LONG_UNALIGNED, entry.offset()),
                                        entry.buffer().get(ValueLayout.JAVA_LONG_UNALIGNED, entry.offset() + 8)),
                                1000)
                        > 0) {}
            }
            return this;
        }
    }

    private static Journal journal(Path directory) {
        var config = JournalConfig.defaults().withSegmentLengthBytes(2 << 20);
        return Files.exists(directory) ? Journal.open(directory, config) : Journal.create(directory, config);
    }

    public static void main(String[] arguments) {
        var directory = Path.of(arguments[0]);
        int orders = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 10_000;
        try (var journal = journal(directory.resolve("journal"));
                var replica = journal(directory.resolve("replica"))) {
            var balances = new Balances().replay(journal);
            IO.println(balances.orders + " orders found");

            var disruptor =
                    new Disruptor<>(Order::new, 1024, Thread.ofPlatform().factory());
            try (var journaller = JournalEventHandler.open(
                            journal,
                            new OrderEncoder(),
                            (Order order, long result, long sequence) -> order.position = result);
                    var replicator = JournalEventHandler.open(replica, new OrderEncoder())) {
                EventHandler<Order> logic = (order, sequence, endOfBatch) -> {
                    if (journal.published() <= order.position) {
                        throw new IllegalStateException("not durable");
                    }
                    balances.apply(order.account, order.amount);
                };
                disruptor.handleEventsWith(journaller, replicator).then(logic);
                disruptor.start();
                for (int i = 0; i < orders; i++) {
                    long number = i;
                    disruptor.publishEvent((order, sequence) -> {
                        order.account = number % 100;
                        order.amount = number - 5000;
                    });
                }
                // A shutdown alone waits only for stages whose threads run already.
                while (disruptor.getSequenceValueFor(logic) < disruptor.getCursor()) {
                    Thread.yield();
                }
                disruptor.shutdown();
            }

            boolean same = Arrays.equals(new Balances().replay(journal).balances, balances.balances)
                    && Arrays.equals(new Balances().replay(replica).balances, balances.balances);
            IO.println(balances.orders + " orders journaled, replicated and processed ("
                    + journal.durability().durability() + "); replayed from journal and replica: "
                    + (same ? "the same balances" : "OTHER BALANCES"));
        }
    }
}
