package io.fenceline.tools;

/// Ends a command in order when SIGINT or SIGTERM comes, before the JVM goes.
final class Interruption implements AutoCloseable {
    private final Thread hook;
    private volatile boolean come;

    private Interruption(Runnable end) {
        hook = new Thread(
                () -> {
                    come = true;
                    try {
                        end.run();
                    } catch (RuntimeException e) {
                        // The command itself meets the same problem, or is past caring.
                    }
                },
                "interruption");
    }

    /// @param end runs on another thread
    static Interruption then(Runnable end) {
        Interruption interruption = new Interruption(end);
        Runtime.getRuntime().addShutdownHook(interruption.hook);
        return interruption;
    }

    boolean hasCome() {
        return come;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // It is under way.
        }
    }
}
